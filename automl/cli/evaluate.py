"""Score a model on labelled data.

DATA has the form of the training data, labels or target included. The score comes with a 95 % interval over the rows.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from automl.cli.parser import CommandParser
from automl.core.words import score_words

EXAMPLES = """
automl evaluate runs/flowers flowers-test/
automl evaluate runs/flowers flowers-test/ --metric macro_f1 --json
automl evaluate runs/houses houses-test.csv
"""


def add_arguments(parser: CommandParser) -> None:
    """Add the arguments of `automl evaluate`."""
    parser.add_argument("model", metavar="MODEL", help="a run folder, an artifact folder or a models:/ name")
    parser.add_argument("data", metavar="DATA", help="labelled data")
    parser.add_argument("--metric", default="", help="see automl list metrics (default: the model's)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Print the score."""
    from automl import api

    scored = api.evaluate(args.model, args.data, args.metric)
    sys.stdout.write(render(scored, as_json=args.json))
    return 0


def render(scored: Any, *, as_json: bool) -> str:
    """Return an evaluation (metric, score, low, high, metrics, rows) as JSON or lines for people."""
    keys = ("metric", "score", "low", "high", "metrics", "rows")
    if as_json:
        return json.dumps({key: getattr(scored, key) for key in keys}) + "\n"
    interval = f"[{score_words(scored.low)}, {score_words(scored.high)}]"
    head = f"{scored.metric} {score_words(scored.score)}  {interval}  on {scored.rows:,} rows"
    others = [(name, value) for name, value in scored.metrics.items() if name != scored.metric]
    width = max((len(name) for name, _ in others), default=0)
    return "\n".join([head, *(f"  {name:<{width}}  {score_words(value)}" for name, value in others)]) + "\n"
