"""A plugin as a stranger would write it: built, installed into a folder of its own, searched with and tested."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent / "automl-bayes"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that the plugin was installed into by pip, without the network."""
    place, source = tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("source") / "plugin"
    shutil.copytree(SOURCE, source)
    flags = ["--no-deps", "--no-index", "--no-build-isolation", "--quiet", "--disable-pip-version-check"]
    subprocess.run([sys.executable, "-m", "pip", "install", *flags, "--target", str(place), str(source)], check=True)
    return place


def run(installed: Path, arguments: Sequence[str], cwd: Path) -> str:
    """Return what a command prints where the plugin is installed."""
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    done = subprocess.run([sys.executable, "-m", *arguments], cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def search(installed: Path, cwd: Path, *arguments: str) -> dict[str, object]:
    """Return the outcome of a search on the task's data with the plugin's candidate."""
    shared = ["--budget", "3trials", "--workers", "1", "--tracking-uri", "none", "--quiet", "--json", "--out", "run"]
    said: dict[str, object] = json.loads(
        run(installed, ["automl", "search", *arguments, *shared], cwd).splitlines()[-1]
    )
    return said


def test_its_candidate_is_listed_with_the_built_in_ones(installed: Path, tmp_path: Path) -> None:
    rows = json.loads(run(installed, ["automl", "list", "candidates", "--format", "json"], tmp_path))
    assert {row["task"] for row in rows if row["candidate"] == "bayes"} == {"tabular-clf", "risk-clf"}


def test_its_candidate_is_searched_and_exported(installed: Path, tmp_path: Path) -> None:
    said = search(installed, tmp_path, "--task", "tabular-clf", "--include", "bayes")
    manifest = json.loads((tmp_path / "run" / "artifact" / "manifest.json").read_text())
    assert {member["candidate"] for member in manifest["members"]} == {"bayes"}
    assert said["winner"]["cv"] > 0.95  # type: ignore[index]


def test_its_task_is_searched_by_its_own_metric(installed: Path, tmp_path: Path) -> None:
    lines = [f"{i % 7},{(i * 3) % 5},{'late' if i % 7 > 3 else 'paid'}" for i in range(140)]
    (tmp_path / "loans.csv").write_text("\n".join(["a,b,outcome", *lines]) + "\n")
    said = search(installed, tmp_path, "loans.csv", "--task", "risk-clf", "--target", "outcome")
    assert said["metric"] == "log_loss"
    assert said["winner"]["cv"] < 0.6  # type: ignore[index]


def test_its_model_is_used_where_the_plugin_is_not_installed(installed: Path, tmp_path: Path) -> None:
    search(installed, tmp_path, "--task", "tabular-clf", "--include", "bayes")
    code = "import sys; from sklearn.datasets import load_breast_cancer as d; d(as_frame=True).data.to_csv('rows.csv')"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    subprocess.run(
        [sys.executable, "-m", "automl", "predict", "run", "rows.csv", "-o", "out.csv"], cwd=tmp_path, check=True
    )
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 570


def test_the_shipped_contract_suite_passes_on_it(installed: Path, tmp_path: Path) -> None:
    shutil.copy(SOURCE / "tests" / "test_bayes.py", tmp_path)
    assert " passed" in run(installed, ["pytest", "-q", "-p", "no:cacheprovider", "test_bayes.py"], tmp_path)
