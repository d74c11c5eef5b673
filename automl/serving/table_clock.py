"""A column that orders rows in time, as numbers: dates in any form that tables may have, or numbers as they are."""

from __future__ import annotations

import numpy as np

from .table_cells import Cells
from .table_times import DateCounts, DateReader
from .table_values import Parsed, numbers


class Clock:
    """Reads cells as times, one way for a whole column: the way its first rows are written."""

    def __init__(self) -> None:
        self._dates: DateReader | None = None
        self._has_numbers = False

    def __call__(self, cells: Cells) -> Parsed:
        """Return dates as seconds since 1970, or numbers; cells that are neither are counted as odd."""
        if self._dates is not None:
            return self._dates.read(cells)
        parsed = numbers(cells)
        if not parsed.odd or self._has_numbers:
            self._has_numbers |= bool(np.isfinite(parsed.values).any())
            return parsed
        counts = DateCounts()
        counts.add(cells)
        choice = counts.choice()
        if choice is None:
            return parsed
        self._dates = DateReader(choice.format)
        return self._dates.read(cells)
