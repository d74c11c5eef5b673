"""Finished runs: a real one, searched once and copied, and simulated ones with the files that finalising reads."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from automl import api
from automl.core.events import RunStarted
from automl.core.history import History
from automl.run.finalise import Ending
from automl.run.folder import RunFolder
from automl.run.loop import Run
from automl.run.publisher import ArtifactPublisher
from automl.testing.context import striped_images
from automl.testing.tiny import linear_onnx, tiny_images
from automl.testing.worlds import Scenario

ENTRY = {
    "file": "model.onnx", "features": {"kind": "pixels"}, "input": "input", "output": "probabilities",
    "output_kind": "probabilities",
}  # fmt: skip


@pytest.fixture(scope="session")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place with a cache and a finished run of two trials on arrays."""
    place = tmp_path_factory.mktemp("searched")
    arrays = tiny_images(60)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOML_CACHE", str(place / "cache"))
        api.search(
            (arrays.X, arrays.y, arrays.classes), task="image-clf", budget="2trials", engine="inprocess", workers=1,
            include=["baseline", "linear"], tracking_uri="none", out=place / "run", progress=False,
            test=(arrays.X[:12], arrays.y[:12]),
        )  # fmt: skip
    return place


@pytest.fixture
def finished(searched: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the finished run, to be spoiled."""
    monkeypatch.setenv("AUTOML_CACHE", str(searched / "cache"))
    shutil.copytree(searched / "run", tmp_path / "run", symlinks=True)
    return tmp_path / "run"


def write_files(folder: RunFolder, history: History, folds: np.ndarray, y: np.ndarray) -> None:
    """Write what workers would have left for the full trials: predictions that are right where luck has it."""
    rng = np.random.default_rng(0)
    for trial in history.full():
        for fold, result in trial.results.items():
            place = folder.files_of(result)
            place.mkdir(parents=True)
            codes = y[folds == fold]
            right = rng.random(len(codes)) < trial.reports[history.top_rung]
            predicted = np.where((codes == 1) == right, 0.9, 0.1).astype(np.float32)
            np.save(place / "oof.npy", np.stack([1 - predicted, predicted], axis=1))
            write_model(place, seed=trial.number)


def write_model(place: Path, *, seed: int = 0) -> None:
    """Write the files of one kept model."""
    place.mkdir(parents=True, exist_ok=True)
    (place / "model.onnx").write_bytes(linear_onnx((8, 8, 3), 2, seed=seed))
    (place / "member.json").write_text(json.dumps(ENTRY), encoding="utf-8")
    np.save(place / "sample.npy", np.full((32, 2), 0.5, np.float32))


@pytest.fixture
def simulated(tmp_path: Path) -> Callable[..., Ending]:
    """Make a simulated search and what its end works with; nothing is verified, tested or registered."""

    def make(budget: str = "6trials", *, scenario: Scenario | None = None, **request: object) -> Ending:
        run = with_request((scenario or Scenario(budget=budget)).prepare(), RunFolder(tmp_path), **request)
        run.search()
        data = striped_images(300, classes=2, shape=(8, 8, 3))
        folds = (np.arange(300) // 2 % run.started.folds).astype(np.int8)
        write_files(run.parts.folder, run.history, folds, data.y)
        publisher = ArtifactPublisher(run.parts.folder, run.started, run.time.clock)
        return Ending(run, data, folds, publisher, lambda *_: None, lambda history: tmp_path / "report.html")

    return make


def with_request(run: Run, folder: RunFolder, **request: object) -> Run:
    """Return the run with other files and with some of its request changed."""
    started: RunStarted = replace(run.started, request=replace(run.started.request, **request))
    run.started = run.history.started = started
    run.parts = replace(run.parts, folder=folder)
    return run
