"""Bring MLflow up to date with a run, for example after its server was away."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from automl.cli.parser import CommandParser

EXAMPLES = """
automl sync runs/flowers
"""


def add_arguments(parser: CommandParser) -> None:
    """Add the arguments of `automl sync`."""
    parser.add_argument("folder", metavar="RUN", help="a run folder")


def run(args: argparse.Namespace) -> int:
    """Record what is missing and say what is there now."""
    from automl import api

    sys.stdout.write(f"{api.sync(Path(args.folder))}\n")
    return 0
