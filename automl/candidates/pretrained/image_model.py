"""A pre-trained network with a head as a trained model: what is scored in training is the very file that is shipped."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from automl.candidates.pretrained.head import Head
from automl.candidates.pretrained.image_bank import session_of
from automl.candidates.pretrained.image_sight import Sight

_FILE = "model.onnx"
_ROWS = 32  # more of them at once leave the cache
_MOST_REMEMBERED_BYTES = 256 << 20


@dataclass(frozen=True)
class PretrainedImageModel:
    """A network and its head; implements `automl.core.protocols.Fitted`.

    Attributes:
        sight: the network with the weights it has now, and how it sees images.
        head: what is learned of its features.
        known: features of images that the network has seen in training, by `digest`: it need not see them again.
        steps: steps done; best_step: the step of the kept weights.
        body: name of the network where it is as it came: models of the same body are exported as one.
    """

    sight: Sight = field(repr=False)
    head: Head = field(repr=False)
    known: Mapping[bytes, np.ndarray] = field(default_factory=dict, repr=False)
    steps: int = 1
    best_step: int = 1
    body: str = ""

    @cached_property
    def graph(self) -> bytes:
        """Return the whole model as serialized ONNX."""
        from automl.candidates.pretrained.efficientnet_onnx import classifier_graph

        return classifier_graph(self.sight, self.head)

    @property
    def unaided(self) -> PretrainedImageModel:
        """Return the same model without the features it knows: as long as it takes, an artifact takes too."""
        return replace(self, known={}) if self.known else self

    @cached_property
    def _session(self) -> Any:
        return session_of(self.graph)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return float32 probabilities (rows, classes) for uint8 images, channels last."""
        out = np.zeros((len(X), len(self.head.bias)), np.float32)
        features = [self.known.get(digest(image)) for image in X] if self.known else [None] * len(X)
        seen = np.array([found is not None for found in features], dtype=bool)
        if seen.any():
            out[seen] = self.head.probabilities(np.stack([found for found in features if found is not None]))
        unseen = np.flatnonzero(~seen)
        for start in range(0, len(unseen), _ROWS):
            part = unseen[start : start + _ROWS]
            out[part] = self._session.run(None, {"pixels": np.ascontiguousarray(X[part])})[0]
        return out

    def save(self, folder: Path) -> dict[str, object]:
        """Write model.onnx and return the member's manifest entry."""
        (folder / _FILE).write_bytes(self.graph)
        return {
            "file": _FILE,
            "features": {"kind": "pixels"},
            "input": "pixels",
            "output": "probabilities",
            "output_kind": "probabilities",
            **({"body": self.body} if self.body else {}),
        }

    def save_checkpoint(self, folder: Path) -> None:
        """Write nothing: such models are trained in one go."""


def digest(image: np.ndarray) -> bytes:
    """Return what tells an image from others."""
    return hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=16).digest()


def remembered(X: np.ndarray, rows: np.ndarray, features: np.ndarray) -> dict[bytes, np.ndarray]:
    """Return features by the digest of their image, for the first of these rows that can be looked at in a moment.

    Args:
        X: images, the rows in front.
        rows: numbers of rows, the important ones first.
        features: (rows, columns) float32.
    """
    most = max(1, _MOST_REMEMBERED_BYTES // int(np.prod(X.shape[1:])))
    return {digest(X[row]): found for row, found in zip(rows[:most].tolist(), features[:most], strict=True)}
