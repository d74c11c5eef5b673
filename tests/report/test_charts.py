"""The charts of scores are well formed and say what they show."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from automl.core.events import Winner
from automl.core.space import Configuration
from automl.report import charts, grids
from automl.report.build import ReportData, build
from automl.testing.history_builder import HistoryBuilder

if TYPE_CHECKING:
    from .conftest import FinishedRun

CHARTS: list[Callable[[ReportData], str]] = [
    charts.score_over_time, charts.learning_curves, charts.by_candidate, grids.time_line,
]  # fmt: skip
WINNER = Winner("single", "cnn", {0: 1.0}, 0.9, 0.01, 0.89, 0.85, 0.93, None)


@pytest.fixture(scope="module")
def data(finished: FinishedRun) -> ReportData:
    return build(finished.history)


def one_score(score: float, *, metric: str = "accuracy") -> ReportData:
    builder = HistoryBuilder(metric=metric)
    builder.full(Configuration("cnn", {}), [score, score])
    return build(builder.history)


def hints(drawn: str) -> list[str]:
    return re.findall(r"<title>([^<]*)</title>", drawn)


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.__name__)
def test_a_chart_is_well_formed_and_has_a_name_for_screen_readers(
    chart: Callable[[ReportData], str], data: ReportData
) -> None:
    drawn = ET.fromstring(chart(data))
    assert drawn.attrib["role"] == "img"
    assert drawn.attrib["aria-label"]


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.__name__)
def test_no_mark_has_a_place_that_is_no_number(chart: Callable[[ReportData], str], data: ReportData) -> None:
    assert not re.findall(r'"[^"]*\b(?:nan|inf)\b[^"]*"', chart(data))


@pytest.mark.parametrize("score", [0.0, 1.0, 0.5, 1e-9])
def test_a_single_score_can_be_drawn(score: float) -> None:
    data = one_score(score)
    for chart in (charts.score_over_time, charts.by_candidate, grids.time_line):
        ET.fromstring(chart(data))


def test_every_full_trial_within_reach_has_its_dot(data: ReportData) -> None:
    shown = [hint for hint in hints(charts.score_over_time(data)) if hint.startswith("trial")]
    assert len(shown) == len([row for row in data.rows if row.candidate != "baseline"])


def test_the_best_line_never_falls(data: ReportData) -> None:
    points = re.search(r'class="best" points="([^"]*)"', charts.score_over_time(data))
    assert points is not None
    heights = [float(pair.split(",")[1]) for pair in points[1].split()]
    assert heights == sorted(heights, reverse=True)


def test_the_best_line_of_a_loss_never_rises() -> None:
    builder = HistoryBuilder(metric="log_loss")
    for loss in (0.5, 0.7, 0.3):
        builder.full(Configuration("cnn", {}), [loss, loss])
    points = re.search(r'class="best" points="([^"]*)"', charts.score_over_time(build(builder.history)))
    assert points is not None
    heights = [float(pair.split(",")[1]) for pair in points[1].split()]
    assert heights == sorted(heights)


def test_a_candidate_has_the_same_colour_everywhere(data: ReportData) -> None:
    style = charts.colour(data, "cnn")
    assert f'class="{style}"><title>trial 3 cnn' in charts.score_over_time(data)
    assert f'class="span {style}"><title>cnn, trial 3' in grids.time_line(data)


def test_what_is_no_candidate_has_a_colour_of_its_own(data: ReportData) -> None:
    assert charts.colour(data, "measuring") == "c-other"


def test_a_failed_job_is_outlined_and_told(data: ReportData) -> None:
    drawn = grids.time_line(data)
    assert drawn.count(' failed"') == sum(span.is_failed for span in data.spans) == 2
    assert any(hint.endswith(", failed") for hint in hints(drawn))


def test_a_box_needs_four_trials(data: ReportData) -> None:
    full = [row.candidate for row in data.rows]
    expected = sum(full.count(name) >= 4 for name in set(full))
    assert charts.by_candidate(data).count("quartiles") == expected


def test_the_interval_shows_both_ends_and_both_scores() -> None:
    drawn = charts.winner_interval(WINNER)
    assert hints(drawn) == ["cross-validated 0.9000", "corrected 0.8900"]
    assert ">0.85<" in drawn
    assert ">0.93<" in drawn


def test_an_interval_of_no_width_can_be_drawn() -> None:
    ET.fromstring(charts.winner_interval(replace(WINNER, cv=1.0, corrected=1.0, low=1.0, high=1.0)))


def test_a_parameter_plot_has_a_dot_per_trial(data: ReportData) -> None:
    name, plots = data.best_parameters
    for plot in plots:
        assert len(hints(charts.parameter(data, plot, name))) == len(plot.scores)
