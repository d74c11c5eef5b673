"""Every space file that ships, held against its candidate and against what the design asks of it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlparse

import numpy as np
import pytest

from automl.core.data import DataSpec
from automl.core.fidelity import ONE_GO
from automl.core.protocols import Candidate
from automl.core.space import CandidateSpace, Choice, SearchSpace
from automl.registry import candidate, resolve
from automl.serving.series import SeriesRule
from automl.spaces import find, merge, read_portfolio
from automl.spaces.completion import completed, to_toml
from automl.spaces.space_file import read_space
from automl.testing.context import mixed_table, spoken_texts

FOLDER = Path(__file__).parents[2] / "search_spaces"
FILES = sorted(path for path in FOLDER.glob("*/*.toml") if path.name != "portfolio.toml")
TASKS = sorted({path.parent.name for path in FILES})
SPACES = {f"{p.parent.name}/{p.stem}": read_space(p.read_text(encoding="utf-8"), str(p)) for p in FILES}
PARAMS = [pytest.param(space, name, id=f"{key}.{name}") for key, space in SPACES.items() for name in space.params]
EACH = pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
SHAPES = {
    "image": [(1, 1, 1), (8, 8, 1), (64, 48, 3), (5, 64, 3)],
    "tabular": [(1,), (8,), (300,)],
    "text": [(1, 1, 1), (1, 51, 196), (1, 3000, 100_000)],
    "sequence": [(1, 1, 1), (1, 24, 24), (12, 15, 29), (3, 4000, 20_000)],
}
SIZES = [
    pytest.param(space, task, shape, id=f"{key}-{shape}")
    for key, space in SPACES.items()
    for task in [key.partition("/")[0]]
    for shape in SHAPES[task.partition("-")[0]]
]


def task_of(space: CandidateSpace) -> str:
    return Path(space.origin).parent.name


def candidate_of(space: CandidateSpace) -> Candidate:
    found: Candidate = candidate(task_of(space), space.candidate)
    return found


def spaces_of(task: str) -> list[str]:
    return [space.candidate for space in SPACES.values() if task_of(space) == task]


def spec_of(task: str, shape: tuple[int, ...] = (), classes: int = 10, rows: int = 1000) -> DataSpec:
    """Return the facts of data for a task; numbers are its target where it has no classes."""
    if task == "tabular-reg":
        classes = 0
    labels, counts = tuple(f"c{code}" for code in range(classes)), (rows // max(1, classes),) * classes
    if task.startswith("image"):
        return DataSpec("d", "image", rows, shape or (28, 28, 1), labels, counts, "0" * 64)
    if task.startswith("text"):
        return DataSpec("d", "text", rows, shape or (1, 51, 196), labels, counts, "0" * 64, spoken_texts(9).spec.input)
    if task.startswith("sequence"):
        shape = shape or (2, 26, 40)
        rule = SeriesRule(tuple(map(str, range(shape[0])))).to_json()
        return DataSpec("d", "series", rows, shape, labels, counts, "0" * 64, rule)
    rule = mixed_table(30).spec.input
    columns = rule["columns"] * (max(shape, default=0) // len(rule["columns"]) + 1)
    named = [{**column, "name": f"{column['name']} {place}"} for place, column in enumerate(columns)]
    rule = {**rule, "columns": named[: max(shape, default=len(named))]}
    return DataSpec("d", "table", rows, (len(rule["columns"]),), labels, counts, "0" * 64, rule, target="answer")


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
    assert Path(space.origin).stem == space.candidate == candidate_of(space).name


@EACH
def test_text_is_written_and_read_back_as_the_same(space: CandidateSpace) -> None:
    again = read_space(to_toml(space), space.origin)
    assert SearchSpace({"x": again}).sha256() == SearchSpace({"x": space}).sha256()


@EACH
def test_a_file_completed_with_itself_is_itself(space: CandidateSpace) -> None:
    assert completed(space, space) == space


@pytest.mark.parametrize("classes", [2, 100])
@pytest.mark.parametrize(("space", "task", "shape"), SIZES)
def test_the_candidate_accepts_its_default(
    space: CandidateSpace, task: str, shape: tuple[int, ...], classes: int
) -> None:
    cost = candidate_of(space).estimate(spec_of(task, shape, classes), space.default(), 500)
    assert 0 < cost.seconds(space.steps.full) < float("inf")


@EACH
def test_the_candidate_accepts_the_corners_of_its_space(space: CandidateSpace) -> None:
    rng, spec = np.random.default_rng(1), spec_of(task_of(space))
    for _ in range(25):
        values = space.sample(rng).values
        edges = {n: v if isinstance(p := space.params[n], Choice) else (p.low if rng.random() < 0.5 else p.high)
                 for n, v in values.items()}  # fmt: skip
        assert candidate_of(space).estimate(spec, space.complete(edges), 500).seconds(space.steps.full) > 0


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


@pytest.mark.parametrize("task", TASKS)
def test_every_candidate_of_the_task_has_a_file_and_every_file_a_candidate(task: str) -> None:
    assert sorted(spaces_of(task)) == sorted(resolve("task", task).info.candidates)


@pytest.mark.parametrize("task", TASKS)
def test_the_portfolio_lies_in_the_union_and_begins_with_what_is_cheap(task: str) -> None:
    found = find(task, spaces_of(task))
    assert found.portfolio is not None
    union = merge(found)
    listed = read_portfolio(found.portfolio.text, found.portfolio.origin, union, known=spaces_of(task))
    assert all(union.check(one) == one for one in listed)
    costs = [candidate(task, one.candidate).estimate(spec_of(task), one, 500).seconds(1) for one in listed[:2]]
    assert costs == sorted(costs)


@EACH
def test_a_portfolio_passes_over_candidates_that_were_left_out(space: CandidateSpace) -> None:
    task = task_of(space)
    found = find(task, [name for name in spaces_of(task) if name != space.candidate])
    assert found.portfolio is not None
    listed = read_portfolio(found.portfolio.text, found.portfolio.origin, merge(found), known=spaces_of(task))
    assert space.candidate not in {one.candidate for one in listed}


@EACH
def test_a_candidate_alone_is_found_with_its_file(space: CandidateSpace) -> None:
    found = find(task_of(space), [space.candidate])
    assert list(found.texts) == list(found.origins) == [space.candidate]
    assert Path(found.origins[space.candidate]).name == f"{space.candidate}.toml"


@pytest.mark.parametrize("task", TASKS)
def test_hashes_tell_every_file_from_every_other(task: str) -> None:
    own = [space for space in SPACES.values() if task_of(space) == task]
    assert len({SearchSpace({"x": space}).sha256() for space in own}) == len(own)


def test_a_hash_tells_a_file_from_a_changed_one() -> None:
    text = (FOLDER / "image-clf" / "gbdt.toml").read_text(encoding="utf-8").replace("default = 0.3", "default = 0.2", 1)
    changed = read_space(text.replace("default = 15", "default = 16"), "gbdt.toml")
    assert SearchSpace({"x": changed}).sha256() != SearchSpace({"x": SPACES["image-clf/gbdt"]}).sha256()
