from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from automl.candidates.sequence import network_inputs
from automl.candidates.sequence.network_inputs import READER, EntranceSettings, encoded_steps
from automl.candidates.sequence.series_model import SeriesModel
from automl.candidates.sequence.steps_plan import StepsOptions
from automl.core.space import Value
from automl.serving.series_steps import Steps
from automl.testing.context import LocalContext, waving_series

DATA = waving_series(60)
OPTIONS = StepsOptions("rows", differences=True, longest=16, clock=True)
VALUES: dict[str, Value] = {
    "scaling": "rows",
    "differences": True,
    "longest": 16,
    "clock": True,
    "patch": 2,
    "noise": 0.1,
}


def context(folder: Path) -> LocalContext:
    return LocalContext(np.arange(40), np.arange(40, 60), 3, folder)


def test_all_rows_are_what_the_plan_gives(tmp_path: Path) -> None:
    found = encoded_steps(DATA, context(tmp_path), OPTIONS)
    values, ends = Steps(found.plan).packed(DATA.X)
    np.testing.assert_array_equal(found.values, values)
    np.testing.assert_array_equal(found.ends, ends)


def test_blocks_make_no_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = encoded_steps(DATA, context(tmp_path / "whole"), OPTIONS)
    monkeypatch.setattr(network_inputs, "_BLOCK_VALUES", 50)
    parts = encoded_steps(DATA, context(tmp_path / "parts"), OPTIONS)
    np.testing.assert_array_equal(parts.values, whole.values)


def test_a_second_trial_finds_the_files_of_the_first(tmp_path: Path) -> None:
    encoded_steps(DATA, context(tmp_path), OPTIONS)
    before = {file: file.stat().st_mtime_ns for file in tmp_path.iterdir()}
    encoded_steps(DATA, context(tmp_path), OPTIONS)
    assert {file: file.stat().st_mtime_ns for file in tmp_path.iterdir()} == before
    assert len(before) == 2


@pytest.mark.parametrize("changed", ["options", "rows", "data"])
def test_other_rows_or_options_have_files_of_their_own(changed: str, tmp_path: Path) -> None:
    ctx, options, data = context(tmp_path), OPTIONS, DATA
    encoded_steps(data, ctx, options)
    if changed == "rows":
        ctx.train_rows = np.arange(39)
    options = dataclasses.replace(options, longest=17) if changed == "options" else options
    data = waving_series(60, seed=1) if changed == "data" else data
    encoded_steps(data, ctx, options)
    assert len(list(tmp_path.iterdir())) == 4


def test_the_reader_gives_what_it_said_it_would(tmp_path: Path) -> None:
    said, found = READER.size(VALUES, DATA.spec), READER.encoding(VALUES, DATA, context(tmp_path))
    entrance = found.make_entrance(np.arange(40))
    assert found.values.shape[1] in (5, 6, 7)  # two channels, their differences, a clock, those with gaps
    assert entrance.width == 2 * found.values.shape[1]
    assert said.width <= entrance.width <= said.width * 1.5
    assert said.longest == found.longest
    assert found.model is SeriesModel


def test_no_row_is_longer_than_the_reader_says(tmp_path: Path) -> None:
    found = READER.encoding(VALUES, DATA, context(tmp_path))
    assert -(-found.lengths // 2).max() <= found.longest
    assert found.lengths.min() >= 1


def test_settings_that_a_configuration_lacks_have_defaults() -> None:
    assert EntranceSettings.of({"units": 3}) == EntranceSettings(patch=1, noise=0.0, gain=0.0, window=1.0)
    assert EntranceSettings.of({"patch": 4, "window": 0.5}) == EntranceSettings(patch=4, window=0.5)
