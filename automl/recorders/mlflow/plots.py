"""The plots of a run, drawn from its history and the files that its trials left."""

from __future__ import annotations

from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

import numpy as np

from automl.core.history import History, Trial
from automl.core.leaderboard import leaderboard
from automl.core.metrics import metric
from automl.recorders.mlflow import svg
from automl.recorders.mlflow.importance import importances
from automl.serving.calibration import calibrate, decided

MOST_CURVES = 8
_MOST_CLASSES = 60
_MOST_BARS = 25
_MOST_POINTS = 2000


def plots(history: History, run_folder: Path) -> dict[str, str]:
    """Return SVG texts by file name; plots that have nothing to show are left out."""
    drawn = {
        **_predictions(history, run_folder),
        "plots/learning_curves.svg": _curves(history),
        "plots/budget.svg": _budget(history),
        "plots/importance.svg": _importance(history),
    }
    return {name: text for name, text in drawn.items() if text}


class Unseen(NamedTuple):
    """What the winner gave for rows that its models were not trained on.

    Attributes:
        y: (n,) class codes or values.
        scores: (n, classes) calibrated probabilities weighted as labels are decided on, or (n,) values.
    """

    y: np.ndarray
    scores: np.ndarray


def unseen(history: History, run_folder: Path) -> Unseen | None:
    """Return the winner's out-of-fold predictions; None without a winner, or where files of the run are gone."""
    started, ending = history.started, history.decided
    if started is None or ending is None:
        return None
    folds, y = _array(run_folder / "folds.npy"), _array(Path(started.data_folder) / "y.npy")
    if folds is None or y is None:
        return None
    total = np.zeros((len(y), len(started.spec.classes)) if started.spec.classes else len(y))
    covered = np.zeros(len(y))
    for number, weight in ending.winner.weights.items():
        for fold, result in history.trials[number].results.items():
            path = next((f.path for f in result.files if f.path.endswith("/oof.npy")), None)
            predicted = None if path is None else _array(run_folder / path)
            if predicted is None or len(predicted) != np.sum(folds == fold):
                return None
            total[folds == fold] += weight * predicted
            covered[folds == fold] += weight
    seen = covered > 0.5 * covered.max(initial=0.0)
    scores = total[seen]
    if scores.ndim == 2:
        scores = decided(calibrate(scores, ending.winner.calibration), ending.winner.decision)
    return Unseen(np.asarray(y)[seen], scores)


def confusion(found: Unseen) -> np.ndarray:
    """Return (classes, classes) counts, true classes downwards."""
    counts = np.zeros((found.scores.shape[1],) * 2, int)
    np.add.at(counts, (found.y.astype(int), found.scores.argmax(axis=1)), 1)
    return counts


def _array(path: Path) -> np.ndarray | None:
    if not path.is_file():
        return None
    array: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    return array


def _predictions(history: History, run_folder: Path) -> dict[str, str]:
    """Draw the winner's predictions against the truth: a matrix of classes, or points for numbers."""
    found = unseen(history, run_folder)
    if found is None or not len(found.y):
        return {}
    assert history.started is not None
    classes = history.started.spec.classes
    if not classes:
        return _numbers(found, history.started.spec.target)
    if len(classes) > _MOST_CLASSES:
        return {}
    title = "Winner on rows it was not trained on: true (down), predicted"
    return {"plots/confusion_matrix.svg": svg.matrix(title, confusion(found), classes)}


def _numbers(found: Unseen, target: str) -> dict[str, str]:
    rows = np.unique(np.linspace(0, len(found.y) - 1, _MOST_POINTS).astype(int))
    y, predicted = found.y[rows].astype(float), found.scores[rows]
    ends = [float(min(y.min(), predicted.min())), float(max(y.max(), predicted.max()))]
    reach = [(float(predicted.min()), 0.0), (float(predicted.max()), 0.0)]
    title, name = "Winner on rows it was not trained on", target or "target"
    return {
        "plots/predicted_vs_actual.svg": svg.scatter(
            title, f"actual {name}", "predicted", list(zip(y.tolist(), predicted.tolist(), strict=True)),
            line=[(end, end) for end in ends],
        ),
        "plots/residuals.svg": svg.scatter(
            title, f"predicted {name}", "predicted - actual",
            list(zip(predicted.tolist(), (predicted - y).tolist(), strict=True)), line=reach,
        ),
    }  # fmt: skip


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
