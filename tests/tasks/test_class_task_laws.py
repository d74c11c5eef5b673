"""Laws of the tasks of texts and series: what counts as a class is a matter of counts, whatever classes are called."""

from __future__ import annotations

import re
import shlex

import numpy as np
import pytest

from automl.core.data import DataSpec
from automl.core.metrics import metric
from automl.core.protocols import Task
from automl.core.words import data_words
from automl.errors import DataError, UserError
from automl.registry import candidate
from automl.tasks import sequence_clf, text_clf
from automl.tasks.classes import check_labels, class_findings, positive_findings

TASKS: dict[str, Task] = {"texts": text_clf.TASK, "series": sequence_clf.TASK}
BOTH = pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
SEEDS = range(6)
Y = np.zeros(0, np.int64)


def facts(counts: dict[str, int], kind: str = "text") -> DataSpec:
    shape = (1, 40, 90)
    return DataSpec("d", kind, sum(counts.values()), shape, tuple(counts), tuple(counts.values()), "", target="is")  # type: ignore[arg-type]


def sizes(seed: int) -> list[int]:
    rng = np.random.default_rng(seed)
    return [int(size) for size in rng.integers(2, 900, rng.integers(2, 20))]


def named(counts: list[int], word: str = "class") -> dict[str, int]:
    return {f"{word} {place}": count for place, count in enumerate(counts)}


@BOTH
@pytest.mark.parametrize("seed", SEEDS)
def test_the_metric_that_is_chosen_may_be_chosen(task: Task, seed: int) -> None:
    spec = facts(named(sizes(seed)))
    task.check_metric(task.default_metric(spec, Y), spec, Y)


@BOTH
def test_all_metrics_are_there_and_fit_two_classes(task: Task) -> None:
    for name in task.info.metrics:
        assert metric(name).name == name
        task.check_metric(name, facts({"a": 5, "b": 5}), Y)


@BOTH
def test_all_candidates_are_there_and_serve_the_task(task: Task) -> None:
    assert all(task.info.name in candidate(task.info.name, name).tasks for name in task.info.candidates)
    assert len(set(task.info.candidates)) == len(task.info.candidates)


@BOTH
@pytest.mark.parametrize("seed", SEEDS)
def test_remarks_on_classes_depend_on_their_sizes_alone(task: Task, seed: int) -> None:
    counts = sizes(seed)
    first, other = (task.validate(facts(named(counts, word)), Y) for word in ("class", "kind"))
    assert [finding.message.replace("class ", "kind ") for finding in first] == [f.message for f in other]


@BOTH
@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_told_of_classes_does_not_depend_on_their_order(task: Task, seed: int) -> None:
    counts = [*sizes(seed), 3]
    codes = [{f.code for f in task.validate(facts(named(listed)), Y)} for listed in (counts, counts[::-1])]
    assert codes[0] == codes[1]
    assert "classes-rare" in codes[0]


@BOTH
@pytest.mark.parametrize(("least", "codes"), [(51, []), (50, ["classes-imbalanced"]), (5, ["classes-imbalanced"]),
                                              (4, ["classes-rare", "classes-imbalanced"])])  # fmt: skip
def test_imbalance_begins_at_twenty_to_one_and_rarity_below_five(task: Task, least: int, codes: list[str]) -> None:
    found = task.validate(facts({"a": 1000, "b": 1000, "c": least}), Y)
    assert [finding.code for finding in found] == codes


@BOTH
def test_a_metric_of_another_task_is_refused_with_all_that_fit(task: Task) -> None:
    listed = re.escape(", ".join(task.info.metrics))
    with pytest.raises(UserError, match=f"^--metric mae: {task.info.name} is scored by one of: {listed}\\.$"):
        task.check_metric("mae", facts({"a": 5, "b": 5}), Y)


@pytest.mark.parametrize("name", text_clf.BINARY)
def test_metrics_of_two_classes_are_offered_to_no_more(name: str) -> None:
    fitting = "accuracy, balanced_accuracy, macro_f1, roc_auc, log_loss"
    with pytest.raises(UserError, match=rf"^--metric {name}: .* Got 3 in d\. Use one of: {fitting}\.$"):
        text_clf.TASK.check_metric(name, facts({"a": 5, "b": 5, "c": 5}), Y)


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_texts_are_scored_by_all_classes_alike_from_a_fifth_of_an_even_share_down(classes: int) -> None:
    rest, rows = 200 // (classes - 1), 200 // (classes - 1) * (classes - 1)
    metrics = [text_clf.TASK.default_metric(facts({**named([rest] * (classes - 1)), "rare": count}), Y)
               for count in range(1, 60)]  # fmt: skip
    expected = ["macro_f1" if 5 * classes * count < rows + count else "accuracy" for count in range(1, 60)]
    assert metrics == expected


def is_refused(spec: DataSpec) -> bool:
    try:
        check_labels(spec)
    except DataError:
        return True
    return False


@pytest.mark.parametrize("classes", [1, 2, 3, 10, 11, 50, 51, 120])
def test_words_are_classes_where_they_recur_often_enough(classes: int) -> None:
    counts = [[1] * (classes - 1) + [rows - classes + 1] for rows in range(classes, 3 * classes + 2)]
    refused = [is_refused(facts(named(listed))) for listed in counts]
    assert refused == [
        classes < 2 or (classes > 2 and (sum(n) == classes or (classes > 10 and 2 * classes > sum(n)))) for n in counts
    ]


@pytest.mark.parametrize(
    ("labels", "rows", "refused"),
    [([str(n) for n in range(50)], 150, False), ([str(n) for n in range(51)], 1019, True),
     ([str(n) for n in range(51)], 1020, False), ([f"{n}.5" for n in range(51)], 10_000, True),
     ([*map(str, range(50)), "nan"], 150, False), ([*map(str, range(50)), "inf"], 150, False),
     ([f"{n}e3" for n in range(51)], 300, True), ([f"n{n}" for n in range(51)], 150, False)],
    ids=["fifty", "many for the rows", "few for the rows", "fractions", "nan", "inf", "powers", "words"],
)  # fmt: skip
def test_numbers_that_vary_with_the_rows_are_amounts(labels: list[str], rows: int, *, refused: bool) -> None:
    counts = dict.fromkeys(labels, 1) | {labels[0]: rows - len(labels) + 1}
    assert is_refused(facts(counts)) is refused


def test_amounts_are_pointed_to_the_task_of_numbers() -> None:
    with pytest.raises(DataError, match=r"d: column 'is': classes are needed\. Got 60 .* --task tabular-reg"):
        check_labels(facts(dict.fromkeys((f"{n}.25" for n in range(60)), 9)))


def test_series_may_be_named_by_numbers() -> None:
    assert sequence_clf.TASK.validate(facts(dict.fromkeys((f"{n}.25" for n in range(60)), 9), "series"), Y) == []


@BOTH
@pytest.mark.parametrize(("classes", "refused"), [(2000, False), (2001, True)])
def test_two_thousand_classes_are_learned_and_no_more(task: Task, classes: int, *, refused: bool) -> None:
    spec = facts(named([6] * classes))
    if not refused:
        assert task.validate(spec, Y) == []
        return
    with pytest.raises(DataError, match=r"at most 2000 classes are learned\. Got 2001\. Merge rare ones\."):
        task.validate(spec, Y)


@BOTH
def test_two_rows_of_two_classes_name_no_rows(task: Task) -> None:
    assert [finding.code for finding in task.validate(facts({"a": 1, "b": 1}), Y)] == ["classes-rare"]


ALIKE = {
    "case": ("Cat", "cAT"),
    "spaces": ("big  cat", " big cat "),
    "accents": ("caf\u00e9", "cafe\u0301"),
    "widths": ("\uff21", "A"),
    "sharp s": ("stra\u00dfe", "STRASSE"),
}


@pytest.mark.parametrize(("one", "other"), ALIKE.values(), ids=ALIKE)
def test_labels_that_read_alike_are_told_together(one: str, other: str) -> None:
    (found,) = class_findings({one: 9, "dog": 9, other: 9}, rows="texts", advice="")
    assert found.code == "labels-alike"
    assert found.message.endswith(f"spaces: {one!r}, {other!r}")


@pytest.mark.parametrize(
    ("one", "other"), [("a", "\u00e1"), ("a b", "ab"), ("1", "1.0")], ids=["accent", "gap", "point"]
)
def test_labels_that_read_differently_are_not(one: str, other: str) -> None:
    assert class_findings({one: 9, other: 9}, rows="texts", advice="") == []


def test_many_rare_classes_are_counted_and_ten_are_shown() -> None:
    found = class_findings({"big": 30} | named([4] * 13), rows="texts", advice="")[0]
    assert found.message.startswith("13 classes have fewer than 5 texts, so there are fewer folds: 'class 0' (4), ")
    assert found.message.count("(4)") == 10


@pytest.mark.parametrize("rare", ["it's spam", "a b", "$x"], ids=["quote", "space", "dollar"])
def test_the_rare_class_is_quoted_for_the_shell(rare: str) -> None:
    (found,) = positive_findings(facts({rare: 1, "ham": 99}))
    assert shlex.split(found.message.rpartition("use ")[2]) == ["--positive", rare]


@pytest.mark.parametrize("counts", [{"a": 99, "b": 1}, {"a": 5, "b": 95}, {"a": 1, "b": 50, "c": 49}],
                         ids=["last", "a twentieth", "three"])  # fmt: skip
def test_no_other_class_is_asked_about(counts: dict[str, int]) -> None:
    assert positive_findings(facts(counts)) == []


@pytest.mark.parametrize(
    ("kind", "rows", "shape", "words"),
    [("text", 1, (1, 1, 9), "1 text of about 1 character"), ("text", 12345, (1, 2500, 9999),
      "12,345 texts of about 2,500 characters"), ("series", 1, (1, 1, 1), "1 series × 1 channel of about 1 step"),
     ("series", 4000, (1200, 10_000, 20_000), "4,000 series × 1,200 channels of about 10,000 steps")],
    ids=["one text", "texts", "one series", "series"],
)  # fmt: skip
def test_texts_and_series_are_told_in_words(kind: str, rows: int, shape: tuple[int, ...], words: str) -> None:
    spec = DataSpec("d", kind, rows, shape, (), (), "")  # type: ignore[arg-type]
    assert data_words(spec) == words
    assert data_words(spec, "x") == words.replace("×", "x")
