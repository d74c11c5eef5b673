"""Puts the page into the run folder."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from automl.core.history import History
from automl.core.ledger import Receipt
from automl.core.metrics import metric
from automl.core.seeds import stream
from automl.report.build import OutOfFold, build
from automl.report.importance import ColumnImportance, Validated, column_importance
from automl.report.render import render
from automl.serving.manifest import NAME

PAGE = "report.html"


def write_report(
    run_folder: Path,
    history: History,
    *,
    out_of_fold: OutOfFold | None = None,
    receipt: Receipt | None = None,
    validated: Validated | None = None,
    seconds: float = 0.0,
) -> Path:
    """Write report.html, whole or not at all, and return its path.

    Args:
        run_folder: where the page goes.
        history: the run.
        out_of_fold: predictions of the trials in the winner; without them nothing is said about single rows.
        receipt: the bill; computed from the history if it is not given.
        validated: the rows of a table, to say which columns matter.
        seconds: that this may take; it is left out if they are too few.
    """
    artifact = run_folder / history.decided.artifact if history.decided else None
    importance = None
    if artifact is not None and validated is not None:
        importance = _importance(artifact, history, validated, seconds)
    built = build(history, run=str(run_folder), out_of_fold=out_of_fold, receipt=receipt, importance=importance)
    page = render(built)
    path = run_folder / PAGE
    handle, temporary = tempfile.mkstemp(prefix=f".{PAGE}.", dir=run_folder)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(page)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)
    return path


def _importance(artifact: Path, history: History, data: Validated, seconds: float) -> ColumnImportance | None:
    assert history.started is not None
    if seconds <= 0 or not (artifact / NAME).is_file():
        return None
    rng = stream(history.started.seed, "importance")
    return column_importance(artifact, data, metric(history.started.metric), seconds=seconds, rng=rng)
