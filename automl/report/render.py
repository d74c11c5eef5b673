"""Writes the page: one HTML text with its own style and pictures that asks nothing of any other machine."""

from __future__ import annotations

from importlib.resources import files

from automl.report.answers import columns, importance, kept_probabilities, numbers, target
from automl.report.build import ReportData
from automl.report.html import Markup, pairs, safe
from automl.report.sections import (
    candidates,
    confusion,
    curves,
    data_facts,
    header,
    how_to_use,
    leaderboard,
    others,
    over_time,
    parameters,
    set_up,
    spaces,
    spend,
    winner,
    workers,
)

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def render(data: ReportData) -> str:
    """Return the page."""
    parts = [
        header(data),
        winner(data),
        how_to_use(data),
        pairs(over_time(data), candidates(data)),
        leaderboard(data),
        pairs(numbers(data), target(data), confusion(data), kept_probabilities(data), importance(data), columns(data)),
        pairs(curves(data), data_facts(data), spend(data)),
        parameters(data),
        workers(data),
        others(data),
        spaces(data),
        set_up(data),
        _footer(data),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f"<title>{safe(data.started.name)}</title><style>\n{_style()}</style></head>\n"
        f"<body>\n{chr(10).join(part for part in parts if part)}\n</body></html>\n"
    )


def _style() -> str:
    return files("automl.report").joinpath("page.css").read_text(encoding="utf-8")


def _footer(data: ReportData) -> Markup:
    version = data.started.versions.get("automl", "")
    return Markup(f"<footer>automl {safe(version)}, {safe(data.run)}. Point at a mark to see what it is.</footer>")
