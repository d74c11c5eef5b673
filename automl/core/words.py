"""The facts of a data set, and scores, in words: the same wherever they are told."""

from __future__ import annotations

from collections import Counter

from automl.core.data import DataSpec

_PLURALS = {"number": "numbers", "boolean": "booleans", "category": "categories", "date": "dates", "text": "texts"}


def data_words(spec: DataSpec, times: str = "×") -> str:
    """Return how much data there is and of what kind.

    Args:
        spec: of the data.
        times: the sign between the sides of a shape.

    >>> data_words(DataSpec("digits", "image", 1797, (8, 8, 1), (), (), ""))
    '1,797 images 8×8×1'
    >>> rule = {"columns": [{"kind": "number"}, {"kind": "date"}, {"kind": "number"}]}
    >>> data_words(DataSpec("sales", "table", 1000, (3,), (), (), "", rule))
    '1,000 rows × 3 columns (2 numbers, 1 date)'
    >>> data_words(DataSpec("mail", "text", 1000, (1, 80, 910), (), (), ""))
    '1,000 texts of about 80 characters'
    >>> data_words(DataSpec("pulse", "series", 200, (2, 90, 120), (), (), ""))
    '200 series × 2 channels of about 90 steps'
    """
    if spec.kind == "text":
        return f"{_counted(spec.rows, 'text', 'texts')} of about {_counted(spec.shape[1], 'character', 'characters')}"
    if spec.kind == "series":
        channels, steps = _counted(spec.shape[0], "channel", "channels"), _counted(spec.shape[1], "step", "steps")
        return f"{_counted(spec.rows, 'series', 'series')} {times} {channels} of about {steps}"
    if spec.kind == "table":
        rows = _counted(spec.rows, "row", "rows")
        return f"{rows} {times} {_counted(spec.shape[0], 'column', 'columns')}{_kinds(spec)}"
    return f"{_counted(spec.rows, spec.kind, f'{spec.kind}s')} {times.join(map(str, spec.shape))}"


def score_words(score: float) -> str:
    """Return a score for people: four decimals, fewer where it is large, three figures where it is tiny.

    >>> [score_words(score) for score in (0.98765, -0.5, 0.0, 123.456, 45123.456, 0.0000123456)]
    ['0.9877', '-0.5000', '0.0000', '123.46', '45,123.5', '1.23e-05']
    """
    size = abs(score)
    if 0 < size < 0.0001:
        return f"{score:.3g}"
    return f"{score:.4f}" if size < 100 else f"{score:.2f}" if size < 1000 else f"{score:,.1f}"


def _kinds(spec: DataSpec) -> str:
    counts = Counter(column["kind"] for column in spec.input.get("columns", ()))
    words = [_counted(counts[kind], kind, plural) for kind, plural in _PLURALS.items() if counts[kind]]
    return f" ({', '.join(words)})" if words else ""


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
