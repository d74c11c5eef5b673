from __future__ import annotations

import dataclasses

from automl.candidates.sequence.summary_fit import summary_plan, summary_seconds, summary_width
from automl.serving.series_summary import PARTS, Summary
from automl.testing.context import waving_series

SPEC = waving_series(30).spec


def test_everything_is_described() -> None:
    assert summary_plan(2, points=8, longest=50)["parts"] == list(PARTS)


def test_one_channel_has_no_pairs_and_no_points_are_read_where_none_are_wanted() -> None:
    assert set(PARTS) - set(summary_plan(1, points=0, longest=50)["parts"]) == {"pairs", "points"}


def test_the_width_is_that_of_the_encoder() -> None:
    assert summary_width(SPEC, 8) == Summary(summary_plan(2, points=8, longest=50)).width


def test_more_rows_take_longer() -> None:
    more = dataclasses.replace(SPEC, rows=3000)
    assert summary_seconds(SPEC, 80) < summary_seconds(more, 80)
