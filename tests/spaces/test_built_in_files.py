"""Every space file that ships, held against its candidate and against what the design asks of it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlparse

import numpy as np
import pytest

from automl.core.data import DataSpec
from automl.core.fidelity import ONE_GO
from automl.core.space import CandidateSpace, Choice, SearchSpace
from automl.registry import resolve
from automl.spaces import find, merge, read_portfolio
from automl.spaces.completion import completed, to_toml
from automl.spaces.space_file import read_space

FOLDER = Path(__file__).parents[2] / "search_spaces" / "image-clf"
FILES = sorted(path for path in FOLDER.glob("*.toml") if path.name != "portfolio.toml")
SPACES = {path.stem: read_space(path.read_text(encoding="utf-8"), str(path)) for path in FILES}
PARAMS = [pytest.param(space, name, id=f"{key}.{name}") for key, space in SPACES.items() for name in space.params]
EACH = pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)


def spec_of(rows: int = 1000, shape: tuple[int, ...] = (28, 28, 1), classes: int = 10) -> DataSpec:
    labels = tuple(f"c{code}" for code in range(classes))
    return DataSpec("d", "image", rows, shape, labels, (rows // classes,) * classes, "0" * 64)


@pytest.mark.parametrize(("space", "name"), PARAMS)
def test_a_default_lies_inside_of_its_range(space: CandidateSpace, name: str) -> None:
    assert space.params[name].accepts(space.params[name].default)


@pytest.mark.parametrize(("space", "name"), PARAMS)
def test_a_hundred_draws_lie_inside_of_the_range(space: CandidateSpace, name: str) -> None:
    param, rng = space.params[name], np.random.default_rng(0)
    assert all(param.accepts(param.sample(rng)) for _ in range(100))


@pytest.mark.parametrize(("space", "name"), PARAMS)
def test_a_range_offers_a_choice_and_its_condition_names_an_earlier_parameter(space: CandidateSpace, name: str) -> None:
    param, before = space.params[name], list(space.params)[: list(space.params).index(name)]
    assert len(param.choices) > 1 if isinstance(param, Choice) else param.low < param.high
    for parent, allowed in param.when.items():
        assert parent in before
        assert all(space.params[parent].accepts(value) for value in allowed)


@EACH
def test_the_source_is_an_address(space: CandidateSpace) -> None:
    address = next(word for word in space.source.split() if "://" in word)
    assert urlparse(address).scheme == "https"
    assert "." in urlparse(address).netloc


@EACH
def test_the_file_is_named_after_its_candidate(space: CandidateSpace) -> None:
    assert Path(space.origin).stem == space.candidate == resolve("candidate", space.candidate).name


@EACH
def test_text_is_written_and_read_back_as_the_same(space: CandidateSpace) -> None:
    again = read_space(to_toml(space), space.origin)
    assert SearchSpace({"x": again}).sha256() == SearchSpace({"x": space}).sha256()


@EACH
def test_a_file_completed_with_itself_is_itself(space: CandidateSpace) -> None:
    assert completed(space, space) == space


@EACH
@pytest.mark.parametrize("shape", [(1, 1, 1), (8, 8, 1), (64, 48, 3), (5, 64, 3)], ids=str)
@pytest.mark.parametrize("classes", [2, 100])
def test_the_candidate_accepts_its_default(space: CandidateSpace, shape: tuple[int, ...], classes: int) -> None:
    cost = resolve("candidate", space.candidate).estimate(spec_of(shape=shape, classes=classes), space.default(), 500)
    assert 0 < cost.seconds(space.steps.full) < float("inf")


@EACH
def test_the_candidate_accepts_the_corners_of_its_space(space: CandidateSpace) -> None:
    candidate, rng = resolve("candidate", space.candidate), np.random.default_rng(1)
    for _ in range(25):
        values = space.sample(rng).values
        edges = {n: v if isinstance(p := space.params[n], Choice) else (p.low if rng.random() < 0.5 else p.high)
                 for n, v in values.items()}  # fmt: skip
        assert candidate.estimate(spec_of(), space.complete(edges), 500).seconds(space.steps.full) > 0


@EACH
@pytest.mark.parametrize("seed", range(3))
def test_draws_pass_the_check_and_follow_the_seed(space: CandidateSpace, seed: int) -> None:
    first, second = (np.random.default_rng(seed) for _ in range(2))
    for _ in range(20):
        drawn = space.sample(first)
        assert space.check(drawn) == space.sample(second)


@EACH
def test_steps_are_counted_from_low_to_full(space: CandidateSpace) -> None:
    assert space.steps == ONE_GO or 1 <= space.steps.low < space.steps.full


def test_every_candidate_of_the_task_has_a_file_and_every_file_a_candidate() -> None:
    assert sorted(SPACES) == sorted(resolve("task", "image-clf").info.candidates)


def test_the_portfolio_lies_in_the_union_and_begins_with_what_is_cheap() -> None:
    found = find("image-clf", list(SPACES))
    assert found.portfolio is not None
    union = merge(found)
    listed = read_portfolio(found.portfolio.text, found.portfolio.origin, union, known=list(SPACES))
    assert all(union.check(one) == one for one in listed)
    costs = [resolve("candidate", one.candidate).estimate(spec_of(), one, 500).seconds(1) for one in listed[:2]]
    assert costs == sorted(costs)


@pytest.mark.parametrize("left_out", sorted(SPACES))
def test_a_portfolio_passes_over_candidates_that_were_left_out(left_out: str) -> None:
    found = find("image-clf", [name for name in SPACES if name != left_out])
    assert found.portfolio is not None
    listed = read_portfolio(found.portfolio.text, found.portfolio.origin, merge(found), known=list(SPACES))
    assert left_out not in {one.candidate for one in listed}


@pytest.mark.parametrize("name", sorted(SPACES))
def test_a_candidate_alone_is_found_with_its_file(name: str) -> None:
    found = find("image-clf", [name])
    assert list(found.texts) == list(found.origins) == [name]
    assert Path(found.origins[name]).name == f"{name}.toml"


def test_hashes_tell_every_file_from_every_other_and_from_a_changed_one() -> None:
    hashes = {SearchSpace({"x": space}).sha256() for space in SPACES.values()}
    text = (FOLDER / "gbdt.toml").read_text(encoding="utf-8").replace("default = 0.3", "default = 0.2", 1)
    changed = read_space(text.replace("default = 15", "default = 16"), "gbdt.toml")
    assert len({*hashes, SearchSpace({"x": changed}).sha256()}) == len(SPACES) + 1
