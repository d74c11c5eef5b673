from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from automl.serving.table import Table
from automl.serving.table_dates import PARTS, Dates

MOMENTS = [
    datetime(1970, 1, 1, tzinfo=UTC), datetime(2024, 2, 29, 23, 30, tzinfo=UTC), datetime(2023, 12, 31, tzinfo=UTC),
    datetime(1969, 12, 31, 12, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC),
    datetime(1900, 3, 1, 6, tzinfo=UTC), datetime(2000, 2, 29, tzinfo=UTC),
]  # fmt: skip
EPOCH = MOMENTS[0]


def parts_of(moments: list[datetime], *parts: str, start: float = 0.0) -> np.ndarray:
    seconds = np.array([[(moment - EPOCH) / timedelta(seconds=1)] for moment in moments])
    return Dates.from_json({"column": 0, "parts": list(parts), "start": start}).values(Table(seconds))


def test_parts_are_those_of_the_calendar() -> None:
    expected = [
        [m.year, m.month, m.day, m.weekday(), m.hour + m.minute / 60, m.timetuple().tm_yday] for m in MOMENTS
    ]  # fmt: skip
    found = parts_of(MOMENTS, "year", "month", "day", "weekday", "hour", "day_of_year")
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_elapsed_days_count_from_the_start() -> None:
    assert parts_of([EPOCH + timedelta(days=3, hours=12)], "elapsed_days", start=86400.0).tolist() == [[2.5]]


def test_waves_go_once_around_in_a_day_and_a_week() -> None:
    quarter, monday = EPOCH + timedelta(hours=6), EPOCH - timedelta(days=3)
    np.testing.assert_allclose(parts_of([quarter], "day_sine", "day_cosine"), [[1, 0]], atol=1e-9)
    np.testing.assert_allclose(parts_of([monday], "week_sine", "week_cosine"), [[0, 1]], atol=1e-9)


def test_new_year_is_near_the_day_before_it() -> None:
    days = [datetime(2023, 12, 31, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC)]
    found = parts_of(days, "year_sine", "year_cosine")
    assert np.abs(found[0] - found[1]).max() < 0.03


@pytest.mark.parametrize("seconds", [np.inf, -np.inf, 1e300, -1e18, 253402300800.0])
def test_dates_beyond_the_calendar_are_taken_for_its_ends(seconds: float) -> None:
    out = Dates.from_json({"column": 0, "parts": list(PARTS), "start": 0.0}).values(Table(np.array([[seconds]])))
    assert out[0, 0] in (1, 9999)
    assert np.isfinite(out).all()


def test_missing_date_has_missing_parts() -> None:
    table = Table(np.array([[np.nan], [0.0]]))
    out = Dates.from_json({"column": 0, "parts": ["year", "day"], "start": 0.0}).values(table)
    np.testing.assert_array_equal(out, [[np.nan, np.nan], [1970, 1]])
