"""Scales, ticks and marks."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET

import pytest

from automl.report.svg import Scale, box, dot, figure, minutes, near_best, padded, picture, text


@pytest.mark.parametrize(("value", "pixel"), [(0.0, 100.0), (5.0, 150.0), (10.0, 200.0), (-3.0, 100.0), (99.0, 200.0)])
def test_a_scale_maps_values_and_keeps_to_its_edges(value: float, pixel: float) -> None:
    assert Scale(0.0, 10.0, 100.0, 200.0)(value) == pixel


def test_a_log_scale_gives_each_decade_the_same_room() -> None:
    scale = Scale(0.01, 1.0, 0.0, 100.0, is_log=True)
    assert (scale(0.1), scale(-5.0)) == (pytest.approx(50.0), 0.0)


def test_an_empty_scale_puts_all_in_the_middle() -> None:
    scale = Scale(1.0, 1.0, 0.0, 100.0)
    assert (scale(1.0), scale.ticks()) == (50.0, [1.0])


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.0, 1.0, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (0.947, 0.993, [0.95, 0.96, 0.97, 0.98, 0.99]),
        (-3, 3, [-2.0, 0.0, 2.0]),
    ],
)
def test_ticks_are_round(low: float, high: float, ticks: list[float]) -> None:
    assert Scale(low, high, 0.0, 100.0).ticks() == ticks


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(0.005, 2.0, [0.01, 0.1, 1.0]), (2.0, 7.0, [2.0, 7.0]), (1e-6, 1e6, [1e-6, 1e-3, 1.0, 1e3, 1e6])],
)
def test_log_ticks_are_decades(low: float, high: float, ticks: list[float]) -> None:
    assert Scale(low, high, 0.0, 100.0, is_log=True).ticks() == pytest.approx(ticks)


@pytest.mark.parametrize("values", [[], [3.0], [0.0, 0.0], [math.nan], [-1.0, 1.0]], ids=str)
def test_a_padded_range_is_never_empty(values: list[float]) -> None:
    low, high = padded(values)
    assert low < high


@pytest.mark.parametrize(
    ("scores", "greater", "kept"),
    [
        ([0.9, 0.88, 0.89, 0.1], True, [0.9, 0.88, 0.89]),
        ([0.2, 0.21, 0.25, 9.0], False, [0.2, 0.21, 0.25]),
        ([0.5], True, [0.5]),
        ([], True, []),
        ([math.nan, 0.5], True, [0.5]),
    ],
    ids=["accuracy", "loss", "one", "none", "nan"],
)
def test_scores_far_from_the_best_do_not_set_the_scale(scores: list[float], greater: bool, kept: list[float]) -> None:
    assert near_best(scores, greater_is_better=greater) == kept


@pytest.mark.parametrize("made", [text(1, 2, "<&\"'>"), dot(1, 2, "c0", "<b>"), box(1, 2, (3, -4), "c0", "<i>")])
def test_marks_are_well_formed_whatever_they_say(made: str) -> None:
    ET.fromstring(picture(10, 10, [made], 'a "title"'))


@pytest.mark.parametrize(("value", "words"), [(0.1 + 0.2, "0.3"), (1e7, "1e+07"), (-2.0, "-2")])
def test_figures_are_short(value: float, words: str) -> None:
    assert figure(value) == words


def test_minutes_count_on_into_hours() -> None:
    assert minutes(7322) == "2:02:02"
