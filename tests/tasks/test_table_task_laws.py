"""Laws of the tasks of tables: whatever data they take has a metric, candidates, and remarks that can be read."""

from __future__ import annotations

import numpy as np
import pytest

from automl.core.data import DataSpec, Finding
from automl.core.metrics import metric
from automl.core.protocols import Task
from automl.errors import UserError
from automl.registry import candidate
from automl.tasks import tabular_clf, tabular_reg

TASKS = {"classes": tabular_clf.TASK, "numbers": tabular_reg.TASK}
SEEDS = range(8)


def drawn_counts(seed: int) -> dict[str, int]:
    """Return classes of any number and size."""
    rng = np.random.default_rng(seed)
    return {f"class {place}": int(rows) for place, rows in enumerate(rng.integers(3, 3000, rng.integers(2, 30)))}


def drawn_numbers(seed: int) -> np.ndarray:
    """Return targets of many shapes and sizes."""
    rng = np.random.default_rng(seed)
    shapes = (rng.normal(size=400), np.exp(3 * rng.normal(size=400)), rng.integers(0, 2, 400), rng.uniform(-1, 1, 400))
    return np.asarray(shapes[seed % 4] * 10.0 ** rng.integers(-6, 9), np.float64)


def spec_of(counts: dict[str, int], rows: int = 0, target: str = "answer") -> DataSpec:
    size = rows or sum(counts.values())
    return DataSpec("d", "table", size, (3,), tuple(counts), tuple(counts.values()), "0" * 64, target=target)


def codes(counts: dict[str, int]) -> np.ndarray:
    return np.repeat(np.arange(len(counts)), list(counts.values()))


def remarks(counts: dict[str, int]) -> list[Finding]:
    return TASKS["classes"].validate(spec_of(counts), codes(counts))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_metric_that_is_chosen_for_classes_is_one_that_may_be(seed: int) -> None:
    counts = drawn_counts(seed)
    spec, y = spec_of(counts), codes(counts)
    TASKS["classes"].check_metric(TASKS["classes"].default_metric(spec, y), spec, y)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_metric_that_is_chosen_for_numbers_is_one_that_may_be(seed: int) -> None:
    y = drawn_numbers(seed)
    spec = spec_of({}, len(y))
    TASKS["numbers"].check_metric(TASKS["numbers"].default_metric(spec, y), spec, y)


@pytest.mark.parametrize("seed", SEEDS)
def test_other_names_of_classes_change_no_remark_but_its_words(seed: int) -> None:
    counts = drawn_counts(seed)
    other = {f"kind {place}": rows for place, rows in enumerate(counts.values())}
    assert [found.code for found in remarks(other)] == [found.code for found in remarks(counts)]


@pytest.mark.parametrize("seed", SEEDS)
def test_more_rows_of_each_class_bring_no_new_remark(seed: int) -> None:
    counts = drawn_counts(seed)
    more = {label: 10 * rows for label, rows in counts.items()}
    assert {found.code for found in remarks(more)} <= {found.code for found in remarks(counts)}


@pytest.mark.parametrize("factor", [1e-9, 1.0, 1e9])
@pytest.mark.parametrize("seed", SEEDS)
def test_the_unit_of_a_number_changes_no_remark(seed: int, factor: float) -> None:
    y = drawn_numbers(seed)
    found, wanted = (TASKS["numbers"].validate(spec_of({}, len(y)), values) for values in (y * factor, y))
    assert [each.code for each in found] == [each.code for each in wanted]


@pytest.mark.parametrize("seed", SEEDS)
def test_remarks_are_single_lines_of_bounded_length(seed: int) -> None:
    labels = {f"{'long name ' * 5}{place}": 2 + place % 3 for place in range(seed * 20 + 2)}
    for found in remarks({**labels, "large": 5000}):
        assert "\n" not in found.message
        assert len(found.message) < 2000
        assert found.level in ("info", "warning")


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_every_candidate_of_a_task_is_there_and_serves_it(task: Task) -> None:
    for name in task.info.candidates:
        assert task.info.name in candidate(task.info.name, name).tasks
    assert task.info.candidates[0] == "baseline"


@pytest.mark.parametrize("name", TASKS["classes"].info.metrics)
@pytest.mark.parametrize("seed", range(3))
def test_a_metric_of_classes_prefers_the_truth_to_its_opposite(name: str, seed: int) -> None:
    y = np.random.default_rng(seed).permutation(np.arange(60) % 2)
    right = np.stack([0.9 - 0.8 * y, 0.1 + 0.8 * y], axis=1)
    measured = metric(name)
    best, worst = (measured.score(y, scores) for scores in (right, right[:, ::-1]))
    assert measured.sign * best > measured.sign * worst


@pytest.mark.parametrize("name", TASKS["numbers"].info.metrics)
@pytest.mark.parametrize("seed", range(3))
def test_a_metric_of_numbers_prefers_what_is_nearer(name: str, seed: int) -> None:
    y = np.random.default_rng(seed).exponential(size=60)
    measured = metric(name)
    scores = [measured.sign * measured.score(y, y + away) for away in (0.0, 0.1, 1.0, 10.0)]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
@pytest.mark.parametrize("name", ["", "ROC_AUC", "speed", "accuracy "])
def test_a_metric_that_is_none_is_refused_with_those_that_are(task: Task, name: str) -> None:
    counts = {"a": 5, "b": 5}
    with pytest.raises(
        UserError, match=f"--metric {name}: {task.info.name} is scored by one of: {task.info.metrics[0]}"
    ):
        task.check_metric(name, spec_of(counts), codes(counts))


@pytest.mark.parametrize(("first", "told"), [(4, True), (5, False)])
def test_fewer_rows_than_five_make_a_class_rare(first: int, told: bool) -> None:
    found = remarks({"a": first, "b": 40, "c": 40})
    assert ("classes-rare" in [each.code for each in found]) == told


@pytest.mark.parametrize(("negative", "told"), [(49, True), (50, False)])
def test_a_rare_class_that_comes_first_is_asked_about_below_a_twentieth(negative: int, told: bool) -> None:
    found = remarks({"fraud": negative, "ok": 1000 - negative})
    assert ("positive-frequent" in [each.code for each in found]) == told
