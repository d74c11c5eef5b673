"""The main command from its first line to its exit."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.controller import Controller
from automl.run.session import read

Run = Callable[..., "subprocess.CompletedProcess[str]"]
pytestmark = pytest.mark.slow


def test_json_has_the_promised_shape_and_the_artifact_predicts(search: Run, automl: Run, tmp_path: Path) -> None:
    said = json.loads(search("--budget", "3trials", "--out", "run", "--json").stdout.splitlines()[-1])
    assert {"run", "status", "winner", "trials", "spend", "artifact", "model_uri"} <= set(said)
    np.savez(tmp_path / "new.npz", X=np.zeros((2, 8, 8), np.uint8))
    assert automl("predict", "run", "new.npz", "-o", "p.csv").returncode == 0
    assert len((tmp_path / "p.csv").read_text().splitlines()) == 3


def test_runner_of_the_artifact_agrees_with_the_command(search: Run, automl: Run, tmp_path: Path) -> None:
    search("--budget", "3trials", "--out", "run")
    np.savez(tmp_path / "new.npz", X=np.random.default_rng(0).uniform(0, 16, (5, 8, 8)))
    automl("predict", "run", "new.npz", "-o", "ours.csv", "--proba")
    command = [sys.executable, "-I", "run/artifact/runner.py", "new.npz", "-o", "theirs.csv", "--proba"]
    subprocess.run(command, cwd=tmp_path, check=True)
    assert (tmp_path / "ours.csv").read_text() == (tmp_path / "theirs.csv").read_text()


def test_same_seed_and_one_worker_give_the_same_leaderboard(
    search: Run, rows: Callable[[str], list[dict[str, Any]]]
) -> None:
    for out in ("a", "b"):
        assert search("--budget", "6trials", "--seed", "3", "--out", out).returncode == 0
    assert rows("a") == rows("b")
    assert len(rows("a")) == 6


def test_local_and_inprocess_engines_give_the_same_leaderboard(
    search: Run, rows: Callable[[str], list[dict[str, Any]]]
) -> None:
    for engine in ("local", "inprocess"):
        assert search("--budget", "4trials", "--engine", engine, "--out", engine).returncode == 0
    assert rows("local") == rows("inprocess")


def test_wall_budget_is_kept_from_the_first_line_to_the_exit(search: Run) -> None:
    began = time.monotonic()
    assert search("--budget", "12s", "--out", "run").returncode == 0
    assert time.monotonic() - began < 12 + 3


def test_receipt_adds_up_to_the_ledger(search: Run, tmp_path: Path) -> None:
    said = json.loads(search("--budget", "10cpu-s", "--out", "run", "--json").stdout.splitlines()[-1])
    controller: Controller = read(tmp_path / "run")
    leased = sum(ended.device_seconds for ended in controller.history.ended_jobs)
    assert said["spend"]["leased_seconds"] == pytest.approx(leased)
    assert controller.ledger.settled == pytest.approx(leased)
    assert leased <= 10


def test_refit_deploys_models_of_all_rows(search: Run, tmp_path: Path) -> None:
    assert search("--budget", "2trials", "--deploy", "refit", "--out", "run").returncode == 0
    manifest = json.loads((tmp_path / "run/artifact/manifest.json").read_text())
    assert {member["fold"] for member in manifest["members"]} == {-1}


def test_test_set_is_scored_once_and_told(search: Run, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for part, count in (("train", 60), ("test", 30)):
        y = np.arange(count) % 3
        X = (rng.integers(0, 60, (count, 8, 8)) + 60 * y[:, None, None]).astype(np.uint8)
        np.savez(tmp_path / f"{part}.npz", X=X, y=y)
    told = search("--data", "train.npz", "--test", "test.npz", "--budget", "2trials", "--out", "run").stdout
    assert "on 30 rows" in told
