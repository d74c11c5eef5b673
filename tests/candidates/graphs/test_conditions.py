from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from automl.candidates.graphs.conditions import classes_present, require_time
from automl.core.clock import FakeClock
from automl.testing.context import LocalContext


def context(folder: Path, *, is_timed: bool = True) -> LocalContext:
    return LocalContext(np.arange(6), np.arange(0), 3, folder, is_timed=is_timed, seconds=2, clock=FakeClock())


def test_time_is_required_only_where_even_a_fast_machine_is_too_slow(tmp_path: Path) -> None:
    require_time(context(tmp_path), 5.9, "knn")
    with pytest.raises(TimeoutError, match=r"knn takes about 6.1 s on a common core .* Got 2.0 s. Raise the budget."):
        require_time(context(tmp_path), 6.1, "knn")


def test_without_a_clock_no_time_is_required(tmp_path: Path) -> None:
    require_time(context(tmp_path, is_timed=False), 1e9, "knn")


def test_classes_present_counts_every_class() -> None:
    assert classes_present(np.array([0, 3, 3]), 5).tolist() == [True, False, False, True, False]
