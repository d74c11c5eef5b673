"""The contract suite over the registered image candidates that are cheap to train; networks run it in their own files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from automl.candidates.image import baseline, forest, gbdt, linear
from automl.core.space import CandidateSpace, Configuration
from automl.registry import names, resolve
from automl.spaces.space_file import read_space
from automl.testing.candidate_suite import CandidateContract
from automl.testing.context import striped_images

SPACES = Path(__file__).parents[2] / "search_spaces" / "image-clf"
POOLED = {"features": "pooled", "size": 8}


def space_of(name: str) -> CandidateSpace:
    """Return the built-in space of a candidate."""
    file = SPACES / f"{name}.toml"
    return read_space(file.read_text(encoding="utf-8"), file.name)


def completed(name: str, **values: Any) -> Configuration:
    """Return the default configuration with these values."""
    return space_of(name).complete(values)


class TestBaseline(CandidateContract):
    candidate = baseline.CANDIDATE
    configuration = completed("baseline")
    space = space_of("baseline")
    learns = False


class TestLinear(CandidateContract):
    candidate = linear.CANDIDATE
    configuration = completed("linear", cells=4, bins=8)
    space = space_of("linear")


class TestForest(CandidateContract):
    candidate = forest.CANDIDATE
    configuration = completed("forest", trees=30, cells=4, bins=8)
    space = space_of("forest")


class TestGradientBoosting(CandidateContract):
    candidate = gbdt.CANDIDATE
    configuration = completed("gbdt", cells=4, bins=8, min_data_in_leaf=3, feature_fraction=0.3)
    space = space_of("gbdt")
    data = striped_images(150)
    steps = 18
    cuts = (2, 6, 18)


def test_every_registered_candidate_names_itself_and_has_a_space() -> None:
    for name in names("candidate"):
        assert resolve("candidate", name).name == name == space_of(name).candidate
