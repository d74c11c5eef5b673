from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from automl.serving.series import Series, SeriesRule
from automl.serving.series_steps import BOUND, Steps, check, differences, run_means, runs_of

PLAN: dict[str, Any] = {
    "version": 1, "kind": "steps", "channels": 2, "longest": 6, "pool": 1, "scaling": "rows", "means": [1.0, 0.0],
    "scales": [2.0, 1.0], "differences": [], "gaps": [],
}  # fmt: skip
RULE = SeriesRule(("a", "b"))


def series(*lists: list[float]) -> Series:
    """Series whose second channel is ten times the first."""
    return Series.of([np.array(one, np.float32)[:, None] * [1.0, 10.0] for one in lists])


def test_channels_are_scaled_and_end_with_nan() -> None:
    found = Steps(PLAN).compute(series([1, 3, 5], [7]))
    np.testing.assert_array_equal(found[0], np.array([[0, 1, 2], [10, 30, 30]], np.float32))
    np.testing.assert_array_equal(found[1, 0], np.array([3, np.nan, np.nan], np.float32))
    assert found.dtype == np.float32


def test_each_series_can_be_scaled_by_itself() -> None:
    found = Steps({**PLAN, "scaling": "series"}).compute(series([1, 3, 5, 7], [4, 4]))
    np.testing.assert_allclose(found[0].mean(axis=1), 0, atol=1e-6)
    np.testing.assert_allclose(found[0].std(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(found[1, :, :2], np.zeros((2, 2)))


def test_differences_stand_beside_the_channels() -> None:
    found = Steps({**PLAN, "differences": [0.5, 1.0]}).compute(series([1, 3, 5], [1]))
    np.testing.assert_array_equal(found[0, 2], np.array([0, 2, 2], np.float32))
    assert found[1, 2, 0] == 0
    assert found.shape == (2, 4, 3)


def test_what_was_missing_is_told_by_a_channel_of_its_own() -> None:
    found = Steps({**PLAN, "gaps": [1]}).compute(series([1, np.nan, 5]))
    np.testing.assert_array_equal(found[0, 2], np.array([0, 1, 0], np.float32))
    assert found[0, 0, 1] == 1


def test_a_clock_tells_the_place_of_a_step() -> None:
    found = Steps({**PLAN, "longest": 5, "clock": True}).compute(series([1, 2, 3], [1] * 5, [1] * 9))
    np.testing.assert_array_equal(found[0, 2], np.array([-1, -0.5, 0, np.nan, np.nan], np.float32))
    np.testing.assert_array_equal(found[1, 2], found[2, 2])
    assert found[1, 2, 4] == 1


def test_a_channel_without_any_value_is_the_mean() -> None:
    found = Steps(PLAN).compute(series([np.nan, np.nan]))
    np.testing.assert_array_equal(found[0], np.zeros((2, 2)))


def test_neighbours_become_their_mean() -> None:
    found = Steps({**PLAN, "pool": 2, "means": [0.0, 0.0], "scales": [1.0, 1.0]}).compute(series([1, 3, 5, 7, 8]))
    np.testing.assert_array_equal(found[0, 0], np.array([2, 6, 8], np.float32))


@pytest.mark.parametrize("length", [7, 11, 12, 13, 600])
def test_longer_series_are_pressed_as_evenly_as_can_be(length: int) -> None:
    runs = runs_of(np.array([length]), longest=6, pool=1)
    assert len(runs.starts) == 6
    assert runs.sizes.sum() == length
    assert runs.sizes.max() - runs.sizes.min() <= 1


@pytest.mark.parametrize("pool", [1, 3])
def test_runs_cover_each_series_once(pool: int) -> None:
    lengths = np.random.default_rng(0).integers(1, 40, 50)
    ends = np.cumsum(lengths)
    runs = runs_of(ends, longest=9, pool=pool)
    assert np.isin(ends - lengths, runs.starts).all()
    np.testing.assert_array_equal(np.cumsum(runs.sizes)[runs.ends - 1], ends)
    assert np.diff(runs.ends, prepend=0).max() == 9


def test_means_of_runs_ignore_what_is_beside() -> None:
    runs = runs_of(np.array([3, 5]), longest=10, pool=2)
    np.testing.assert_array_equal(run_means(np.arange(5.0)[:, None], runs).ravel(), [0.5, 2.0, 3.5])


def test_the_first_step_of_a_series_has_no_difference() -> None:
    found = differences(np.array([[1.0], [4.0], [9.0], [7.0]]), np.array([2, 4]))
    np.testing.assert_array_equal(found.ravel(), [0, 3, 0, -2])


def test_any_number_is_brought_within_bounds() -> None:
    plan = {**PLAN, "means": [1e300, -1e300], "scales": [1e-30, 1.0], "differences": [1.0, 1.0], "scaling": "series"}
    for one in (PLAN, plan):
        found = Steps(one).compute(series([3e37, -3e37, 0, np.nan]))
        assert np.abs(found).max() <= BOUND


@pytest.mark.parametrize("scaling", ["rows", "series"])
def test_no_series_give_no_rows(scaling: str) -> None:
    plan = {**PLAN, "scaling": scaling, "differences": [1.0, 1.0], "gaps": [0], "clock": True}
    assert Steps(plan).compute(series([1, 2])[:0]).shape == (0, 6, 1)


def test_a_series_is_the_same_alone_as_among_others() -> None:
    rng = np.random.default_rng(0)
    rows = Series.of([rng.normal(size=(int(n), 2)) for n in rng.integers(1, 20, 12)])
    steps = Steps({**PLAN, "scaling": "series", "differences": [1.0, 2.0], "pool": 2})
    together = steps.compute(rows)
    for row in range(12):
        alone = steps.compute(rows[row : row + 1])[0]
        np.testing.assert_allclose(alone, together[row, :, : alone.shape[1]], atol=1e-6)


@pytest.mark.parametrize(
    ("changed", "said"),
    [({"version": 2}, "version must be 1"), ({"version": True}, "version must be 1"),
     ({"version": 1.0}, "version must be 1"), ({"kind": "rocket"}, "kind must be one of steps. Got 'rocket'"),
     ({"channels": 0}, "channels must be"), ({"longest": 0}, "longest must be"), ({"pool": 1.5}, "pool must be"),
     ({"scaling": "none"}, "scaling must be"), ({"means": [1.0]}, "means must be"),
     ({"means": [float("nan"), 0]}, "means must be finite"), ({"scales": [0.0, 1.0]}, "scales must lie"),
     ({"scales": None}, "scales must be"), ({"differences": [1.0]}, "differences must be"),
     ({"differences": [-1.0, 1.0]}, "differences must lie"), ({"gaps": [2]}, "gaps must be"),
     ({"gaps": [1, 1]}, "gaps must rise"), ({"gaps": None}, "gaps must be"), ({"clock": 1}, "clock must be")],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_a_malformed_plan_is_refused(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Steps({**PLAN, **changed})


def test_a_plan_must_fit_the_channels_of_the_input() -> None:
    check(PLAN, RULE)
    with pytest.raises(ValueError, match="channels must be the 1 of the input"):
        check(PLAN, SeriesRule(("a",)))
