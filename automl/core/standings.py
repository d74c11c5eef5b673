"""Where the trials of a run stand, kept in order as events come in, so that no decision looks at every trial."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

Key = tuple[float, int]


@dataclass
class Ranking:
    """Trial numbers in order of their scores.

    >>> ranking = Ranking()
    >>> for number, score in enumerate([0.5, 0.9, 0.7]):
    ...     ranking.add(number, score)
    >>> list(ranking.best(sign=1.0)), ranking.place(2, 0.7, sign=1.0)
    ([1, 2, 0], 1)
    """

    keys: list[Key] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.keys)

    def add(self, number: int, score: float) -> None:
        """Take a trial in."""
        insort(self.keys, (score, number))

    def discard(self, number: int, score: float) -> None:
        """Let a trial go, if it is here with this score."""
        index = bisect_left(self.keys, (score, number))
        if index < len(self.keys) and self.keys[index] == (score, number):
            del self.keys[index]

    def best(self, *, sign: float) -> Iterator[int]:
        """Yield the trials, best first; sign is +1 where greater scores are better, else -1."""
        keys = reversed(self.keys) if sign > 0 else iter(self.keys)
        return (number for _, number in keys)

    def place(self, number: int, score: float, *, sign: float) -> int:
        """Return how many trials here are better than this one."""
        index = bisect_left(self.keys, (score, number))
        return len(self.keys) - 1 - index if sign > 0 else index


@dataclass
class Standings:
    """The trials by status and by score at each rung.

    Attributes:
        by_status: status → numbers, in the order in which they got it.
        arrived: rung → trials with a finite score there, whatever became of them.
        paused: rung → paused trials that stand there with a finite score.
        unfinished: trials at the top rung that are neither full nor given up.
    """

    by_status: dict[str, dict[int, None]] = field(default_factory=dict)
    arrived: dict[int, Ranking] = field(default_factory=dict)
    paused: dict[int, Ranking] = field(default_factory=dict)
    unfinished: dict[int, None] = field(default_factory=dict)
    _filed: dict[int, tuple[str, int, dict[int, float]]] = field(default_factory=dict)

    def with_status(self, status: str) -> list[int]:
        """Return the trials of this status, in order of number."""
        return sorted(self.by_status.get(status, ()))

    def arrived_at(self, rung: int) -> Ranking:
        """Return the trials with a score at a rung."""
        return self.arrived.get(rung) or Ranking()

    def paused_at(self, rung: int) -> Ranking:
        """Return the trials that stand paused at a rung."""
        return self.paused.get(rung) or Ranking()

    def file(self, number: int, status: str, rung: int, *, reports: Mapping[int, float], top: int) -> None:
        """Note where a trial stands now."""
        finite = {r: score for r, score in reports.items() if math.isfinite(score)}
        self._take_out(number, finite)
        self.by_status.setdefault(status, {})[number] = None
        if status == "paused" and rung in finite:
            self.paused.setdefault(rung, Ranking()).add(number, finite[rung])
        if status in ("running", "paused") and rung >= top:
            self.unfinished[number] = None
        self._filed[number] = (status, rung, finite)

    def _take_out(self, number: int, reports: Mapping[int, float]) -> None:
        """Undo what was filed, but for scores that stay as they are."""
        status, rung, before = self._filed.get(number, ("", 0, {}))
        self.by_status.get(status, {}).pop(number, None)
        self.unfinished.pop(number, None)
        if status == "paused" and rung in before:
            self.paused[rung].discard(number, before[rung])
        for r in reports.keys() | before.keys():
            if reports.get(r) != before.get(r):
                if r in before:
                    self.arrived[r].discard(number, before[r])
                if r in reports:
                    self.arrived.setdefault(r, Ranking()).add(number, reports[r])
