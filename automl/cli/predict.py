"""Predict a file or folder with a model.

MODEL is a run folder, an artifact folder, or models:/NAME@ALIAS or models:/NAME/VERSION. The output is a CSV with the
column `prediction`, and with --proba one column `proba_CLASS` for each class, in the order of the input. No code of
the model is run: the numbers come from ONNX.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from automl.cli.parser import CommandParser
from automl.errors import UserError

EXAMPLES = """
automl predict runs/flowers new-photos/ -o labels.csv
automl predict models:/automl-image-clf-flowers@champion new-photos/ -o labels.csv --proba
"""


def add_arguments(parser: CommandParser) -> None:
    """Add the arguments of `automl predict`."""
    parser.add_argument("model", metavar="MODEL", help="a run folder, an artifact folder or a models:/ name")
    parser.add_argument("data", metavar="DATA", help="what to predict: a folder of images or an .npz with X")
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="where the CSV goes; - is stdout")
    parser.add_argument("--proba", action="store_true", help="probabilities of the classes too")
    parser.add_argument("--expect-sha256", default="", metavar="H", help="refuse any other manifest than this one")


def run(args: argparse.Namespace) -> int:
    """Write the predictions."""
    _check_output(args.output)
    from automl import api
    from automl.serving.command import to_csv, write_whole

    model = api.load_model(args.model, expect_sha256=args.expect_sha256)
    rows = model.read(args.data)
    text = to_csv(model.predict_scores(rows.X), model.classes, with_proba=args.proba)
    if args.output == "-":
        sys.stdout.write(text)
        return 0
    write_whole(Path(args.output), text)
    sys.stderr.write(f"{len(rows.X):,} predictions in {args.output}\n")
    return 0


def _check_output(output: str) -> None:
    """Refuse early what would fail after all the work."""
    path = Path(output)
    if output != "-" and path.is_dir():
        raise UserError(f"--output {output!r}: needs a file, this is a folder. Write {path / 'predictions.csv'}.")
    if output != "-" and not path.parent.is_dir():
        raise UserError(f"--output {output!r}: the folder {str(path.parent)!r} does not exist. Make it first.")
