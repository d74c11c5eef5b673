"""Ctrl-C, kill -9, and going on."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from automl.run.session import read

Run = Callable[..., "subprocess.CompletedProcess[str]"]
Start = Callable[..., "subprocess.Popen[str]"]
Rows = Callable[[str], "list[dict[str, Any]]"]
pytestmark = [pytest.mark.slow, pytest.mark.faults]


def wait_for_artifact(run: Path, seconds: float = 60.0) -> None:
    ends = time.monotonic() + seconds
    while not (run / "artifact" / "manifest.json").exists():
        assert time.monotonic() < ends, "no standing artifact came"
        time.sleep(0.05)


def test_interrupt_ends_within_ten_seconds_with_the_best_so_far(search_started: Start, tmp_path: Path) -> None:
    process = search_started("--budget", "10min", "--out", "run")
    wait_for_artifact(tmp_path / "run")
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert time.monotonic() - began < 10
    assert read(tmp_path / "run").history.decided is not None


def test_killed_run_goes_on_to_the_leaderboard_of_an_uninterrupted_one(
    search: Run, search_started: Start, automl: Run, rows: Rows, tmp_path: Path
) -> None:
    assert search("--budget", "6trials", "--out", "whole").returncode == 0
    process = search_started("--budget", "6trials", "--out", "killed")
    wait_for_artifact(tmp_path / "killed")
    process.kill()
    process.communicate()
    assert automl("resume", "killed").returncode == 0
    assert rows("killed") == rows("whole")


def test_downtime_is_not_charged(search_started: Start, automl: Run, tmp_path: Path) -> None:
    process = search_started("--budget", "60cpu-s,4trials", "--out", "run")
    wait_for_artifact(tmp_path / "run")
    process.kill()
    process.communicate()
    time.sleep(3)
    assert automl("resume", "run").returncode == 0
    controller = read(tmp_path / "run")
    resumed = controller.history.resumed[0]
    before = [e for e in controller.history.ended_jobs if e.result.is_interrupted]
    assert all(e.at <= resumed.at for e in before)
    assert controller.ledger.settled == pytest.approx(sum(e.device_seconds for e in controller.history.ended_jobs))


def test_nothing_of_ours_is_alive_after_the_driver_was_killed(search_started: Start, tmp_path: Path) -> None:
    process = search_started("--budget", "10min", "--out", "run")
    wait_for_artifact(tmp_path / "run")
    process.kill()
    process.communicate()
    ends = time.monotonic() + 15
    while survivors(tmp_path) and time.monotonic() < ends:
        time.sleep(0.2)
    assert survivors(tmp_path) == []


def survivors(folder: Path) -> list[str]:
    """Return the processes that work in this test's folder."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if (place / "cwd").resolve() == folder.resolve():
                found.append(place.name)
        except OSError:
            continue
    return found


def test_finished_run_is_resumed_only_with_more_budget(search: Run, automl: Run) -> None:
    search("--budget", "2trials", "--out", "run")
    refused = automl("resume", "run")
    assert refused.returncode == 2
    assert "--budget +" in refused.stderr
    assert automl("resume", "run", "--budget", "+2trials").returncode == 0


def test_second_process_on_a_run_is_refused_with_the_first_ones_number(
    search_started: Start, automl: Run, tmp_path: Path
) -> None:
    process = search_started("--budget", "10min", "--out", "run")
    wait_for_artifact(tmp_path / "run")
    refused = automl("resume", "run")
    process.kill()
    process.communicate()
    assert refused.returncode == 2
    assert str(process.pid) in refused.stderr
