"""A trained model in a user's hands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from automl.errors import ArtifactError, DataError
from automl.exporters.verify import check_artifact
from automl.serving.errors import InputError, ModelError
from automl.serving.image_files import Rows
from automl.serving.manifest import Manifest
from automl.serving.model import Model as ServedModel


@dataclass(frozen=True)
class Predictions:
    """Predictions in the order of the input.

    Attributes:
        names: of the rows: file names, or row numbers.
        labels: the class of the highest score of each row.
        scores: float32 (rows, classes).
    """

    names: tuple[str, ...]
    labels: list[str]
    scores: np.ndarray
    classes: tuple[str, ...]


class Model:
    """A loaded artifact. Its own code is never run: the ONNX members are, by the installed serving code."""

    def __init__(self, folder: Path, *, expect_sha256: str = "") -> None:
        self.folder = folder
        check_artifact(folder, expect_sha256=expect_sha256)
        with _plain_errors():
            self._served = ServedModel.load(folder, expect_sha256=expect_sha256)

    @property
    def manifest(self) -> Manifest:
        """Return what the artifact says about itself."""
        return self._served.manifest

    @property
    def classes(self) -> tuple[str, ...]:
        """Return the class labels in the order of the scores."""
        return self._served.classes

    def predict_proba(self, rows: Any) -> np.ndarray:
        """Return float32 scores (n, classes).

        Args:
            rows: images as an array (n, height, width[, channels]), or the path of a file or folder.

        Raises:
            DataError: the rows cannot be read, or are not like those of the training.
        """
        return self.predictions(rows).scores

    def predict(self, rows: Any) -> np.ndarray:
        """Return the label of each row, (n,) of text; see `predict_proba` for rows."""
        return np.asarray(self.predictions(rows).labels)

    def predictions(self, rows: Any) -> Predictions:
        """Return names, labels and scores of rows; see `predict_proba`."""
        with _plain_errors():
            if isinstance(rows, str | Path):
                read = self.read(rows)
                names, X = tuple(read.names), read.X
            else:
                X = self._served.rows(np.asarray(rows))
                names = tuple(map(str, range(len(X))))
            scores = self._served.predict_scores(X)
        labels = [self.classes[i] for i in scores.argmax(axis=1)] if len(scores) else []
        return Predictions(names, labels, scores, self.classes)

    def read(self, source: Path | str) -> Rows:
        """Read a file or folder as rows, by the rule used in training.

        Raises:
            DataError: it cannot be read as such.
        """
        with _plain_errors():
            return self._served.read(source)

    def predict_scores(self, X: np.ndarray) -> np.ndarray:
        """Return float32 scores of rows as `read` gives them, uint8 (n, height, width, channels)."""
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
