"""From a model's raw probabilities to honest ones, and from those to labels; what a manifest says of both is checked.

`calibration` is {} (none), {"kind": "temperature", "temperature": T}, or, for two classes,
{"kind": "isotonic", "x": [...], "y": [...]}. `decision` is {} (the likeliest class) or {"weights": [one per class]}.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from .errors import ModelError

KINDS = ("temperature", "isotonic")
MAX_POINTS = 100_000
_LOWEST, _HIGHEST = 1e-3, 1e3


def calibrate(scores: np.ndarray, calibration: Mapping[str, Any]) -> np.ndarray:
    """Return calibrated probabilities of the same shape and type; rows still sum to 1.

    Temperature: p^(1/T), normalised (Guo et al. 2017, https://arxiv.org/abs/1706.04599). A probability of 0 stays 0.
    Isotonic: the second class's probability through a monotone line of points (Zadrozny & Elkan 2002,
    https://doi.org/10.1145/775047.775151).

    Args:
        scores: (n, classes) probabilities; rows of NaN stay so.
        calibration: as in a manifest, checked with `check_calibration`; {} changes nothing.

    >>> calibrate(np.array([[0.2, 0.8]]), {"kind": "temperature", "temperature": 0.5}).round(3).tolist()
    [[0.059, 0.941]]
    """
    if not calibration:
        return scores
    if calibration["kind"] == "isotonic":
        second = np.interp(scores[:, 1].astype(np.float64), calibration["x"], calibration["y"])
        return np.stack([1 - second, second], axis=1).astype(scores.dtype)
    highest = np.maximum(scores.max(axis=1, keepdims=True), np.finfo(np.float64).tiny)
    powers = (scores.astype(np.float64) / highest) ** (1 / float(calibration["temperature"]))
    return np.asarray(_normalised(powers).astype(scores.dtype))


def decide(scores: np.ndarray, decision: Mapping[str, Any]) -> np.ndarray:
    """Return the code of each row's label: the greatest of scores times weights; of equals the first.

    Args:
        scores: (n, classes) probabilities, calibrated.
        decision: as in a manifest, checked with `check_decision`; {} takes the greatest score.

    >>> decide(np.array([[0.7, 0.3]]), {"weights": [1.0, 3.0]}).tolist()
    [1]
    """
    weighted = scores * np.asarray(decision["weights"], np.float64) if decision else scores
    return np.asarray(weighted.argmax(axis=1)) if len(scores) else np.zeros(0, np.int64)


def decided(scores: np.ndarray, decision: Mapping[str, Any]) -> np.ndarray:
    """Return scores times weights, normalised, of the same type: their greatest is the label `decide` gives.

    For metrics of labels; they are no probabilities any more.
    """
    if not decision:
        return scores
    return np.asarray(_normalised(scores * np.asarray(decision["weights"], np.float64)).astype(scores.dtype))


def check_calibration(calibration: object, classes: int) -> None:
    """Refuse a calibration that is malformed or does not fit so many classes (0: regression).

    Raises:
        ModelError: says what is wrong.
    """
    values = _object(calibration, "calibration")
    if not values:
        return
    kind = values.get("kind")
    if kind not in KINDS or classes < 2 or (kind == "isotonic" and classes != 2):
        raise ModelError(
            f"calibration: must be one of {', '.join(KINDS)} (isotonic: two classes). "
            f"Got {str(kind)[:80]!r} for {classes} classes. Get the model again."
        )
    if kind == "isotonic":
        _check_points(values)
        return
    temperature: Any = values.get("temperature")
    if not _is_number(temperature) or not _LOWEST <= temperature <= _HIGHEST:
        raise ModelError(
            f"calibration: temperature must be a number in [{_LOWEST:g}, {_HIGHEST:g}]. Got {str(temperature)[:80]!r}. "
            "Get the model again."
        )


def check_decision(decision: object, classes: int) -> None:
    """Refuse a decision that is malformed or does not fit so many classes (0: regression).

    Raises:
        ModelError: says what is wrong.
    """
    values = _object(decision, "decision")
    if not values:
        return
    weights: Any = values.get("weights")
    is_list = isinstance(weights, list) and len(weights) == classes >= 2
    if not is_list or not all(_is_number(weight) and 0 < weight < math.inf for weight in weights):
        raise ModelError(
            f"decision: weights must be {classes} numbers above 0, one per class. Got {str(weights)[:80]!r}. "
            "Get the model again."
        )


def _normalised(values: np.ndarray) -> np.ndarray:
    total = values.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(values, total, out=np.zeros_like(values), where=total != 0))


def _object(values: object, name: str) -> dict[str, Any]:
    if not isinstance(values, dict):
        raise ModelError(f"{name}: must be an object. Got {str(values)[:80]!r}. Get the model again.")
    return values


def _check_points(values: Mapping[str, Any]) -> None:
    """Refuse points that are no monotone line within the unit square."""
    for name in ("x", "y"):
        points: Any = values.get(name)
        is_list = isinstance(points, list) and 2 <= len(points) <= MAX_POINTS
        if not is_list or not all(_is_number(point) and 0 <= point <= 1 for point in points):
            raise ModelError(
                f"calibration: {name} must be 2 to {MAX_POINTS} numbers in [0, 1]. Got {str(points)[:80]!r}. "
                "Get the model again."
            )
    x, y = np.asarray(values["x"], np.float64), np.asarray(values["y"], np.float64)
    if len(x) != len(y) or (np.diff(x) <= 0).any() or (np.diff(y) < 0).any():
        raise ModelError(
            "calibration: x must rise and y must not fall, both of one length. "
            f"Got {len(x)} x and {len(y)} y, {str(values['x'][:5])[:80]}, {str(values['y'][:5])[:80]}. "
            "Get the model again."
        )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value and abs(value) < 2**1000
