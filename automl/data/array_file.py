"""Write an .npy file block by block, so that an array is never whole in memory."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import numpy as np


class ArrayFile:
    """An .npy file that grows along its first axis; a context manager.

    The header is written twice: NumPy pads it so that the number of rows may grow in place, see
    `numpy.lib.format.GROWTH_AXIS_MAX_DIGITS`.
    """

    def __init__(self, path: Path, dtype: np.dtype, width: tuple[int, ...] = ()) -> None:
        """Begin a file.

        Args:
            path: where it is written.
            dtype: of the array.
            width: shape of one row.
        """
        self._dtype, self._width, self._rows = dtype, width, 0
        self._file = path.open("wb")
        self._start = self._write_header()

    def append(self, block: np.ndarray) -> None:
        """Add rows.

        Raises:
            ValueError: a row has another shape.
        """
        if block.shape[1:] != self._width:
            raise ValueError(f"rows of shape {self._width} are appended. Got {block.shape[1:]}.")
        self._file.write(np.ascontiguousarray(block, self._dtype).data)
        self._rows += len(block)

    def __enter__(self) -> ArrayFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.seek(0)
        grown = self._write_header()
        self._file.close()
        assert grown == self._start, (grown, self._start)

    def _write_header(self) -> int:
        facts = {"descr": np.lib.format.dtype_to_descr(self._dtype), "fortran_order": False,
                 "shape": (self._rows, *self._width)}  # fmt: skip
        np.lib.format.write_array_header_1_0(self._file, facts)
        return self._file.tell()
