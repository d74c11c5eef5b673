from __future__ import annotations

import dataclasses

import pytest

from automl.candidates.tabular.encoder_options import EncoderOptions
from automl.candidates.tabular.network_cost import cost, predict_seconds, step_seconds, work
from automl.candidates.tabular.network_settings import NetworkSettings
from automl.testing.context import mixed_table

SPEC = mixed_table(60, classes=3).spec
OPTIONS = EncoderOptions(numbers="quantile", missing="impute", categories="codes", texts=10)
SETTINGS = NetworkSettings(
    layers=2, width=128, dropout=0.1, embedding="piecewise", lr=1e-3, weight_decay=0.0, epochs=50, patience=8,
    batch_size=256, embedding_width=8, bins=16,
)  # fmt: skip


def seconds(rows: int, **changes: object) -> float:
    settings = dataclasses.replace(SETTINGS, **changes)  # type: ignore[arg-type]
    return cost(SPEC, settings, OPTIONS, rows).seconds(1)


@pytest.mark.parametrize(
    "changes",
    [{"width": 256}, {"layers": 3}, {"members": 8}, {"epochs": 80}, {"bins": 64}, {"embedding_width": 16}],
    ids=lambda c: next(iter(c)),
)
def test_more_of_anything_costs_more(changes: dict[str, object]) -> None:
    assert seconds(20_000, **changes) > seconds(20_000)


def test_members_that_scale_each_layer_write_more_numbers() -> None:
    assert seconds(20_000, members=8, scaled=True) > seconds(20_000, members=8)


def test_the_multiply_adds_of_a_plain_network_are_counted() -> None:
    settings = dataclasses.replace(SETTINGS, embedding="none", category_width=3)
    inputs = 2 + 13 + 1 + 3 + 12  # two numbers, parts of a date, a boolean, a category, words and sizes of the text
    assert work(SPEC, settings, OPTIONS).macs == pytest.approx(inputs * 128 + 128 * 128 + 128 * 3, rel=0.15)


def test_predicting_is_a_third_of_training() -> None:
    row = work(SPEC, SETTINGS, OPTIONS)
    assert predict_seconds(row, 256) < step_seconds(row, 256) / 2


def test_a_network_of_256_units_takes_milliseconds_a_step() -> None:
    row = work(SPEC, dataclasses.replace(SETTINGS, width=256), OPTIONS)
    assert 1e-3 < step_seconds(row, 256) < 1e-2


@pytest.mark.parametrize(
    ("rows", "epochs"), [(1000, 50), (60_000, 50), (100_000, 30), (1_000_000, 6), (10_000_000, 6)], ids=str
)
def test_large_tables_are_seen_fewer_times(rows: int, epochs: int) -> None:
    assert SETTINGS.most_epochs(rows) == epochs


def test_no_training_is_longer_than_asked_for() -> None:
    assert dataclasses.replace(SETTINGS, epochs=3).most_epochs(10**7) == 3


def test_without_patience_all_rows_are_learned_from_to_the_end() -> None:
    settings = dataclasses.replace(SETTINGS, patience=0)
    assert settings.fit_rows(1000) == 1000
    assert settings.expected_epochs(1000) == 50 > SETTINGS.expected_epochs(1000)


@pytest.mark.parametrize(("rows", "held"), [(800, 100), (1_000_000, 8000)], ids=str)
def test_an_eighth_is_held_out_but_never_many(rows: int, held: int) -> None:
    assert rows - SETTINGS.fit_rows(rows) == held


def test_settings_leave_what_is_not_theirs_alone() -> None:
    values = {**dataclasses.asdict(SETTINGS), "numbers": "quantile", "texts": 50, "target": "log"}
    assert NetworkSettings.of(values) == SETTINGS
