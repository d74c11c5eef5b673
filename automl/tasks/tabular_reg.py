"""Predict a number for a row of a table."""

from __future__ import annotations

import numpy as np

from automl.core.data import DataSpec, Finding
from automl.core.task import TaskInfo
from automl.errors import DataError, UserError

_SKEWED = 3.0
"""Skewness from which a few rows rule squared errors; an exponential distribution has 2."""
_FEW_VALUES = 2


class TabularRegression:
    """Regression on tables: one row in, one number out."""

    info = TaskInfo(
        name="tabular-reg",
        target="number",
        metrics=("rmse", "mae", "r2", "rmsle"),
        candidates=("baseline", "linear", "knn", "forest", "gbdt", "xgboost", "mlp", "tabm"),
        summary="a number for a row of a table",
        default_data="diabetes",
        kind="table",
    )

    def validate(self, spec: DataSpec, y: np.ndarray) -> list[Finding]:
        """Return what the user should know about the target.

        Raises:
            DataError: it has one value only.
        """
        low, high = (float(np.min(y)), float(np.max(y))) if len(y) else (0.0, 0.0)
        if low == high:
            raise DataError(
                f"{spec.name}: column {spec.target!r}: the target must vary. Got the single value {low:g} in "
                f"{len(y)} rows. Name another --target."
            )
        return [*_few_values(spec, y), *_skew(spec, y)]

    def default_metric(self, spec: DataSpec, y: np.ndarray) -> str:
        """Return rmse."""
        return self.info.metrics[0]

    def check_metric(self, name: str, spec: DataSpec, y: np.ndarray) -> None:
        """Check that the metric is one of the task's, and for rmsle that no target is negative.

        Raises:
            UserError: it is not.
        """
        if name not in self.info.metrics:
            raise UserError(f"--metric {name}: {self.info.name} is scored by one of: {', '.join(self.info.metrics)}.")
        if name == "rmsle" and len(y) and float(np.min(y)) < 0:
            raise UserError(
                f"--metric rmsle: targets must be 0 or more. Got {float(np.min(y)):g} in column {spec.target!r}. "
                "Use rmse or mae."
            )


def _few_values(spec: DataSpec, y: np.ndarray) -> list[Finding]:
    if len(np.unique(np.asarray(y[:10_000]))) > _FEW_VALUES or len(np.unique(np.asarray(y))) > _FEW_VALUES:
        return []
    message = f"column {spec.target!r} has two values only; if they are classes, use --task tabular-clf"
    return [Finding("target-two-values", "warning", message)]


def _skew(spec: DataSpec, y: np.ndarray) -> list[Finding]:
    scaled = np.asarray(y, np.float64) / float(np.abs(y).max())  # whose squares do not overflow
    centred = scaled - scaled.mean()
    spread = float(centred.std())
    skewness = float(np.mean((centred / spread) ** 3)) if spread > 0 else 0.0
    if abs(skewness) < _SKEWED:
        return []
    choices = "mae or rmsle" if float(np.min(y)) >= 0 else "mae"
    message = (
        f"column {spec.target!r} is skewed (skewness {skewness:.1f}): a few rows rule squared errors. "
        f"If relative errors matter, consider --metric {choices}"
    )
    return [Finding("target-skewed", "info", message)]


TASK = TabularRegression()
