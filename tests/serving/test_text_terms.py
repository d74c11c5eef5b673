from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from automl.serving import text_terms
from automl.serving.text_terms import Counts, Terms, Weighing, batches, packed

WORDS: dict[str, Any] = {
    "of": "words", "low": 1, "high": 2, "marks": False, "edges": False, "terms": ["good", "bad", "not good"],
    "weights": [1.0, 2.0, 3.0],
}  # fmt: skip
SIGNS: dict[str, Any] = {
    "of": "characters", "low": 2, "high": 3, "inside": True, "terms": ["go", "ood", "d "], "weights": [1.0, 1.0, 2.0],
}  # fmt: skip


def plan(*parts: dict[str, Any], **values: Any) -> dict[str, Any]:
    return {
        "lower": True,
        "longest": 100,
        "counting": "raw",
        "norm": "none",
        "parts": list(parts or (WORDS,)),
        **values,
    }


def computed(texts: list[str], *parts: dict[str, Any], **values: Any) -> list[dict[int, float]]:
    out = Terms.from_json(plan(*parts, **values)).compute(texts)
    return [{int(i): round(float(w), 5) for i, w in zip(*row, strict=True) if i} for row in out]


def test_ids_start_at_one_and_counts_are_weighed() -> None:
    assert computed(["good bad bad", "not good"]) == [{1: 1.0, 2: 4.0}, {1: 1.0, 3: 3.0}]


def test_texts_without_terms_are_rows_of_zeros() -> None:
    out = Terms.from_json(plan()).compute(["", "zebra"])
    assert out.tolist() == [[[0.0], [0.0]], [[0.0], [0.0]]]


def test_no_text_gives_no_row() -> None:
    assert Terms.from_json(plan()).compute([]).shape == (0, 2, 1)


def test_the_second_part_goes_on_counting_ids() -> None:
    assert computed(["good"], WORDS, SIGNS) == [{1: 1.0, 4: 1.0, 5: 1.0, 6: 2.0}]


@pytest.mark.parametrize(
    ("counting", "weight"), [("raw", 3.0), ("log", round(1 + np.log(3), 5)), ("once", 1.0)], ids=["raw", "log", "once"]
)
def test_a_count_weighs_by_the_way_of_counting(counting: str, weight: float) -> None:
    assert computed(["good good good"], counting=counting)[0][1] == pytest.approx(weight, abs=1e-5)


def test_parts_are_normed_by_themselves_or_together() -> None:
    each = Terms.from_json(plan(WORDS, SIGNS, norm="each")).compute(["good bad"])
    every = Terms.from_json(plan(WORDS, SIGNS, norm="all")).compute(["good bad"])
    assert (each[:, 1] ** 2).sum() == pytest.approx(2)
    assert (every[:, 1] ** 2).sum() == pytest.approx(1)


def test_a_row_is_the_same_alone_and_among_others() -> None:
    reader = Terms.from_json(plan(WORDS, SIGNS, norm="each", counting="log"))
    texts = ["good", "not good bad " * 9, "", "a bad good"]
    together = reader.compute(texts)
    for row, text in enumerate(texts):
        alone = reader.compute([text])[0]
        np.testing.assert_array_equal(together[row, :, : alone.shape[1]], alone)


def test_what_lies_behind_the_longest_is_not_read() -> None:
    assert computed(["x" * 100 + " good"]) == [{}]


def test_a_vocabulary_may_be_empty() -> None:
    assert computed(["good"], {**WORDS, "terms": [], "weights": []}, SIGNS) == [{1: 1.0, 2: 1.0, 3: 2.0}]


def test_batches_keep_the_order_and_lose_nothing() -> None:
    texts = [str(place) * 1000 for place in range(3000)]
    found = list(batches(texts, 500))
    assert len(found) > 1
    assert [text for batch in found for text in batch] == [text[:500] for text in texts]


def test_many_texts_are_counted_as_few_are() -> None:
    texts = ["good " * 300 + f"bad {place}" for place in range(900)]
    assert computed(texts, longest=2000) == [{1: 300.0, 2: 2.0}] * 900


def test_norms_of_nothing_divide_nothing() -> None:
    nothing = Counts(np.array([0, 0, 1]), np.array([0], np.int32), np.array([2.0], np.float32))
    weighed = Weighing("raw", "each").weigh([nothing], [np.ones(1)])
    assert packed(weighed, [1]).tolist() == [[[0.0], [0.0]], [[1.0], [1.0]]]


WRONG = {
    "no part": ({"parts": []}, "parts must be a list"),
    "too many parts": ({"parts": [WORDS] * 9}, "parts must be at most 8"),
    "a part that is a text": ({"parts": ["words"]}, "parts must be an object"),
    "another way of counting": ({"counting": "twice"}, "counting must be one of"),
    "another norm": ({"norm": "l1"}, "norm must be one of"),
    "too long": ({"longest": 10**9}, "longest must be a whole number"),
    "other runs": ({"parts": [{**WORDS, "of": "syllables"}]}, "of must be one of"),
    "low above high": ({"parts": [{**WORDS, "low": 3}]}, "low must be a whole number"),
    "too high": ({"parts": [{**WORDS, "high": 9}]}, "high must be a whole number"),
    "a term that is too long": ({"parts": [{**WORDS, "terms": ["a", "b", "a b c"]}]}, "runs of 1 to 2 words"),
    "a term that is too short": ({"parts": [{**SIGNS, "terms": ["a", "bb", "cc"]}]}, "runs of 2 to 3 characters"),
    "a term twice": ({"parts": [{**WORDS, "terms": ["a", "a", "b"]}]}, "terms must be different"),
    "a weight too few": ({"parts": [{**WORDS, "weights": [1.0]}]}, "weights must be a list of 3"),
    "a weight that is infinite": ({"parts": [{**WORDS, "weights": [1.0, float("inf"), 1.0]}]}, "finite"),
    "no flag": ({"parts": [{**SIGNS, "inside": "yes"}]}, "inside must be true or false"),
}  # fmt: skip


@pytest.mark.parametrize(("values", "message"), WRONG.values(), ids=WRONG.keys())
def test_a_malformed_plan_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Terms.from_json(plan(**values))


def test_more_terms_than_a_plan_may_have_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_terms, "MAX_TERMS", 5)
    with pytest.raises(ValueError, match=r"at most 5 terms together\. Got 6"):
        Terms.from_json(plan(WORDS, SIGNS))


def test_more_characters_than_can_be_told_apart_are_refused() -> None:
    terms = [chr(0x4E00 + place) * 6 for place in range(1100)]
    part = {**SIGNS, "low": 6, "high": 6, "terms": terms, "weights": [1.0] * 1100}
    with pytest.raises(ValueError, match="may have 1023 different ones"):
        Terms.from_json(plan(part))
