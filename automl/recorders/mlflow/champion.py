"""Which version of a registered model is the champion. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from automl.core.events import Decided, RunStarted
from automl.core.metrics import metric

ALIAS = "champion"
_SAME = ("automl.fingerprint", "automl.metric", "automl.folds")
_SCORE = "automl.score"


class Verdict(NamedTuple):
    """Whether the alias moves, and why or why not in words."""

    moves: bool
    note: str


def version_tags(started: RunStarted, decided: Decided) -> dict[str, str]:
    """Return what a model version says about itself; a later run compares itself with it."""
    return {
        "automl.fingerprint": started.spec.fingerprint,
        "automl.metric": started.metric,
        "automl.folds": str(started.folds),
        _SCORE: repr(float(decided.winner.corrected)),
        "automl.low": repr(float(decided.winner.low)),
        "automl.high": repr(float(decided.winner.high)),
        "automl.candidate": decided.winner.candidate,
        "automl.manifest_sha256": decided.manifest_sha256,
    }


def challenge(mine: Mapping[str, str], champion: Mapping[str, str] | None, version: str = "") -> Verdict:
    """Return whether the model with tags mine takes the alias from the version with tags champion, if there is one.

    It does if it is better in the corrected score, measured on the same data, metric and number of folds.
    """
    if champion is None:
        return Verdict(True, f"the first version is {ALIAS}")
    named = f"{ALIAS} stays version {version}: "
    for key in _SAME:
        if champion.get(key) != mine[key]:
            what = key.removeprefix("automl.")
            return Verdict(False, f"{named}it was measured with another {what} and cannot be compared")
    theirs, ours = _number(champion.get(_SCORE, "")), float(mine[_SCORE])
    if theirs is None:
        return Verdict(False, f"{named}it has no score to compare with")
    if metric(mine["automl.metric"]).is_better(ours, theirs):
        return Verdict(True, f"better than version {version}: {ours:.4g} against {theirs:.4g}")
    return Verdict(False, f"{named}{ours:.4g} is not better than its {theirs:.4g}")


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
