"""Puts the page into the run folder."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from automl.core.history import History
from automl.core.ledger import Receipt
from automl.report.build import OutOfFold, build
from automl.report.render import render

PAGE = "report.html"


def write_report(
    run_folder: Path, history: History, *, out_of_fold: OutOfFold | None = None, receipt: Receipt | None = None
) -> Path:
    """Write report.html, whole or not at all, and return its path.

    Args:
        run_folder: where the page goes.
        history: the run.
        out_of_fold: predictions of the trials in the winner; without them the confusion matrix is left out.
        receipt: the bill; computed from the history if it is not given.
    """
    page = render(build(history, run=str(run_folder), out_of_fold=out_of_fold, receipt=receipt))
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
