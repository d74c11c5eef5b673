"""Where the time went: the bill by candidate, which adds up to the ledger, and the workers' time line."""

from __future__ import annotations

from dataclasses import dataclass

from automl.core.events import JobEnded
from automl.core.history import FAILURES, History
from automl.core.ledger import Receipt

MEASURING = "measuring"
"""Jobs that belong to no trial: the probes that measure cost."""


@dataclass(frozen=True)
class Span:
    """A job on a worker, in run seconds."""

    worker: str
    begin: float
    end: float
    candidate: str
    trials: tuple[int, ...]
    is_failed: bool


@dataclass(frozen=True)
class Item:
    """One line of the bill."""

    candidate: str
    jobs: int
    trials: int
    device_seconds: float


@dataclass(frozen=True)
class Bill:
    """The receipt, and the lines that add up to it.

    Attributes:
        budget: as the user gave it, with what was added on resuming.
        slot_seconds: wall time × workers; None where a worker is not a whole device.
    """

    receipt: Receipt
    budget: str
    items: tuple[Item, ...]
    slot_seconds: float | None

    @property
    def utilisation(self) -> float | None:
        """Return leased ÷ available time of the workers."""
        if not self.slot_seconds:
            return None
        return min(1.0, self.receipt.leased_seconds / self.slot_seconds)


def bill(history: History, receipt: Receipt | None = None) -> Bill:
    """Return the bill of a run; without a receipt it is made from the ended jobs."""
    started = history.started
    assert started is not None
    made = Receipt(
        device=started.device,
        leased_seconds=sum(ended.device_seconds for ended in history.ended_jobs),
        wall_seconds=history.at,
        trials=len(history.trials),
        leases=len(history.ended_jobs),
    )
    taken = receipt or made
    added = (event.added_budget.removeprefix("+") for event in history.resumed)
    return Bill(
        receipt=taken,
        budget=" + ".join(filter(None, [started.request.budget, *added])),
        items=_items(history),
        slot_seconds=taken.wall_seconds * started.slots if started.device == "cpu" else None,
    )


def spans(history: History) -> tuple[Span, ...]:
    """Return every job that came back, in order of its begin."""
    found = [_span(history, ended) for ended in history.ended_jobs]
    return tuple(sorted(found, key=lambda span: (span.begin, span.worker)))


def is_measuring(ended: JobEnded) -> bool:
    """Whether a job was a probe: it gives a cost, but neither a score nor a file."""
    return all(m.outcome == "done" and m.score is None and not m.files for m in ended.result.members)


def _span(history: History, ended: JobEnded) -> Span:
    result = ended.result
    return Span(
        worker=result.worker or "worker",
        begin=max(0.0, ended.at - result.held_seconds),
        end=ended.at,
        candidate=_candidate(history, ended),
        trials=tuple(dict.fromkeys(member.trial for member in result.members)),
        is_failed=any(member.outcome in FAILURES for member in result.members),
    )


def _items(history: History) -> tuple[Item, ...]:
    names = dict.fromkeys(_candidate(history, ended) for ended in history.ended_jobs)
    items = [_item(history, name) for name in names]
    return tuple(sorted(items, key=lambda item: -item.device_seconds))


def _item(history: History, name: str) -> Item:
    jobs = [ended for ended in history.ended_jobs if _candidate(history, ended) == name]
    trials = sum(trial.configuration.candidate == name for trial in history.trials.values())
    return Item(name, len(jobs), trials, sum(ended.device_seconds for ended in jobs))


def _candidate(history: History, ended: JobEnded) -> str:
    trial = history.trials.get(ended.result.members[0].trial)
    return MEASURING if trial is None or is_measuring(ended) else trial.configuration.candidate
