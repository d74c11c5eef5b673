"""The charts of predictions against the truth: points of numbers, their distribution, and kept probabilities."""

from __future__ import annotations

import numpy as np

from automl.core.words import score_words
from automl.report.charts import BELOW, LEFT, RIGHT, TOP, WIDTH
from automl.report.numbers import NumberFit
from automl.report.reliability import Bin, Reliability
from automl.report.svg import Scale, box, dot, figure, line, padded, picture, text, x_axis, y_axis

_WIDE_LEFT = 72.0
"""Numbers of the target's own unit may be long."""


def predicted_and_actual(fit: NumberFit, height: float = 340.0) -> str:
    """Return predicted values over true ones; on the line they are equal. Ends beyond 99 % of the rows are cut."""
    both = np.concatenate([fit.y, fit.predicted])
    low, high = padded(np.quantile(both, [0.005, 0.995]).tolist(), 0.06)
    x, y = Scale(low, high, _WIDE_LEFT, WIDTH - RIGHT), Scale(low, high, height - BELOW, TOP)
    parts = [
        x_axis(x, TOP, height - BELOW, _short),
        y_axis(y, _WIDE_LEFT, WIDTH - RIGHT, _short),
        line([(x(low), y(low)), (x(high), y(high))], "mark"),
        *(
            dot(x(true), y(value), "c0 soft", f"{score_words(value)} for {score_words(true)}", 2.4)
            for true, value in zip(fit.y.tolist(), fit.predicted.tolist(), strict=True)
        ),
        text(WIDTH - RIGHT, height - 6, "actual", "axis end"),
        text(_WIDE_LEFT, 11, "predicted", "axis"),
    ]
    return picture(WIDTH, height, parts, "predicted and actual values")


def distribution(fit: NumberFit, height: float = 200.0) -> str:
    """Return the histogram of the true values; the outer half per cent on each side is left out."""
    most = max(1, int(fit.counts.max()))
    x = Scale(float(fit.edges[0]), float(fit.edges[-1]), _WIDE_LEFT, WIDTH - RIGHT)
    y = Scale(0.0, float(most), height - BELOW, TOP)
    parts = [x_axis(x, TOP, height - BELOW, _short), y_axis(y, _WIDE_LEFT, WIDTH - RIGHT, count=3)]
    for count, left, right in zip(fit.counts.tolist(), fit.edges[:-1].tolist(), fit.edges[1:].tolist(), strict=True):
        hint = f"{count:,} rows from {score_words(left)} to {score_words(right)}"
        size = (x(right) - x(left) - 1, y(0.0) - y(count))
        parts.append(box(x(left), y(count), size, "span c0", hint))
    parts.append(text(WIDTH - RIGHT, height - 6, "actual", "axis end"))
    return picture(WIDTH, height, parts, "distribution of the target")


def reliability_curve(found: Reliability, height: float = 320.0) -> str:
    """Return the share of the class over the promised probability, with 95 % intervals; on the line they are equal."""
    x, y = Scale(0.0, 1.0, LEFT, WIDTH - RIGHT), Scale(0.0, 1.0, height - BELOW, TOP)
    middle = [(x(b.promised), y(b.kept)) for b in found.bins]
    parts = [
        x_axis(x, TOP, height - BELOW),
        y_axis(y, LEFT, WIDTH - RIGHT),
        line([(x(0.0), y(0.0)), (x(1.0), y(1.0))], "mark"),
        *(line([(x(b.promised), y(b.low)), (x(b.promised), y(b.high))], "whisker") for b in found.bins),
        line(middle, "curve c0"),
        *(dot(x(b.promised), y(b.kept), "c0", _hint(b)) for b in found.bins),
        text(WIDTH - RIGHT, height - 6, f"probability of {found.label[:40]}", "axis end"),
        text(LEFT, 11, "share of it", "axis"),
    ]
    return picture(WIDTH, height, parts, "promised and kept probabilities")


def importance_bars(values: dict[str, tuple[float, float]]) -> str:
    """Return bars of the loss of score without a column, with the spread over repetitions; name → (mean, half)."""
    left, row = 150.0, 22.0
    most = max(max(mean + half for mean, half in values.values()), 1e-12)
    x = Scale(0.0, most, left, WIDTH - 60)
    parts = []
    for position, (name, (mean, half)) in enumerate(values.items()):
        y = TOP + row * position
        shown = name if len(name) <= 20 else f"{name[:12]}…{name[-7:]}"
        parts += [
            text(left - 8, y + 13, shown, "label end"),
            box(left, y + 3, (x(max(0.0, mean)) - left, 12.0), "span c0", f"{name}: {mean:.4g} ± {half:.2g}"),
            line([(x(max(0.0, mean - half)), y + 9), (x(max(0.0, mean + half)), y + 9)], "whisker"),
            text(x(max(0.0, mean + half)) + 6, y + 13, score_words(mean), "tick"),
        ]
    return picture(WIDTH, TOP + row * len(values) + 6, parts, "what the score loses without a column")


def _hint(found: Bin) -> str:
    return (
        f"{found.promised:.3f} promised, {found.kept:.3f} [{found.low:.3f}, {found.high:.3f}] came, {found.rows:,} rows"
    )


def _short(value: float) -> str:
    """Return a number of any size in few letters.

    >>> [_short(value) for value in (0.5, 12500.0, 2500000.0, 3e9)]
    ['0.5', '12.5k', '2.5M', '3G']
    """
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size and abs(value) < 1e12:
            return f"{value / (1e3 if letter == 'k' else size):.4g}{letter}"
    return figure(value)
