"""What a table with one step a row says of each series as a whole: its label, its weight, its group."""

from __future__ import annotations

import numpy as np

from automl.errors import DataError
from automl.serving.series_ids import SeriesIds
from automl.serving.table_cells import Cells, texts_of
from automl.serving.table_values import category_text


class SeriesConstant:
    """A column that says the same in all rows of a series; memory grows with the series, not with the rows."""

    def __init__(self, flag: str, column: str, ids: SeriesIds, shown: str) -> None:
        """Begin.

        Args:
            flag: that names the column, for messages.
            column: its name.
            ids: of the series; each chunk is shown to them first.
            shown: what the table is called in messages.
        """
        self._what = f"{flag} {column!r}"
        self._ids, self._shown = ids, shown
        self._texts: list[str] = []
        self._codes: dict[str, int] = {}
        self._known: dict[str, int] = {}
        self._of_series = np.empty(0, np.int64)

    def add(self, codes: np.ndarray, cells: Cells) -> None:
        """Take in the next rows.

        Args:
            codes: of their series.
            cells: what the column says.

        Raises:
            DataError: it says something else in another row of the same series.
        """
        found = np.fromiter(map(self._code, texts_of(cells)), np.int64, len(cells))
        new = len(self._ids.names) - len(self._of_series)
        self._of_series = np.concatenate([self._of_series, np.full(new, -1, np.int64)])
        first = np.flatnonzero(self._of_series[codes] < 0)[::-1]  # of equal places the last one written stays
        self._of_series[codes[first]] = found[first]
        odd = np.flatnonzero(self._of_series[codes] != found)
        if len(odd):
            code = int(codes[odd[0]])
            both = [self._texts[place] for place in (int(self._of_series[code]), int(found[odd[0]]))]
            raise DataError(
                f"{self._shown}: series {self._ids.names[code][:60]!r}: {self._what} must be the same in all rows of a "
                f"series. Got {both[0][:60]!r} and {both[1][:60]!r}. Mend those rows."
            )

    def finish(self) -> list[str]:
        """Return what the column says of each series."""
        return [self._texts[place] for place in self._of_series.tolist()]

    def _code(self, text: str) -> int:
        code = self._known.get(text)
        if code is None:
            plain = text.strip()
            code = self._known[text] = self._codes.setdefault(category_text(plain) or plain, len(self._texts))
            if code == len(self._texts):
                self._texts.append(plain)
        return code
