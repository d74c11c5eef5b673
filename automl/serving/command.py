"""`python runner.py DATA [-o FILE] [--proba]`: predictions as CSV, with the model folder's own code."""

from __future__ import annotations

import argparse
import csv
import io
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from .calibration import decide
from .errors import InputError, ServingError
from .model import Model


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


def to_csv(
    scores: np.ndarray, classes: Sequence[str], *, with_proba: bool, decision: Mapping[str, Any] | None = None
) -> str:
    r"""Return predictions as CSV text: `prediction` and, if wanted, one `proba_<class>` per class.

    Args:
        scores: (n, classes) probabilities, or (n,) values where there are no classes.
        classes: labels in the order of the scores.
        with_proba: add the probabilities.
        decision: how labels are chosen, as in a manifest; None and {} take the likeliest.

    Raises:
        InputError: probabilities are wanted of a model that predicts numbers.

    >>> to_csv(np.array([[0.25, 0.75]]), ("cat", "dog"), with_proba=True)
    'prediction,proba_cat,proba_dog\ndog,0.25,0.75\n'
    >>> to_csv(np.array([0.1, 1e20], np.float32), (), with_proba=False)
    'prediction\n0.1\n1e+20\n'
    """
    check_proba(classes, with_proba=with_proba)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["prediction", *(f"proba_{label}" for label in classes if with_proba)])
    writer.writerows(_lines(scores, classes, decision or {}, with_proba=with_proba))
    return text.getvalue()


def check_proba(classes: Sequence[str], *, with_proba: bool) -> None:
    """Refuse the wish for probabilities where a model predicts numbers.

    Raises:
        InputError: it does.
    """
    if with_proba and not classes:
        raise InputError("--proba: only classes have probabilities. Got a model that predicts numbers. Leave it out.")


def _lines(
    scores: np.ndarray, classes: Sequence[str], decision: Mapping[str, Any], *, with_proba: bool
) -> Iterator[Sequence[str]]:
    scores = scores.astype(np.float32)  # its text is the shortest that reads back as the same number
    if not classes:
        yield from ((str(value),) for value in scores)
        return
    answers = (classes[code] for code in decide(scores, decision).tolist())
    if not with_proba:
        yield from ((label,) for label in answers)
        return
    for label, row in zip(answers, scores, strict=True):
        yield [label, *map(str, row)]


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
    check_proba(model.classes, with_proba=arguments.proba)
    rows = model.read(arguments.data)
    sys.stderr.writelines(f"note: {note}\n" for note in rows.notes)
    text = to_csv(
        model.predict_scores(rows.X), model.classes, with_proba=arguments.proba, decision=model.manifest.decision
    )
    if arguments.output is None:
        sys.stdout.write(text)
        sys.stdout.flush()
    else:
        write_whole(arguments.output, text)


def _parser() -> _Parser:
    parser = _Parser(prog="runner.py", description="Predict with the model in this folder.")
    parser.add_argument("data", metavar="DATA", help="what the model was trained on, see model_card.md: a CSV, TSV or "
                        "JSONL file (for series one step a row: the answers are in the order in which their ids "
                        "first appear); an image, a folder of images, or an .npz file with X")  # fmt: skip
    parser.add_argument("-o", dest="output", metavar="FILE", type=Path, help="write CSV there instead of to stdout")
    parser.add_argument(
        "--proba", action="store_true", help="add one column proba_<class> per class (not for models of numbers)"
    )
    parser.add_argument("--threads", type=int, default=1, help="threads of onnxruntime (default 1)")
    return parser
