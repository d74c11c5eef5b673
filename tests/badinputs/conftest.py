"""Runs the command inside of this process, and says what a refusal must look like."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import pytest

from automl.cli.main import main
from automl.testing.tiny import tiny_artifact, tiny_images


class Answer(NamedTuple):
    """What the command did."""

    code: int
    lines: list[str]


class Command(Protocol):
    """Runs `automl` with arguments."""

    def __call__(self, *arguments: object) -> Answer: ...


@pytest.fixture(scope="session", autouse=True)
def _no_bytes_are_cached_elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    patch = pytest.MonkeyPatch()
    patch.setenv("AUTOML_CACHE", str(tmp_path_factory.mktemp("cache")))
    patch.setenv("MLFLOW_TRACKING_URI", "")
    yield
    patch.undo()


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder which is the working directory."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def automl(capsys: pytest.CaptureFixture[str]) -> Command:
    """Return the command."""

    def run(*arguments: object) -> Answer:
        code = main([str(argument) for argument in arguments], started=time.monotonic())
        return Answer(code, [line for line in capsys.readouterr().err.splitlines() if line.strip()])

    return run


@pytest.fixture
def refused(automl: Command, work: Path) -> Command:
    """Return the command, of which is asked that it refuses in one line and leaves nothing."""

    def run(*arguments: object) -> Answer:
        answer = automl(*arguments)
        assert answer.code == 2, answer
        assert len(answer.lines) == 1, answer.lines
        assert answer.lines[0].startswith("error: ")
        assert "Traceback" not in answer.lines[0]
        assert os.listdir(work) == []  # noqa: PTH208
        return answer

    return run


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a good artifact; copy it before you change it."""
    root = tmp_path_factory.mktemp("good")
    tiny_artifact(root / "model", root / "cache")
    return root / "model"


@pytest.fixture(scope="session")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a good file to predict."""
    path = tmp_path_factory.mktemp("rows") / "rows.npz"
    np.savez(path, X=np.asarray(tiny_images(6).X))
    return path
