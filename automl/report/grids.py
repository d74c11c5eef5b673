"""The charts made of cells: the confusion matrix and the workers' time line."""

from __future__ import annotations

import math

from automl.report.build import ReportData
from automl.report.charts import colour
from automl.report.confusion import Confusion
from automl.report.spend import Span
from automl.report.svg import Scale, box, line, minutes, picture, text, x_axis

_MOST_COUNTS = 16
"""With more classes the cells are too small for figures."""
_MOST_LETTERS = 12
_LANE = 26.0
_WIDTH = 1060.0


def confusion_matrix(found: Confusion) -> str:
    """Return truth by row against prediction by column; blue is right, orange is wrong, each share of its row."""
    k = len(found.classes)
    names = [_short(name) for name in found.classes]
    left = 18.0 + 7.2 * max(map(len, names))
    cell = min(42.0, (480.0 - left) / k)
    upright = max(map(len, names)) * 7.2 <= cell
    top = 30.0 if upright else 20.0 + 6.0 * max(map(len, names))
    parts = [text(left + cell * k / 2, 11, "predicted", "axis mid")]
    for i, name in enumerate(names):
        parts.append(text(left - 8, top + cell * (i + 0.5) + 4, name, "tick end"))
        parts.append(_column_name(left + cell * (i + 0.5), top - 6, name, upright=upright))
        parts += [_cell(found, i, j, left + cell * j, top + cell * i, cell) for j in range(k)]
    width = max(300.0, left + cell * k + (4 if upright else 50))
    return picture(width, top + cell * k + 6, parts, "confusion matrix").replace(
        "<svg ", f'<svg style="max-width:{width * 1.15:.0f}px" '
    )


def _short(name: str) -> str:
    """Return a name that fits; both ends are kept, since names often differ in the last letters."""
    half = _MOST_LETTERS // 2
    return name if len(name) <= _MOST_LETTERS else f"{name[:half]}…{name[1 - half :]}"


def _column_name(x: float, y: float, name: str, *, upright: bool) -> str:
    if upright:
        return text(x, y, name, "tick mid")
    return f'<g transform="translate({x:.1f} {y:.1f}) rotate(-45)">{text(0, 0, name, "tick")}</g>'


def _cell(found: Confusion, i: int, j: int, x: float, y: float, size: float) -> str:
    count, rows = int(found.counts[i, j]), int(found.counts[i].sum())
    share = count / rows if rows else 0.0
    hint = f"{found.classes[i]} taken for {found.classes[j]}: {count} of {rows}"
    strength = share if i == j else math.sqrt(share)
    back = box(x + 1, y + 1, (size - 2, size - 2), "cell")
    front = box(
        x + 1,
        y + 1,
        (size - 2, size - 2),
        "right" if i == j else "wrong",
        hint,
        0.08 + 0.8 * strength if count else 0.0,
    )
    if not count or len(found.classes) > _MOST_COUNTS:
        return back + front
    return (
        back
        + front
        + text(x + size / 2, y + size / 2 + 4, str(count), "count mid" + (" strong" if strength > 0.55 else ""))
    )


def time_line(data: ReportData) -> str:
    """Return what each worker did when; gaps are idle time, a dark outline is a job that failed."""
    lanes = sorted({span.worker for span in data.spans})
    end = max(data.history.at, max(span.end for span in data.spans))
    x = Scale(0.0, end, 70.0, _WIDTH - 16)
    bottom = 8 + _LANE * len(lanes)
    parts = [x_axis(x, 8, bottom, minutes, 10)]
    parts += [text(62, 8 + _LANE * (i + 0.5) + 4, lane[-9:], "tick end") for i, lane in enumerate(lanes)]
    parts += [_span(data, span, x, 8 + _LANE * lanes.index(span.worker) + 4) for span in data.spans]
    if data.history.phase is not None:
        at = x(data.history.phase.at)
        parts.append(line([(at, 4), (at, bottom)], "mark"))
    return picture(_WIDTH, bottom + 24, parts, "what each worker did when")


def _span(data: ReportData, span: Span, x: Scale, y: float) -> str:
    trials = ", ".join(map(str, span.trials))
    hint = f"{span.candidate}, trial {trials}: {span.end - span.begin:.1f} s{', failed' if span.is_failed else ''}"
    style = colour(data, span.candidate) + (" failed" if span.is_failed else "")
    return box(x(span.begin), y, (max(1.0, x(span.end) - x(span.begin) - 0.6), _LANE - 8), f"span {style}", hint)
