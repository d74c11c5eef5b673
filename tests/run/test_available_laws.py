"""Laws of what a search may try: candidates, their modules, sides of images, folds, and trials to choose among."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl import registry
from automl.core.budget import Budget
from automl.core.clock import MonotonicClock
from automl.core.history import History
from automl.core.leaderboard import contestants, leaderboard
from automl.core.metrics import metric
from automl.core.protocols import Pretrained
from automl.core.request import SearchRequest
from automl.core.space import Configuration
from automl.data.image_prepare import LARGE_SIDE, SMALL_SIDE, Sizes, Wanted, choose_rule
from automl.errors import DataError, UserError
from automl.run import available, foresight
from automl.run.folder import RunFolder
from automl.run.folding import choose_folds
from automl.testing.context import ArrayData, mixed_table, spoken_texts, waving_series
from automl.testing.history_builder import HistoryBuilder
from automl.testing.recorded_run import recorded_run

TASKS = ("text-clf", "sequence-clf")
SEEDS = range(6)


@pytest.fixture
def lost(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Give a set of packages: those that are put into it are not found, all others are."""
    missing: set[str] = set()
    there = find_spec("json")
    monkeypatch.setattr(available, "find_spec", lambda name: None if name in missing else there)
    return missing


def chosen(task: str, **fields: Any) -> list[str]:
    return available.chosen_candidates(SearchRequest(task, **fields), registry.resolve("task", task))


def tops(task: str, name: str) -> set[str]:
    """Return the packages a candidate needs."""
    return {module.split(".")[0] for module in registry.candidate(task, name).requires}


def able(task: str) -> list[str]:
    """Return the candidates that need no weights."""
    return [name for name in registry.candidates(task) if not isinstance(registry.candidate(task, name), Pretrained)]


@pytest.mark.parametrize("package", ["torch", "scipy", "lightgbm", "sklearn"])
@pytest.mark.parametrize("task", TASKS)
def test_without_a_package_go_those_that_need_it_and_no_others(task: str, package: str, lost: set[str]) -> None:
    lost.add(package)
    expected = [name for name in able(task) if package not in tops(task, name)]
    assert [name for name in chosen(task) if name in able(task)] == expected


@pytest.mark.parametrize("package", ["torch", "scipy", "lightgbm", "sklearn"])
@pytest.mark.parametrize("task", TASKS)
def test_every_candidate_is_either_chosen_or_told_to_be_left_out(task: str, package: str, lost: set[str]) -> None:
    lost.add(package)
    told = [finding.message.split()[1] for finding in available.absent_findings(SearchRequest(task))]
    assert sorted([*chosen(task), *told]) == sorted(registry.candidates(task))


@pytest.mark.parametrize("task", TASKS)
def test_where_nothing_can_run_that_is_said(task: str, lost: set[str]) -> None:
    lost.add("onnx")
    with pytest.raises(UserError, match=r"no candidate is left\. Known: baseline, "):
        chosen(task)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("task", TASKS)
def test_candidates_are_those_asked_for_less_those_excluded_in_their_own_order(
    task: str, seed: int, lost: set[str]
) -> None:
    rng, known = np.random.default_rng(seed), registry.candidates(task)
    include = tuple(rng.permutation(known)[: rng.integers(3, len(known))].tolist())
    exclude = tuple(rng.permutation(known)[: rng.integers(0, 3)].tolist())
    expected = [name for name in known if name in include and name not in exclude]
    assert not lost
    assert chosen(task, include=include, exclude=exclude) == expected


@pytest.mark.parametrize("task", TASKS)
def test_all_that_is_asked_for_may_not_be_excluded(task: str) -> None:
    with pytest.raises(UserError, match=r"^--exclude baseline: no candidate is left"):
        chosen(task, include=("baseline",), exclude=("baseline",))


@pytest.mark.parametrize("flag", ["include", "exclude"])
@pytest.mark.parametrize(("task", "name"), [("text-clf", "rocket"), ("sequence-clf", "naive-bayes"), ("text-clf", "")])
def test_a_candidate_of_another_task_is_refused_by_its_flag(task: str, name: str, flag: str) -> None:
    with pytest.raises(UserError, match=f"^--{flag} {name}: not a candidate of {task}. Known: baseline, "):
        chosen(task, **{flag: (name,)})


@pytest.mark.parametrize("task", TASKS)
def test_what_is_imported_beforehand_is_all_that_is_needed_and_nothing_twice(task: str) -> None:
    modules = available.preload(SearchRequest(task), able(task))
    needed = {module for name in able(task) for module in registry.candidate(task, name).requires}
    assert modules[:2] == ("automl.run.work", "automl.data.folder")
    assert sorted(modules[2:]) == sorted(needed)


def test_a_module_is_asked_for_by_the_name_of_its_package(lost: set[str]) -> None:
    lost.add("sklearn")
    with pytest.raises(UserError, match=r"candidate tfidf-linear: it needs 'sklearn'.* pip install scikit-learn, or"):
        available.preload(SearchRequest("text-clf"), ["baseline", "tfidf-linear"])


@pytest.mark.parametrize(
    ("fields", "names"),
    [({}, []), ({"vectors": "v.txt"}, ["vectors"]), ({"weights": "w"}, ["weights"])],
    ids=["none", "vectors", "weights"],
)
def test_only_what_is_named_is_handed_on(fields: dict[str, str], names: list[str]) -> None:
    assert list(available.resources(SearchRequest("text-clf", **fields))) == names  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("names", "side"),
    [(["baseline", "cnn"], SMALL_SIDE), (["cnn", "efficientnet"], LARGE_SIDE), (["efficientnet-tuned"], LARGE_SIDE),
     ([], SMALL_SIDE)],
    ids=["small", "both", "tuned", "none"],
)  # fmt: skip
def test_images_stay_large_for_those_who_learned_from_large_ones(names: list[str], side: int) -> None:
    assert available.image_side(registry.resolve("task", "image-clf"), names) == side


COUNTS = [1, 100, 6_000, 6_643, 6_644, 7_000, 10_000, 20_000, 60_000, 82_000, 1_000_000]


def side_of(count: int, most: int = LARGE_SIDE) -> int:
    sizes = Sizes(np.broadcast_to(np.array([500, 500]), (count, 2)), is_grey=False)
    return choose_rule(sizes, Wanted(max_side=most)).height


@pytest.mark.parametrize("count", COUNTS)
def test_the_side_of_images_is_the_largest_that_they_have_room_for(count: int) -> None:
    fitting = [side for side in range(SMALL_SIDE, LARGE_SIDE + 1, 8) if 3 * count * side**2 <= 1_000_000_000]
    assert side_of(count) == max(fitting, default=SMALL_SIDE)


def test_the_more_images_the_smaller_they_are_kept() -> None:
    sides = [side_of(count) for count in COUNTS]
    assert sides == sorted(sides, reverse=True)
    assert {sides[0], sides[-1]} == {LARGE_SIDE, SMALL_SIDE}


@pytest.mark.parametrize("most", [8, 32, 64])
def test_a_side_that_was_asked_for_is_never_exceeded(most: int) -> None:
    assert {side_of(count, most) for count in COUNTS} == {most}


def test_images_that_are_small_stay_as_they_are_however_many() -> None:
    sizes = Sizes(np.broadcast_to(np.array([50, 37]), (900_000, 2)), is_grey=True)
    assert choose_rule(sizes, Wanted(max_side=LARGE_SIDE)).shape == (50, 37, 1)


DATA = {"texts": spoken_texts(60), "series": waving_series(60), "rows": mixed_table(60)}
KINDS = pytest.mark.parametrize("data", DATA.values(), ids=DATA)


def sized(data: ArrayData, *counts: int, **fields: Any) -> ArrayData:
    spec = replace(data.spec, rows=sum(counts), class_counts=counts, **fields)
    return replace(data, spec=spec)


def folds(data: ArrayData, budget: str, wanted: int | None = None, slots: int = 2) -> int:
    return choose_folds(data, wanted, budget=Budget.parse(budget), slots=slots)


@KINDS
@pytest.mark.parametrize("rows", [30, 999, 20_000, 400_000])
def test_more_time_never_means_fewer_folds(data: ArrayData, rows: int) -> None:
    found = [folds(sized(data, rows, rows, rows), f"{seconds}s") for seconds in (1, 5, 30, 120, 900, 7200, 86400)]
    short = [pair for pair in pairwise(found) if pair[0] > pair[1]]
    assert not short
    assert set(found) <= {2, 3, 5, 8}


@pytest.mark.parametrize("rows", [50, 2_000, 90_000])
@pytest.mark.parametrize("budget", ["2s", "1min", "3h", "9trials"])
def test_texts_and_series_have_the_folds_of_tables(rows: int, budget: str) -> None:
    assert len({folds(sized(data, rows, rows, rows), budget) for data in DATA.values()}) == 1


@KINDS
@pytest.mark.parametrize(("rarest", "expected"), [(1, 3), (2, 3), (3, 3), (4, 4), (5, 5), (40, 5)])
def test_a_rare_class_leaves_three_folds_at_least(data: ArrayData, rarest: int, expected: int) -> None:
    assert folds(sized(data, 300, 300, rarest), "9trials") == expected


@KINDS
@pytest.mark.parametrize("slots", [1, 2, 8])
def test_workers_and_time_buy_folds_alike(data: ArrayData, slots: int) -> None:
    many = sized(data, 30_000, 30_000, 30_000)
    found = [folds(many, f"{seconds}s", slots=slots) for seconds in (8, 160, 320)]
    assert found == [folds(many, f"{seconds * slots}s", slots=1) for seconds in (8, 160, 320)]


@KINDS
@pytest.mark.parametrize("split", ["group", "time"])
def test_one_group_of_texts_or_series_is_refused(data: ArrayData, split: Any) -> None:
    alone = replace(sized(data, 20, 20, 20, split=split), groups=np.zeros(60, np.int64))
    with pytest.raises(DataError, match=rf"{data.spec.name}: folds by {split} need .*Got 1\. Name another column"):
        folds(alone, "1h")


def played(seed: int, kind: Any, rows: int) -> History:
    """Return a history of 40 full trials of five candidates with scores of any order."""
    rng, builder = np.random.default_rng(seed), HistoryBuilder(folds=2)
    for number, name in enumerate(rng.choice(["a", "b", "c", "d", "e"], 40, p=[0.6, 0.2, 0.1, 0.05, 0.05]).tolist()):
        builder.full(Configuration(name, {"p": number}), [float(rng.random())] * 2)
    assert builder.history.started is not None
    spec = replace(builder.history.started.spec, kind=kind, rows=rows)
    builder.history.started = replace(builder.history.started, spec=spec)
    return builder.history


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", ["text", "series"])
@pytest.mark.parametrize(("rows", "count"), [(50, 8), (3_000, 15), (50_000, 25)])
def test_texts_and_series_are_won_by_the_best_of_each_candidate_and_then_the_best(
    kind: str, rows: int, count: int, seed: int
) -> None:
    history = played(seed, kind, rows)
    ranked = leaderboard(history, metric("accuracy"))
    firsts = [
        row.trial for place, row in enumerate(ranked) if row.candidate not in {r.candidate for r in ranked[:place]}
    ]
    others = [row.trial for row in ranked if row.trial not in firsts]
    wanted = set([*firsts, *others][:count])
    found = contestants(history, metric("accuracy"), most=25)
    assert found == [row.trial for row in ranked if row.trial in wanted]


@pytest.fixture
def seen(tmp_path: Path) -> History:
    history = History()
    for event in recorded_run(tmp_path, trials=6):
        history.apply(event)
    return history


def looking_at(folder: Path) -> foresight.Foresight:
    accuracy = metric("accuracy")
    return foresight.Foresight(accuracy, partial(foresight.early_choice, RunFolder(folder), accuracy, MonotonicClock()))


def test_two_looks_at_the_same_run_find_the_same_trials(tmp_path: Path, seen: History) -> None:
    both = [looking_at(tmp_path) for _ in range(2)]
    for each in both:
        each.look(seen)
    assert both[0].trials(seen) == both[1].trials(seen)
    assert set(both[0].trials(seen)) <= {trial.number for trial in seen.full()}


def test_a_look_that_took_long_is_the_last(tmp_path: Path, seen: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foresight, "_LONGEST_SECONDS", -1.0)
    looks = looking_at(tmp_path)
    looks.look(seen)
    assert not looks.is_due(1.0)


def test_where_no_row_has_an_answer_of_all_trials_every_trial_counts(tmp_path: Path, seen: History) -> None:
    for result in seen.trials[0].results.values():
        path = RunFolder(tmp_path).files_of(result) / "oof.npy"
        np.save(path, np.full_like(np.load(path), np.nan))
    looks = looking_at(tmp_path)
    looks.look(seen)
    assert sorted(looks.trials(seen)) == sorted(trial.number for trial in seen.full())
