from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.candidates.text.bag import CANDIDATE as BAG
from automl.candidates.text.cnn import CANDIDATE as CNN
from automl.candidates.training.ragged_candidate import RaggedCandidate
from automl.core.space import Configuration
from automl.testing.context import LocalContext, one_member, spoken_texts

torch = pytest.importorskip("torch")
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]
SHARED = {"embedding": 16, "lr": 0.02, "epochs": 6, "batch_size": 32, "word_dropout": 0.1, "dropout": 0.1, "ema": 1.0,
          "patience": 3}  # fmt: skip
OWN: dict[RaggedCandidate, dict[str, Any]] = {
    BAG: {"pooling": "attention", "hidden": 8, "pairs": 100},
    CNN: {"filters": 8, "kernels": "2,3", "blocks": 2},
}
DATA = spoken_texts(600)


@pytest.mark.parametrize("candidate", OWN, ids=lambda candidate: str(candidate.name))
def test_texts_are_learned_on_a_gpu_and_served_on_a_cpu(candidate: RaggedCandidate, tmp_path: Path) -> None:
    rows = np.random.default_rng(0).permutation(600)
    ctx = LocalContext(rows[:450], rows[450:], 3, tmp_path, device="cuda")
    configuration = Configuration(candidate.name, {**SHARED, **OWN[candidate]})
    model = candidate.fit(one_member(configuration), configuration, DATA, ctx)
    predicted = model.predict(DATA.X[ctx.valid_rows])
    assert (predicted.argmax(axis=1) == DATA.y[ctx.valid_rows]).mean() > 0.8
