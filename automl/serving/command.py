"""`python runner.py DATA [-o FILE] [--proba]`: predictions as CSV, with the model folder's own code."""

from __future__ import annotations

import argparse
import csv
import io
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import numpy as np

from .errors import InputError, ServingError
from .model import Model, labels


class _Parser(argparse.ArgumentParser):
    """Reports a mistake as one line."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the usage.

        Raises:
            InputError: always.
        """
        raise InputError(f"{message}. See --help.")


def main(argv: Sequence[str], folder: Path) -> int:
    """Run the command for the model in folder; returns the exit code: 0 done, 2 the user's mistake."""
    try:
        _run(_parser().parse_args(argv), folder)
    except BrokenPipeError:
        # The reader has seen enough; without this the interpreter would complain when it flushes stdout at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (ServingError, OSError) as error:
        sys.stderr.write(f"error: {' '.join(str(error).split())}\n")
        return 2
    except ImportError as error:
        sys.stderr.write(f"error: {error.name}: a package is missing ({error}). pip install -r requirements.txt\n")
        return 2
    return 0


def to_csv(scores: np.ndarray, classes: Sequence[str], *, with_proba: bool) -> str:
    r"""Return predictions as CSV text: `prediction` and, if wanted, one `proba_<class>` per class.

    >>> to_csv(np.array([[0.25, 0.75]]), ("cat", "dog"), with_proba=True)
    'prediction,proba_cat,proba_dog\ndog,0.25,0.75\n'
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["prediction", *(f"proba_{label}" for label in classes if with_proba)])
    for label, row in zip(labels(scores, classes), scores, strict=True):
        writer.writerow([label, *(_number(value) for value in row if with_proba)])
    return text.getvalue()


def write_whole(path: Path, text: str) -> None:
    """Write a text file whole or not at all; a pipe or device is written to, never replaced.

    Raises:
        InputError: the path is a folder, its folder does not exist, or it cannot be written.
    """
    try:
        if path.is_dir():
            raise InputError(f"{path}: -o needs a file. Got a folder. Write for example {path / 'predictions.csv'}.")
        if not path.parent.is_dir():
            raise InputError(f"{path}: the folder of -o must exist. Got none at {path.parent}. Create it.")
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8", newline="")
        else:
            _replace(path, text)
    except OSError as error:
        raise InputError(f"{str(path)[:300]}: -o cannot be written ({error.strerror}). Name another file.") from error


def _replace(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".predictions.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
        mask = os.umask(0)
        os.umask(mask)
        Path(name).chmod(0o666 & ~mask)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


def _run(arguments: argparse.Namespace, folder: Path) -> None:
    model = Model.load(folder, threads=arguments.threads)
    rows = model.read(arguments.data)
    text = to_csv(model.predict_scores(rows.X), model.classes, with_proba=arguments.proba)
    if arguments.output is None:
        sys.stdout.write(text)
        sys.stdout.flush()
    else:
        write_whole(arguments.output, text)


def _parser() -> _Parser:
    parser = _Parser(prog="runner.py", description="Predict with the model in this folder.")
    parser.add_argument("data", metavar="DATA", help="an image, a folder of images, or an .npz file with X")
    parser.add_argument("-o", dest="output", metavar="FILE", type=Path, help="write CSV there instead of to stdout")
    parser.add_argument("--proba", action="store_true", help="add one column proba_<class> per class")
    parser.add_argument("--threads", type=int, default=1, help="threads of onnxruntime (default 1)")
    return parser


def _number(value: np.floating) -> str:
    """Return the shortest text that reads back as the same float32."""
    return np.format_float_positional(np.float32(value), trim="-")
