"""What a column holds, seen once from top to bottom in bounded memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Protocol

import numpy as np

from .table_cells import Cells, texts_of
from .table_times import DateCounts
from .table_values import category_text, is_missing, numbers

ENOUGH = 0.95
"""A column is one of numbers, or of dates, if so many of its values are; the others count as missing."""
MANY_WORDS = 3.0
MANY_VALUES = 0.3
"""Texts have so many words in the mean, and so many different values among all."""


class Numbers:
    """A column seen as numbers.

    Attributes:
        comma: whether the decimal sign is a comma.
        present: values that are not missing.
        odd: those of them that are no numbers.
        example: one of these.
        is_whole: whether all numbers are whole.
        is_distinct: whether all numbers differ, as far as is seen: no two in the same chunk are equal, and the count
            fits their range.
        low, high: the least and the largest.
    """

    def __init__(self, *, comma: bool = False) -> None:
        self.comma = comma
        self.present = self.odd = 0
        self.example = ""
        self.is_whole = self.is_distinct = True
        self.low, self.high = np.inf, -np.inf

    @classmethod
    def of_counts(cls, counts: Mapping[str, int], *, comma: bool = False) -> Numbers:
        """Return what is known of a column from how often each text occurs."""
        self = cls(comma=comma)
        texts, weights = list(counts), np.fromiter(counts.values(), np.int64, len(counts))
        parsed = numbers(texts, comma=comma)
        is_number = ~np.isnan(parsed.values)
        odd = int(weights.sum() - weights[is_number | _missing(texts)].sum()) if parsed.odd else 0
        self._take(parsed.values[is_number], odd, parsed.example)
        self.present = int(weights[is_number].sum()) + odd
        self.is_distinct = bool((weights[is_number] == 1).all())
        return self

    def add(self, cells: Cells) -> None:
        """Take in more rows."""
        values, odd, example = numbers(cells, comma=self.comma)
        values = values[~np.isnan(values)]
        self._take(values, odd, example)
        if self.is_whole and self.is_distinct:
            is_possible = self.high - self.low + 1 >= self.present - self.odd
            self.is_distinct = is_possible and len(np.unique(values)) == len(values)

    @property
    def share(self) -> float:
        """Return the share of numbers among the values that are there."""
        return (self.present - self.odd) / max(1, self.present)

    @property
    def is_sequence(self) -> bool:
        """Return whether these are the whole numbers from 0 or 1 on, each once."""
        is_dense = self.high - self.low + 1 == self.present - self.odd
        return self.is_whole and self.is_distinct and self.low in (0, 1) and is_dense

    def _take(self, values: np.ndarray, odd: int, example: str) -> None:
        self.present += len(values) + odd
        self.odd += odd
        self.example = self.example or example
        if len(values):
            self.low, self.high = min(self.low, float(values.min())), max(self.high, float(values.max()))
            self.is_whole = self.is_whole and bool((values == np.floor(values)).all())


class Words:
    """A column seen as texts of several words; nothing more is counted."""

    def add(self, cells: Cells) -> None:
        """Take in more rows: what they are is known."""


class _View(Protocol):
    def add(self, cells: Cells) -> None:
        """Take in more rows."""
        ...


class Profile:
    """What is known of a column after some rows.

    All values are counted until there are `enough` different ones. Then numbers, dates and long texts go on without
    counting; other values are counted until there are `most` different ones, and after that only known ones.

    Attributes:
        rows: seen so far.
        counts: how often each text occurs, as long as they were counted.
        view: as what the column is seen after that; None while counting.
    """

    def __init__(self, *, enough: int, most: int) -> None:
        self._enough, self._most = enough, max(enough, most)
        self._is_judged = False
        self.rows = 0
        self.counts: Counter[str] = Counter()
        self.view: _View | None = None

    def add(self, cells: Cells) -> None:
        """Take in more rows."""
        self.rows += len(cells)
        start = 0
        while self.view is None and start < len(cells):
            self._count(cells[start : start + self._enough])
            start += self._enough
            if not self._is_judged and len(self.counts) > self._enough:
                self._is_judged = True
                self.view = _view(self.counts)
        if self.view is not None and start < len(cells):
            self.view.add(cells[start:])

    def categories(self) -> Counter[str]:
        """Return how often each category occurs; missing ones left out."""
        sums: Counter[str] = Counter()
        for text, count in self.counts.items():
            sums[category_text(text)] += count
        sums.pop("", None)
        return sums

    @property
    def is_cut(self) -> bool:
        """Return whether there are more different values than are kept."""
        return len(self.counts) >= self._most

    def _count(self, cells: Cells) -> None:
        new = _counted(cells)
        if not self.is_cut:
            self.counts.update(new)
        else:
            self.counts.update({text: count for text, count in new.items() if text in self.counts})


def best_numbers(counts: Mapping[str, int]) -> Numbers:
    """Return a column as numbers, with a decimal comma if that fits more of its values."""
    plain = Numbers.of_counts(counts)
    if plain.odd == 0 or not any("," in text for text in counts):
        return plain
    comma = Numbers.of_counts(counts, comma=True)
    return comma if comma.odd < plain.odd else plain


def is_text(categories: Mapping[str, int]) -> bool:
    """Return whether categories are rather texts: several words each, and nearly all different.

    Two words are enough where the words themselves come back, as in names of people and titles.
    """
    values = sum(categories.values())
    if len(categories) < max(10, MANY_VALUES * values):
        return False
    words = [text.split() for text in categories]
    mean = sum(map(len, words)) / len(words)
    if mean >= MANY_WORDS:
        return True
    is_varied = len({word for parts in words for word in parts}) > 0.5 * sum(map(len, words))
    return mean >= 2 and len(categories) > 0.9 * values and not is_varied


def _view(counts: Counter[str]) -> _View | None:
    found = best_numbers(counts)
    if found.share >= ENOUGH:
        return found
    dates = DateCounts()
    dates.add_counts(counts)
    choice = dates.choice()
    if choice and choice.share >= ENOUGH:
        return dates
    return Words() if is_text(counts) else None


def _missing(texts: list[str]) -> np.ndarray:
    return np.fromiter(map(is_missing, texts), np.bool_, len(texts))


def _counted(cells: Cells) -> Mapping[str, int]:
    if isinstance(cells, list):
        return Counter(cells)
    is_there = ~np.isnan(cells)
    values, counts = np.unique(cells[is_there], return_counts=True)
    found = dict(zip(texts_of(values), counts.tolist(), strict=True))
    return found | {"": int((~is_there).sum())}
