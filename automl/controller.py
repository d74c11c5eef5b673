"""The brain of a run: what to do next, decided from what happened.

Pure: it reads no clock and no file, starts no thread, and changes only by `apply`. `decide` gives the next event;
whoever runs it writes the event down, applies it, and acts on it. A resumed run applies the journal and goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import takewhile
from math import inf
from typing import Literal

from automl.core.budget import Budget
from automl.core.costs import Estimate, LearnedCosts
from automl.core.events import Event, JobEnded, JobPlanned, Planned, ProposalSkipped, Resumed, RunStarted, TrialStopped
from automl.core.history import History, Trial
from automl.core.job import REFIT_FOLD, Job, Lease, Member
from automl.core.ledger import Ledger
from automl.core.plan import Purse, make_plan, rungs
from automl.core.protocols import WAIT, Continue, Done, Outlook, Scheduler, Searcher, Start, Stop
from automl.core.seeds import stream
from automl.core.space import Configuration, SearchSpace

PROBE_RUNG = -1
PROBE_TRIAL = -1
PROPOSALS = 8
"""How often the searcher is asked for something that fits in the time left."""

FULL_SLACK, UNMEASURED_SLACK = 1.1, 2.0
"""What full training may take longer than expected; the latter as long as the candidate itself only estimates."""
LEASE_SLACK = 1.5
LEASE_MINIMUM_SECONDS = 2.0
LEAST_LEASE_SECONDS = 0.05
FAILURES_TO_GIVE_UP = 20


@dataclass(frozen=True)
class Moment:
    """The time of a decision.

    Attributes:
        at: run seconds.
        search_ends: run seconds at which the search must end; infinity without a wall limit.
        reserve_seconds: what is held back for finalising.
        held_device_seconds: what is held back for training on all rows.
    """

    at: float
    search_ends: float = inf
    reserve_seconds: float = 0.0
    held_device_seconds: float = 0.0


@dataclass(frozen=True)
class Brains:
    """What a controller thinks with.

    Attributes:
        estimate: configuration → cost of one fold.
        probed: candidates whose cost is measured before they are planned; empty when no decision may read a clock.
    """

    space: SearchSpace
    searcher: Searcher
    scheduler: Scheduler
    estimate: Estimate
    probed: frozenset[str] = frozenset()


Decision = JobPlanned | TrialStopped | ProposalSkipped | Planned | Done | Literal["wait"]


class Controller:
    """History, ledger and learned costs, and the decisions that follow from them."""

    def __init__(self, started: RunStarted, brains: Brains) -> None:
        self.history = History()
        self.brains = brains
        self.ledger = Ledger(Budget.parse(started.request.budget), started.device)
        self.costs = LearnedCosts(brains.estimate, {n: s.default() for n, s in brains.space.candidates.items()})
        self._started = started
        self._listed = frozenset(c.key() for c in started.portfolio)
        self.apply(started)

    def apply(self, event: Event) -> None:
        """Take in an event that is written down."""
        if isinstance(event, JobPlanned):
            self.ledger.reserve(event.job.id, min(event.job.lease.seconds, self.ledger.free_device_seconds()))
            if event.proposed is not None:
                self.ledger.start_trial()
        elif isinstance(event, JobEnded):
            self.ledger.settle(event.result.job, event.device_seconds)
            self._learn(event)
        elif isinstance(event, Resumed) and event.added_budget:
            self.ledger.budget = self.ledger.budget.plus(Budget.parse(event.added_budget.removeprefix("+")))
        self.history.apply(event)

    def decide(self, moment: Moment) -> Decision:
        """Return the next event to write down, or that there is nothing now, or nothing any more."""
        over = self._is_over(moment)
        if over:
            return Done(over)
        if self._free_device_seconds(moment) <= LEAST_LEASE_SECONDS:
            return WAIT
        return self._probe_or_plan(moment) or self._retry(moment) or self._move(moment)

    def outlook(self, moment: Moment) -> Outlook:
        """Return what the scheduler may know about time."""
        seconds = min(moment.search_ends - moment.at, self._device_seconds_left(moment) / self._started.slots)
        return Outlook(max(0.0, seconds), self._started.slots, self.ledger.free_trials() >= 1)

    def refit_jobs(self, trials: dict[int, int], at: float) -> Iterator[JobPlanned]:
        """Yield a job on all rows for each trial of trials, which gives its steps."""
        for offset, (number, steps) in enumerate(trials.items()):
            member = Member(number, REFIT_FOLD, self.history.trials[number].configuration)
            job = Job(self.history.jobs + offset, (member,), self.history.top_rung, 0, steps, steps, purpose="refit",
                      keep_model=True, lease=Lease(self._started.device, 1.0, inf))  # fmt: skip
            yield JobPlanned(job, at)

    def _is_over(self, moment: Moment) -> str:
        if moment.at >= moment.search_ends or self._device_seconds_left(moment) <= LEAST_LEASE_SECONDS:
            return "the budget is spent"
        streak = self.history.failures_in_a_row
        if len(streak) >= FAILURES_TO_GIVE_UP and len(set(streak[-FAILURES_TO_GIVE_UP:])) == 1:
            return f"{FAILURES_TO_GIVE_UP} trials in a row failed alike: {streak[-1]}"
        return ""

    def _probe_or_plan(self, moment: Moment) -> Decision | None:
        """Plan what needs no probe, start a trial of it, probe the rest, plan again; trials may run meanwhile."""
        spaces, planned, probes = self.brains.space.candidates, self.history.planned, self.history.probes
        if planned is None:
            return self._plan(moment, ready=[c for c in spaces if c not in self.brains.probed])
        running = {p.job.candidate for p in self.history.running.values() if p.job.purpose == "probe"}
        waiting = [c for c in spaces if c in self.brains.probed and c not in running and c not in probes]
        if waiting and not self._has_quick_work(planned):
            return self._job(moment, spaces[waiting[0]].default(), PROBE_RUNG, PROBE_TRIAL)
        fresh = [c for c in probes if probes[c] is not None and c not in planned.costs]
        if fresh and not running:
            return self._plan(moment, ready=[*planned.costs, *fresh])
        return None

    def _has_quick_work(self, planned: Planned) -> bool:
        """Whether what is listed before the first candidate to be probed, at least one trial, is not trained yet."""
        quick = list(takewhile(lambda c: c.candidate not in self.brains.probed, self._started.portfolio))
        listed = [c for c in quick if c.candidate in planned.full_steps]
        if len(self.history.trials) < max(len(listed), min(1, len(planned.full_steps))):
            return True
        trials = (self.history.trials[n] for n in self.history.standings.unfinished)
        return any(len(t.kept_folds | t.running_folds) < self._started.folds for t in trials)

    def _plan(self, moment: Moment, *, ready: list[str]) -> Planned:
        spaces = self.brains.space.candidates
        seconds = min(self._device_seconds_left(moment), (moment.search_ends - moment.at) * self._started.slots)
        purse = Purse(seconds, moment.reserve_seconds, self._started.slots)
        costs = {c: self.costs.default_cost(c) for c in ready}
        plan = make_plan({c: spaces[c].steps for c in ready}, costs, folds=self._started.folds, purse=purse)
        before = self.history.planned.full_steps if self.history.planned else {}
        return replace(plan, full_steps={**plan.full_steps, **before})

    def _retry(self, moment: Moment) -> Decision | None:
        if not self.history.retries:
            return None
        job = self.history.retries[0]
        lease = self._lease(moment, job.members[0].configuration, job.start_steps, job.stop_steps)
        return JobPlanned(replace(job, id=self.history.jobs, lease=lease), moment.at)

    def _move(self, moment: Moment) -> Decision:
        outlook = self.outlook(moment)
        move = self.brains.scheduler.next(self.history, outlook, self.costs)
        if isinstance(move, Stop):
            return TrialStopped(move.trial, move.reason, moment.at)
        if isinstance(move, Continue):
            return self._continue(moment, self.history.trials[move.trial], move)
        if isinstance(move, Start):
            return self._start(moment, outlook)
        return move

    def _start(self, moment: Moment, outlook: Outlook) -> Decision:
        space = self._space_left()
        if not space.candidates:
            return WAIT if self.history.running else Done("the search space is exhausted")
        number = len(self.history.trials)
        configuration = self._propose(space, outlook, number)
        is_listed = self._is_listed(configuration)
        if is_listed and self._seconds_in_full(configuration) > outlook.seconds_left:
            return ProposalSkipped(configuration, self._seconds_in_full(configuration), moment.at)
        rung = self.brains.scheduler.first_rung(configuration, self.history, outlook, self.costs)
        planned = self._job(moment, configuration, rung, number)
        return replace(planned, proposed=configuration, origin="portfolio" if is_listed else "searcher")

    def _propose(self, space: SearchSpace, outlook: Outlook, number: int) -> Configuration:
        """Return the first proposal that can be trained in full in the time left, else the quickest of several."""
        proposals: dict[float, Configuration] = {}
        for attempt in range(PROPOSALS):
            rng = stream(self._started.seed, "ask", number, attempt)
            configuration = space.check(self.brains.searcher.ask(space, self.history, rng))
            seconds = self._seconds_in_full(configuration)
            if seconds <= outlook.seconds_left or self._is_listed(configuration):
                return configuration
            proposals.setdefault(seconds, configuration)
        return proposals[min(proposals)]

    def _is_listed(self, configuration: Configuration) -> bool:
        """Whether a proposal comes from the portfolio and was not passed over before."""
        key = configuration.key()
        return key in self._listed and key not in self.history.skipped

    def _seconds_in_full(self, configuration: Configuration) -> float:
        """Return the wall seconds of training all folds to the end, side by side on all slots."""
        assert self.history.planned is not None
        steps = self.history.planned.full_steps[configuration.candidate]
        rounds = -(-self._started.folds // self._started.slots)
        slack = FULL_SLACK if self.costs.is_measured(configuration.candidate) else UNMEASURED_SLACK
        return slack * rounds * self.costs.seconds(configuration, start=0, stop=steps)

    def _continue(self, moment: Moment, trial: Trial, move: Continue) -> JobPlanned:
        return self._job(moment, trial.configuration, move.rung, trial.number, fold=move.folds[0])

    def _job(
        self, moment: Moment, configuration: Configuration, rung: int, number: int, *, fold: int = 0
    ) -> JobPlanned:
        is_probe = rung == PROBE_RUNG
        trial = None if is_probe else self.history.trials.get(number)
        before = trial.results.get(fold) if trial else None
        start = before.steps if before else 0
        checkpoint = before.files[0].path.rsplit("/", 1)[0] if before and before.files else ""
        if is_probe:
            full = stop = self.brains.space.candidates[configuration.candidate].steps.full
        else:
            assert self.history.planned is not None
            steps = rungs(self.history.planned, configuration.candidate, self._started.folds)
            full, stop = steps[-1].steps, steps[rung].steps
        job = Job(
            id=self.history.jobs, members=(Member(number, fold, configuration, checkpoint),), rung=rung,
            start_steps=start, stop_steps=stop, full_steps=full, purpose="probe" if is_probe else "train",
            keep_model=not is_probe and stop == full, lease=self._lease(moment, configuration, start, stop),
        )  # fmt: skip
        return JobPlanned(job, moment.at)

    def _lease(self, moment: Moment, configuration: Configuration, start: int, stop: int) -> Lease:
        expected = self.costs.seconds(configuration, start=start, stop=stop)
        free = self._free_device_seconds(moment)
        wanted = max(LEASE_MINIMUM_SECONDS, LEASE_SLACK * expected)
        return Lease(self._started.device, 1.0, inf if free == inf else min(free, wanted))

    def _space_left(self) -> SearchSpace:
        """Return the planned candidates, without those that have nothing to choose and were tried."""
        assert self.history.planned is not None
        known = self.history.planned.full_steps
        spaces = self.brains.space.candidates.items()
        return SearchSpace({n: s for n, s in spaces if n in known and (s.params or n not in self.history.tried)})

    def _free_device_seconds(self, moment: Moment) -> float:
        return self.ledger.free_device_seconds() - moment.held_device_seconds

    def _device_seconds_left(self, moment: Moment) -> float:
        return self._free_device_seconds(moment) + sum(self.ledger.reserved.values())

    def _learn(self, event: JobEnded) -> None:
        job = self.history.running[event.result.job].job
        if job.purpose == "probe" and event.result.members[0].cost is not None:
            self.costs.learn_probe(job.candidate, event.result.members[0].cost)
        self.costs.learn(job, event)
