from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from automl.candidates.text.transformer import CANDIDATE
from automl.core.space import Configuration
from automl.spaces.space_file import read_space
from automl.testing.text_suite import TextCandidateContract

VALUES: dict[str, Any] = {
    "embedding": 16, "units": 16, "layers": 1, "heads": 2, "expansion": 2, "positions": "learned",
    "pooling": "attention", "lr": 0.01, "epochs": 10, "batch_size": 32,
    "word_dropout": 0.1, "dropout": 0.1, "weight_decay": 0.0,
    "patience": 0, "label_smoothing": 0.0, "class_weights": "none", "longest": 128,
}  # fmt: skip
SPACE = Path(__file__).parents[3] / "search_spaces" / "text-clf" / "transformer.toml"


@pytest.mark.slow
class TestTransformer(TextCandidateContract):
    candidate = CANDIDATE
    configuration = Configuration("transformer", VALUES)
    module = "automl.candidates.text.transformer"
    space = read_space(SPACE.read_text(encoding="utf-8"), "transformer")
