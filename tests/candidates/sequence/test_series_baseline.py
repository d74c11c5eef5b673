from __future__ import annotations

from pathlib import Path

import numpy as np

from automl.candidates.sequence.baseline import CANDIDATE
from automl.core.space import Configuration
from automl.spaces.space_file import read_space
from automl.testing.context import LocalContext, one_member, waving_series
from automl.testing.series_suite import SeriesCandidateContract

CONFIGURATION = Configuration("baseline", {})
FILE = Path(__file__).parents[3] / "search_spaces/sequence-clf/baseline.toml"


class TestBaseline(SeriesCandidateContract):
    candidate = CANDIDATE
    configuration = CONFIGURATION
    space = read_space(FILE.read_text(encoding="utf-8"), FILE.name)
    learns = False


def test_it_answers_with_the_shares_of_classes(tmp_path: Path) -> None:
    data = waving_series(40, classes=2)
    ctx = LocalContext(np.flatnonzero((data.y == 0) | (np.arange(40) < 20)), np.arange(0), 2, tmp_path)
    model = CANDIDATE.fit(one_member(CONFIGURATION), CONFIGURATION, data, ctx)
    np.testing.assert_allclose(model.predict(data.X[:2]), [[2 / 3, 1 / 3]] * 2, rtol=1e-6)
