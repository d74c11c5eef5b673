from __future__ import annotations

from pathlib import Path

import numpy as np

from automl.candidates.sequence.hydra import CANDIDATE
from automl.spaces.space_file import read_space
from automl.testing.context import LocalContext, one_member, waving_series
from automl.testing.series_suite import SeriesCandidateContract

FILE = Path(__file__).parents[3] / "search_spaces/sequence-clf/hydra.toml"
SPACE = read_space(FILE.read_text(encoding="utf-8"), FILE.name)


class TestHydra(SeriesCandidateContract):
    candidate = CANDIDATE
    configuration = SPACE.complete({"groups": 32})
    space = SPACE


def test_rocket_stands_beside_it_where_asked_for(tmp_path: Path) -> None:
    data, configuration = waving_series(60), SPACE.complete({"groups": 32, "beside": "several"})
    ctx = LocalContext(np.arange(40), np.arange(40, 60), 3, tmp_path)
    plan = CANDIDATE.fit(one_member(configuration), configuration, data, ctx).plan
    assert [part["kind"] for part in plan["plans"]] == ["hydra", "rocket"]
    assert (ctx.reports[0][1] or 0) > 0.8


def test_the_estimate_grows_with_what_is_computed() -> None:
    spec = waving_series(60).spec
    each: list[dict[str, int | str]] = [
        {"groups": 32},
        {"groups": 128},
        {"groups": 128, "beside": "share"},
        {"groups": 128, "beside": "several"},
    ]
    costs = [CANDIDATE.estimate(spec, SPACE.complete(more), 40).seconds(1) for more in each]
    assert costs == sorted(costs)


def test_many_rows_take_fewer_groups() -> None:
    spec = waving_series(60, longest=400).spec
    peaks = [
        CANDIDATE.estimate(spec, SPACE.complete({"groups": 128}), rows).peak_bytes / rows for rows in (1000, 100_000)
    ]
    assert peaks[1] < peaks[0] / 3
