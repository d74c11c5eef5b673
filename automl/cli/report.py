"""Write the page about a run again: one HTML file that needs nothing else."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from automl.cli.parser import CommandParser

EXAMPLES = """
automl report runs/flowers
"""


def add_arguments(parser: CommandParser) -> None:
    """Add the arguments of `automl report`."""
    parser.add_argument("folder", metavar="RUN", help="a run folder")


def run(args: argparse.Namespace) -> int:
    """Write the page and print where it is."""
    from automl import api

    sys.stdout.write(f"{api.report(Path(args.folder))}\n")
    return 0
