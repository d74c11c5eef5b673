"""Show the ranked trials of a run.

Ranked are trials trained in full; the score is the mean over the folds, in the metric's own sign, with its standard
error. Works while the run goes on.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
from pathlib import Path
from typing import Any

from automl.cli.parser import CommandParser, one_of
from automl.cli.text import Rounded, columns

EXAMPLES = """
automl leaderboard runs/flowers
automl leaderboard runs/flowers --format csv > leaderboard.csv
"""
KEYS = ("rank", "trial", "candidate", "score", "se", "device_seconds", "latency_ms", "size_mb", "params", "status")
_SHOWN = KEYS[:8]


def add_arguments(parser: CommandParser) -> None:
    """Add the arguments of `automl leaderboard`."""
    parser.add_argument("folder", metavar="RUN", help="a run folder")
    parser.add_argument("--format", type=one_of("table", "csv", "json"), default="table", metavar="table|csv|json",
                        help="how to print it (default: %(default)s)")  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Print the leaderboard."""
    from automl import api

    rows = [row.as_json() for row in api.leaderboard(Path(args.folder))]
    sys.stdout.write(render(rows, args.format))
    return 0


def render(rows: list[dict[str, Any]], form: str) -> str:
    """Return the rows as a table, CSV or a JSON list, with a final newline."""
    if form == "json":
        return json.dumps(rows) + "\n"
    if form == "csv":
        return _csv(rows)
    if not rows:
        return "no trial was trained in full yet\n"
    body = [[_figure(key, row[key]) for key in _SHOWN] for row in rows]
    return columns(_SHOWN, body) + "\n"


def _csv(rows: list[dict[str, Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(KEYS)
    for row in rows:
        writer.writerow([json.dumps(row[key], sort_keys=True) if key == "params" else row[key] for key in KEYS])
    return out.getvalue()


def _figure(key: str, value: Any) -> Any:
    digits = {"device_seconds": 1, "latency_ms": 2, "size_mb": 2}.get(key)
    return value if digits is None or value is None else Rounded(value, digits)
