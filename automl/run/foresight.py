"""Which trials the winner will be made of, found out while the search still runs: it says how long its end takes.

The models of a winner are exported, loaded anew and asked for the test set, and a forest takes seconds for each. What
the best trials by score would take is held back at first; a greedy ensemble of a sample of rows says more exactly which
of them count.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from automl.core.history import History
from automl.core.leaderboard import contestants
from automl.core.metrics import Metric
from automl.core.seeds import stream
from automl.ensembles.greedy import LIBRARY, greedy_weights
from automl.run.folder import RunFolder
from automl.run.pages import out_of_fold

LIKELY_TRIALS = 4
"""An ensemble is rarely made of more."""
LOOKS = (0.5, 0.8, 0.95)
"""Shares of the search after which it is looked at."""
Weigh = Callable[[History, Sequence[int]], np.ndarray]
"""Trials, by number → their weights in an ensemble, (trials,)."""
_MOST_ROWS = 4000
_LONGEST_SECONDS = 0.7
"""A look that took longer is the last."""


class Foresight:
    """The trials whose models the winner is likely to have."""

    def __init__(self, metric: Metric, weigh: Weigh) -> None:
        self._metric, self._weigh = metric, weigh
        self._members: tuple[int, ...] = ()
        self._seen: frozenset[int] = frozenset()
        self._looks = list(LOOKS)

    def trials(self, history: History) -> Sequence[int]:
        """Return the trials of the last look, and what has come up among the best since then."""
        ranked = history.standings.arrived_at(history.top_rung).best(sign=self._metric.sign)
        return [*self._members, *(n for n in islice(ranked, LIKELY_TRIALS) if n not in self._seen)]

    def is_due(self, share: float) -> bool:
        """Whether it is time for a look, so far through the search."""
        return bool(self._looks) and share >= self._looks[0]

    def look(self, history: History) -> None:
        """Build an ensemble of a sample of the rows and remember its members and all that were there to choose from."""
        began = time.perf_counter()
        self._looks.pop(0)
        numbers = contestants(history, self._metric, most=LIBRARY)
        if len(numbers) > 1:
            weights = self._weigh(history, numbers)
            self._members = tuple(n for n, weight in zip(numbers, weights.tolist(), strict=True) if weight > 0)
            self._seen = frozenset(trial.number for trial in history.full())
        if time.perf_counter() - began > _LONGEST_SECONDS:
            self._looks.clear()


def sampled_weights(folder: RunFolder, metric: Metric, history: History, numbers: Sequence[int]) -> np.ndarray:
    """Return the weights of trials in a greedy ensemble of a sample of the rows that all of them predicted."""
    assert history.started is not None
    folds = np.load(folder.folds, allow_pickle=False)
    y = np.load(Path(history.started.data_folder) / "y.npy", mmap_mode="r", allow_pickle=False)
    predictions = [out_of_fold(folder, history, number, folds) for number in numbers]
    known = np.flatnonzero(np.all([np.isfinite(p.reshape(len(p), -1)).all(axis=1) for p in predictions], axis=0))
    rng = stream(history.started.seed, "foresight")
    rows = known if len(known) <= _MOST_ROWS else np.sort(rng.choice(known, _MOST_ROWS, replace=False))
    if not len(rows):
        return np.ones(len(numbers))
    return greedy_weights([p[rows] for p in predictions], np.asarray(y[rows]), metric)
