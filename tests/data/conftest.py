"""Small tables as files, and a way to open them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.data.roles import Roles
from automl.data.sources import Opened, open_source
from automl.tasks import tabular_clf, tabular_reg

Open = Callable[..., Opened]
Write = Callable[..., Path]
Columns = dict[str, list[Any]]
TASKS = {"classes": tabular_clf.TASK, "number": tabular_reg.TASK}


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a table of columns as a CSV file."""

    def _write(name: str = "d.csv", **columns: Sequence[object]) -> Path:
        rows = zip(*columns.values(), strict=True)
        lines = [",".join(columns), *(",".join("" if v is None else str(v) for v in row) for row in rows)]
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return _write


@pytest.fixture
def open_table(tmp_path: Path) -> Open:
    """Open a table with a cache of its own; roles by name."""

    def _open(source: object, task: str = "classes", **roles: object) -> Opened:
        return open_source(source, TASKS[task], roles=Roles(**roles), cache=tmp_path / "cache")  # type: ignore[arg-type]

    return _open


@pytest.fixture
def columns() -> Columns:
    """Give a good table of 40 rows: a number, a category, a date, a text, weights, groups and a target of each kind."""
    rng = np.random.default_rng(0)
    rows = range(40)
    return {
        "x": [round(float(v), 3) for v in rng.normal(size=40)],
        "colour": [("red", "green", "blue")[n % 3] for n in rows],
        "day": [f"2024-03-{1 + n % 28:02d}" for n in rows],
        "w": [1 + n % 4 for n in rows],
        "house": [f"h{n // 4}" for n in rows],
        "price": [round(float(v), 2) for v in rng.uniform(1, 9, size=40)],
        "label": [("yes", "no")[n % 2] for n in rows],
    }
