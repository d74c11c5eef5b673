"""Go on with a run that was stopped or killed.

Nothing that was finished is done again, and the time between is not charged. A run that has spent its budget goes on
when more is given.
"""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path

from automl.cli.parser import CommandParser
from automl.cli.search import INTERRUPTED, add_output_arguments

EXAMPLES = """
automl resume runs/flowers
automl resume runs/flowers --budget +1gpu-h
"""


def add_arguments(parser: CommandParser) -> None:
    """Add the arguments of `automl resume`."""
    parser.add_argument("folder", metavar="RUN", help="a run folder")
    parser.add_argument("--budget", default="", metavar="+B", help="what may be spent in addition, for example +30min")
    add_output_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Resume, tell the outcome, and return the exit code."""
    from automl.core.budget import Budget

    if args.budget:
        Budget.parse(args.budget.removeprefix("+"))
    from automl import api
    from automl.cli import outcome
    from automl.recorders.console import ConsoleRecorder

    console = ConsoleRecorder(quiet=args.quiet, is_resume=True, started=args.started)
    with contextlib.closing(console):
        result = api.run_resume(Path(args.folder), budget=args.budget, started=args.started, watchers=(console,))
    outcome.show(result, as_json=args.json)
    return INTERRUPTED if result.status == "interrupted" else 0
