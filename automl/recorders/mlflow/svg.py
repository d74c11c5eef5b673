"""Small charts as self-contained SVG text: lines, points, bars, a matrix; no script, no outside file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

import numpy as np

WIDTH, HEIGHT = 720, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 150, 40, 50
_COLOURS = (
    "#4269d0",
    "#efb118",
    "#ff725c",
    "#6cc5b0",
    "#3ca951",
    "#ff8ab7",
    "#a463f2",
    "#97bbf5",
    "#9c6b4e",
    "#9498a0",
)
_STYLE = "<style>text{font:12px sans-serif;fill:#222}.t{font-size:15px}.a{stroke:#bbb}.e{text-anchor:end}</style>"
Series = Sequence[tuple[float, float]]


def lines(title: str, x_label: str, y_label: str, series: Mapping[str, Series]) -> str:
    """Return a chart of named series of (x, y)."""
    points = [p for line in series.values() for p in line]
    x_range, y_range = _span([x for x, _ in points]), _span([y for _, y in points])
    body = [_axes(x_label, y_label, x_range, y_range)]
    for i, (name, line) in enumerate(series.items()):
        colour = _COLOURS[i % len(_COLOURS)]
        path = " ".join(f"{_x(x, x_range):.1f},{_y(y, y_range):.1f}" for x, y in line)
        body.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        body += [
            f'<circle cx="{_x(x, x_range):.1f}" cy="{_y(y, y_range):.1f}" r="2" fill="{colour}"/>' for x, y in line
        ]
        body.append(
            f'<text x="{WIDTH - _RIGHT + 12}" y="{_TOP + 14 + 16 * i}" style="fill:{colour}">{escape(name)}</text>'
        )
    return _page(title, WIDTH, HEIGHT, body)


def scatter(title: str, x_label: str, y_label: str, points: Series, *, line: Series = ()) -> str:
    """Return points (x, y), and a line to hold them against."""
    x_range = _span([x for x, _ in (*points, *line)])
    y_range = _span([y for _, y in (*points, *line)])
    body = [_axes(x_label, y_label, x_range, y_range)]
    path = " ".join(f"{_x(x, x_range):.1f},{_y(y, y_range):.1f}" for x, y in line)
    body.append(f'<polyline points="{path}" fill="none" stroke="#888" stroke-dasharray="4 4"/>')
    body += [
        f'<circle cx="{_x(x, x_range):.1f}" cy="{_y(y, y_range):.1f}" r="2" fill="{_COLOURS[0]}" fill-opacity="0.5"/>'
        for x, y in points
    ]
    return _page(title, WIDTH, HEIGHT, body)


def bars(title: str, values: Mapping[str, float], *, most: float = 1.0) -> str:
    """Return horizontal bars on a scale from 0 to most."""
    left, row = 220, 24
    body = []
    for i, (name, value) in enumerate(values.items()):
        y, width = _TOP + row * i, (WIDTH - left - 80) * value / most
        body.append(f'<text class="e" x="{left - 8}" y="{y + 14}">{escape(name)}</text>')
        body.append(f'<rect x="{left}" y="{y + 3}" width="{width:.1f}" height="{row - 8}" fill="{_COLOURS[0]}"/>')
        body.append(f'<text x="{left + width + 6:.1f}" y="{y + 14}">{value:.2f}</text>')
    return _page(title, WIDTH, _TOP + row * len(values) + 20, body)


def matrix(title: str, counts: np.ndarray, names: Sequence[str]) -> str:
    """Return a (classes, classes) matrix of counts, true classes downwards, predicted ones across."""
    cell = max(14, min(48, 560 // len(names)))
    left, top = 130, _TOP + 110
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    body = []
    for i, name in enumerate(names):
        label, y, x = escape(name[:18]), top + cell * i, left + cell * i
        body.append(f'<text class="e" x="{left - 6}" y="{y + cell / 2 + 4:.0f}">{label}</text>')
        body.append(f'<text transform="translate({x + cell / 2 + 4:.0f},{top - 6}) rotate(-60)">{label}</text>')
        body += [_cell(left + cell * j, y, cell, int(counts[i, j]), float(shares[i, j])) for j in range(len(names))]
    size = cell * len(names)
    return _page(title, left + size + 20, top + size + 20, body)


def _cell(x: float, y: float, size: int, count: int, share: float) -> str:
    text = ""
    if count and size >= 24:
        fill = "#fff" if share > 0.5 else "#222"
        text = (f'<text x="{x + size / 2}" y="{y + size / 2 + 4}" text-anchor="middle" '
                f'style="fill:{fill};font-size:10px">{count}</text>')  # fmt: skip
    return (f'<rect x="{x}" y="{y}" width="{size}" height="{size}" fill="{_COLOURS[0]}" fill-opacity="{share:.3f}" '
            f'stroke="#ddd"><title>{count}</title></rect>{text}')  # fmt: skip


def _page(title: str, width: int, height: int, body: Sequence[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
    paper = f'<rect width="{width}" height="{height}" fill="#fff"/>'
    return "\n".join([head, _STYLE, paper, f'<text class="t" x="12" y="22">{escape(title)}</text>', *body, "</svg>\n"])


def _axes(x_label: str, y_label: str, x_range: tuple[float, float], y_range: tuple[float, float]) -> str:
    right, bottom = WIDTH - _RIGHT, HEIGHT - _BOTTOM
    parts = [f'<path class="a" d="M{_LEFT},{_TOP}V{bottom}H{right}" fill="none"/>']
    for i in range(5):
        x, y = x_range[0] + (x_range[1] - x_range[0]) * i / 4, y_range[0] + (y_range[1] - y_range[0]) * i / 4
        parts.append(f'<text x="{_x(x, x_range):.0f}" y="{bottom + 16}" text-anchor="middle">{x:.4g}</text>')
        parts.append(f'<text class="e" x="{_LEFT - 6}" y="{_y(y, y_range) + 4:.0f}">{y:.4g}</text>')
    parts.append(f'<text x="{(_LEFT + right) // 2}" y="{HEIGHT - 10}" text-anchor="middle">{escape(x_label)}</text>')
    parts.append(f'<text x="12" y="{_TOP - 6}">{escape(y_label)}</text>')
    return "\n".join(parts)


def _span(values: Sequence[float]) -> tuple[float, float]:
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _x(x: float, span: tuple[float, float]) -> float:
    return _LEFT + (WIDTH - _RIGHT - _LEFT) * _share(x, span)


def _y(y: float, span: tuple[float, float]) -> float:
    return HEIGHT - _BOTTOM - (HEIGHT - _BOTTOM - _TOP) * _share(y, span)


def _share(value: float, span: tuple[float, float]) -> float:
    share = (value - span[0]) / (span[1] - span[0])
    return share if math.isfinite(share) else 0.0
