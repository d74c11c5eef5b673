from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from automl.candidates.text.bag import CANDIDATE
from automl.core.space import Configuration
from automl.spaces.space_file import read_space
from automl.testing.text_suite import TextCandidateContract

FILE = Path(__file__).parents[3] / "search_spaces" / "text-clf" / "bag.toml"
VALUES: dict[str, Any] = {
    "embedding": 16, "pooling": "mean", "hidden": 0, "pairs": 1000, "lr": 0.03, "epochs": 10, "batch_size": 32,
    "word_dropout": 0.1, "dropout": 0.1, "weight_decay": 0.0, "patience": 0, "label_smoothing": 0.0,
    "class_weights": "none", "longest": 128,
}  # fmt: skip


@pytest.mark.slow
class TestBag(TextCandidateContract):
    candidate = CANDIDATE
    configuration = Configuration("bag", VALUES)
    module = "automl.candidates.text.bag"
    space = read_space(FILE.read_text(encoding="utf-8"), FILE.name)
