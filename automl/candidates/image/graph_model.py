"""A trained model that is an ONNX graph from the start: what is scored in training is the very file that is shipped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from automl.core.protocols import Context, DataSource
from automl.serving.image_features import compute

_FILE = "model.onnx"
_ROWS = 2048


@dataclass(frozen=True)
class GraphModel:
    """A graph with the features it reads; implements `automl.core.protocols.Fitted`.

    Attributes:
        graph: serialized ONNX, one input and one output of probabilities.
        features: as `automl.serving.image_features.compute` takes them.
        steps: steps done; best_step: the step of the kept weights.
        checkpoint: file name → content, for candidates that are trained in several steps.
    """

    graph: bytes = field(repr=False)
    features: Mapping[str, object]
    steps: int = 1
    best_step: int = 1
    checkpoint: Mapping[str, str] = field(default_factory=dict, repr=False)

    @cached_property
    def _session(self) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        return onnxruntime.InferenceSession(self.graph, options, providers=["CPUExecutionProvider"])

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return float32 probabilities (rows, classes) for uint8 images, channels last."""
        parts = [self.predict_features(compute(self.features, X[i : i + _ROWS])) for i in range(0, len(X), _ROWS)]
        return np.concatenate(parts) if parts else self.predict_features(compute(self.features, X))

    def predict_features(self, inputs: np.ndarray) -> np.ndarray:
        """Return float32 probabilities (rows, classes) for what `compute` gave."""
        name = self._session.get_inputs()[0].name
        probabilities: np.ndarray = self._session.run(None, {name: np.ascontiguousarray(inputs)})[0]
        return probabilities

    def save(self, folder: Path) -> dict[str, object]:
        """Write model.onnx and return the member's manifest entry."""
        (folder / _FILE).write_bytes(self.graph)
        return {
            "file": _FILE,
            "features": dict(self.features),
            "input": self._session.get_inputs()[0].name,
            "output": self._session.get_outputs()[0].name,
            "output_kind": "probabilities",
        }

    def save_checkpoint(self, folder: Path) -> None:
        """Write the checkpoint files, or nothing if training is in one go."""
        for name, text in self.checkpoint.items():
            (folder / name).write_text(text, encoding="utf-8")


def report_score(model: GraphModel, inputs: np.ndarray, data: DataSource, ctx: Context) -> None:
    """Report the score of a model that was trained in one go.

    Args:
        model: the model.
        inputs: what it reads of the rows ctx.valid_rows.
        data: for the targets.
        ctx: takes the report.
    """
    score = ctx.metric.score(data.y[ctx.valid_rows], model.predict_features(inputs)) if len(inputs) else None
    ctx.report(1, score)
