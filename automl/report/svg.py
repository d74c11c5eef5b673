"""The strokes that charts are made of: scales, axes, marks. Colours are classes that page.css defines."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape

Label = Callable[[float], str]
_OFF_SCALE = 3.0


@dataclass(frozen=True)
class Scale:
    """Maps values from low to high onto pixels from start to end; what lies outside is put on the edge."""

    low: float
    high: float
    start: float
    end: float
    is_log: bool = False

    def __call__(self, value: float) -> float:
        """Return the pixel of a value."""
        low, high, at = (math.log10(v) if self.is_log else v for v in (self.low, self.high, max(value, self._least)))
        share = (at - low) / (high - low) if high > low else 0.5
        return self.start + min(1.0, max(0.0, share)) * (self.end - self.start)

    def holds(self, value: float) -> bool:
        """Whether value lies on the scale."""
        return self.low <= value <= self.high

    def ticks(self, count: int = 5) -> list[float]:
        """Return round values on the scale, about count of them.

        >>> Scale(0.0, 10.0, 0, 100).ticks()
        [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]
        """
        if self.is_log:
            first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
            every = max(1, math.ceil((last - first + 1) / count))
            decades = [10.0**power for power in range(first, last + 1, every)]
            return decades if len(decades) > 1 else [self.low, self.high]
        if not self.high > self.low:
            return [self.low]
        step = _round_step((self.high - self.low) / count)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [round(i * step, 12) for i in range(first, last + 1)]

    @property
    def _least(self) -> float:
        return self.low if self.is_log else -math.inf


def padded(values: Iterable[float], share: float = 0.05) -> tuple[float, float]:
    """Return the least and the greatest of values with a margin; never an empty range."""
    known = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
    low, high = min(known), max(known)
    margin = (high - low) * share or abs(high) * share or 1.0
    return low - margin, high + margin


def near_best(scores: Sequence[float], *, greater_is_better: bool) -> list[float]:
    """Return the scores worth a place on the scale: not more than thrice as far from the best as the median."""
    known = [score for score in scores if math.isfinite(score)]
    if not known:
        return []
    best = max(known) if greater_is_better else min(known)
    far = sorted(abs(score - best) for score in known)[len(known) // 2] * _OFF_SCALE
    return [score for score in known if abs(score - best) <= far] or [best]


def figure(value: float) -> str:
    """Return a number for an axis.

    >>> [figure(v) for v in (0.9, 0.9850000001, 1200.0, 0.00001)]
    ['0.9', '0.985', '1200', '1e-05']
    """
    return f"{value:.6g}" if abs(value) < 1e6 else f"{value:.3g}"


def minutes(seconds: float) -> str:
    """Return run seconds for an axis.

    >>> [minutes(s) for s in (0, 90, 5400)]
    ['0:00', '1:30', '1:30:00']
    """
    whole, rest = divmod(round(seconds), 60)
    return f"{whole // 60}:{whole % 60:02d}:{rest:02d}" if whole >= 60 else f"{whole}:{rest:02d}"


def picture(width: float, height: float, parts: Iterable[str], title: str) -> str:
    """Return an SVG element that scales with the page; title is read out by screen readers."""
    return f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(title)}">{"".join(parts)}</svg>'


def text(x: float, y: float, words: str, style: str = "") -> str:
    """Return words at a point."""
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{style}">{escape(words)}</text>'


def line(points: Iterable[tuple[float, float]], style: str) -> str:
    """Return a polyline."""
    return f'<polyline class="{style}" points="{_points(points)}"/>'


def area(points: Iterable[tuple[float, float]], style: str) -> str:
    """Return a filled polygon."""
    return f'<polygon class="{style}" points="{_points(points)}"/>'


def dot(x: float, y: float, style: str, hint: str, radius: float = 4.0) -> str:
    """Return a circle that tells its hint when pointed at."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" class="{style}"><title>{escape(hint)}</title></circle>'


def box(x: float, y: float, size: tuple[float, float], style: str, hint: str = "", opacity: float | None = None) -> str:
    """Return a rectangle; size is (width, height)."""
    faint = "" if opacity is None else f' fill-opacity="{opacity:.3f}"'
    inner = f"<title>{escape(hint)}</title>" if hint else ""
    return (
        f'<rect x="{x:.2f}" y="{y:.2f}" width="{max(0.0, size[0]):.2f}" height="{max(0.0, size[1]):.2f}" '
        f'class="{style}"{faint}>{inner}</rect>'
    )


def x_axis(scale: Scale, top: float, bottom: float, label: Label = figure, count: int = 5) -> str:
    """Return vertical grid lines with their values below."""
    marks = [
        line([(scale(v), top), (scale(v), bottom)], "grid") + text(scale(v), bottom + 16, label(v), "tick mid")
        for v in scale.ticks(count)
    ]
    return "".join(marks)


def y_axis(scale: Scale, left: float, right: float, label: Label = figure, count: int = 4) -> str:
    """Return horizontal grid lines with their values at the left."""
    marks = [
        line([(left, scale(v)), (right, scale(v))], "grid") + text(left - 8, scale(v) + 4, label(v), "tick end")
        for v in scale.ticks(count)
    ]
    return "".join(marks)


def _points(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _round_step(step: float) -> float:
    """Return the nearest 1, 2 or 5 times a power of ten that is not below step."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= step * (1 - 1e-9))
