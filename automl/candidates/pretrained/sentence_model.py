"""A trained model that reads texts by a pre-trained encoder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from automl.candidates.pretrained.sentence_bank import batches
from automl.candidates.text.text_model import TextModel
from automl.serving.table import Table

_ALWAYS = 256
"""So few rows go through the network though they are known: they are those by which its speed is measured."""
_AT_ONCE = 8192  # rows cut into tokens together


@dataclass(frozen=True)
class SentenceModel(TextModel):
    """Computes texts in the order of their lengths; what it gives does not depend on which are computed together.

    Attributes:
        known: ids of a text, as bytes of int32, → its probabilities as the very network that is in the graph gives
            them, where they were computed on the way; empty where the network learned.
    """

    known: Mapping[bytes, np.ndarray] = field(default_factory=dict, repr=False)

    def predict(self, X: Table) -> np.ndarray:
        """Return float32 (n, classes)."""
        parts = [X[start : start + _AT_ONCE] for start in range(0, max(1, len(X)), _AT_ONCE)]
        return np.concatenate([self._predict(self._encoder.compute(part), is_many=len(X) > _ALWAYS) for part in parts])

    def _predict(self, ids: np.ndarray, *, is_many: bool) -> np.ndarray:
        looked_up = keys(ids) if is_many and self.known else [b""] * len(ids)
        known = [self.known.get(key) for key in looked_up]
        todo = np.array([row for row, found in enumerate(known) if found is None], np.int64)
        computed = self._computed(ids[todo])
        out = np.empty((len(ids), computed.shape[1]), np.float32)
        out[todo] = computed
        for row, found in enumerate(known):
            if found is not None:
                out[row] = found
        return out

    def _computed(self, ids: np.ndarray) -> np.ndarray:
        """Return what the graph gives, in batches of one length."""
        if not len(ids):
            return self.predict_encoded(np.zeros((0, 2), np.float32))
        lengths = np.asarray((ids > 0).sum(axis=1))
        order = np.argsort(lengths, kind="stable")
        parts = [self.predict_encoded(ids[part, : int(lengths[part[0]])]) for part in batches(order, lengths)]
        out = np.concatenate(parts)
        return out[np.argsort(order)]


def keys(ids: np.ndarray) -> list[bytes]:
    """Return what tells texts apart: their ids without what fills them up."""
    whole, lengths = ids.astype(np.int32), (ids > 0).sum(axis=1).tolist()
    return [row[:length].tobytes() for row, length in zip(whole, lengths, strict=True)]
