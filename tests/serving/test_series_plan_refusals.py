"""Each value of each kind of plan, made malformed in turn, is refused in one short line; what is let through runs."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from automl.serving import table_fields
from automl.serving.encoders import encoder_of
from automl.serving.errors import ModelError
from automl.serving.series import Series, SeriesRule
from automl.serving.series_encoder import check
from automl.serving.series_hydra import GAIN as HYDRA_GAIN
from automl.serving.series_rocket import GAIN as ROCKET_GAIN
from automl.serving.series_views import EXACT, View

Path = tuple[Any, ...]
RULE = SeriesRule(("a", "b"))
VIEW: dict[str, Any] = {"difference": False, "scaling": "rows", "means": [0.5, -1.0], "scales": [1.0, 2.0]}
ROCKET_BANK: dict[str, Any] = {
    "dilation": 2, "parity": 0, "channels": [0, 1], "use": [1, 2, 3] * 28, "biases": [0, 500] * 84,
}  # fmt: skip
HYDRA_BANK: dict[str, Any] = {
    "dilation": 1, "channels": [1, 0], "use": [1, 3], "kernels": [1, -2, 3, -4, 5, -6, 7, -8, 9] * 6,
}  # fmt: skip
SUMMARY: dict[str, Any] = {
    "version": 1, "kind": "summary", "channels": 2, "longest": 20, "points": 3,
    "parts": ["length", "level", "quantiles", "shape", "memory", "bands", "points", "pairs"],
}  # fmt: skip
ROCKET: dict[str, Any] = {
    "version": 1, "kind": "rocket", "channels": 2, "longest": 20, "padded": 9, "pooling": "several",
    "views": [{**VIEW, "banks": [ROCKET_BANK]}, {**VIEW, "difference": True, "banks": [{**ROCKET_BANK, "parity": 1}]}],
}  # fmt: skip
HYDRA: dict[str, Any] = {
    "version": 1, "kind": "hydra", "channels": 2, "longest": 20, "padded": 0, "reference": 15, "size": 3,
    "views": [{**VIEW, "scaling": "series", "banks": [HYDRA_BANK, {**HYDRA_BANK, "dilation": 4}]}],
}  # fmt: skip
PLANS: dict[str, dict[str, Any]] = {
    "steps": {
        "version": 1, "kind": "steps", "channels": 2, "longest": 20, "pool": 2, "scaling": "rows", "means": [0.0, 1.0],
        "scales": [1.0, 2.0], "differences": [0.5, 0.25], "gaps": [0, 1], "clock": True,
    },
    "summary": SUMMARY,
    "rocket": ROCKET,
    "hydra": HYDRA,
    "joined": {"version": 1, "kind": "joined", "plans": [SUMMARY, HYDRA]},
}  # fmt: skip


def places(value: object, path: Path = ()) -> Iterator[Path]:
    """Yield where each value of a plan stands; of a long list of numbers the first and the last."""
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*path, key))
    elif isinstance(value, list):
        shown = range(len(value)) if len(value) <= 8 else (0, len(value) - 1)
        for place in shown:
            yield from places(value[place], (*path, place))


def at(plan: Any, path: Path) -> Any:
    for step in path:
        plan = plan[step]
    return plan


def put(kind: str, path: Path, value: object) -> Any:
    """Return a plan of a kind with something else at one place."""
    if not path:
        return value
    plan = copy.deepcopy(PLANS[kind])
    at(plan, path[:-1])[path[-1]] = value
    return plan


ALL = [(kind, path) for kind, plan in PLANS.items() for path in places(plan)]
KEYS = [(kind, path) for kind, path in ALL if path and isinstance(path[-1], str) and path[-1] != "clock"]
JUNK: dict[str, Any] = {
    "null": None, "text": "?", "object": {}, "true": True, "nan": float("nan"), "infinity": float("inf"),
    "huge": 10**400, "nested": [[]],
}  # fmt: skip


def name(value: object) -> str:
    return ".".join(map(str, value)) or "plan" if isinstance(value, tuple) else str(value)


@pytest.mark.parametrize(("kind", "path"), ALL, ids=name)
def test_a_value_of_another_kind_is_refused_wherever_it_stands(kind: str, path: Path) -> None:
    is_truth = isinstance(at(PLANS[kind], path), bool)
    for junk in (1 if value is True and is_truth else value for value in JUNK.values()):
        with pytest.raises(ValueError, match=r"^plan: .* Got ") as refused:
            check(put(kind, path, junk), RULE)
        assert len(str(refused.value)) < 300


@pytest.mark.parametrize(("kind", "path"), KEYS, ids=name)
def test_a_plan_that_lacks_a_key_is_refused(kind: str, path: Path) -> None:
    plan = copy.deepcopy(PLANS[kind])
    del at(plan, path[:-1])[path[-1]]
    with pytest.raises(ValueError, match=r"^plan: .* Got "):
        check(plan, RULE)


COUNTED = ("means", "scales", "differences", "use", "kernels", "biases")


@pytest.mark.parametrize(("kind", "path"), [(k, p) for k, p in ALL if p and p[-1] in COUNTED], ids=name)
def test_a_list_that_is_one_entry_short_or_long_is_refused(kind: str, path: Path) -> None:
    entries = at(PLANS[kind], path)
    for other in (entries[:-1], [*entries, entries[-1]]):
        with pytest.raises(ValueError, match=r"^plan: .* Got "):
            check(put(kind, path, other), RULE)


def test_only_the_clock_may_be_left_out() -> None:
    plan = {key: value for key, value in PLANS["steps"].items() if key != "clock"}
    check(plan, RULE)
    assert encoder_of("series", plan).compute(Series.of([np.zeros((4, 2))])).shape == (1, 6, 2)


VIEW_0, BANK_0 = ("views", 0), ("views", 0, "banks", 0)
RANGES: dict[str, tuple[str, Path, int, int]] = {
    "steps longest": ("steps", ("longest",), 1, 1 << 20),
    "steps pool": ("steps", ("pool",), 1, 1 << 20),
    "summary longest": ("summary", ("longest",), 1, 1 << 16),
    "summary points": ("summary", ("points",), 0, 1024),
    "rocket padded": ("rocket", ("padded",), 0, 20),
    "rocket dilation": ("rocket", (*BANK_0, "dilation"), 1, 1 << 16),
    "rocket parity": ("rocket", (*BANK_0, "parity"), 0, 1),
    "rocket bias": ("rocket", (*BANK_0, "biases", 167), -EXACT, EXACT),
    "rocket use": ("rocket", (*BANK_0, "use", 83), 1, 3),
    "rocket place": ("rocket", (*BANK_0, "channels", 1), 0, 1),
    "hydra padded": ("hydra", ("padded",), 0, 20),
    "hydra reference": ("hydra", ("reference",), 1, 1 << 16),
    "hydra dilation": ("hydra", (*BANK_0, "dilation"), 1, 1 << 16),
    "hydra use": ("hydra", (*BANK_0, "use", 1), 1, 3),
    "hydra place": ("hydra", (*BANK_0, "channels", 0), 0, 1),
}


@pytest.mark.parametrize("end", [0, 1], ids=["least", "largest"])
@pytest.mark.parametrize(("kind", "path", "low", "high"), RANGES.values(), ids=RANGES)
def test_the_ends_of_a_range_are_let_through(kind: str, path: Path, low: int, high: int, end: int) -> None:
    check(put(kind, path, (low, high)[end]), RULE)


@pytest.mark.parametrize("beyond", [-1, 1], ids=["below", "above"])
@pytest.mark.parametrize(("kind", "path", "low", "high"), RANGES.values(), ids=RANGES)
def test_what_lies_beyond_a_range_is_refused(kind: str, path: Path, low: int, high: int, beyond: int) -> None:
    with pytest.raises(ValueError, match=rf"in \[{low}, {high}\]\. Got "):
        check(put(kind, path, low - 1 if beyond < 0 else high + 1), RULE)


@pytest.mark.parametrize(("kind", "path", "low", "high"), RANGES.values(), ids=RANGES)
def test_half_a_number_is_refused_where_whole_ones_are_needed(kind: str, path: Path, low: int, high: int) -> None:
    with pytest.raises(ValueError, match=r"whole number"):
        check(put(kind, path, (low + high) / 2 + (0.5 if (low + high) % 2 == 0 else 0)), RULE)


SCALES = [
    (kind, path) for kind, path in ALL if len(path) > 1 and path[-2] in ("scales", "differences") and kind != "joined"
]


@pytest.mark.parametrize("scale", [0.0, -1.0, 9e-31, 1.1e38], ids=str)
@pytest.mark.parametrize(("kind", "path"), SCALES, ids=name)
def test_a_scale_that_could_not_divide_is_refused(kind: str, path: Path, scale: float) -> None:
    with pytest.raises(ValueError, match=rf"{path[-2]} must lie in \[1e-30, 1e\+38\]"):
        check(put(kind, path, scale), RULE)


@pytest.mark.parametrize("scale", [1e-30, 1e38], ids=str)
@pytest.mark.parametrize(("kind", "path"), SCALES, ids=name)
def test_the_smallest_and_the_largest_scale_give_finite_numbers(kind: str, path: Path, scale: float) -> None:
    found = encoder_of("series", put(kind, path, scale)).compute(Series.of([np.ones((20, 2)) * [[3e38, -3e38]]]))
    assert np.isfinite(found).all()


STRONG: dict[str, tuple[list[int], bool]] = {
    "as strong as may be": ([96, 0, 0, 0, 0, 0, 0, 0, 0], True),
    "both signs": ([48, 0, 0, -48, 0, 0, 0, 0, 0], True),
    "one more": ([48, 0, 0, -49, 0, 0, 0, 0, 0], False),
    "spread": ([11] * 8 + [-9], False),
}


@pytest.mark.parametrize(("kernel", "is_fit"), STRONG.values(), ids=STRONG)
def test_weights_of_a_kernel_are_bounded_whatever_their_signs(kernel: list[int], is_fit: bool) -> None:
    plan = put("hydra", (*BANK_0, "kernels"), [0] * 45 + kernel)
    if is_fit:
        check(plan, RULE)
        return
    with pytest.raises(ValueError, match=r"sizes sum to at most 96\. Got 97"):
        check(plan, RULE)


MOST: list[tuple[str, int]] = [("rocket", 9), ("hydra", 8)]


def pooled(kind: str, channels: int, used: int) -> dict[str, Any]:
    """Return a plan whose first bank chooses from so many channels, one twice or more, and sums so many."""
    plan = copy.deepcopy(PLANS[kind])
    bank = at(plan, BANK_0)
    bank["channels"], bank["use"] = [0] * channels, [2**used - 1] * len(bank["use"])
    return plan


@pytest.mark.parametrize(("kind", "most"), MOST, ids=["rocket", "hydra"])
def test_kernels_sum_no_more_channels_than_stay_exact(kind: str, most: int) -> None:
    check(pooled(kind, 12, most), RULE)
    with pytest.raises(ValueError, match=rf"use must name at most {most} channels\. Got {most + 1}"):
        check(pooled(kind, 12, most + 1), RULE)


@pytest.mark.parametrize("kind", ["rocket", "hydra"])
def test_a_bank_chooses_from_a_dozen_channels_at_most(kind: str) -> None:
    with pytest.raises(ValueError, match=r"channels of a bank must be at most 12\. Got 13"):
        check(pooled(kind, 13, 1), RULE)


@pytest.mark.parametrize("gain", [ROCKET_GAIN, HYDRA_GAIN], ids=["rocket", "hydra"])
def test_the_largest_response_of_any_plan_is_exact_in_single_precision(gain: int) -> None:
    view = View.from_json(VIEW, 2, gain=gain)
    largest = float(np.abs(view.whole(np.full((2, 1, 3), 1e300))).max())
    assert 0 < largest * gain <= EXACT


@pytest.mark.parametrize("kind", ["rocket", "hydra"])
def test_the_strongest_plan_on_the_largest_series_gives_finite_numbers(kind: str) -> None:
    plan = pooled(kind, 12, dict(MOST)[kind])
    at(plan, VIEW_0)["scaling"] = "rows"
    if kind == "hydra":
        at(plan, BANK_0)["kernels"] = [96, 0, 0, 0, 0, 0, 0, 0, 0, -96, 0, 0, 0, 0, 0, 0, 0, 0, 0] * 2 + [0] * 16
    found = encoder_of("series", plan).compute(Series.of([np.full((20, 2), 3e38), np.full((20, 2), -3e38)]))
    assert np.isfinite(found).all()


LONG: dict[str, tuple[str, Path]] = {
    "means": ("steps", ("means",)),
    "gaps": ("steps", ("gaps",)),
    "parts": ("summary", ("parts",)),
    "views": ("rocket", ("views",)),
    "biases": ("rocket", (*BANK_0, "biases")),
    "kernels": ("hydra", (*BANK_0, "kernels")),
    "plans": ("joined", ("plans",)),
}


@pytest.mark.parametrize(("kind", "path"), LONG.values(), ids=LONG)
def test_a_list_that_is_far_too_long_is_refused_in_one_short_line(kind: str, path: Path) -> None:
    endless = [at(PLANS[kind], path)[0]] * (table_fields.MAX_ENTRIES + 1)
    with pytest.raises(ValueError, match=rf"plan: {path[-1]} must be a list of .* entries\. Got") as refused:
        check(put(kind, path, endless), RULE)
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize("kind", PLANS)
def test_a_plan_for_other_channels_than_the_input_is_refused(kind: str) -> None:
    with pytest.raises(ValueError, match=r"channels must be the 3 of the input\. Got 2"):
        check(PLANS[kind], SeriesRule(("a", "b", "c")))


@pytest.mark.parametrize("kind", PLANS)
def test_checking_leaves_the_plan_as_it_was(kind: str) -> None:
    plan = copy.deepcopy(PLANS[kind])
    check(plan, RULE)
    assert plan == PLANS[kind]


@pytest.mark.parametrize("kind", PLANS)
def test_what_is_let_through_runs_on_the_oddest_series(kind: str) -> None:
    encoder = encoder_of("series", PLANS[kind])
    walk = np.random.default_rng(0).normal(size=(50, 2))
    found = encoder.compute(Series.of([walk, walk[:1], np.full((4, 2), np.nan), np.full((9, 2), 3e38)]))
    assert (found.dtype, len(found)) == (np.float32, 4)
    assert encoder.width in (None, found.shape[1])
    assert not np.isinf(found).any()


@pytest.mark.parametrize("kind", PLANS)
def test_keys_of_a_later_version_are_left_alone(kind: str) -> None:
    series = Series.of([np.arange(24.0).reshape(12, 2)])
    later = json.loads(json.dumps({**PLANS[kind], "later": {"than": ["this"]}}))
    expected = encoder_of("series", PLANS[kind]).compute(series)
    np.testing.assert_array_equal(encoder_of("series", later).compute(series), expected)


@pytest.mark.parametrize(("kind", "path"), KEYS, ids=name)
def test_the_encoder_refuses_what_the_check_refuses(kind: str, path: Path) -> None:
    with pytest.raises(ValueError, match=r"^plan: .* Got "):
        encoder_of("series", put(kind, path, object()))


def banked(kind: str, *counts: int) -> dict[str, Any]:
    """Return a plan with so many banks in each view."""
    view = {key: value for key, value in PLANS[kind]["views"][0].items() if key != "banks"}
    bank = dict(at(PLANS[kind], BANK_0), biases=[0] * 84)
    return {**PLANS[kind], "views": [{**view, "banks": [bank] * count} for count in counts]}


@pytest.mark.parametrize("counts", [(10_001,), (10_000, 1)], ids=["one view", "two views"])
@pytest.mark.parametrize("kind", ["rocket", "hydra"])
def test_banks_beyond_the_bound_are_refused_and_not_left_out(kind: str, counts: tuple[int, ...]) -> None:
    message = r"^plan: banks must be at most 10000 in all views together\. Got 10001$"
    with pytest.raises(ValueError, match=message):
        check(banked(kind, *counts), RULE)


@pytest.mark.parametrize("kind", ["rocket", "hydra"])
def test_as_many_banks_as_fit_the_bound_are_all_read(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"automl.serving.series_{kind}.MAX_BANKS", 5)
    width = encoder_of("series", banked(kind, 1)).width
    assert width is not None
    assert encoder_of("series", banked(kind, 3, 2)).width == 5 * width


@pytest.mark.parametrize("kind", ["rocket", "hydra"])
def test_a_plan_of_kernels_is_no_wider_than_any(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    width = encoder_of("series", banked(kind, 3)).width
    assert width is not None
    monkeypatch.setattr("automl.serving.series_views.MAX_WIDTH", width - 1)
    with pytest.raises(ValueError, match=rf"width must be at most {width - 1} numbers for a series\. Got {width}"):
        check(banked(kind, 3), RULE)


def test_scales_of_many_digits_are_cut_in_the_message() -> None:
    with pytest.raises(ValueError, match=r"^plan: scales must lie in .{1,110}$"):
        View.from_json({**VIEW, "scales": [10**300] * 2}, 2, gain=9)


def test_a_rule_of_another_kind_is_cut_in_the_message() -> None:
    with pytest.raises(ModelError, match=r"^input: kind must be 'series' here\. Got .{1,90}$"):
        SeriesRule.from_json({"kind": "x" * 10_000})
