"""A finished run, made of events, as a search of two minutes on small images would leave it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pytest

from automl.core.data import DataSpec, Finding
from automl.core.events import (
    Decided,
    Event,
    JobEnded,
    JobPlanned,
    PhaseChanged,
    Planned,
    Registered,
    RunEnded,
    RunStarted,
    TestScore,
    TrialStopped,
    Warned,
    Winner,
)
from automl.core.history import History
from automl.core.job import Cost, FileRef, Job, JobResult, Lease, Member, MemberResult
from automl.core.request import SearchRequest
from automl.core.space import Configuration

FOLDS, SLOTS, ROWS, CLASSES = 5, 2, 400, 10
FULL_STEPS = {"baseline": 1, "linear": 1, "forest": 1, "cnn": 9, "resnet": 9}
PEAK = {"baseline": 0.10, "linear": 0.955, "forest": 0.968, "cnn": 0.981, "resnet": 0.985}
SECONDS = {"baseline": 0.1, "linear": 0.4, "forest": 0.9, "cnn": 2.4, "resnet": 3.2}


class FinishedRun(NamedTuple):
    """Events in order, the history they make, and the out-of-fold predictions of the winner."""

    events: tuple[Event, ...]
    history: History
    y: np.ndarray
    probabilities: np.ndarray


def fold_history(events: tuple[Event, ...]) -> History:
    """Return the history of events."""
    history = History()
    for event in events:
        history.apply(event)
    return history


def started(name: str = "digits", budget: str = "2min", metric: str = "accuracy") -> RunStarted:
    """Return the first event."""
    request = SearchRequest(task="image-clf", data=name, budget=budget)
    counts = (178, 182, 177, 183, 181, 182, 181, 179, 174, 180)
    spec = DataSpec(name, "image", sum(counts), (8, 8, 1), tuple("0123456789"), counts, "ab" * 32)
    findings = (
        Finding("grey", "info", "all images are grey: one channel is kept"),
        Finding("duplicates", "warning", "3 images appear twice; the copies stay in the same fold"),
    )
    origins = {c: f"automl/search_spaces/image-clf/{c}.toml" for c in FULL_STEPS}
    return RunStarted(
        name=f"image-clf-{name}", request=request, seed=0, spec=spec, findings=findings,
        spaces={c: f'candidate = "{c}"\n' for c in FULL_STEPS}, space_origins=origins, space_sha256="cd" * 32,
        portfolio=(Configuration("linear", {"C": 1.0}),), versions={"automl": "0.1.0", "torch": "2.13.0"},
        wall_started=1_790_000_000.0, metric=metric, folds=FOLDS, slots=SLOTS, device="cpu", data_folder="cache/ab",
    )  # fmt: skip


def planned() -> Planned:
    """Return the plan."""
    return Planned(dict(FULL_STEPS), {c: Cost(0.1, s / 9) for c, s in SECONDS.items()}, reserve_seconds=9.0)


class _Simulation:
    """Two workers, one job at a time each; most trials stop after a look at one fold."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.free = [3.0] * SLOTS
        self.jobs = 0

    def run(self, trials: int) -> Iterator[Event]:
        events: list[tuple[float, int, Event]] = []
        for trial in range(trials):
            for event in self._trial(trial, self._configuration(trial)):
                events.append((event.at, len(events), event))
        yield from (event for _, _, event in sorted(events, key=lambda e: e[:2]))

    def _configuration(self, trial: int) -> Configuration:
        names = list(FULL_STEPS)
        name = names[trial] if trial < len(names) else str(self.rng.choice(["linear", "cnn", "resnet", "resnet"]))
        if name in ("baseline", "forest"):
            return Configuration(name, {})
        if name == "linear":
            return Configuration(name, {"C": float(10 ** self.rng.uniform(-3, 2))})
        lr, width = float(10 ** self.rng.uniform(-3, 0.5)), int(self.rng.choice([16, 32, 64]))
        return Configuration(name, {"lr": lr, "width": width, "optimizer": str(self.rng.choice(["sgd", "adamw"]))})

    def _quality(self, configuration: Configuration) -> float:
        lr = float(configuration.values.get("lr", 0.1))
        return PEAK[configuration.candidate] - 0.02 * math.log10(lr / 0.1) ** 2

    def _trial(self, trial: int, configuration: Configuration) -> Iterator[Event]:
        steps, quality = FULL_STEPS[configuration.candidate], self._quality(configuration)
        if trial % 11 == 9:
            yield from self._job(trial, configuration, (0,), rung=0, steps=1, quality=quality, outcome="oom")
        elif steps > 1 and quality < 0.97:
            yield from self._job(trial, configuration, (0,), rung=0, steps=3, quality=quality)
            yield TrialStopped(trial, "worse than the best third at rung 0", self.free[0])
        else:
            yield from self._job(trial, configuration, tuple(range(FOLDS)), rung=3, steps=steps, quality=quality)

    def _job(self, trial: int, configuration: Configuration, folds: tuple[int, ...], *, rung: int, steps: int,
             quality: float, outcome: str = "done") -> Iterator[Event]:  # fmt: skip
        slot = int(np.argmin(self.free))
        begin, name = self.free[slot], configuration.candidate
        held = SECONDS[name] * len(folds) * steps / FULL_STEPS[name] * self.rng.uniform(0.8, 1.2)
        members = tuple(Member(trial, fold, configuration) for fold in folds)
        job = Job(self.jobs, members, rung, 0, steps, FULL_STEPS[name], keep_model=rung == 3, lease=Lease(seconds=60))
        self.jobs += 1
        yield JobPlanned(job, begin, configuration, "portfolio" if trial < 5 else "searcher", 0.01)
        self.free[slot] = begin + held + 0.15
        results = tuple(self._result(member, steps, quality, outcome) for member in members)
        yield JobEnded(JobResult(job.id, results, held, f"cpu{slot}"), begin + held, held)

    def _result(self, member: Member, steps: int, quality: float, outcome: str) -> MemberResult:
        if outcome != "done":
            return MemberResult(member.trial, member.fold, "oom", message="out of memory at batch 32 (14.2 GiB)")
        score = float(np.clip(quality + self.rng.normal(0, 0.006), 0, 1))
        curve = tuple((s, score * (1 - math.exp(-2.2 * s / max(1, steps) * 1.6))) for s in range(1, steps + 1))
        return MemberResult(
            member.trial, member.fold, "done", score, curve if steps > 1 else ((1, score),),
            train_curve=tuple((s, 2.3 * math.exp(-0.5 * s)) for s in range(1, steps + 1)), steps=steps, best_step=steps,
            files=(FileRef(f"members/{member.name}/model.onnx", "ef" * 32, 240_000),), latency_ms=0.4,
            notes={"precision": "float32"},
        )  # fmt: skip


def finished_events(trials: int = 26, seed: int = 0) -> tuple[Event, ...]:
    """Return the events of a run that ended well."""
    body = tuple(_Simulation(seed).run(trials))
    history = fold_history((started(), planned(), *body))
    full = sorted(history.full(), key=lambda t: -t.reports[3])
    best, second = full[0], full[1]
    end = history.at
    winner = Winner("ensemble", f"{best.configuration.candidate} + {second.configuration.candidate}",
                    {best.number: 0.6, second.number: 0.4}, 0.9866, 0.0024, 0.9851, 0.9789, 0.9907, 0.999,
                    "bootstrap of the selection, 200 resamples")  # fmt: skip
    test = TestScore("accuracy", 0.9833, 0.97, 0.99, {"log_loss": 0.06}, 360)
    return (
        started(), planned(), *body,
        Warned("mlflow", "the server did not answer for 3 s; runs are recorded later", end),
        PhaseChanged("finalising", "the budget is spent", end + 0.1),
        Decided(winner, "artifacts/0003", "12" * 32, test, end + 3),
        Registered("models:/automl-image-clf-digits/3", "1", "abc", True, "better than version 2", end + 4),
        RunEnded("done", "the budget is spent", end + 4.5),
    )  # fmt: skip


def finished_run() -> FinishedRun:
    """Return a finished run with predictions that mix up 3 and 8 now and then."""
    events = finished_events()
    rng = np.random.default_rng(1)
    y = rng.integers(0, CLASSES, ROWS)
    logits = rng.normal(0, 1, (ROWS, CLASSES))
    logits[np.arange(ROWS), y] += 6
    logits[y == 3, 8] += 4.2
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return FinishedRun(events, fold_history(events), y, probabilities.astype(np.float32))


@pytest.fixture(scope="session")
def finished() -> FinishedRun:
    """A finished run."""
    return finished_run()
