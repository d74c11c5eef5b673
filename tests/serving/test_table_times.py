"""Texts become points in time, whatever their format."""

from __future__ import annotations

import numpy as np
import pytest

from automl.serving.table_times import FORMATS, DateCounts, DateReader
from automl.serving.table_values import Parsed

ISO_TIMES = {
    "date": ("2019-03-23", "2019-03-23"),
    "date and time": ("2019-03-23 20:21:09", "2019-03-23T20:21:09"),
    "T": ("2019-03-23T20:21:09", "2019-03-23T20:21:09"),
    "no seconds": ("2019-03-23 20:21", "2019-03-23T20:21"),
    "fraction": ("2019-03-23 20:21:09.250", "2019-03-23T20:21:09.250"),
    "nanoseconds": ("2019-03-23 20:21:09.250000000", "2019-03-23T20:21:09.250"),
    "Z": ("2019-03-23T20:21:09Z", "2019-03-23T20:21:09"),
    "UTC": ("2019-03-23 20:21:09 UTC", "2019-03-23T20:21:09"),
    "east": ("2019-03-23T20:21:09+01:30", "2019-03-23T18:51:09"),
    "west": ("2019-03-23T20:21:09-0800", "2019-03-24T04:21:09"),
    "hours of a zone": ("2019-03-23T20:21:09+02", "2019-03-23T18:21:09"),
    "month": ("2019-03", "2019-03-01"),
    "short parts": ("2019-3-5 1:02", "2019-03-05T01:02"),
    "spaces around": (" 2019-03-23 ", "2019-03-23"),
    "before 1970": ("1066-10-14", "1066-10-14"),
    "midnight as 24": ("2019-03-23 24:00", "2019-03-24"),
}
WRITTEN = {
    "%Y/%m/%d": "2019/03/04",
    "%Y.%m.%d": "2019.3.4",
    "%m/%d/%Y": "3/4/2019",
    "%d/%m/%Y": "04/03/2019",
    "%d.%m.%Y": "4.3.2019",
    "%d-%m-%Y": "04-03-2019",
    "%d %b %Y": "4 March 2019",
    "%d-%b-%Y": "04-MAR-2019",
    "%b %d, %Y": "Mar. 4, 2019",
    "%a, %d %b %Y": "Mon, 04 Mar 2019",
    "%m/%d/%y": "03/04/19",
    "%d.%m.%y": "04.03.19",
}
NO_DATES = (
    "2019-02-30",
    "2019-13-01",
    "0000-00-00",
    "2019-03-23 25:00",
    "2019-03-23 20:61",
    "now",
    "today",
    "3",
    "x:y",
)


def read(texts: list[str], form: str = "") -> Parsed:
    return DateReader(form).read(texts)


def times(parsed: Parsed) -> np.ndarray:
    return (parsed.values * 1e6).astype("M8[us]")


@pytest.mark.parametrize(("text", "time"), ISO_TIMES.values(), ids=ISO_TIMES.keys())
def test_iso_8601_is_read_in_its_common_forms(text: str, time: str) -> None:
    assert times(read([text])) == [np.datetime64(time)]


@pytest.mark.parametrize(("form", "text"), WRITTEN.items(), ids=WRITTEN.keys())
def test_a_date_is_read_by_its_format(form: str, text: str) -> None:
    assert times(read([text], form)) == [np.datetime64("2019-03-04")]


@pytest.mark.parametrize("tail", [" 20:05", " 8:05 PM", " 08:05:00pm", " 20:05:00.0", "T20:05Z"])
def test_a_time_of_day_may_follow_any_format(tail: str) -> None:
    assert times(read(["4.3.2019" + tail], "%d.%m.%Y")) == [np.datetime64("2019-03-04T20:05")]


@pytest.mark.parametrize(("text", "hour"), [("12:00 AM", 0), ("12:00 PM", 12), ("1:00 am", 1)])
def test_noon_and_midnight_are_told_apart(text: str, hour: int) -> None:
    assert read(["1/1/1970 " + text], "%m/%d/%Y").values == [hour * 3600]


@pytest.mark.parametrize("text", NO_DATES)
def test_what_is_no_date_is_counted(text: str) -> None:
    parsed = read(["2019-03-23", text])
    assert (parsed.odd, parsed.example) == (1, text)
    assert np.isnan(parsed.values[1])


@pytest.mark.parametrize("text", ["", "NA", " - ", "NaT"], ids=repr)
def test_a_missing_date_is_no_mistake(text: str) -> None:
    parsed = read([text, "2019-03-23"])
    assert parsed.odd == 0
    assert np.isnan(parsed.values[0])


@pytest.mark.parametrize("other", ["2019-03-23", "2019-03-23T20:21:09Z", "NA", ""])
def test_a_time_is_the_same_whatever_stands_beside_it(other: str) -> None:
    assert read(["2019-03-23 20:21:09.123456", other]).values[0] == read(["2019-03-23 20:21:09.123456"]).values[0]


def test_a_number_is_no_date() -> None:
    parsed = read(np.array([np.nan, 2019.0]))
    assert (parsed.odd, parsed.example) == (1, "2019.0")


def test_years_of_two_digits_lie_around_1970() -> None:
    assert times(read(["01/01/68", "01/01/69"], "%m/%d/%y")).astype("M8[Y]").astype(str).tolist() == ["2068", "1969"]


@pytest.mark.parametrize("form", ["%Q", "%d/%d", "%", "%Y" + "-" * 50], ids=["unknown", "twice", "open", "long"])
def test_a_format_that_is_not_known_is_refused(form: str) -> None:
    with pytest.raises(ValueError, match=r"format: each of .* may occur once\. Got "):
        DateReader(form)


def test_signs_in_a_format_stand_for_themselves() -> None:
    assert read(["2019x03x04"], "%Y.%m.%d").odd == 1


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form or "ISO")
def test_every_format_that_is_looked_for_can_be_read(form: str) -> None:
    assert DateReader(form).read(["no date"]).odd == 1


@pytest.mark.parametrize(
    ("texts", "form", "is_ambiguous"),
    [
        (["2019-03-23", "2019-03-24 10:00:00", ""], "", False),
        (["2019-03-23 20:21:09"], "", False),
        (["03/24/2019", "01/02/2019"], "%m/%d/%Y", False),
        (["24/03/2019", "01/02/2019"], "%d/%m/%Y", False),
        (["01/02/2019", "03/04/2019"], "%m/%d/%Y", True),
        (["01-02-2019"], "%d-%m-%Y", True),
        (["1.2.2019 10:00", "NA"], "%d.%m.%Y", False),
        (["4 May 2019"], "%d %b %Y", False),
        (["Mar 4, 2019"], "%b %d, %Y", False),
    ],
    ids=["ISO", "times", "month first", "day first", "either way", "dashes", "points", "May", "March"],
)
def test_the_column_decides_how_dates_are_written(texts: list[str], form: str, is_ambiguous: bool) -> None:
    counts = DateCounts()
    counts.add(texts)
    assert counts.choice() == (form, 1.0, is_ambiguous)


def test_the_share_is_of_the_values_that_are_there() -> None:
    counts = DateCounts()
    counts.add(["2019-03-23", "2019-03-24", "2019-03-25 99:99", "", ""])
    assert counts.choice().share == pytest.approx(2 / 3)


@pytest.mark.parametrize("texts", [["red", "blue"], [""], []], ids=["words", "missing", "none"])
def test_other_columns_are_not_dates(texts: list[str]) -> None:
    counts = DateCounts()
    counts.add(texts)
    assert counts.choice() is None


def test_numbers_are_not_dates() -> None:
    counts = DateCounts()
    counts.add(np.array([20190323.0, np.nan]))
    assert counts.choice() is None
