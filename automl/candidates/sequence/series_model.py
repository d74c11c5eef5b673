"""A trained model of series."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np

from automl.candidates.graphs.encoded_model import EncodedModel
from automl.serving.batches import of_series
from automl.serving.series import Series


class SeriesModel(EncodedModel):
    """Reads what a `serving.series_encoder.SeriesEncoder` gives."""

    kind: ClassVar[str] = "series"

    def batches(self, X: Series) -> Iterator[np.ndarray]:
        """Yield series of like length."""
        return of_series(X.lengths * X.channels)


def constant_model(answer: np.ndarray, plan: Mapping[str, Any], width: int) -> SeriesModel:
    """Return a model that gives the same probabilities for every series.

    Args:
        answer: (classes,).
        plan: how series are encoded: each to so many numbers.
        width: how many.
    """
    from automl.candidates.graphs.onnx_graphs import constant_probabilities

    return SeriesModel(constant_probabilities(answer, width), plan, "probabilities")
