from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from automl.candidates.sequence.rocket import CANDIDATE
from automl.spaces.space_file import read_space
from automl.testing.context import LocalContext, one_member, waving_series
from automl.testing.series_suite import WAVES_OF_ONE_LENGTH, SeriesCandidateContract

FILE = Path(__file__).parents[3] / "search_spaces/sequence-clf/rocket.toml"
SPACE = read_space(FILE.read_text(encoding="utf-8"), FILE.name)


class TestRocket(SeriesCandidateContract):
    candidate = CANDIDATE
    configuration = SPACE.complete({"features": 2500, "differences": False})
    space = SPACE


class TestRocketOfSeveralNumbers(SeriesCandidateContract):
    candidate = CANDIDATE
    configuration = SPACE.complete({"features": 2500, "pooling": "several", "lengths": "own", "scaling": "series"})
    data = WAVES_OF_ONE_LENGTH


def test_what_is_drawn_is_shared_by_trials_of_a_fold_whatever_their_seed(tmp_path: Path) -> None:
    data = waving_series(60)
    plans = []
    for seed in (1, 2):
        ctx = LocalContext(np.arange(40), np.arange(40, 60), 3, tmp_path / str(seed), seed=seed)
        plans.append(CANDIDATE.fit(one_member(TestRocket.configuration), TestRocket.configuration, data, ctx).plan)
    assert plans[0] == plans[1]


def test_another_draw_gives_other_thresholds(tmp_path: Path) -> None:
    data, plans = waving_series(60), []
    for draw in (0, 1):
        configuration = SPACE.complete({"features": 2500, "draw": draw})
        ctx = LocalContext(np.arange(40), np.arange(40, 60), 3, tmp_path)
        plans.append(CANDIDATE.fit(one_member(configuration), configuration, data, ctx).plan)
    assert plans[0] != plans[1]


@pytest.mark.slow
def test_many_rows_are_learned_by_logistic_regression(tmp_path: Path) -> None:
    data = waving_series(2400, longest=20)
    ctx = LocalContext(np.arange(2000), np.arange(2000, 2400), 3, tmp_path)
    CANDIDATE.fit(one_member(TestRocket.configuration), TestRocket.configuration, data, ctx)
    assert ctx.notes["penalty"].startswith("logistic")
    assert (ctx.reports[0][1] or 0) > 0.95


def test_no_time_is_said(tmp_path: Path) -> None:
    data = waving_series(60)
    ctx = LocalContext(np.arange(40), np.arange(40, 60), 3, tmp_path, is_timed=True, seconds=0.0)
    with pytest.raises(TimeoutError, match=r"rocket takes about .* Raise the budget"):
        CANDIDATE.fit(one_member(TestRocket.configuration), TestRocket.configuration, data, ctx)
