from __future__ import annotations

from pathlib import Path

import numpy as np

from automl.candidates.sequence.summary_gbdt import CANDIDATE
from automl.spaces.space_file import read_space
from automl.testing.context import LocalContext, one_member, waving_series
from automl.testing.series_suite import SeriesCandidateContract

FILE = Path(__file__).parents[3] / "search_spaces/sequence-clf/summary-gbdt.toml"
SPACE = read_space(FILE.read_text(encoding="utf-8"), FILE.name)


class TestSummaryGradientBoosting(SeriesCandidateContract):
    candidate = CANDIDATE
    configuration = SPACE.complete({"points": 8, "learning_rate": 0.2})
    space = SPACE


def test_rows_held_out_say_when_to_stop(tmp_path: Path) -> None:
    data, configuration = waving_series(330), SPACE.complete({"learning_rate": 0.2})
    ctx = LocalContext(np.arange(300), np.arange(300, 330), 3, tmp_path)
    CANDIDATE.fit(one_member(configuration), configuration, data, ctx)
    assert "by the rows held out, then" in ctx.notes["rounds"]
    assert (ctx.reports[0][1] or 0) > 0.9


def test_the_cost_does_not_fall_where_a_second_training_is_left_out() -> None:
    spec, configuration = waving_series(60).spec, SPACE.default()
    costs = [CANDIDATE.estimate(spec, configuration, rows).seconds(1) for rows in (9_000, 9_999, 10_000, 10_001)]
    assert costs == sorted(costs)
