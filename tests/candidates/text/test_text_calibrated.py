from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from automl.candidates.text import calibrated
from automl.candidates.text.calibrated import calibrated_model
from automl.candidates.text.encoding import EncodedTerms, TermOptions, encoded_terms
from automl.candidates.text.linear_terms import Linear, OneAgainstRest, Rows
from automl.candidates.text.text_model import TextModel
from automl.candidates.text.vocabulary import PartOptions
from automl.core.clock import FakeClock
from automl.core.metrics import metric
from automl.testing.context import LocalContext, spoken_texts, text_table

DATA = spoken_texts(150)
HINGE = OneAgainstRest("hinge", 1.0, None, 0)


def context(folder: Path, rows: int = 120) -> LocalContext:
    return LocalContext(np.arange(rows), np.arange(120, 150), 3, folder)


def terms(ctx: LocalContext) -> EncodedTerms:
    return encoded_terms(DATA, ctx, TermOptions((PartOptions("words", 1, 1),)))


def model(ctx: LocalContext) -> TextModel:
    return calibrated_model(HINGE, terms(ctx), DATA, ctx, "none")


def test_probabilities_are_those_of_the_classes(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    predicted = model(ctx).predict(DATA.X[ctx.valid_rows])
    assert metric("log_loss").score(DATA.y[ctx.valid_rows], predicted) < 0.6
    np.testing.assert_allclose(predicted.sum(axis=1), 1, atol=1e-5)


def test_so_few_rows_that_none_can_be_held_out_are_learned(tmp_path: Path) -> None:
    assert model(context(tmp_path, rows=9)).predict(DATA.X[:9]).shape == (9, 3)


def test_of_too_many_rows_a_sample_is_learned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibrated, "_MOST_TERMS", 1)
    ctx = LocalContext(np.arange(1200), np.arange(0), 3, tmp_path)
    data = spoken_texts(1200)
    encoded = encoded_terms(data, ctx, TermOptions((PartOptions("words", 1, 1),)))
    calibrated_model(HINGE, encoded, data, ctx, "none")
    assert ctx.notes["rows"] == "a sample of 1000 of 1200"


def test_without_a_term_the_shares_of_classes_are_the_answer(tmp_path: Path) -> None:
    ctx, data = context(tmp_path), dataclasses.replace(DATA, X=text_table([""] * 150))
    encoded = encoded_terms(data, ctx, TermOptions((PartOptions("words", 1, 1),)))
    predicted = calibrated_model(HINGE, encoded, data, ctx, "none").predict(data.X[:2])
    np.testing.assert_allclose(predicted, 1 / 3, atol=1e-6)


def test_where_time_ends_the_first_fit_is_the_model(tmp_path: Path) -> None:
    clock = FakeClock()
    ctx = dataclasses.replace(context(tmp_path), is_timed=True, seconds=10.0, clock=clock)
    fits = []

    def _slow(rows: Rows) -> Linear:
        clock.advance(6)
        fits.append(len(rows.codes))
        return HINGE(rows)

    calibrated_model(_slow, terms(ctx), DATA, ctx, "none")
    assert fits == [90]
    assert ctx.notes["rows"] == "90 of 120: the time ended"
