from __future__ import annotations

import pytest

from automl.candidates.training.body_costs import recurrent_work, transformer_work
from automl.candidates.training.body_settings import RecurrentSettings, TransformerSettings
from automl.core.space import Value

RECURRENT: dict[str, Value] = {"cell": "gru", "units": 64, "layers": 2, "directions": 2, "pooling": "max", "dropout": 0}
ATTENTION: dict[str, Value] = {
    "units": 64, "layers": 2, "heads": 4, "expansion": 2, "positions": "learned", "pooling": "mean", "dropout": 0.1,
}  # fmt: skip


def test_a_recurrent_body_is_read_from_a_configuration() -> None:
    assert RecurrentSettings.of({**RECURRENT, "lr": 1e-3}) == RecurrentSettings("gru", 64, 2, 2, "max", 0.0)
    assert RecurrentSettings.of(RECURRENT).features == 128


def test_a_transformer_is_read_from_a_configuration() -> None:
    assert TransformerSettings.of(ATTENTION) == TransformerSettings(64, 2, 4, 2, "learned", "mean", 0.1)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"cell": "rnn"}, "cell: known are lstm, gru. Got 'rnn'"),
        ({"units": 0}, "units: a whole number of at least 1. Got 0"),
        ({"layers": 1.5}, "layers: a whole number of at least 1. Got 1.5"),
        ({"directions": 3}, "directions: known are 1, 2. Got 3"),
        ({"pooling": "sum"}, "pooling: known are attention, mean, max, last. Got 'sum'"),
        ({"dropout": 1.0}, r"dropout: a share in \[0, 1\). Got 1.0"),
    ],
    ids=lambda case: next(iter(case)) if isinstance(case, dict) else "",
)
def test_a_value_out_of_range_is_named(changed: dict[str, Value], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RecurrentSettings.of({**RECURRENT, **changed})


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"heads": 5}, "heads: they share the units evenly. Got 64 units, 5 heads"),
        ({"pooling": "last"}, "pooling: known are attention, mean, max. Got 'last'"),
        ({"positions": "none"}, "positions: known are learned, sinusoidal. Got 'none'"),
        ({"expansion": "wide"}, "expansion: a whole number of at least 1. Got 'wide'"),
    ],
    ids=lambda case: next(iter(case)) if isinstance(case, dict) else "",
)
def test_a_value_out_of_a_transformers_range_is_named(changed: dict[str, Value], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TransformerSettings.of({**ATTENTION, **changed})


def test_recurrent_multiply_adds_are_counted() -> None:
    lstm = recurrent_work({**RECURRENT, "cell": "lstm", "layers": 1}, 32, 10)
    assert lstm.macs == 10 * (2 * 4 * 64 * (32 + 64) + 128)


def test_a_gru_has_fewer_multiply_adds_than_an_lstm_but_takes_longer() -> None:
    gru, lstm = (recurrent_work({**RECURRENT, "cell": cell}, 32, 10).macs for cell in ("gru", "lstm"))
    assert lstm < gru < 1.5 * lstm


def test_recurrent_work_grows_with_steps_layers_and_ways() -> None:
    whole = recurrent_work(RECURRENT, 32, 10)
    assert recurrent_work(RECURRENT, 32, 20).macs == 2 * whole.macs
    assert recurrent_work({**RECURRENT, "layers": 1}, 32, 10).values < whole.values
    assert recurrent_work({**RECURRENT, "directions": 1}, 32, 10).macs < whole.macs / 2
    assert recurrent_work({**RECURRENT, "pooling": "attention"}, 32, 10).macs > whole.macs


def test_multiply_adds_of_a_transformer_are_counted() -> None:
    layer = 4 * 64**2 + 2 * 10 * 64 + 2 * 64 * 128
    assert transformer_work(ATTENTION, 64, 10).macs == 10 * (2 * layer + 64)


def test_attention_grows_with_the_square_of_steps() -> None:
    short, long = transformer_work(ATTENTION, 32, 10), transformer_work(ATTENTION, 32, 1000)
    assert long.macs > 200 * short.macs
    assert transformer_work({**ATTENTION, "pooling": "attention"}, 32, 10).macs > short.macs
