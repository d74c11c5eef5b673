"""A trained model in a user's hands."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from automl.errors import ArtifactError, DataError
from automl.exporters.verify import check_artifact
from automl.serving.errors import InputError, ModelError
from automl.serving.manifest import Manifest
from automl.serving.model import Model as ServedModel
from automl.serving.rows import Rows, RowSet

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Predictions:
    """Predictions in the order of the input.

    Attributes:
        names: of the rows: file names, or row numbers.
        labels: the class of each row; where a number is predicted, that number.
        scores: float32 (rows, classes) probabilities, or (rows,) values.
        classes: labels in the order of the scores; none where a number is predicted.
    """

    names: tuple[str, ...]
    labels: list[str] | list[float]
    scores: np.ndarray
    classes: tuple[str, ...]


class Model:
    """A loaded artifact. Its own code is never run: the ONNX members are, by the installed serving code."""

    def __init__(self, folder: Path, *, expect_sha256: str = "", threads: int = 1) -> None:
        self.folder = folder
        check_artifact(folder, expect_sha256=expect_sha256)
        with _plain_errors():
            self._served = ServedModel.load(folder, expect_sha256=expect_sha256, threads=threads)

    @property
    def manifest(self) -> Manifest:
        """Return what the artifact says about itself."""
        return self._served.manifest

    @property
    def classes(self) -> tuple[str, ...]:
        """Return the class labels in the order of the scores; none where a number is predicted."""
        return self._served.classes

    def predict_proba(self, rows: Any) -> np.ndarray:
        """Return float32 probabilities (n, classes), calibrated if the artifact says how.

        Args:
            rows: images as an array (n, height, width[, channels]); a table as a pandas (or like) data frame, a dict
                of columns, a list of dicts, or a 2-D array in the order of the training columns; or the path of a
                file or folder. Columns are found by name and must all be there; others are left alone.

        Raises:
            DataError: the rows cannot be read, or are not like those of the training; or the model predicts numbers.
        """
        if not self.classes:
            task = self.manifest.task
            raise DataError(f"predict_proba: only classes have probabilities. Got a model for {task}. Use predict.")
        return self.predictions(rows).scores

    def predict(self, rows: Any) -> np.ndarray:
        """Return the label of each row, (n,) of text, or its value, (n,) float32; see `predict_proba` for rows.

        Raises:
            DataError: the rows cannot be read, or are not like those of the training.
        """
        made = self.predictions(rows)
        return np.asarray(made.labels, dtype=str) if self.classes else made.scores

    def predictions(self, rows: Any) -> Predictions:
        """Return names, labels and scores of rows; see `predict_proba`."""
        with _plain_errors():
            if isinstance(rows, str | Path):
                read = self._served.read(rows)
                names, X = tuple(read.names), read.X
                for note in read.notes:
                    _log.info("%s", note)
            else:
                X = self._served.rows(rows)
                names = tuple(map(str, range(len(X))))
            scores = self._served.predict_scores(X)
        return Predictions(names, self._served.answers(scores), scores, self.classes)

    def read(self, source: Path | str) -> Rows:
        """Read a file or folder as rows, by the rule used in training.

        Raises:
            DataError: it cannot be read as such.
        """
        with _plain_errors():
            return self._served.read(source)

    def predict_scores(self, X: RowSet) -> np.ndarray:
        """Return float32 scores of rows as `read` gives them: calibrated probabilities (n, classes), or values (n,)."""
        with _plain_errors():
            return self._served.predict_scores(X)


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Turn the errors of serving, which knows nothing of this package, into this package's."""
    try:
        yield
    except ModelError as error:
        raise ArtifactError(f"{error}") from error
    except InputError as error:
        raise DataError(f"{error}") from error
