"""Predict a file or folder with a model.

MODEL is a run folder, an artifact folder, or models:/NAME@ALIAS or models:/NAME/VERSION. The output is a CSV with the
column `prediction` (a label, or a number), and with --proba one column `proba_CLASS` for each class, in the order of
the input. Columns of a table are found by name; the target is not needed. No code of the model is run: the numbers
come from ONNX.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from automl.cli.parser import CommandParser
from automl.errors import UserError

if TYPE_CHECKING:
    from automl.model import Model
    from automl.serving.rows import Rows

PARQUET = (".parquet", ".pq")
EXAMPLES = """
automl predict runs/houses new-houses.csv -o prices.csv
automl predict runs/flowers new-photos/ -o labels.csv
automl predict models:/automl-image-clf-flowers@champion new-photos/ -o labels.csv --proba
"""


def add_arguments(parser: CommandParser) -> None:
    """Add the arguments of `automl predict`."""
    parser.add_argument("model", metavar="MODEL", help="a run folder, an artifact folder or a models:/ name")
    parser.add_argument("data", metavar="DATA", help="what to predict: a CSV, TSV, JSONL or Parquet file, a "
                        "folder of images, or an .npz with X")  # fmt: skip
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="where the CSV goes; - is stdout")
    parser.add_argument("--proba", action="store_true", help="probabilities of the classes too")
    parser.add_argument("--expect-sha256", default="", metavar="H", help="refuse any other manifest than this one")


def run(args: argparse.Namespace) -> int:
    """Write the predictions."""
    _check_output(args.output)
    from automl import api
    from automl.serving.command import check_proba, to_csv, write_whole

    model = api.load_model(args.model, expect_sha256=args.expect_sha256)
    check_proba(model.classes, with_proba=args.proba)
    rows = _read(model, Path(args.data))
    sys.stderr.writelines(f"note: {note}\n" for note in rows.notes)
    text = to_csv(model.predict_scores(rows.X), model.classes, with_proba=args.proba, decision=model.manifest.decision)
    if args.output == "-":
        sys.stdout.write(text)
        return 0
    write_whole(Path(args.output), text)
    sys.stderr.write(f"{len(rows.X):,} predictions in {args.output}\n")
    return 0


def _read(model: Model, path: Path) -> Rows:
    """Return what is to be predicted. Parquet is read here: an artifact's own runner does not know it."""
    kind = model.manifest.input.get("kind")
    if kind not in ("table", "series") or path.suffix.lower() not in PARQUET:
        return model.read(path)
    from automl.data.table_parquet import open_parquet
    from automl.serving.series import SeriesRule
    from automl.serving.series_read import series_from
    from automl.serving.table import TableRule
    from automl.serving.table_rows import rows_from

    if kind == "series":
        return series_from(open_parquet(path), SeriesRule.from_json(model.manifest.input))
    return rows_from(open_parquet(path), TableRule.from_json(model.manifest.input))


def _check_output(output: str) -> None:
    """Refuse early what would fail after all the work."""
    path = Path(output)
    if output != "-" and path.is_dir():
        raise UserError(f"--output {output!r}: needs a file, this is a folder. Write {path / 'predictions.csv'}.")
    if output != "-" and not path.parent.is_dir():
        raise UserError(f"--output {output!r}: the folder {str(path.parent)!r} does not exist. Make it first.")
