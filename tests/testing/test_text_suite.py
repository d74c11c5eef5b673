"""The laws for candidates of texts catch those who break them: each cheat here keeps all other promises."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.candidates.text.baseline import Baseline
from automl.candidates.text.text_model import TextModel
from automl.core.job import Job
from automl.core.space import Configuration
from automl.serving.table import Column, Table, TableRule
from automl.testing.context import ArrayData, LocalContext, text_table
from automl.testing.text_suite import SPOKEN, STRANGE, TextCandidateContract

PLAIN = Configuration("baseline", {})
Shown = Callable[[ArrayData, LocalContext], ArrayData]
Bent = Callable[[TextModel, ArrayData, LocalContext], Any]
Change = Callable[[np.ndarray, list[str]], np.ndarray]


class Cheat(Baseline):
    """A baseline whose training is bent: by what it is shown, and by what becomes of its model."""

    def __init__(self, bent: Bent = lambda model, data, ctx: model, shown: Shown = lambda data, ctx: data) -> None:
        self._bent, self._shown = bent, shown

    def fit(self, job: Job, configuration: Configuration, data: ArrayData, ctx: LocalContext) -> Any:  # type: ignore[override]
        """Train on what is shown, and hand back what is made of it."""
        return self._bent(super().fit(job, configuration, self._shown(data, ctx), ctx), data, ctx)


@dataclasses.dataclass
class Changed:
    """A model whose answers are changed on their way out, or its plan in the files."""

    model: TextModel
    change: Change = lambda scores, texts: scores
    plan: dict[str, Any] = dataclasses.field(default_factory=dict)
    steps: int = 1
    best_step: int = 1

    def predict(self, X: Table) -> np.ndarray:
        """Return the model's answers, changed."""
        return self.change(self.model.predict(X), list(X.texts[0])).astype(np.float32)

    def save(self, folder: Path) -> dict[str, object]:
        """Write the model, with what is changed in its plan."""
        return dataclasses.replace(self.model, plan={**self.model.plan, **self.plan}).save(folder)

    def save_checkpoint(self, folder: Path) -> None:
        """Write nothing."""


def answers(change: Change) -> Cheat:
    """Return a candidate whose models' answers are changed."""
    return Cheat(lambda model, data, ctx: Changed(model, change))


def learns(plan: Callable[[ArrayData, LocalContext], dict[str, Any]]) -> Cheat:
    """Return a candidate that keeps in its plan what it found in the data."""
    return Cheat(lambda model, data, ctx: dataclasses.replace(model, plan={**model.plan, **plan(data, ctx)}))


def tilted(scores: np.ndarray, shares: Any) -> np.ndarray:
    """Return probabilities drawn to the last class by these shares."""
    shares = np.broadcast_to(shares, len(scores))[:, None]
    return np.asarray(scores * (1 - shares) + np.eye(scores.shape[1])[-1] * shares)


def words_of(table: Table) -> list[str]:
    return sorted({word for text in table.texts[0] for word in text.split()})


def boasting(model: TextModel, data: ArrayData, ctx: LocalContext) -> TextModel:
    """Report a score that is too good."""
    ctx.report(1, 0.99)
    return model


def needing_words(data: ArrayData, ctx: LocalContext) -> ArrayData:
    """Fail as a vectoriser does that finds no word."""
    if not words_of(data.X[ctx.train_rows]):
        raise ValueError("empty vocabulary; perhaps the texts are all empty")
    return data


def needing_classes(data: ArrayData, ctx: LocalContext) -> ArrayData:
    """Fail as a library does that wants two classes."""
    if len(np.unique(data.y[ctx.train_rows])) < 2:
        raise ValueError("this solver needs samples of at least 2 classes in the data")
    return data


def dividing_by_length(scores: np.ndarray, texts: list[str]) -> np.ndarray:
    """Give NaN for a text without a character."""
    return np.where(np.array([len(text) for text in texts], int).reshape(-1, 1) > 0, scores, np.nan)


def forgetting(model: TextModel, data: ArrayData, ctx: LocalContext) -> Changed:
    """Have columns for the classes of training rows alone."""
    return Changed(model, lambda scores, texts: scores[:, np.unique(data.y[ctx.train_rows])])


def contract(candidate: Baseline, **facts: Any) -> TextCandidateContract:
    """Return the laws for a candidate, as an author writes them down."""
    made = {"candidate": candidate, "configuration": PLAIN, "learns": False, **facts}
    return type("TestMine", (TextCandidateContract,), made)()


def holds(law: str, laws: TextCandidateContract, folder: Path) -> bool:
    """Return whether a law holds."""
    test: Callable[..., None] = getattr(laws, f"test_{law}")
    folder.mkdir(exist_ok=True)
    try:
        test(*([folder] if test.__code__.co_argcount > 1 else []))
    except (AssertionError, ValueError):
        return False
    return True


class OfTables(Cheat):
    """Is for another task."""

    tasks = ("tabular-clf",)


CHEATS: dict[str, tuple[str, Cheat]] = {
    "of-tables": ("it_serves_the_task_of_its_data", OfTables()),
    "no-probabilities": ("predictions_have_the_shape_of_the_task", answers(lambda scores, texts: scores * 2)),
    "nothing-for-nothing": (
        "predictions_have_the_shape_of_the_task",
        answers(lambda scores, texts: scores if texts else np.empty(0)),
    ),
    "boasts": ("it_reports_the_score_of_its_predictions", Cheat(boasting)),
    "reports-a-refit": ("without_validation_rows_it_trains_on_all", Cheat(boasting)),
    "weighs-alike": (
        "weights_of_rows_change_the_model",
        Cheat(shown=lambda data, ctx: dataclasses.replace(data, weights=None)),
    ),
    "three-of-two": (
        "two_classes_work",
        answers(lambda scores, texts: np.full((len(scores), 3), 1 / 3)),
    ),
    "forgets-a-class": ("a_class_without_training_rows_still_has_a_column", Cheat(forgetting)),
    "smooths-too-much": (
        "a_class_without_training_rows_still_has_a_column",
        answers(lambda scores, texts: np.tile([0.1, 0.8, 0.1], (len(scores), 1))),
    ),
    "needs-classes": ("one_class_alone_is_survived", Cheat(shown=needing_classes)),
    "doubts-one-class": ("one_class_alone_is_survived", answers(lambda scores, texts: scores[:, ::-1])),
    "dies-on-empty-texts": ("rows_unlike_any_in_training_have_finite_scores", answers(dividing_by_length)),
    "needs-words": ("texts_that_are_all_empty_are_survived", Cheat(shown=needing_words)),
    "ships-another": (
        "the_saved_files_predict_as_the_run_does",
        answers(lambda scores, texts: tilted(scores, 1e-3)),
    ),
    "ships-another-for-long-texts": (
        "the_saved_files_predict_as_the_run_does",
        answers(lambda scores, texts: tilted(scores, [0.1 * (len(text) > 2000) for text in texts])),
    ),
    "sees-the-longest": (
        "a_row_is_answered_alone_as_among_others",
        answers(lambda scores, texts: tilted(scores, 1e-5 * max(map(len, texts), default=0))),
    ),
    "sees-the-first": (
        "a_row_is_answered_alone_as_among_others",
        answers(lambda scores, texts: tilted(scores, 1e-2 * (np.arange(len(scores)) == 0))),
    ),
    "malformed-plan": (
        "its_encoder_fits_the_rule_of_the_data",
        Cheat(lambda model, data, ctx: Changed(model, plan={"version": 2})),
    ),
    "late-nonsense": ("without_time_it_ends_early_or_says_so", answers(lambda scores, texts: scores * np.nan)),
}


@pytest.mark.parametrize(("law", "cheat"), CHEATS.values(), ids=CHEATS)
def test_who_breaks_a_law_is_caught(law: str, cheat: Cheat, tmp_path: Path) -> None:
    assert not holds(law, contract(cheat), tmp_path)


@pytest.mark.parametrize("law", sorted({law for law, _ in CHEATS.values()}))
def test_who_is_honest_keeps_the_law(law: str, tmp_path: Path) -> None:
    assert holds(law, contract(Cheat()), tmp_path)


PEEKS: dict[str, tuple[Cheat, bool]] = {
    "all-words": (learns(lambda data, ctx: {"of": "words", "terms": words_of(data.X)}), False),
    "own-words": (learns(lambda data, ctx: {"of": "words", "terms": words_of(data.X[ctx.train_rows])}), True),
    "all-lengths": (learns(lambda data, ctx: {"longest": max(len(text) for text in data.X.texts[0])}), False),
    "own-lengths": (
        learns(lambda data, ctx: {"longest": max(len(text) for text in data.X[ctx.train_rows].texts[0])}),
        True,
    ),
    "all-targets": (learns(lambda data, ctx: {"terms": [f"{n}:{code}" for n, code in enumerate(data.y)]}), False),
    "all-counts": (learns(lambda data, ctx: {"counts": np.bincount(data.y).tolist()}), False),
    "own-counts": (learns(lambda data, ctx: {"counts": np.bincount(data.y[ctx.train_rows]).tolist()}), True),
    "told-counts": (learns(lambda data, ctx: {"counts": list(data.spec.class_counts)}), False),
    "own-targets": (
        learns(lambda data, ctx: {"terms": [f"{n}:{data.y[n]}" for n in ctx.train_rows.tolist()]}),
        True,
    ),
}


@pytest.mark.parametrize(("cheat", "is_fair"), PEEKS.values(), ids=PEEKS)
def test_looking_at_validation_rows_is_seen_in_the_files(cheat: Cheat, is_fair: bool, tmp_path: Path) -> None:
    assert holds("validation_rows_teach_nothing", contract(cheat), tmp_path) == is_fair


@pytest.mark.parametrize("law", ["it_beats_a_constant", "scripts_without_spaces_are_learned"])
def test_who_learns_nothing_must_say_so(law: str, tmp_path: Path) -> None:
    assert not holds(law, contract(Cheat(), learns=True), tmp_path)


def test_who_says_so_is_not_asked_for_scripts_without_spaces(tmp_path: Path) -> None:
    assert holds("scripts_without_spaces_are_learned", contract(Cheat()), tmp_path)


def reading(scores: np.ndarray, texts: list[str], tell: Callable[[str], int | None]) -> np.ndarray:
    """Return sure answers where a text tells its class, and the scores where it does not."""
    found = [tell(text) for text in texts]
    rows = [scores[place] if code is None else np.eye(scores.shape[1])[code] for place, code in enumerate(found)]
    return np.array(rows).reshape(scores.shape)


def by_letters(text: str) -> int | None:
    """Tell a class by the letters of the script without spaces."""
    return next((code for code, letter in enumerate("\u597d\u574f\u5feb") if letter in text), None)


def by_words(text: str) -> int | None:
    """Tell a class by whole words alone, which such a script does not part."""
    return next((code for code, letter in enumerate("\u597d\u574f\u5feb") if letter in text.split()), None)


@pytest.mark.parametrize(("tell", "is_learned"), [(by_letters, True), (by_words, False)], ids=["letters", "words"])
def test_scripts_without_spaces_are_learned_by_letters_and_not_by_blanks(
    tell: Callable[[str], int | None], is_learned: bool, tmp_path: Path
) -> None:
    laws = contract(answers(lambda scores, texts: reading(scores, texts, tell)), learns=True)
    assert holds("scripts_without_spaces_are_learned", laws, tmp_path) == is_learned


def test_an_error_that_is_no_timeout_is_no_excuse(tmp_path: Path) -> None:
    def failing(data: ArrayData, ctx: LocalContext) -> ArrayData:
        raise MemoryError("too late")

    with pytest.raises(MemoryError, match="too late"):
        contract(Cheat(shown=failing)).test_without_time_it_ends_early_or_says_so(tmp_path)


def test_a_timeout_is_an_answer_where_there_is_no_time(tmp_path: Path) -> None:
    def hurried(data: ArrayData, ctx: LocalContext) -> ArrayData:
        assert (ctx.is_timed, ctx.seconds) == (True, 0.0)
        raise TimeoutError("no time to begin")

    assert holds("without_time_it_ends_early_or_says_so", contract(Cheat(shown=hurried)), tmp_path)


def test_a_rule_of_other_columns_is_refused(tmp_path: Path) -> None:
    rule = TableRule((Column("said", "text"), Column("price", "number")))
    spec = dataclasses.replace(SPOKEN.spec, input=rule.to_json())
    laws = contract(Cheat(), data=dataclasses.replace(SPOKEN, spec=spec))
    with pytest.raises(ValueError, match=r"one column of text for it\. Got columns of the kinds \['text', 'number'\]"):
        laws.test_its_encoder_fits_the_rule_of_the_data(tmp_path)


def shown_by(law: str, folder: Path) -> tuple[ArrayData, LocalContext]:
    """Return what a law has a candidate learn from."""
    seen: list[tuple[ArrayData, LocalContext]] = []
    laws = contract(Cheat(lambda model, data, ctx: seen.append((data, ctx)) or model), learns=True)
    holds(law, laws, folder)
    return seen[-1]


def test_training_texts_are_empty_and_no_others_where_all_shall_be(tmp_path: Path) -> None:
    data, ctx = shown_by("texts_that_are_all_empty_are_survived", tmp_path)
    assert set(data.X[ctx.train_rows].texts[0]) == {""}
    assert list(data.X[ctx.valid_rows].texts[0]) == list(SPOKEN.X[ctx.valid_rows].texts[0])


def test_the_script_without_spaces_has_none_and_a_letter_of_its_own_for_each_class(tmp_path: Path) -> None:
    data, _ = shown_by("scripts_without_spaces_are_learned", tmp_path)
    words = list(data.X.texts[0])
    assert not any(" " in word or word.isascii() for word in words)
    assert [by_letters(word) for word in words] == data.y.tolist()


def test_weights_of_rows_are_shown_to_the_candidate(tmp_path: Path) -> None:
    data, _ = shown_by("weights_of_rows_change_the_model", tmp_path)
    assert data.weights is not None
    assert data.weights.mean() == pytest.approx(1)
    assert data.weights[data.y == 0].min() > 100 * data.weights[data.y != 0].max()


def test_poison_is_in_the_given_rows_alone() -> None:
    rows, others = np.arange(0, 180, 4), np.setdiff1d(np.arange(180), np.arange(0, 180, 4))
    bad = contract(Cheat()).poisoned(rows)
    assert list(bad.X[others].texts[0]) == list(SPOKEN.X[others].texts[0])
    np.testing.assert_array_equal(bad.y[others], SPOKEN.y[others])
    assert all(text.startswith("poison") for text in bad.X[rows].texts[0])
    assert (bad.y[rows] != SPOKEN.y[rows]).mean() > 0.5
    assert (np.bincount(bad.y, minlength=3) != np.bincount(SPOKEN.y)).all()


def test_poison_leaves_the_texts_as_they_were() -> None:
    before, codes = list(SPOKEN.X.texts[0]), SPOKEN.y.copy()
    contract(Cheat()).poisoned(np.arange(180))
    assert list(SPOKEN.X.texts[0]) == before
    np.testing.assert_array_equal(SPOKEN.y, codes)


def test_the_texts_are_what_the_suite_promises_of_them() -> None:
    texts = list(SPOKEN.X.texts[0])
    assert len(texts) == SPOKEN.spec.rows >= 100
    assert texts.count("") == 1
    assert SPOKEN.spec.class_counts == tuple(np.bincount(SPOKEN.y)) == (60, 60, 60)


def test_strange_texts_are_none_blank_long_and_of_other_scripts() -> None:
    strange = list(contract(Cheat()).strange().texts[0])
    assert strange == list(text_table(STRANGE).texts[0]) == list(STRANGE)
    assert min(map(len, strange)) == 0
    assert max(map(len, strange)) > 100 * max(map(len, SPOKEN.X.texts[0]))
    assert {text.isspace() for text in strange} == {True, False}
    assert not all(text.isascii() for text in strange)
