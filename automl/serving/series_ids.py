"""Which series each row of a table belongs to: texts as codes, in the order in which they first appear."""

from __future__ import annotations

import numpy as np

from .errors import InputError
from .table_cells import Cells, texts_of
from .table_values import category_text


class SeriesIds:
    """The ids of series, taken in chunk by chunk. An id is compared as a category is: 3 and 3.0 are one.

    Attributes:
        names: of the series so far, in the order of their codes.
        rows: taken in so far.
    """

    def __init__(self, column: str, where: str) -> None:
        """Begin.

        Args:
            column: that holds the ids.
            where: what is read, for messages.
        """
        self.names: list[str] = []
        self.rows = 0
        self._column, self._where = column, where
        self._codes: dict[str, int] = {}
        self._known = _Known(self)

    def codes(self, cells: Cells) -> np.ndarray:
        """Return the code of each of the next rows, int32.

        Raises:
            InputError: a row has no id.
        """
        codes = np.fromiter(map(self._known.__getitem__, texts_of(cells)), np.int32, len(cells))
        missing = np.flatnonzero(codes < 0)
        if len(missing):
            raise InputError(
                f"{self._where}: column {self._column!r}: every row needs the id of its series. Got none in row "
                f"{self.rows + int(missing[0]) + 1}. Write it, or remove the row."
            )
        self.rows += len(cells)
        return codes

    def code(self, text: str) -> int:
        """Return the code of an id, a new one if it is new; -1 for no id."""
        text = text.strip()
        name = category_text(text) or text  # a series may be called NA
        if not name:
            return -1
        code = self._codes.setdefault(name, len(self.names))
        if code == len(self.names):
            self.names.append(name)
        return code


class _Known(dict[str, int]):
    """Text as written → code."""

    def __init__(self, ids: SeriesIds) -> None:
        super().__init__()
        self._ids = ids

    def __missing__(self, text: str) -> int:
        code = self[text] = self._ids.code(text)
        return code
