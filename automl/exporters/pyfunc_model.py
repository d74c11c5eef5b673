"""The artifact as an MLflow pyfunc, by models-from-code: MLflow copies this file and runs it; nothing is pickled.

Imports MLflow, so it is imported by MLflow alone. Uses the code inside the artifact, not this package.

A model of images accepts:
- an array (n, height, width[, channels]): uint8, or numbers in the range of the training data;
- a data frame with a column `image`: the bytes of an image file, or the same as base64 text;
- a data frame of numbers with one column per pixel, rows flattened from (height, width, channels).
A model of tables or texts accepts a data frame with the columns of the training table, in any order; others are left
alone. A model of series accepts an array (n, channels, steps), or a data frame with one step of a series a row.
Paths are refused on purpose: a served model must not read files of its server for a client.

Returns a data frame with `prediction`, a label or a number, and one `proba_<class>` per class, in the order of the
input.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel


class ArtifactModel(PythonModel):  # type: ignore[misc]
    """A model folder behind MLflow's interface."""

    def load_context(self, context: Any) -> None:
        """Load the folder that MLflow names `model`; every file is compared with its SHA-256."""
        folder = Path(context.artifacts["model"])
        self._serving = _load_package(folder / "serving")
        self._model = sys.modules[f"{self._serving.__name__}.model"].Model.load(folder)

    def predict(self, context: Any, model_input: np.ndarray, params: dict[str, Any] | None = None) -> Any:
        """Return a data frame of predictions; context and params are not used.

        A data frame is taken too. The hint names the array alone because MLflow reads it, and warns at each load
        about a union, `Any`, or none.
        """
        import pandas as pd

        rows = self._rows(model_input)
        scores = self._model.predict_scores(rows)
        columns = {f"proba_{label}": scores[:, code] for code, label in enumerate(self._model.classes)}
        return pd.DataFrame({"prediction": self._model.answers(scores), **columns})

    def _rows(self, model_input: Any) -> Any:
        if self._model.manifest.input["kind"] != "image":
            return self._model.rows(model_input)
        columns = getattr(model_input, "columns", None)
        if columns is None:
            return np.asarray(self._model.rows(np.asarray(model_input)))
        if list(columns) == ["image"]:
            return self._decoded(list(model_input["image"]))
        shape = self._model.rule.shape
        if len(columns) != int(np.prod(shape)):
            raise ValueError(
                f"a data frame needs one column `image` or {int(np.prod(shape))} pixel columns, rows flattened from "
                f"{shape}. Got {len(columns)} columns: {list(columns)[:5]}"
            )
        return np.asarray(self._model.rows(model_input.to_numpy().reshape(-1, *shape)))

    def _decoded(self, images: list[Any]) -> np.ndarray:
        decode = sys.modules[f"{self._serving.__name__}.images"].decode
        X = np.empty((len(images), *self._model.rule.shape), np.uint8)
        for row, image in enumerate(images):
            X[row] = decode(_as_bytes(image, row), f"row {row}", self._model.rule)
        return X


def _as_bytes(image: object, row: int) -> bytes:
    if isinstance(image, bytes):
        return image
    if isinstance(image, str):
        try:
            return base64.b64decode(image, validate=True)
        except binascii.Error as error:
            raise ValueError(f"row {row}: image must be base64 text ({error}). Got {image[:20]!r}") from error
    raise ValueError(f"row {row}: image must be bytes or base64 text. Got {type(image).__name__}")


def _load_package(folder: Path) -> ModuleType:
    """Import an artifact's serving/ under a name of its own, so that two models in one process do not share code."""
    digest = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
    name = f"automl_artifact_serving_{digest}"
    if name not in sys.modules:
        place = str(folder / "__init__.py")
        spec = importlib.util.spec_from_file_location(name, place, submodule_search_locations=[str(folder)])
        assert spec is not None
        assert spec.loader is not None
        package = importlib.util.module_from_spec(spec)
        sys.modules[name] = package
        spec.loader.exec_module(package)
    importlib.import_module(f"{name}.model")
    return sys.modules[name]


set_model(ArtifactModel())
