"""What the machinery costs per trial, on real worker processes that have nothing to do, with the durable journal.

    python tests/bench/bench_overhead.py [--trials 200] [--workers 1] [--searcher random]

`next_job` (controller, scheduler, searcher, plan into the journal), `dispatch` (from handing a job out until its result
is here), `on_end` (result into the journal), `on_idle`; `ask` is the searcher's part of them, `journal` the disk's.
Aim: at most 10 ms a trial without `ask`.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np

from automl import registry
from automl.core.clock import MonotonicClock
from automl.core.events import Event
from automl.core.history import History
from automl.core.job import Job, JobResult, Report
from automl.core.protocols import Done, ReportSink, Searcher, WorkOrder
from automl.core.space import Configuration, SearchSpace
from automl.executors.local import LocalExecutor
from automl.journals import SqliteJournal
from automl.run.folder import RunFolder
from automl.run.loop import Parts, Run, Timekeeper
from automl.schedulers.full import FullScheduler
from automl.testing.worlds import SPACE, CurveWorld, Sampling, Scenario, Shelf, everyone

AIM_MILLISECONDS = 10.0


@dataclass
class NoWork:
    """A workload that is done at once."""

    world: CurveWorld = field(default_factory=CurveWorld)

    def run(self, job: Job, report: ReportSink, deadline: float) -> JobResult:
        """Return what a simulated world says."""
        return replace(self.world.run(job), held_seconds=0.0)


def make(arguments: dict[str, str]) -> NoWork:
    """Build the workload in a worker."""
    return NoWork()


@dataclass
class Stopwatch:
    """Milliseconds by name."""

    spent: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, name: str, began: float) -> None:
        """Add what passed since began."""
        self.spent[name].append(1000 * (time.perf_counter() - began))


@dataclass
class TimedJournal:
    """A journal whose appends are timed."""

    journal: SqliteJournal
    watch: Stopwatch

    def append(self, event: Event, *, durable: bool = True) -> None:
        """Append an event."""
        began = time.perf_counter()
        self.journal.append(event, durable=durable)
        self.watch.add("journal", began)

    def replay(self) -> Iterator[Event]:
        """Yield all events."""
        return self.journal.replay()

    def close(self) -> None:
        """Close the file."""
        self.journal.close()


@dataclass
class TimedSearcher:
    """A searcher whose asks are timed."""

    searcher: Searcher
    watch: Stopwatch

    def ask(self, space: SearchSpace, history: History, rng: np.random.Generator) -> Configuration:
        """Ask."""
        began = time.perf_counter()
        configuration = self.searcher.ask(space, history, rng)
        self.watch.add("ask", began)
        return configuration


@dataclass
class TimedPort:
    """A run whose answers are timed."""

    run: Run
    watch: Stopwatch
    handed: dict[int, float] = field(default_factory=dict)

    def next_job(self) -> Job | Done | Literal["wait"]:
        """Decide."""
        began = time.perf_counter()
        job = self.run.next_job()
        self.watch.add("next_job", began)
        if isinstance(job, Job):
            self.handed[job.id] = time.perf_counter()
        return job

    def is_over(self) -> bool:
        """Whether the run is over."""
        return self.run.is_over()

    def deadline(self, job: int) -> float:
        """Return when a job ends."""
        return self.run.deadline(job)

    def on_report(self, report: Report) -> None:
        """Pass on."""
        self.run.on_report(report)

    def on_end(self, result: JobResult) -> None:
        """Settle."""
        self.watch.add("dispatch", self.handed.pop(result.job))
        began = time.perf_counter()
        self.run.on_end(result)
        self.watch.add("on_end", began)

    def on_idle(self) -> None:
        """Pass on."""
        began = time.perf_counter()
        self.run.on_idle()
        self.watch.add("on_idle", began)


def searcher(name: str) -> Searcher:
    """Return a registered searcher, or plain draws for `sampling`."""
    made: Searcher = Sampling() if name == "sampling" else registry.resolve("searcher", name)(greater_is_better=True)
    return made


def measure(folder: Path, args: argparse.Namespace) -> tuple[Stopwatch, float, int]:
    """Return the times of a whole search, its wall seconds, and its number of jobs."""
    watch = Stopwatch()
    world = CurveWorld(space=SearchSpace({"quick": SPACE.candidates["quick"]}))
    scenario = Scenario(world, f"{args.trials}trials", args.workers, folds=args.folds, scheduler=FullScheduler(),
                        searcher=TimedSearcher(searcher(args.searcher), watch))  # fmt: skip
    executor, clock = LocalExecutor(args.workers), MonotonicClock()
    journal = TimedJournal(SqliteJournal(folder / "run.db"), watch)
    parts = Parts(RunFolder(folder), journal, executor, Shelf(), [], everyone, 0.0)
    run = Run(scenario.controller(), parts, Timekeeper(clock, clock.now()))
    executor.warm(())
    executor.start(WorkOrder("bench_overhead:make", {}))
    time.sleep(2.0)
    watch.spent.clear()
    began = time.perf_counter()
    executor.run(TimedPort(run, watch))
    seconds = time.perf_counter() - began
    executor.stop()
    journal.close()
    return watch, seconds, run.history.jobs


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--folds", type=int, default=1)
    parser.add_argument("--searcher", default="random")
    args = parser.parse_args()
    os.environ["PYTHONPATH"] = str(Path(__file__).parent)  # so that workers find the workload
    with tempfile.TemporaryDirectory() as folder:
        watch, seconds, jobs = measure(Path(folder), args)
    print("part         calls   median ms    p90 ms   ms/trial")
    for name, spent in sorted(watch.spent.items()):
        p90 = statistics.quantiles(spent, n=10)[-1]
        print(f"{name:10} {len(spent):7} {statistics.median(spent):11.3f} {p90:9.3f} {sum(spent) / args.trials:10.3f}")
    ask = sum(watch.spent["ask"]) / 1000
    each = 1000 * (seconds - ask) / args.trials
    print(f"{args.trials} trials, {jobs} jobs, {args.workers} workers")
    print(f"{each:.2f} ms of wall a trial without the searcher; the aim is {AIM_MILLISECONDS:.0f}")


if __name__ == "__main__":
    main()
