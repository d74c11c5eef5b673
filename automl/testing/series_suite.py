"""What every candidate for series must hold to; built-in ones are run through it, and authors of plugins inherit it.

class TestMine(SeriesCandidateContract):
    candidate = CANDIDATE
    configuration = Configuration("mine", {"kernels": 84})
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import ClassVar

import numpy as np

from automl.serving.series import Series, SeriesRule
from automl.testing.context import ArrayData, waving_series
from automl.testing.encoded_suite import EncodedCandidateContract, assert_scores
from automl.testing.member_suite import with_one_class

WAVES = waving_series(150)
WAVES_OF_ONE_LENGTH = waving_series(150, shortest=24, longest=24, channels=1)


class SeriesCandidateContract(EncodedCandidateContract):
    """Inherit, name your class Test…, and set what is your own.

    Attributes:
        candidate: the candidate.
        configuration: a cheap configuration of it.
        module: where it is found; by default where its class is.
        space: its search space; None skips what needs it.
        data: at least 100 series of three classes, of different lengths, with missing values, learnable.
        tolerance: how far probabilities of the exported file may lie from those in the run.
        learns: whether it must beat a constant on `data`.
    """

    data: ClassVar[ArrayData] = WAVES

    def strange(self) -> Series:
        """Return `strange` series."""
        return strange(self.data.X.channels)

    def poisoned(self, rows: np.ndarray) -> ArrayData:
        """Return the data with other values and lengths in these rows, and one class for all of them."""
        rng = np.random.default_rng(99)
        series = [self.data.X.values[s:e] for s, e in zip(self.data.X.starts, self.data.X.ends, strict=True)]
        for row in rows.tolist():
            series[row] = (1e4 * rng.normal(size=(int(rng.integers(1, 60)), self.data.X.channels))).astype(np.float32)
        return dataclasses.replace(with_one_class(self.data, rows), X=Series.of(series))

    def rule(self) -> SeriesRule:
        """Return the rule of the series."""
        return SeriesRule.from_json(self.data.spec.input)

    def test_it_serves_the_task_of_its_data(self) -> None:
        """It is for `sequence-clf`."""
        assert "sequence-clf" in self.candidate.tasks

    def test_a_channel_that_is_missing_in_all_training_rows_is_survived(self, tmp_path: Path) -> None:
        """Though other rows have it."""
        ctx, X = self.context(tmp_path), self.data.X
        values = X.values.copy()
        for row in ctx.train_rows.tolist():
            values[X.starts[row] : X.ends[row], 0] = np.nan
        data = dataclasses.replace(self.data, X=Series(values, X.starts, X.ends))
        assert_scores(self.fit(tmp_path, data=data).predict(data.X), data)

    def test_series_of_one_step_are_survived(self, tmp_path: Path) -> None:
        """All of them."""
        X = self.data.X
        data = dataclasses.replace(self.data, X=Series(X.values, X.starts, X.starts + 1))
        assert_scores(self.fit(tmp_path, data=data).predict(self.data.X), self.data)

    def test_one_channel_of_one_length_is_learned(self, tmp_path: Path) -> None:
        """The plainest of series."""
        data = WAVES_OF_ONE_LENGTH
        ctx = self.context(tmp_path, data)
        predicted = self.fit(tmp_path, data=data, ctx=ctx).predict(data.X[ctx.valid_rows])
        assert not self.learns or (predicted.argmax(axis=1) == data.y[ctx.valid_rows]).mean() > 0.6


def strange(channels: int) -> Series:
    """Return series unlike any in training: one step, nothing, very large, constant, long."""
    rng = np.random.default_rng(3)
    one, none = np.zeros((1, channels)), np.full((7, channels), np.nan)
    large, constant = np.full((12, channels), 1e30), np.full((20, channels), -3.0)
    long = rng.normal(size=(400, channels))
    gaps = np.where(rng.random((30, channels)) < 0.7, np.nan, 1.0)
    return Series.of([one, none, large, constant, long, gaps])
