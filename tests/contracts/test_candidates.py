"""The contract suite over all registered candidates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from automl.candidates.image import baseline, cnn, forest, gbdt, linear, resnet
from automl.core.space import CandidateSpace, Configuration
from automl.registry import candidate, resolve
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


class TestCnn(CandidateContract):
    candidate = cnn.CANDIDATE
    configuration = completed("cnn", blocks=1, width=8, dense_width=64, batch_size=32, translate=0.0)
    module = cnn.__name__
    space = space_of("cnn")
    steps = 6
    cuts = (1, 3, 6)


class TestResnet(CandidateContract):
    candidate = resnet.CANDIDATE
    configuration = completed("resnet", width=16, stages=2, residuals=0, batch_size=32, translate=0.0)
    module = resnet.__name__
    space = space_of("resnet")
    steps = 6
    cuts = (1, 3, 6)


def test_every_registered_candidate_names_itself_and_has_a_space() -> None:
    for name in resolve("task", "image-clf").info.candidates:
        assert candidate("image-clf", name).name == name == space_of(name).candidate
