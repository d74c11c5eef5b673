from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from automl.serving.encoders import encoder_of
from automl.serving.series import Series, SeriesRule
from automl.serving.series_encoder import SeriesEncoder, check
from automl.serving.series_views import MAX_WIDTH

SERIES = Series.of([np.arange(2.0 * n).reshape(n, 2) for n in (2, 4)])
LENGTH = {"version": 1, "kind": "summary", "channels": 2, "longest": 9, "points": 2, "parts": ["length"]}
POINTS = {**LENGTH, "parts": ["points"]}
STEPS = {"version": 1, "kind": "steps", "channels": 2, "longest": 9, "pool": 1, "scaling": "rows",
         "means": [0, 0], "scales": [1, 1], "differences": [], "gaps": []}  # fmt: skip


def joined(*plans: object) -> dict[str, Any]:
    return {"version": 1, "kind": "joined", "plans": list(plans)}


def test_a_plan_is_computed_by_its_kind() -> None:
    encoder = encoder_of("series", LENGTH)
    assert encoder.width == 1
    assert encoder.compute(SERIES).tolist() == [[2], [4]]


def test_steps_have_no_width() -> None:
    encoder = SeriesEncoder(STEPS)
    assert encoder.width is None
    assert encoder.compute(SERIES).shape == (2, 2, 4)


def test_joined_plans_stand_side_by_side() -> None:
    encoder = SeriesEncoder(joined(LENGTH, POINTS))
    assert encoder.width == 5
    assert encoder.compute(SERIES).tolist() == [[2, 0, 2, 1, 3], [4, 0, 6, 1, 7]]


def test_a_plan_that_fits_the_rule_is_let_through() -> None:
    check(joined(LENGTH, POINTS), SeriesRule(("a", "b")))


def test_a_plan_for_other_channels_is_refused() -> None:
    with pytest.raises(ValueError, match=r"channels must be the 3 of the input\. Got 2"):
        check(LENGTH, SeriesRule(("a", "b", "c")))


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ({**LENGTH, "version": 2}, "version must be 1 for this reader. Got 2"),
        ({**LENGTH, "version": True}, "version must be 1 for this reader. Got True"),
        ({**LENGTH, "version": 1.0}, "version must be 1 for this reader. Got 1.0"),
        ({**STEPS, "version": 1.0}, "version must be 1 for this reader. Got 1.0"),
        ({**LENGTH, "kind": "wavelets"}, "kind must be one of steps, summary"),
        (joined(), "plans must be a list of 1 to"),
        (joined(*[LENGTH] * 17), "plans must be at most 16. Got 17"),
        (joined(LENGTH, {**LENGTH, "channels": 3}), "plans must read the same channels"),
        (joined(STEPS), "kind must be one of summary, rocket, hydra"),
        (joined(joined(LENGTH)), "kind must be one of summary, rocket, hydra"),
        (joined(7), "plans must be an object"),
    ],
    ids=["version", "true", "float", "float-of-steps", "kind", "none", "many", "channels", "steps", "nested", "number"],
)
def test_a_malformed_plan_is_refused(plan: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SeriesEncoder(plan)


WIDE = {**POINTS, "channels": 500, "points": 1000}  # half a million numbers


def test_joined_plans_may_give_a_million_numbers_and_no_more() -> None:
    assert SeriesEncoder(joined(WIDE, WIDE)).width == MAX_WIDTH == 1_000_000
    one = {**WIDE, "parts": ["length"]}
    with pytest.raises(ValueError, match=r"^plan: width must be at most 1000000 numbers for a series\. Got 1000001$"):
        SeriesEncoder(joined(WIDE, one, WIDE))


def test_a_summary_alone_is_bounded_too() -> None:
    with pytest.raises(ValueError, match=r"width must be at most 1000000 numbers for a series\. Got 1024000"):
        SeriesEncoder({**WIDE, "channels": 1000, "points": 1024})
