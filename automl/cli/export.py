"""Write a model to a folder.

`folder` is the whole artifact: manifest, ONNX models, a small runner in Python and a model card. `onnx` is the ONNX
files alone. --verify loads the result in a fresh process and compares its predictions with the run's.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from automl.cli.parser import CommandParser, one_of
from automl.errors import UserError

EXAMPLES = """
automl export runs/flowers -o flowers-model
automl export models:/automl-image-clf-flowers@champion -o flowers-model --format onnx
"""


def add_arguments(parser: CommandParser) -> None:
    """Add the arguments of `automl export`."""
    parser.add_argument("model", metavar="MODEL", help="a run folder, an artifact folder or a models:/ name")
    parser.add_argument("-o", "--output", required=True, metavar="DIR", help="a folder that does not exist yet")
    parser.add_argument("--format", type=one_of("folder", "onnx"), default="folder", metavar="folder|onnx",
                        help="what to write (default: %(default)s)")  # fmt: skip
    parser.add_argument("--verify", action="store_true", help="load it in a fresh process and compare")


def run(args: argparse.Namespace) -> int:
    """Export and list the files."""
    output = Path(args.output)
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise UserError(f"--output {args.output!r}: exists and is not an empty folder. Name another one.")
    from automl import api

    files = api.export(args.model, output, format=args.format, verify=args.verify)
    size = sum(file.stat().st_size for file in files)
    sys.stdout.write(f"{len(files)} files, {size / 1e6:.1f} MB in {output}{'  verified' if args.verify else ''}\n")
    if args.format == "folder":
        sys.stdout.write(f"next: python {output / 'runner.py'} DATA -o predictions.csv\n")
    return 0
