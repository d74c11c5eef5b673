from __future__ import annotations

import numpy as np
import pytest

from automl.serving.series_fill import filled

NAN = np.nan


def slow(values: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """The same, one series and channel after the other."""
    parts = []
    for part in np.split(values, ends[:-1]):
        out, place = part.copy(), np.arange(len(part))
        for channel in out.T:
            known = ~np.isnan(channel)
            if known.any():
                channel[:] = np.interp(place, place[known], channel[known])
        parts.append(out)
    return np.concatenate(parts)


@pytest.mark.parametrize(
    ("given", "expected"),
    [([1, NAN, 3], [1, 2, 3]), ([NAN, NAN, 2, NAN], [2, 2, 2, 2]), ([0, NAN, NAN, 6, NAN], [0, 2, 4, 6, 6]),
     ([NAN, NAN], [NAN, NAN]), ([5], [5])],
    ids=["between", "ends", "several", "nothing known", "one step"],
)  # fmt: skip
def test_gaps_are_put_in_by_their_neighbours(given: list[float], expected: list[float]) -> None:
    found = filled(np.array(given, np.float32)[:, None], np.array([len(given)]))
    np.testing.assert_array_equal(found.ravel(), np.array(expected, np.float32))


def test_series_know_nothing_of_each_other() -> None:
    values = np.array([1, NAN, NAN, 7, NAN, NAN], np.float32)[:, None]
    found = filled(values, np.array([2, 4, 6]))
    np.testing.assert_array_equal(found.ravel(), np.array([1, 1, 7, 7, NAN, NAN], np.float32))


def test_many_series_at_once_are_as_one_by_one() -> None:
    rng = np.random.default_rng(0)
    ends = np.cumsum(rng.integers(1, 12, 200))
    values = rng.normal(size=(ends[-1], 3)).astype(np.float32)
    values[rng.random(values.shape) < 0.6] = NAN
    np.testing.assert_allclose(filled(values, ends), slow(values, ends), rtol=1e-5, atol=1e-6)


def test_what_has_no_gaps_is_given_back_as_it_is() -> None:
    values = np.ones((4, 2), np.float32)
    assert filled(values, np.array([4])) is values


def test_what_is_given_stays_as_it_was() -> None:
    values = np.array([[1.0], [NAN]])
    filled(values, np.array([2]))
    assert np.isnan(values[1, 0])


def test_large_numbers_do_not_overflow_between() -> None:
    values = np.array([3e38, NAN, -3e38], np.float32)[:, None]
    assert filled(values, np.array([3]))[1, 0] == 0
