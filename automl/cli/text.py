"""How figures and tables are written on the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


class Rounded(float):
    """A number with its own count of decimals.

    >>> f"{Rounded(12.345, 1)}"
    '12.3'
    """

    digits: int

    def __new__(cls, value: float, digits: int) -> Rounded:
        """Return value as a number that is written with so many decimals."""
        number = super().__new__(cls, value)
        number.digits = digits
        return number

    def __format__(self, spec: str) -> str:
        return super().__format__(f".{self.digits}f")


def columns(header: Sequence[str], rows: Iterable[Sequence[object]], gap: str = "  ") -> str:
    """Return a plain table: numbers to the right, words to the left, no trailing blanks.

    >>> print(columns(("name", "n"), [("cnn", 3), ("resnet", 12)]))
    name     n
    cnn      3
    resnet  12
    """
    body = list(rows)
    cells = [list(header), *([_cell(value) for value in row] for row in body)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    right = [any(isinstance(row[i], int | float) for row in body) for i in range(len(header))]
    lines = (
        gap.join(c.rjust(w) if r else c.ljust(w) for c, w, r in zip(row, widths, right, strict=True)) for row in cells
    )
    return "\n".join(line.rstrip() for line in lines)


def duration(seconds: float) -> str:
    """Return seconds for people.

    >>> [duration(s) for s in (0.84, 12, 75, 3725)]
    ['0.8 s', '12.0 s', '1 min 15 s', '1 h 02 min']
    """
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" if isinstance(value, float) else str(value)
