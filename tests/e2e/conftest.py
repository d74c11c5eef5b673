"""Searches in folders of their own, with quick candidates, as a user would start them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

QUICK = ("--task", "image-clf", "--include", "baseline,linear", "--tracking-uri", "none", "--workers", "1")


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def environment(cache: Path) -> dict[str, str]:
    return {**os.environ, "AUTOML_CACHE": str(cache)}


@pytest.fixture
def automl(tmp_path: Path, environment: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "automl", *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240)

    return run


@pytest.fixture
def started(tmp_path: Path, environment: dict[str, str]) -> Callable[..., subprocess.Popen[str]]:
    def start(*arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "automl", *arguments]
        return subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)

    return start


@pytest.fixture
def search(automl: Callable[..., subprocess.CompletedProcess[str]]) -> Callable[..., subprocess.CompletedProcess[str]]:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return automl("search", *QUICK, *arguments)

    return run


@pytest.fixture
def search_started(started: Callable[..., subprocess.Popen[str]]) -> Callable[..., subprocess.Popen[str]]:
    def start(*arguments: str) -> subprocess.Popen[str]:
        return started("search", *QUICK, *arguments)

    return start


@pytest.fixture
def rows(automl: Callable[..., subprocess.CompletedProcess[str]]) -> Callable[[str], list[dict[str, Any]]]:
    def read(run: str) -> list[dict[str, Any]]:
        table: list[dict[str, Any]] = json.loads(automl("leaderboard", run, "--format", "json").stdout)
        return [{key: row[key] for key in ("rank", "trial", "candidate", "score", "se", "params")} for row in table]

    return read
