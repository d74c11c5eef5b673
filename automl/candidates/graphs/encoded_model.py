"""A trained model as a plan of encoding and an ONNX graph: what is scored in training is what is shipped."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from automl.serving.batches import even
from automl.serving.encoders import Encoder, encoder_of

_FILE, _ENCODER = "model.onnx", "model.encoder.json"


@dataclass(frozen=True)
class EncodedModel:
    """A plan of encoding with the graph that reads what it gives; implements `automl.core.protocols.Fitted`.

    Attributes:
        kind: of the features, see `automl.serving.encoders`.
        graph: serialized ONNX: one input, float32 with the rows in front, and one output.
        plan: as the encoder of this kind takes it.
        output_kind: probabilities (n, classes), or values (n,).
        steps: steps done; best_step: the step of the kept weights.
        batch: rows computed at once.
        body: hash of a network in the graph that was not trained here: models of the same body are exported as one.
    """

    kind: ClassVar[str]
    graph: bytes = field(repr=False)
    plan: Mapping[str, Any] = field(repr=False)
    output_kind: Literal["probabilities", "values"]
    steps: int = 1
    best_step: int = 1
    batch: int = 2048
    body: str = ""

    @cached_property
    def _session(self) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        return onnxruntime.InferenceSession(self.graph, options, providers=["CPUExecutionProvider"])

    @cached_property
    def _encoder(self) -> Encoder:
        return encoder_of(self.kind, self.plan)

    def predict(self, X: Any) -> np.ndarray:
        """Return float32 scores of rows as in `DataSource.X`: (n, classes) probabilities or (n,) values."""
        parts = list(self.batches(X)) or [slice(0, 0)]
        scores = [self.predict_encoded(self._encoder.compute(X[part])) for part in parts]
        out = np.empty((len(X), *scores[0].shape[1:]), np.float32)
        for part, found in zip(parts, scores, strict=True):
            out[part] = found
        return out

    def batches(self, X: Any) -> Iterator[slice | np.ndarray]:
        """Yield which rows are computed together, as they are where the model is deployed."""
        return even(len(X), self.batch)

    def predict_encoded(self, X: np.ndarray) -> np.ndarray:
        """Return float32 scores of rows as the encoder gives them."""
        name, starts = self._session.get_inputs()[0].name, range(0, max(1, len(X)), self.batch)
        parts = [np.ascontiguousarray(X[i : i + self.batch], np.float32) for i in starts]
        return np.concatenate([self._session.run(None, {name: part})[0] for part in parts])

    def save(self, folder: Path) -> dict[str, object]:
        """Write model.onnx and model.encoder.json and return the member's manifest entry."""
        (folder / _FILE).write_bytes(self.graph)
        (folder / _ENCODER).write_text(json.dumps(dict(self.plan), ensure_ascii=False), encoding="utf-8")
        return {
            "file": _FILE,
            "features": {"kind": self.kind, "encoder": _ENCODER},
            "input": self._session.get_inputs()[0].name,
            "output": self._session.get_outputs()[0].name,
            "output_kind": self.output_kind,
            **({"body": self.body} if self.body else {}),
        }

    def save_checkpoint(self, folder: Path) -> None:
        """Write nothing: such models are trained in one go."""
