"""Every value of a plan of texts is read with care: each that is malformed is refused in one line that names it."""

from __future__ import annotations

import copy
import json
import math
from typing import Any

import numpy as np
import pytest

from automl.serving.table import Column, Table, TableRule
from automl.serving.text_encoder import TextEncoder, check
from automl.serving.text_grams import HIGHEST, most_tokens
from automl.serving.text_ids import MAX_TOKENS, flag
from automl.serving.text_ids import terms as terms_of
from automl.serving.text_terms import MAX_LONGEST, MAX_WEIGHT
from automl.serving.texts import Texts

WORDS: dict[str, Any] = {
    "of": "words", "low": 1, "high": 2, "marks": True, "edges": True, "terms": ["good", "not good", "\n good"],
    "weights": [1.0, 2.5, 3],
}  # fmt: skip
SIGNS: dict[str, Any] = {
    "of": "characters", "low": 2, "high": 3, "inside": True, "terms": ["go", "ood", "d "], "weights": [1.0, 0.0, -2.0],
}  # fmt: skip
COMMON: dict[str, Any] = {"version": 1, "kind": "terms", "lower": True, "longest": 50, "counting": "log", "norm": "all"}
PLANS: dict[str, dict[str, Any]] = {
    "tokens": {"version": 1, "kind": "tokens", "of": "words", "lower": True, "marks": False, "longest": 9,
               "terms": ["good", "bad"]},
    "words": {**COMMON, "parts": [WORDS]},
    "characters": {**COMMON, "parts": [SIGNS]},
    "both": {**COMMON, "parts": [WORDS, SIGNS]},
}  # fmt: skip
RULE = TableRule((Column("said", "text"),))
SAID = ["not good", "", "good good BAD", "\u732b"]

FLAGS = [None, 0, 1, 1.0, "true", [], {}]
WHOLES = [None, True, "1", 1.5, 2.0, -1, 0, 10**12, 10**400, math.nan, [1], {}]
CHOICES = [None, "", "Words", "words ", 3, ["words"], {}, True]
TERMS = [
    None,
    "good",
    {"good": 1},
    [""],
    ["good", None],
    ["good", 1],
    [["good"]],
    ["good", "good"],
    [b"good"],
    (),
    ["good", "\ud83d"],
]
WEIGHTS = [None, "123", [], [1.0], [1.0] * 4, [1, 2, None], [1, 2, "3"], [1, 2, True], [1, 2, math.nan],
           [1, 2, -math.inf], [1, 2, 10**400], [1, 2, 3e38], [1, 2, -1e39], [[1, 2, 3]], {"0": 1}]  # fmt: skip
PARTS = [None, {}, [], "words", WORDS, [None], [["words"]], [WORDS] * 9]
FIELDS = {"lower": FLAGS, "marks": FLAGS, "edges": FLAGS, "inside": FLAGS, "longest": WHOLES, "low": WHOLES,
          "high": WHOLES, "of": CHOICES, "counting": CHOICES, "norm": CHOICES, "kind": CHOICES, "terms": TERMS,
          "weights": WEIGHTS, "parts": PARTS, "version": [None, 0, 2, "1", [1], math.nan, 1.0, True]}  # fmt: skip


def malformed(plan: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    """The plan with one value changed, in the plan or in its last part."""
    plan = copy.deepcopy(plan)
    (plan if name in plan else plan["parts"][-1])[name] = value
    return plan


def names_of(plan: dict[str, Any]) -> list[str]:
    return [*plan, *plan.get("parts", [{}])[-1]]


def table(*texts: str) -> Table:
    return Table(np.zeros((len(texts), 0)), (Texts.of(texts),))


def terms_plan(part: dict[str, Any], terms: list[str], **values: Any) -> dict[str, Any]:
    return {**COMMON, "parts": [{**part, "terms": terms, "weights": [1.0] * len(terms), **values}]}


EVERY = [(kind, name, value) for kind, plan in PLANS.items() for name in names_of(plan) for value in FIELDS[name]]


@pytest.mark.parametrize(("kind", "name", "value"), EVERY, ids=[f"{k}-{n}-{str(v)[:20]}" for k, n, v in EVERY])
def test_each_malformed_value_is_refused_by_its_name_in_a_short_line(kind: str, name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=rf"^plan: {name} must [^\n]{{1,200}}$"):
        TextEncoder(malformed(PLANS[kind], name, value))


MISSING = [(kind, name) for kind, plan in PLANS.items() for name in names_of(plan)]


@pytest.mark.parametrize(("kind", "name"), MISSING, ids=[f"{kind}-{name}" for kind, name in MISSING])
def test_each_missing_value_is_refused_by_its_name(kind: str, name: str) -> None:
    plan = copy.deepcopy(PLANS[kind])
    del (plan if name in plan else plan["parts"][-1])[name]
    with pytest.raises(ValueError, match=rf"^plan: {name} must .*Got .?None"):
        check(plan, RULE)


@pytest.mark.parametrize("kind", PLANS)
def test_a_plan_is_the_same_after_a_file_of_json_and_is_left_as_it_was(kind: str) -> None:
    before = json.dumps(PLANS[kind])
    direct = TextEncoder(PLANS[kind]).compute(table(*SAID))
    np.testing.assert_array_equal(TextEncoder(json.loads(before)).compute(table(*SAID)), direct)
    assert json.dumps(PLANS[kind]) == before


def answer(plan: dict[str, Any]) -> np.ndarray | str:
    """What a plan gives, or why it is refused."""
    try:
        return TextEncoder(plan).compute(table(*SAID))
    except ValueError as error:
        return str(error)


@pytest.mark.parametrize("seed", range(20), ids=str)
@pytest.mark.parametrize("kind", PLANS)
def test_a_plan_with_any_value_swapped_is_refused_or_computed(kind: str, seed: int) -> None:
    rng, junk = np.random.default_rng(seed), [value for values in FIELDS.values() for value in values]
    names, plan = names_of(PLANS[kind]), PLANS[kind]
    for _ in range(12):
        found = answer(malformed(plan, names[rng.integers(len(names))], junk[rng.integers(len(junk))]))
        if isinstance(found, str):
            assert found.startswith("plan: ")
        else:
            assert (len(found), found.dtype, bool(np.isfinite(found).all())) == (len(SAID), np.float32, True)


@pytest.mark.parametrize("plan", [None, [], "plan", 3, [PLANS["tokens"]]], ids=["none", "list", "text", "number", "in"])
def test_what_is_no_object_is_no_plan(plan: Any) -> None:
    with pytest.raises(ValueError, match=r"^plan: it must be an object"):
        TextEncoder(plan)


@pytest.mark.parametrize("kind", PLANS)
def test_a_field_that_no_one_reads_changes_nothing(kind: str) -> None:
    more = {**PLANS[kind], "comment": ["x"] * 9}
    expected = TextEncoder(PLANS[kind]).compute(table(*SAID))
    np.testing.assert_array_equal(TextEncoder(more).compute(table(*SAID)), expected)


@pytest.mark.parametrize(
    ("kind", "longest"),
    [("tokens", 1), ("tokens", MAX_TOKENS), ("words", 1), ("both", MAX_LONGEST)],
    ids=["one token", "most tokens", "one sign", "most signs"],
)
def test_the_ends_of_a_range_are_in_it(kind: str, longest: int) -> None:
    assert len(TextEncoder({**PLANS[kind], "longest": longest}).compute(table(*SAID))) == len(SAID)


@pytest.mark.parametrize(
    ("kind", "longest"), [("tokens", MAX_TOKENS + 1), ("words", MAX_LONGEST + 1)], ids=["tokens", "terms"]
)
def test_one_more_than_a_range_has_is_outside(kind: str, longest: int) -> None:
    with pytest.raises(ValueError, match=rf"longest must be a whole number in \[1, {longest - 1}\]. Got {longest}"):
        TextEncoder({**PLANS[kind], "longest": longest})


def test_eight_parts_are_as_many_as_may_be() -> None:
    out = TextEncoder({**COMMON, "parts": [WORDS] * 8}).compute(table("good"))
    assert out[0, 0].tolist() == [place * 3 + term for place in range(8) for term in (1, 3)]


def test_many_more_parts_than_may_be_are_not_read() -> None:
    with pytest.raises(ValueError, match=r"parts must be at most 8. Got 9 and more"):
        TextEncoder({**COMMON, "parts": [WORDS] * 9 + [None] * 1000})


WRONG_TERMS = {
    "a run of too many words": (WORDS, "a b c", "runs of 1 to 2 words. Got 'a b c'"),
    "a sign too few": (SIGNS, "a", "runs of 2 to 3 characters. Got 'a'"),
    "a sign too many": (SIGNS, "abcd", "runs of 2 to 3 characters. Got 'abcd'"),
    "a nul": (SIGNS, "a\0", "runs of 2 to 3 characters"),
    "a term without end": (SIGNS, "x" * 10_000, f"Got '{'x' * 60}'$"),
}


@pytest.mark.parametrize(("part", "term", "message"), WRONG_TERMS.values(), ids=WRONG_TERMS.keys())
def test_a_term_that_is_no_run_of_the_part_is_named(part: dict[str, Any], term: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TextEncoder(terms_plan(part, ["go", "of", term][-2:] if part is SIGNS else ["go", term]))


@pytest.mark.parametrize("high", [5, HIGHEST], ids=str)
@pytest.mark.parametrize(("part", "between"), [(WORDS, " "), (SIGNS, "")], ids=["words", "characters"])
def test_as_many_tokens_as_can_be_told_apart_are_read(part: dict[str, Any], between: str, high: int) -> None:
    tokens = [chr(0x4E00 + place) for place in range(most_tokens(high))]
    plan = terms_plan(part, [between.join([token, token]) for token in tokens], low=1, high=high)
    out = TextEncoder(plan).compute(table(between.join([tokens[-1]] * 3)))
    assert out[0, 0].tolist() == [len(tokens)]


@pytest.mark.parametrize(("part", "between"), [(WORDS, " "), (SIGNS, "")], ids=["words", "characters"])
def test_one_token_more_than_can_be_told_apart_is_refused(part: dict[str, Any], between: str) -> None:
    tokens = [chr(0x4E00 + place) for place in range(most_tokens(HIGHEST) + 1)]
    plan = terms_plan(part, [between.join([token, token]) for token in tokens], low=1, high=HIGHEST)
    with pytest.raises(ValueError, match=rf"up to 6 {part['of']} may have 1023 different ones. Got 1024 different"):
        TextEncoder(plan)


@pytest.mark.parametrize("kind", PLANS)
@pytest.mark.parametrize("columns", [(), ("number",), ("text", "text"), ("text", "number")], ids=str)
def test_a_sound_plan_fits_one_column_of_text_only(kind: str, columns: tuple[Any, ...]) -> None:
    rule = TableRule(tuple(Column(f"c{place}", column) for place, column in enumerate(columns)))
    with pytest.raises(ValueError, match=r"must be one column of text for it. Got columns of the kinds"):
        check(PLANS[kind], rule)


@pytest.mark.parametrize("value", [True, False])
def test_a_flag_is_read_as_it_is(value: bool) -> None:
    assert flag({"lower": value}, "lower") is value


def test_as_many_terms_as_may_be_are_read_in_their_order() -> None:
    assert terms_of({"terms": ["b", "a", "B"]}, 3) == ["b", "a", "B"]


def test_a_term_more_than_may_be_is_refused() -> None:
    with pytest.raises(ValueError, match=r"must be a list of at most 2 texts, none empty. Got \['b', 'a', 'B'\]"):
        terms_of({"terms": ["b", "a", "B"]}, 2)


def test_terms_that_stand_twice_are_counted() -> None:
    with pytest.raises(ValueError, match=r"terms must be different. Got 3 twice"):
        terms_of({"terms": ["a", "b", "a", "b", "a"]}, 9)


@pytest.mark.parametrize("part", [WORDS, SIGNS], ids=["words", "characters"])
@pytest.mark.parametrize("weights", [None, [1.0], ["junk"], {}, "x" * 9999], ids=["none", "one", "text", "{}", "long"])
def test_a_part_without_terms_has_no_weights_either(part: dict[str, Any], weights: Any) -> None:
    with pytest.raises(ValueError, match=r"^plan: weights must be \[\] where there are no terms\. Got .{1,90}$"):
        TextEncoder(terms_plan(part, [], weights=weights))


@pytest.mark.parametrize("counting", ["raw", "log", "once"])
@pytest.mark.parametrize("norm", ["none", "each", "all"])
def test_the_largest_weights_give_finite_numbers_however_often_a_term_is_there(counting: str, norm: str) -> None:
    part = {**WORDS, "terms": ["a", "b", "c"], "weights": [MAX_WEIGHT, -MAX_WEIGHT, 1e-300]}
    plan = {**COMMON, "longest": MAX_LONGEST, "counting": counting, "norm": norm, "parts": [part]}
    assert np.isfinite(TextEncoder(plan).compute(table("a " * (MAX_LONGEST // 2), "b", "c"))).all()


@pytest.mark.parametrize(
    "value",
    [["x" * 10_000, ""], [["x" * 10_000]], {"x" * 10_000: 1}, "x" * 10_000],
    ids=["a term", "a list", "an object", "a text"],
)
def test_long_values_are_cut_in_messages(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^plan: terms must be .{1,200}$"):
        terms_of({"terms": value}, 9)
