"""Which trained models stay on the disk: those of trials that may still be chosen."""

from __future__ import annotations

from itertools import islice
from math import inf

from automl.core.history import History
from automl.core.leaderboard import place
from automl.core.metrics import Metric
from automl.run.folder import RunFolder

KEPT_TRIALS = 25
"""Full trials whose models are kept, the best; only these, and the best of each candidate, can be chosen."""


class KeptModels:
    """The models of the best full trials and of the best of each candidate: different models make better ensembles."""

    def __init__(self, folder: RunFolder, metric: Metric) -> None:
        self._folder, self._metric = folder, metric
        self._kept: set[int] = set()
        self._champions: dict[str, int] = {}

    def take(self, history: History, newest: int) -> None:
        """Take in a trial that became full, and delete the models of those that can no longer be chosen."""
        for number in [newest] if self._champions else [t.number for t in history.full()]:
            self._kept.add(number)
            self._compare(history, number)
        ranked = history.standings.arrived_at(history.top_rung).best(sign=self._metric.sign)
        first = list(islice(ranked, KEPT_TRIALS))
        if len(first) < KEPT_TRIALS:
            return
        last, champions = self._score(history, first[-1]), set(self._champions.values())
        for number in [n for n in self._kept if self._score(history, n) < last and n not in champions]:
            self._kept.discard(number)
            self._delete(history, number)

    def _compare(self, history: History, number: int) -> None:
        """Hold a trial against the best of its candidate, by the order of the leaderboard."""
        trial = history.trials[number]
        before = self._champions.get(trial.configuration.candidate)
        if before is None or place(trial, self._metric) < place(history.trials[before], self._metric):
            self._champions[trial.configuration.candidate] = number

    def _score(self, history: History, number: int) -> float:
        """Return a full trial's score, greater being better."""
        sign = self._metric.sign
        return sign * history.trials[number].reports.get(history.top_rung, -inf * sign)

    def _delete(self, history: History, number: int) -> None:
        for result in history.trials[number].results.values():
            for file in result.files:
                if file.path.rsplit("/", 1)[-1].startswith("model"):
                    (self._folder.path / file.path).unlink(missing_ok=True)
