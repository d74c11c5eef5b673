"""How many rows and resamples a selection is judged by: as many as the metric, the predictions and the time allow."""

from __future__ import annotations

import numpy as np

from automl.core.scores import LEAST_RESAMPLES, MOST_RESAMPLES, MOST_ROWS, Pool

DEAR_ROWS = 5_000
"""Most rows that are resampled for metrics of which every mean of models is scored afresh."""
TIMED_RESAMPLES, RESAMPLE_COST = 40, 1.5
"""Resamples that the time must suffice for, each so many times as dear as building the ensemble once: else fewer rows
are resampled."""
_LEAST_ROWS = 2_000
_MOST_NUMBERS = 20_000_000
_RANKED_NUMBERS, _ADDED_NUMBERS = 350_000, 250_000_000
"""Bounds of the work where no clock may bound it: with 50 trials some fifteen seconds on one core."""


def sampled_rows(pool: Pool) -> int:
    """Return how many rows are resampled: fewer where the predictions are large or the metric is dear."""
    numbers = len(pool.predictions) * int(pool.predictions[0][0].size)
    most = {"roc_auc": DEAR_ROWS // _curves(pool), "average_precision": DEAR_ROWS // _curves(pool),
            "macro_f1": DEAR_ROWS, "f1": DEAR_ROWS}.get(pool.metric.name, MOST_ROWS)  # fmt: skip
    return max(_LEAST_ROWS, min(most, _MOST_NUMBERS // numbers))


def most_resamples(pool: Pool) -> int:
    """Return the most resamples of the selection: fewer of many numbers, or where each means ranking the rows anew."""
    affordable_numbers, numbers = _ADDED_NUMBERS, sum(p.size for p in pool.predictions)
    if pool.metric.needs == "probabilities" and pool.metric.name != "log_loss":
        affordable_numbers, numbers = _RANKED_NUMBERS, len(pool.y) * _curves(pool)
    return max(LEAST_RESAMPLES, min(MOST_RESAMPLES, affordable_numbers // numbers))


def affordable(pool: Pool, seconds: float, left: float, rng: np.random.Generator) -> Pool:
    """Return the pool, or as many of its rows as let the selection be resampled in the time that is left.

    Args:
        pool: the rows on which the ensemble was built.
        seconds: that took; not a number where no decision may depend on time.
        left: seconds.
        rng: the source of randomness.
    """
    wanted = RESAMPLE_COST * TIMED_RESAMPLES * seconds
    if not wanted > left:
        return pool
    share = max(0.0, left) / wanted
    return pool.sampled(max(_LEAST_ROWS // 2, int(share * len(pool.y))), rng)


def _curves(pool: Pool) -> int:
    classes = int(pool.predictions[0].shape[-1])
    return 1 if classes == 2 else classes
