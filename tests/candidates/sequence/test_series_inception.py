from __future__ import annotations

from pathlib import Path

import pytest

from automl.candidates.sequence import inception
from automl.core.space import Configuration
from automl.spaces.space_file import read_space
from automl.testing.series_suite import SeriesCandidateContract

_FILE = Path(__file__).parents[3] / "search_spaces/sequence-clf/inception.toml"
SPACE = read_space(_FILE.read_text(encoding="utf-8"), _FILE.name)
PLAIN = {"noise": 0.0, "gain": 0.0, "window": 1.0, "differences": False, "ema": 0.0}
SMALL = {**PLAIN, "units": 4, "blocks": 1, "kernel": 5, "lr": 0.02, "epochs": 15}
"""Smaller than any in the space, so that tests take tenths of seconds."""


@pytest.mark.slow
class TestInception(SeriesCandidateContract):
    candidate = inception.CANDIDATE
    configuration = Configuration("inception", {**SPACE.default().values, **SMALL})
    module = "automl.candidates.sequence.inception"
    space = SPACE
