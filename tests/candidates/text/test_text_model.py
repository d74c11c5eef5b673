from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.candidates.text.text_model import TextModel, constant_model, report_score
from automl.testing.context import LocalContext, spoken_texts

DATA = spoken_texts(30)
SHARES = np.array([0.5, 0.25, 0.25])
TOKENS: dict[str, Any] = {
    "version": 1, "kind": "tokens", "of": "words", "lower": True, "marks": False, "longest": 3, "terms": [],
}  # fmt: skip
TERMS: dict[str, Any] = {
    "version": 1, "kind": "terms", "lower": True, "longest": 3, "counting": "raw", "norm": "none",
    "parts": [{"of": "characters", "low": 1, "high": 1, "inside": False, "terms": [], "weights": []}],
}  # fmt: skip


class Ones:
    def batch(self, rows: np.ndarray) -> np.ndarray:
        return np.ones((len(rows), 2), np.float32)


def context(folder: Path, held: int = 10) -> LocalContext:
    return LocalContext(np.arange(20), np.arange(20, 20 + held), 3, folder)


@pytest.mark.parametrize("plan", [TOKENS, TERMS], ids=["tokens", "terms"])
def test_a_constant_answers_texts_of_any_plan(tmp_path: Path, plan: dict[str, Any]) -> None:
    model = constant_model(SHARES, plan, context(tmp_path))
    np.testing.assert_allclose(model.predict(DATA.X[:4]), np.tile(SHARES, (4, 1)))


def test_an_answer_of_other_classes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"one probability for each of 3 classes is needed. Got \(2,\)"):
        constant_model(SHARES[:2], TOKENS, context(tmp_path))


def test_a_model_is_saved_as_one_of_texts(tmp_path: Path) -> None:
    entry = constant_model(SHARES, TOKENS, context(tmp_path)).save(tmp_path)
    assert entry["features"] == {"kind": "text", "encoder": "model.encoder.json"}


def test_the_score_is_of_the_rows_held_out(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    report_score(constant_model(SHARES, TOKENS, ctx), Ones(), DATA, ctx)
    assert ctx.reports == [(1, pytest.approx((DATA.y[20:30] == 0).mean()), None)]


def test_without_rows_held_out_there_is_no_score(tmp_path: Path) -> None:
    ctx = context(tmp_path, held=0)
    report_score(constant_model(SHARES, TOKENS, ctx), Ones(), DATA, ctx)
    assert ctx.reports == [(1, None, None)]


def test_batches_of_texts_are_small() -> None:
    assert TextModel(b"", TOKENS, "probabilities").batch == 256
