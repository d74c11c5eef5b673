from __future__ import annotations

from pathlib import Path

import numpy as np

from automl.candidates.text.baseline import CANDIDATE
from automl.core.space import Configuration
from automl.spaces.space_file import read_space
from automl.testing.text_suite import TextCandidateContract

SPACE = Path(__file__).parents[3] / "search_spaces" / "text-clf" / "baseline.toml"


class TestBaseline(TextCandidateContract):
    candidate = CANDIDATE
    configuration = Configuration("baseline", {})
    space = read_space(SPACE.read_text(encoding="utf-8"), SPACE.name)
    learns = False

    def test_it_gives_the_shares_of_the_classes(self, tmp_path: Path) -> None:
        ctx = self.context(tmp_path)
        shares = np.bincount(self.data.y[ctx.train_rows]) / len(ctx.train_rows)
        np.testing.assert_allclose(self.fit(tmp_path).predict(self.data.X[:1])[0], shares, atol=1e-6)
