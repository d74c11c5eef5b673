"""What training will take: a candidate's own estimate, corrected by what was measured in this run."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

from automl.core.events import JobEnded
from automl.core.job import Cost, Job
from automl.core.space import Configuration

Estimate = Callable[[Configuration], Cost]
_REMEMBERED = 7
_CUT_SHARE = 0.9


class LearnedCosts:
    """Estimates in device seconds for one fold; measured ÷ estimated is learned for each candidate.

    >>> costs = LearnedCosts(lambda configuration: Cost(1.0, 2.0), {})
    >>> costs.seconds(Configuration("cnn", {}), start=0, stop=3)
    7.0
    """

    def __init__(self, estimate: Estimate, defaults: dict[str, Configuration]) -> None:
        self._estimate = estimate
        self._defaults = defaults
        self._ratios: dict[str, list[float]] = {}

    def seconds(self, configuration: Configuration, *, start: int, stop: int) -> float:
        """Return the seconds one fold takes from step start to step stop."""
        return self._ratio(configuration.candidate) * self._estimate(configuration).seconds(stop - start)

    def is_measured(self, candidate: str) -> bool:
        """Whether anything of this candidate was measured in this run."""
        return candidate in self._ratios

    def default_cost(self, candidate: str) -> Cost:
        """Return the corrected cost of a candidate's default configuration."""
        cost, ratio = self._estimate(self._defaults[candidate]), self._ratio(candidate)
        return Cost(cost.fixed_seconds * ratio, cost.step_seconds * ratio, cost.peak_bytes)

    def learn_probe(self, candidate: str, measured: Cost) -> None:
        """Take in a probe of the default configuration; what was learned before is forgotten."""
        estimated = self._estimate(self._defaults[candidate])
        self._ratios[candidate] = [measured.seconds(10) / max(1e-9, estimated.seconds(10))]

    def learn(self, job: Job, ended: JobEnded) -> None:
        """Take in what a job took, if all of it was done; if it was cut at its lease, that it takes twice as long."""
        is_done = all(m.outcome == "done" for m in ended.result.members)
        is_cut = not ended.result.is_interrupted and ended.device_seconds >= _CUT_SHARE * job.lease.seconds
        if job.purpose != "train" or not (is_done or is_cut):
            return
        estimated = sum(
            self._estimate(m.configuration).seconds(job.stop_steps - job.start_steps, job.rows) for m in job.members
        )
        ratios = self._ratios.setdefault(job.candidate, [])
        ratios.append((1.0 if is_done else 2.0) * ended.result.held_seconds / max(1e-9, estimated))
        del ratios[:-_REMEMBERED]

    def _ratio(self, candidate: str) -> float:
        return median(self._ratios.get(candidate, [1.0]))
