"""Tables and durations on the terminal."""

from __future__ import annotations

import pytest

from automl.cli.text import columns, duration


def test_numbers_stand_right_and_words_left() -> None:
    assert columns(("name", "n"), [("cnn", 3), ("resnet", 12)]) == "name     n\ncnn      3\nresnet  12"


def test_a_missing_value_is_a_dash() -> None:
    assert columns(("a", "b"), [(None, 0.5)]) == "a       b\n-  0.5000"


def test_no_line_ends_in_blanks() -> None:
    assert all(line == line.rstrip() for line in columns(("long name", "x"), [("a", ""), ("b", "")]).splitlines())


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 00 s"),
        (119.7, "2 min 00 s"),
        (3599.9, "1 h 00 min"),
        (7260, "2 h 01 min"),
    ],
)
def test_durations_are_for_people(seconds: float, text: str) -> None:
    assert duration(seconds) == text
