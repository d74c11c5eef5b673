from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from automl.candidates.graphs.encoded_model import EncodedModel
from automl.candidates.text.bag import CANDIDATE
from automl.candidates.text.token_reader import READER
from automl.candidates.training import ragged_fit
from automl.core.space import Configuration
from automl.testing.context import LocalContext, one_member, spoken_texts

VALUES: dict[str, Any] = {
    "embedding": 16, "pooling": "mean", "hidden": 0, "pairs": 100, "lr": 0.03, "epochs": 4, "batch_size": 32,
    "word_dropout": 0.1, "dropout": 0.1, "patience": 2,
}  # fmt: skip
DATA = spoken_texts(600)


def context(folder: Path, **changes: Any) -> LocalContext:
    rows = np.random.default_rng(0).permutation(600)
    return LocalContext(rows[:450], rows[450:], 3, folder, **changes)


def fit(ctx: LocalContext, data: Any = DATA, **values: Any) -> EncodedModel:
    configuration = Configuration("bag", {**VALUES, **values})
    return CANDIDATE.fit(one_member(configuration), configuration, data, ctx)


@pytest.mark.parametrize(
    "values",
    [{}, {"patience": 0}, {"ema": 1.0}, {"label_smoothing": 0.1}, {"class_weights": "balanced"}, {"weight_decay": 0.1}],
    ids=str,
)
def test_every_way_of_training_learns(tmp_path: Path, values: dict[str, Any]) -> None:
    ctx = context(tmp_path)
    fit(ctx, **values)
    assert ctx.reports[-1][1] is not None
    assert ctx.reports[-1][1] > 0.8


def test_it_says_how_long_it_trained(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    fit(ctx)
    best, done = ctx.notes["epochs"].split(", at most ")[0].split(" of ")
    assert 1 <= int(best) <= int(done)


def test_what_is_reported_is_what_the_shipped_graph_gives(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    model = fit(ctx)
    predicted = model.predict(DATA.X[ctx.valid_rows])
    assert ctx.reports == [(1, pytest.approx(ctx.metric.score(DATA.y[ctx.valid_rows], predicted)), None)]


def test_rows_are_answered_in_their_order_whatever_their_lengths(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    model, rows = fit(ctx), np.array([5, 0, 599, 5, 17])
    encoding = READER.encoding(VALUES, DATA, ctx)
    np.testing.assert_allclose(ragged_fit.predicted(model, encoding, rows), model.predict(DATA.X[rows]), atol=1e-6)


def test_torch_draws_the_same_numbers_afterwards(tmp_path: Path) -> None:
    before = torch.random.get_rng_state()
    fit(context(tmp_path))
    assert torch.equal(before, torch.random.get_rng_state())


def test_another_seed_gives_another_model(tmp_path: Path) -> None:
    one, two = (fit(context(tmp_path, seed=seed)).predict(DATA.X[:5]) for seed in (0, 1))
    assert not np.array_equal(one, two)


def test_where_time_is_short_it_ends_early(tmp_path: Path) -> None:
    fit(context(tmp_path), epochs=1)  # the encoded texts are in the cache now
    ctx = context(tmp_path, is_timed=True, seconds=1.0)
    fit(ctx, epochs=5000, patience=5000)
    assert ctx.notes["epochs"].endswith("cut by time")


def test_without_time_to_encode_it_does_not_begin(tmp_path: Path) -> None:
    with pytest.raises(TimeoutError, match="bag takes about"):
        fit(context(tmp_path, is_timed=True, seconds=0.01))


def test_of_more_rows_than_fit_a_sample_is_learned_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ragged_fit, "_MOST_STEPS", 1000)
    ctx = context(tmp_path)
    fit(ctx)
    assert ctx.notes["rows"].startswith("a sample of")


def test_memory_that_does_not_suffice_is_said(tmp_path: Path) -> None:
    ctx = context(tmp_path)

    def make(*_: Any) -> Any:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    with pytest.raises(MemoryError, match=r"450 rows of \d+ steps do not fit on cpu"):
        ragged_fit.fitted(ragged_fit.Recipe(VALUES, make), READER.encoding(VALUES, DATA, ctx), DATA, ctx)
