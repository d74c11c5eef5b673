"""The plots of a run, drawn from its history and the files that its trials left."""

from __future__ import annotations

from itertools import accumulate
from pathlib import Path

import numpy as np

from automl.core.history import History, Trial
from automl.core.leaderboard import leaderboard
from automl.core.metrics import metric
from automl.recorders.mlflow import svg
from automl.recorders.mlflow.importance import importances

MOST_CURVES = 8
_MOST_CLASSES = 60
_MOST_BARS = 25


def plots(history: History, run_folder: Path) -> dict[str, str]:
    """Return SVG texts by file name; plots that have nothing to show are left out."""
    drawn = {
        "plots/confusion_matrix.svg": _confusion(history, run_folder),
        "plots/learning_curves.svg": _curves(history),
        "plots/budget.svg": _budget(history),
        "plots/importance.svg": _importance(history),
    }
    return {name: text for name, text in drawn.items() if text}


def confusion(history: History, run_folder: Path) -> np.ndarray | None:
    """Return (classes, classes) counts of the winner's out-of-fold predictions, true classes downwards.

    None without a winner or classes, or where files of the run or its data are gone.
    """
    started, decided = history.started, history.decided
    if started is None or decided is None or not started.spec.classes:
        return None
    folds, y = _array(run_folder / "folds.npy"), _array(Path(started.data_folder) / "y.npy")
    if folds is None or y is None:
        return None
    total = np.zeros((len(y), len(started.spec.classes)))
    covered = np.zeros(len(y))
    for number, weight in decided.winner.weights.items():
        for fold, result in history.trials[number].results.items():
            path = next((f.path for f in result.files if f.path.endswith("/oof.npy")), None)
            predicted = None if path is None else _array(run_folder / path)
            if predicted is None or len(predicted) != np.sum(folds == fold):
                return None
            total[folds == fold] += weight * predicted
            covered[folds == fold] += weight
    seen = covered > 0.5 * covered.max(initial=0.0)
    counts = np.zeros((total.shape[1],) * 2, int)
    np.add.at(counts, (y[seen].astype(int), total[seen].argmax(axis=1)), 1)
    return counts


def _array(path: Path) -> np.ndarray | None:
    if not path.is_file():
        return None
    array: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    return array


def _confusion(history: History, run_folder: Path) -> str:
    counts = confusion(history, run_folder)
    if counts is None or len(counts) > _MOST_CLASSES:
        return ""
    assert history.started is not None
    return svg.matrix("Winner on rows it was not trained on: true (down), predicted", counts,
                      history.started.spec.classes)  # fmt: skip


def _curves(history: History) -> str:
    assert history.started is not None
    best = [history.trials[row.trial] for row in leaderboard(history, metric(history.started.metric))]
    series = {_label(t): _mean_curve(t) for t in best if any(len(r.curve) > 1 for r in t.results.values())}
    first = dict(list(series.items())[:MOST_CURVES])
    title = f"Learning curves of the best {len(first)}"
    return svg.lines(title, "step", history.started.metric, first) if first else ""


def _mean_curve(trial: Trial) -> list[tuple[float, float]]:
    by_step: dict[int, list[float]] = {}
    for result in trial.results.values():
        for step, score in result.curve:
            by_step.setdefault(step, []).append(score)
    return [(float(step), sum(scores) / len(scores)) for step, scores in sorted(by_step.items())]


def _budget(history: History) -> str:
    """Draw device seconds against run seconds, in all and by candidate."""
    candidates = {t.number: t.configuration.candidate for t in history.trials.values()}
    spent: dict[str, list[tuple[float, float]]] = {"all": []}
    for ended in history.ended_jobs:
        owner = candidates.get(ended.result.members[0].trial, "probe") if ended.result.members else "probe"
        for name in ("all", owner):
            spent.setdefault(name, []).append((ended.at, ended.device_seconds))
    if not spent["all"]:
        return ""
    series = {n: list(zip((at for at, _ in p), accumulate(s for _, s in p), strict=True)) for n, p in spent.items()}
    return svg.lines("Device time over the run", "run seconds", "device seconds", series)


def _importance(history: History) -> str:
    found = dict(list(importances(history).items())[:_MOST_BARS])
    return svg.bars("Parameters that went with the score (rank correlation)", found) if found else ""


def _label(trial: Trial) -> str:
    return f"{trial.number} {trial.configuration.candidate}"
