from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from automl.serving.encoders import encoder_of
from automl.serving.table import Column, Table, TableRule
from automl.serving.text_encoder import TextEncoder, check
from automl.serving.texts import Texts

TOKENS: dict[str, Any] = {
    "version": 1, "kind": "tokens", "of": "words", "lower": True, "marks": False, "longest": 9, "terms": ["yes"],
}  # fmt: skip
TERMS: dict[str, Any] = {
    "version": 1, "kind": "terms", "lower": True, "longest": 9, "counting": "raw", "norm": "none",
    "parts": [{"of": "words", "low": 1, "high": 1, "marks": False, "edges": False, "terms": ["yes"], "weights": [1.0]}],
}  # fmt: skip
RULE = TableRule((Column("said", "text"),))


def table(*texts: str) -> Table:
    return Table(np.zeros((len(texts), 0)), (Texts.of(texts),))


@pytest.mark.parametrize(("plan", "shape"), [(TOKENS, (2, 2)), (TERMS, (2, 2, 1))], ids=["tokens", "terms"])
def test_each_kind_gives_its_shape(plan: dict[str, Any], shape: tuple[int, ...]) -> None:
    encoder = TextEncoder(plan)
    out = encoder.compute(table("yes no", "yes"))
    assert (out.shape, out.dtype, encoder.width) == (shape, np.float32, None)


@pytest.mark.parametrize("plan", [TOKENS, TERMS], ids=["tokens", "terms"])
def test_a_plan_fits_a_rule_of_one_text(plan: dict[str, Any]) -> None:
    check(plan, RULE)


def test_it_is_found_as_the_encoder_of_texts() -> None:
    assert encoder_of("text", TOKENS).compute(table("yes")).tolist() == [[3.0]]


@pytest.mark.parametrize(
    "columns",
    [
        (Column("a", "number"),),
        (Column("a", "text"), Column("b", "text")),
        (Column("a", "text"), Column("b", "number")),
    ],
    ids=["a number", "two texts", "a number beside"],
)
def test_a_rule_of_anything_else_is_refused(columns: tuple[Column, ...]) -> None:
    with pytest.raises(ValueError, match="must be one column of text"):
        check(TOKENS, TableRule(columns))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"version": 2}, "version must be 1"),
        ({"version": 1.0}, "version must be 1 .* Got 1.0"),
        ({"version": True}, "version must be 1 .* Got True"),
        ({"kind": "magic"}, "kind must be one of"),
        ({"kind": None}, "kind must be"),
    ],
    ids=["a later version", "a float", "true", "an unknown kind", "no kind"],
)
def test_a_plan_of_another_sort_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TextEncoder({**TOKENS, **values})


def test_a_plan_that_is_no_object_is_refused() -> None:
    with pytest.raises(ValueError, match="must be an object"):
        TextEncoder([TOKENS])  # type: ignore[arg-type]
