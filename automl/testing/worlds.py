"""Simulated worlds: learning curves that cost nothing, played through the real controller in milliseconds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from automl.controller import Brains, Controller
from automl.core.clock import FakeClock
from automl.core.data import DataSpec
from automl.core.events import Event, Exported, RunStarted
from automl.core.fidelity import ONE_GO, StepRange
from automl.core.history import History
from automl.core.job import Cost, FileRef, Job, JobResult, Member, MemberResult, Outcome
from automl.core.protocols import Scheduler, Searcher
from automl.core.request import SearchRequest
from automl.core.seeds import stream
from automl.core.space import CandidateSpace, Choice, Configuration, Float, Int, SearchSpace
from automl.executors.simulated import SimulatedExecutor
from automl.journals.memory import MemoryJournal
from automl.run.folder import RunFolder
from automl.run.loop import Parts, Run, Timekeeper
from automl.schedulers.asha import AshaScheduler

SPACE = SearchSpace({
    "constant": CandidateSpace("constant", "none", {}, ONE_GO),
    "quick": CandidateSpace("quick", "none", {
        "strength": Float(1e-3, 1e3, default=1.0, log=True),
        "kind": Choice(("a", "b"), "a"),
    }, ONE_GO),
    "curve": CandidateSpace("curve", "none", {
        "lr": Float(1e-4, 1.0, default=1e-2, log=True),
        "width": Int(1, 8, default=2),
        "optimizer": Choice(("sgd", "adamw"), "sgd"),
        "momentum": Float(0.0, 0.99, default=0.9, when={"optimizer": ("sgd",)}),
    }, StepRange("epochs", 3, 27)),
})  # fmt: skip
"""One candidate of each kind: nothing to choose, trained in one go, trained step by step with a condition."""

_BASE = {"constant": 0.1, "quick": 0.7, "curve": 0.9}
_COSTS = {"constant": Cost(0.01, 0.01), "quick": Cost(0.1, 0.5), "curve": Cost(0.5, 1.0)}


def all_done(job: Job, member: Member) -> Outcome:
    """Let every member end well."""
    return "done"


@dataclass(frozen=True)
class CurveWorld:
    """A world in which a configuration's score rises along an exponential towards its quality.

    Everything depends on the seed, the configuration, the fold and the step alone: never on how training was cut into
    jobs, nor on their order.

    Attributes:
        noise: standard deviation of a score.
        misjudged: candidate → how many times its estimate it really takes.
        ending: how a member ends.
    """

    seed: int = 0
    noise: float = 0.005
    misjudged: Mapping[str, float] = field(default_factory=dict)
    ending: Callable[[Job, Member], Outcome] = all_done
    space: SearchSpace = SPACE

    def quality(self, configuration: Configuration) -> float:
        """Return the score that training of this configuration approaches."""
        distance = 0.0
        if "lr" in configuration.values:
            distance = abs(math.log10(float(configuration.values["lr"])) + 2.0) / 2.0
        if "strength" in configuration.values:
            distance = abs(math.log10(float(configuration.values["strength"]))) / 3.0
        return _BASE[configuration.candidate] * (1.0 - 0.3 * distance)

    def score(self, configuration: Configuration, *, fold: int, share: float) -> float:
        """Return the score on a fold after a share of full training, in (0, 1)."""
        hard = 0.02 * _draws(self.seed, "fold", fold)[0]
        luck = _draws(self.seed, configuration.key(), fold)
        risen = (self.quality(configuration) - 0.02 * abs(luck[0])) * (1.0 - math.exp(-6.0 * share))
        return min(1.0, max(0.0, risen + hard + self.noise * luck[round(share * (len(luck) - 1))]))

    def estimate(self, configuration: Configuration) -> Cost:
        """Return what a candidate would say that one fold costs."""
        wide = float(configuration.values.get("width", 2)) / 2.0
        cost = _COSTS[configuration.candidate]
        return Cost(cost.fixed_seconds, cost.step_seconds * wide)

    def cost(self, configuration: Configuration) -> Cost:
        """Return what one fold really costs."""
        guess, factor = self.estimate(configuration), self.misjudged.get(configuration.candidate, 1.0)
        return Cost(guess.fixed_seconds * factor, guess.step_seconds * factor)

    def run(self, job: Job) -> JobResult:
        """Return how a job ends and how long it takes."""
        steps = 3 if job.purpose == "probe" else job.stop_steps - job.start_steps
        held = sum(self.cost(m.configuration).seconds(steps, job.rows) for m in job.members)
        return JobResult(job.id, tuple(self._member(job, m) for m in job.members), held, "simulated")

    def _member(self, job: Job, member: Member) -> MemberResult:
        outcome = self.ending(job, member)
        if outcome != "done":
            return MemberResult(member.trial, member.fold, outcome, message=f"the world says {outcome}")
        cost = self.cost(member.configuration)
        if job.purpose == "probe":
            return MemberResult(member.trial, member.fold, "done", cost=cost)
        curve = tuple(
            (step, self.score(member.configuration, fold=member.fold, share=step / job.full_steps))
            for step in range(job.start_steps + 1, job.stop_steps + 1)
        )
        share = job.stop_steps / job.full_steps
        return MemberResult(
            member.trial, member.fold, "done", curve=curve, steps=job.stop_steps, best_step=job.stop_steps, cost=cost,
            score=self.score(member.configuration, fold=member.fold, share=share), files=_files(job, member),
        )  # fmt: skip


@lru_cache(maxsize=65536)
def _draws(seed: int, name: str, fold: int) -> tuple[float, ...]:
    return tuple(stream(seed, "world", name, fold).standard_normal(100).tolist())


def _files(job: Job, member: Member) -> tuple[FileRef, ...]:
    folder = f"members/{member.name}/r{job.rung}"
    model = (FileRef(f"{folder}/model.onnx", "00" * 32, 1000),) if job.keep_model else ()
    checkpoint = (FileRef(f"{folder}/checkpoint.json", "00" * 32, 10),) if job.stop_steps < job.full_steps else ()
    return checkpoint + model


@dataclass(frozen=True)
class Sampling:
    """A searcher that draws from the space and remembers nothing."""

    def ask(self, space: SearchSpace, history: History, rng: np.random.Generator) -> Configuration:
        """Return a configuration without parameters until each was tried, then a draw."""
        tried = {t.configuration.candidate for t in history.trials.values()} if len(history.trials) < 9 else {"all"}
        plain = [n for n, s in space.candidates.items() if not s.params]
        if plain and "all" not in tried:
            return space.candidates[plain[0]].default()
        return space.sample(rng)


class Shelf:
    """A publisher that only remembers what it was told to publish."""

    def publish(self, history: History, weights: dict[int, float], at: float) -> Exported:
        """Return the event of an artifact that exists nowhere."""
        best = max(weights, key=lambda trial: weights[trial])
        score = history.trials[best].reports[history.top_rung]
        return Exported("artifacts/0001", "00" * 32, tuple(weights), score, 0.0, at)


def everyone(history: History, numbers: Sequence[int]) -> frozenset[int]:
    """Return all trials, for they left no files to choose by."""
    return frozenset(numbers)


@dataclass(frozen=True)
class Scenario:
    """A search in a simulated world: the real controller, run loop and executor with a clock that costs nothing.

    >>> run = Scenario(budget="5trials").play()
    >>> len(run.history.trials)
    5
    """

    world: CurveWorld = CurveWorld()
    budget: str = "20trials"
    slots: int = 1
    folds: int = 3
    seed: int = 0
    reserve_seconds: float = 0.0
    searcher: Searcher = Sampling()
    scheduler: Scheduler = field(default_factory=lambda: AshaScheduler(sign=1.0))
    probed: frozenset[str] = frozenset()
    portfolio: tuple[Configuration, ...] = ()

    def started(self) -> RunStarted:
        """Return the first event of this search."""
        spec = DataSpec("world", "image", 300, (8, 8, 3), ("a", "b"), (150, 150), "00" * 32)
        return RunStarted(
            "world", SearchRequest("image-clf", budget=self.budget, seed=self.seed), self.seed, spec, (), {}, {},
            self.world.space.sha256(), self.portfolio, {}, 0.0, "accuracy", self.folds, self.slots, "cpu", "world",
        )  # fmt: skip

    def controller(self) -> Controller:
        """Return a controller to which nothing has happened yet but the start."""
        brains = Brains(self.world.space, self.searcher, self.scheduler, self.world.estimate, self.probed)
        return Controller(self.started(), brains)

    def prepare(self, events: Iterable[Event] = ()) -> Run:
        """Return a run to which events, a journal after its first event, have happened; jobs then running are lost."""
        controller, clock = self.controller(), FakeClock()
        journal = MemoryJournal([self.started()])
        for event in events:
            journal.append(event)
            controller.apply(event)
        executor = SimulatedExecutor(self.world, clock, slots=self.slots)
        parts = Parts(RunFolder(Path("no-such-run")), journal, executor, Shelf(), [], everyone, self.reserve_seconds)
        run = Run(controller, parts, Timekeeper(clock, began=0.0, before=controller.history.at))
        for job in [planned.job for planned in controller.history.running.values()]:
            run.on_end(interrupted(job))
        return run

    def play(self, events: Iterable[Event] = ()) -> Run:
        """Return the run after its search."""
        run = self.prepare(events)
        run.search()
        return run


def interrupted(job: Job) -> JobResult:
    """Return the result of a job that was running when the driver died; nothing is charged."""
    members = tuple(MemberResult(m.trial, m.fold, "lost", message="the run was stopped") for m in job.members)
    return JobResult(job.id, members, 0.0, is_interrupted=True)
