from __future__ import annotations

from pathlib import Path

import pytest

from automl.candidates.sequence import inception, rnn, transformer
from automl.candidates.sequence.network_candidate import (
    SeriesNetworkCandidate,
    inception_least,
    recurrent_least,
    transformer_least,
)
from automl.candidates.training.ragged_cost import Work
from automl.core.space import Configuration, Value
from automl.spaces.space_file import read_space
from automl.testing.context import waving_series

SPEC = waving_series(150).spec
SPACES = Path(__file__).parents[3] / "search_spaces/sequence-clf"
CANDIDATES = [inception.CANDIDATE, rnn.CANDIDATE, transformer.CANDIDATE]


def default(name: str, **values: Value) -> Configuration:
    text = (SPACES / f"{name}.toml").read_text(encoding="utf-8")
    return read_space(text, name).complete(values)


@pytest.mark.parametrize("candidate", CANDIDATES, ids=lambda candidate: candidate.name)
def test_it_serves_series_and_needs_torch(candidate: SeriesNetworkCandidate) -> None:
    assert candidate.tasks == ("sequence-clf",)
    assert "torch" in candidate.requires


@pytest.mark.parametrize("candidate", CANDIDATES, ids=lambda candidate: candidate.name)
def test_a_larger_network_is_dearer(candidate: SeriesNetworkCandidate) -> None:
    large = {"inception": {"blocks": 6}, "rnn": {"layers": 2}, "transformer": {"layers": 3}}[candidate.name]
    costs = [candidate.estimate(SPEC, default(candidate.name, **values), 100) for values in ({}, large)]
    assert costs[1].seconds(1) > 1.3 * costs[0].seconds(1)


@pytest.mark.parametrize("candidate", CANDIDATES, ids=lambda candidate: candidate.name)
def test_patches_are_cheaper(candidate: SeriesNetworkCandidate) -> None:
    costs = [candidate.estimate(SPEC, default(candidate.name, patch=patch), 100).seconds(1) for patch in (1, 4)]
    assert costs[1] < costs[0]


def test_each_step_of_an_optimiser_costs_something_however_few_its_rows() -> None:
    def make(seconds: float) -> SeriesNetworkCandidate:
        return SeriesNetworkCandidate("rnn", "", lambda *_: Work(0.0, 0.0), least=lambda *_: seconds)

    configuration = default("rnn", epochs=30)
    costs = [make(seconds).estimate(SPEC, configuration, 160).step_seconds for seconds in (0.0, 1.0)]
    assert costs[1] - costs[0] == pytest.approx(30 * 160 / 8)


def test_what_a_step_costs_at_least_grows_with_the_network() -> None:
    assert inception_least({"blocks": 6}, 10) == 2 * inception_least({"blocks": 3}, 10)
    two = default("rnn", directions=2).values
    assert recurrent_least(two, 40) == 2 * recurrent_least(two, 20)
    deep = default("transformer", layers=2).values
    assert transformer_least(deep, 40) == 2 * transformer_least(default("transformer", layers=1).values, 10)
