"""Which trials the winner will be made of, found out while the search still runs: it says how long its end takes.

The models of a winner are exported, loaded anew and asked for the test set; a forest takes seconds for each, and ten
thousand convolutions of a series milliseconds for each row. What the best trials by score would take is held back at
first; the choice itself, made early on a sample of rows, says more exactly which of them count.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from automl.core.clock import Clock
from automl.core.history import History, Trial
from automl.core.leaderboard import batch_ms, body, contestants, latency_ms, size_bytes
from automl.core.metrics import Metric
from automl.core.seeds import stream
from automl.ensembles.field import Contestant, Rules
from automl.ensembles.greedy import LIBRARY
from automl.ensembles.select import likely_members
from automl.run.devices import cores
from automl.run.folder import RunFolder
from automl.run.pages import out_of_fold
from automl.run.work import SAMPLE_ROWS

LIKELY_TRIALS = 4
"""An ensemble is rarely made of more."""
LOOKS = (0.5, 0.8, 0.95)
"""Shares of the search after which it is looked at."""
Choose = Callable[[History, Sequence[int]], frozenset[int]]
"""Full trials, by number → those that the winner would be made of if the search ended now."""
TREE_SECONDS_PER_BYTE, MATRIX_SECONDS_PER_BYTE = 9e-8, 3e-8
"""Writing an artifact, reading it in the process that verifies it and once more to look at the test took 80 ms a
megabyte of trees, which are read node by node, and 25 ms a megabyte of matrices."""
NETWORKS = frozenset({"minilm", "efficientnet", "efficientnet-tuned", "resnet", "transformer"})
TWO_CORES = 1.3
"""How much sooner these predict the test set on all cores than on one while others work: measured 1.9 times on two.
What the others take goes into features, which are computed on one."""
MATRICES = frozenset(
    {
        "linear", "naive-bayes", "tfidf-linear", "bag", "cnn", "resnet", "rnn", "transformer", "inception", "rocket",
        "hydra", "mlp", "tabm", "efficientnet", "efficientnet-tuned", "minilm", "static-embeddings",
    }
)  # fmt: skip
"""Candidates whose models are matrices; any other counts as trees."""
_MOST_ROWS = 2000
_CHOICE_SECONDS = 0.5
_LONGEST_SECONDS = 0.7
"""A look that took longer is the last."""


class Foresight:
    """The trials whose models the winner is likely to have."""

    def __init__(self, metric: Metric, choose: Choose) -> None:
        self._metric, self._choose = metric, choose
        self._members: tuple[int, ...] = ()
        self._seen: frozenset[int] = frozenset()
        self._looks = list(LOOKS)

    def trials(self, history: History) -> Sequence[int]:
        """Return the trials of the last look, and what has come up among the best since then."""
        ranked = history.standings.arrived_at(history.top_rung).best(sign=self._metric.sign)
        return [*self._members, *(n for n in islice(ranked, LIKELY_TRIALS) if n not in self._seen)]

    @property
    def is_sure(self) -> bool:
        """Whether there was a look."""
        return len(self._looks) < len(LOOKS)

    def is_due(self, share: float) -> bool:
        """Whether it is time for a look, so far through the search."""
        return bool(self._looks) and share >= self._looks[0]

    def look(self, history: History) -> None:
        """Choose, and remember what was taken and all that was there to choose from."""
        began = time.perf_counter()
        self._looks.pop(0)
        numbers = contestants(history, self._metric, most=LIBRARY)
        if len(numbers) > 1:
            self._members = tuple(sorted(self._choose(history, numbers)))
            self._seen = frozenset(trial.number for trial in history.full())
        if time.perf_counter() - began > _LONGEST_SECONDS:
            self._looks.clear()


def end_seconds(trial: Trial, test_rows: int) -> float:
    """Return the seconds that a trial's models take to be exported, to predict a sample and then the test set."""
    is_light = trial.configuration.candidate in MATRICES
    rate = MATRIX_SECONDS_PER_BYTE if is_light else TREE_SECONDS_PER_BYTE
    is_helped = cores() > 1 and trial.configuration.candidate in NETWORKS
    rows = SAMPLE_ROWS + test_rows / (TWO_CORES if is_helped else 1.0)
    return rate * size_bytes(trial) + rows * batch_ms(trial) / 1000


def end_seconds_of(trials: Iterable[Trial], test_rows: int) -> float:
    """Return the same of several trials; a network that some of them share counts once."""
    seconds: dict[str, float] = {}
    for trial in trials:
        name = body(trial) or f"trial {trial.number}"
        seconds[name] = max(seconds.get(name, 0.0), end_seconds(trial, test_rows))
    return sum(seconds.values())


def early_choice(
    folder: RunFolder, metric: Metric, clock: Clock, history: History, numbers: Sequence[int]
) -> frozenset[int]:
    """Return the trials that would be chosen now, by a sample of the rows that all of them predicted."""
    started = history.started
    assert started is not None
    folds = np.load(folder.folds, allow_pickle=False)
    y = np.load(Path(started.data_folder) / "y.npy", mmap_mode="r", allow_pickle=False)
    predictions = [out_of_fold(folder, history, number, folds) for number in numbers]
    known = np.flatnonzero(np.all([np.isfinite(p.reshape(len(p), -1)).all(axis=1) for p in predictions], axis=0))
    if not len(known):
        return frozenset(numbers)
    rng = stream(started.seed, "foresight")
    rows = known if len(known) <= _MOST_ROWS else np.sort(rng.choice(known, _MOST_ROWS, replace=False))
    trials = [history.trials[number] for number in numbers]
    field = [
        Contestant(t.number, t.configuration.candidate, p[rows], size_bytes(t), latency_ms(t))
        for t, p in zip(trials, predictions, strict=True)
    ]
    ends = clock.now() + _CHOICE_SECONDS
    rules = Rules(max_latency_ms=started.request.max_latency_ms, time_left=lambda: ends - clock.now())
    return likely_members(field, np.asarray(y[rows]), metric, folds=folds[rows], rng=rng, rules=rules)
