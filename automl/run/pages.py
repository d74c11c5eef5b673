"""What is written about a run for people: the page, and MLflow brought up to date."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from automl.core.history import History
from automl.core.ledger import Receipt
from automl.core.protocols import DataSource
from automl.errors import UserError
from automl.report import write
from automl.report.build import OutOfFold
from automl.report.importance import Validated
from automl.run.folder import RunFolder

IMPORTANCE_SECONDS, LONGEST_IMPORTANCE_SECONDS = 1.0, 10.0
"""What may be spent on finding which columns of a table matter: at the end of a run, and when asked for the page."""


def write_report(folder: RunFolder, history: History, receipt: Receipt, data: DataSource, folds: np.ndarray, *,
                 seconds: float = IMPORTANCE_SECONDS) -> Path:  # fmt: skip
    """Write the page about a run, whole or not at all, and return its path."""
    numbers = tuple(history.decided.winner.weights) if history.decided else ()
    predictions = {n: out_of_fold(folder, history, n, folds) for n in numbers}
    known = OutOfFold(np.asarray(data.y), predictions)
    validated = Validated(data.X, np.asarray(data.y), folds) if data.spec.kind == "table" else None
    return write.write_report(
        folder.path, history, out_of_fold=known, receipt=receipt, validated=validated, seconds=seconds
    )


def out_of_fold(folder: RunFolder, history: History, trial: int, folds: np.ndarray) -> np.ndarray:
    """Return a full trial's predictions for rows its models did not see, (rows, classes) or (rows,), float32."""
    results = history.trials[trial].results
    parts = {f: np.load(folder.files_of(r) / "oof.npy", allow_pickle=False) for f, r in results.items()}
    predictions = np.full((len(folds), *parts[0].shape[1:]), np.nan, dtype=np.float32)
    for fold, part in parts.items():
        predictions[folds == fold] = part
    return predictions


def rewrite(run: Path) -> Path:
    """Write the page about a run anew from its journal.

    Raises:
        RunError: no run, damaged, or its data is gone.
    """
    from automl.run.resume import data_again
    from automl.run.session import read

    controller = read(run)
    history, folder = controller.history, RunFolder(run)
    assert history.started is not None
    folds = np.load(folder.folds, allow_pickle=False)
    receipt = controller.ledger.receipt(history.at)
    data = data_again(history.started)
    return write_report(folder, history, receipt, data, folds, seconds=LONGEST_IMPORTANCE_SECONDS)


def sync(run: Path) -> str:
    """Bring MLflow up to date with a run's journal and return one line about it.

    Raises:
        UserError: the run is not recorded at all.
        MachineError: MLflow does not take it.
    """
    from automl.journals import open_journal
    from automl.recorders.mlflow import MlflowRecorder, redact
    from automl.run.session import read
    from automl.run.tracking import target_of, with_credentials

    started = read(run).history.started
    assert started is not None
    target = target_of(with_credentials(started.request.tracking_uri), RunFolder(run))
    if target is None:
        raise UserError(
            f"{run}: it was started with --tracking-uri {started.request.tracking_uri}, so there is nothing to do."
        )
    journal = open_journal(run / "run.db", read_only=True)
    try:
        registered = MlflowRecorder(target, lambda source, message: None).catch_up(journal)
    finally:
        journal.close()
    return f"recorded in {redact(target.uri)}" + (f", model {registered.model_uri}" if registered else "")
