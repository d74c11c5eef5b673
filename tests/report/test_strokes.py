"""Scales, ticks and tables at their edges."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from automl.core.events import Winner
from automl.core.space import Configuration
from automl.report import charts
from automl.report.build import build
from automl.report.confusion import confusion
from automl.report.html import Markup, code, details, facts, pairs, safe, section, table
from automl.report.parameters import correlation_ratio, parameter_plots, rank_correlation
from automl.report.svg import Scale, box, dot, figure, minutes, near_best, padded, picture, text
from automl.testing.history_builder import HistoryBuilder

EVIL = "<b>&\"'</b>"


@pytest.mark.parametrize(
    ("scale", "value", "pixel"),
    [
        (Scale(0.0, 10.0, 0.0, 100.0), 0.0, 0.0),
        (Scale(0.0, 10.0, 0.0, 100.0), 2.5, 25.0),
        (Scale(0.0, 10.0, 0.0, 100.0), 99.0, 100.0),
        (Scale(0.0, 10.0, 0.0, 100.0), -5.0, 0.0),
        (Scale(0.0, 10.0, 100.0, 0.0), 2.5, 75.0),
        (Scale(5.0, 5.0, 0.0, 100.0), 5.0, 50.0),
        (Scale(1.0, 100.0, 0.0, 100.0, is_log=True), 10.0, 50.0),
        (Scale(1.0, 100.0, 0.0, 100.0, is_log=True), 0.0, 0.0),
        (Scale(1.0, 100.0, 0.0, 100.0, is_log=True), -3.0, 0.0),
        (Scale(0.0, 10.0, 0.0, 100.0), math.inf, 100.0),
        (Scale(0.0, 10.0, 0.0, 100.0), -math.inf, 0.0),
    ],
)
def test_a_value_has_its_pixel(scale: Scale, value: float, pixel: float) -> None:
    assert scale(value) == pytest.approx(pixel)


@pytest.mark.parametrize("seed", range(10))
def test_ticks_are_few_round_and_on_the_scale(seed: int) -> None:
    rng = np.random.default_rng(seed)
    low = float(rng.normal() * 10.0 ** rng.integers(-3, 4))
    scale = Scale(low, low + float(10.0 ** rng.uniform(-3, 4)), 0.0, 100.0)
    ticks = scale.ticks(5)
    assert 1 <= len(ticks) <= 7
    assert ticks == sorted(set(ticks))
    assert all(scale.low - 1e-6 <= tick <= scale.high + 1e-6 for tick in ticks)


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (1.0, 1000.0, [1.0, 10.0, 100.0, 1000.0]),
        (0.5, 20.0, [1.0, 10.0]),
        (2.0, 8.0, [2.0, 8.0]),
        (1e-6, 1e6, [1e-6, 1e-3, 1.0, 1e3, 1e6]),
    ],
)
def test_ticks_of_decades(low: float, high: float, ticks: list[float]) -> None:
    assert Scale(low, high, 0.0, 100.0, is_log=True).ticks(5) == pytest.approx(ticks)


@pytest.mark.parametrize(
    ("values", "share", "ends"),
    [
        ([], 0.1, (-0.1, 1.1)),
        ([math.nan, math.inf], 0.1, (-0.1, 1.1)),
        ([2.0], 0.1, (1.8, 2.2)),
        ([0.0], 0.1, (-1.0, 1.0)),
        ([-2.0], 0.5, (-3.0, -1.0)),
        ([0.0, 10.0], 0.1, (-1.0, 11.0)),
        ([0.0, math.nan, 10.0], 0.1, (-1.0, 11.0)),
    ],
    ids=str,
)
def test_a_range_has_a_margin_and_is_never_empty(values: list[float], share: float, ends: tuple[float, float]) -> None:
    assert padded(values, share) == pytest.approx(ends)


@pytest.mark.parametrize(
    ("scores", "greater", "near"),
    [
        ([], True, []),
        ([math.nan], True, []),
        ([0.9], True, [0.9]),
        ([0.9, 0.8, 0.85, 0.1], True, [0.9, 0.8, 0.85]),
        ([0.1, 0.2, 0.15, 9.0], False, [0.1, 0.2, 0.15]),
        ([0.5, 0.5], True, [0.5, 0.5]),
        ([math.inf, 0.5, 0.4], True, [0.5, 0.4]),
    ],
    ids=str,
)
def test_scores_worth_a_place(scores: list[float], greater: bool, near: list[float]) -> None:
    assert near_best(scores, greater_is_better=greater) == near


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "0"), (1.0, "1"), (0.1 + 0.2, "0.3"), (-2.5, "-2.5"), (123456.0, "123456"), (1234567.0, "1.23e+06")],
)
def test_a_number_on_an_axis(value: float, shown: str) -> None:
    assert figure(value) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.4, "0:00"), (59.5, "1:00"), (61, "1:01"), (3599.4, "59:59"), (3599.6, "1:00:00"), (90061, "25:01:01")],
)
def test_run_time_on_an_axis(seconds: float, shown: str) -> None:
    assert minutes(seconds) == shown


@pytest.mark.parametrize(
    "drawn",
    [text(0, 0, EVIL), dot(0, 0, "c", EVIL), box(0, 0, (1, 1), "c", EVIL), picture(9, 9, [], EVIL)],
    ids=["text", "dot", "box", "picture"],
)
def test_words_in_a_picture_are_escaped(drawn: str) -> None:
    root = ET.fromstring(drawn)
    assert EVIL in (root.text, root.findtext("title"), root.get("aria-label"))


@pytest.mark.parametrize("size", [(-5.0, 3.0), (0.0, 0.0), (3.0, -1.0)])
def test_a_box_is_never_smaller_than_nothing(size: tuple[float, float]) -> None:
    root = ET.fromstring(box(0, 0, size, "c"))
    assert float(root.get("width", "nan")) >= 0
    assert float(root.get("height", "nan")) >= 0


@pytest.mark.parametrize("value", [1, 1.5, None, "x", True, ("a", "b")], ids=repr)
def test_plain_values_are_written_as_text(value: object) -> None:
    assert "<" not in safe(value)


def test_markup_is_not_escaped_again() -> None:
    assert safe(code(EVIL)) == "<code>&lt;b&gt;&amp;&quot;&#x27;&lt;/b&gt;</code>"
    assert safe(safe(EVIL)) != safe(EVIL)


@pytest.mark.parametrize(
    ("made", "shown"),
    [
        (section("T"), ""),
        (section("T", "", ""), ""),
        (section("T", "<p>x</p>"), "<section><h2>T</h2><p>x</p></section>"),
        (section(EVIL[:3], "x", note="n"), '<section><h2>&lt;b&gt;</h2><p class="quiet">n</p>x</section>'),
        (details("s", ""), ""),
        (details("<s>", "x"), "<details><summary>&lt;s&gt;</summary>x</details>"),
        (facts({}), "<dl></dl>"),
        (facts({"a": "", "b": 0}), "<dl><dt>b</dt><dd>0</dd></dl>"),
        (pairs("", ""), ""),
        (pairs("a", "", "b"), '<div class="two">ab</div>'),
        (pairs("a", "b", "c"), '<div class="two">ab</div>\nc'),
        (table(("a",), []), ""),
    ],
)
def test_what_is_empty_is_left_out(made: Markup, shown: str) -> None:
    assert made == shown


def test_a_table_needs_as_many_cells_as_columns() -> None:
    with pytest.raises(ValueError, match="argument 2 is"):
        table(("a", "b"), [("only one",)])


def test_numbers_stand_to_the_right_and_rows_have_their_style() -> None:
    drawn = table(("n ", "name"), [(1, "a"), (2, "b")], ["", "sum"])
    assert drawn.count('<td class="n">') == 2
    assert drawn.count('<tr class="sum">') == 1


@pytest.mark.parametrize(
    ("values", "scores", "strength"),
    [
        ([1, 2, 3], [1, 2, 3], 1.0),
        ([1, 2, 3], [3, 2, 1], -1.0),
        ([1, 10, 1000], [0.1, 0.2, 0.9], 1.0),
        ([1, 1, 1], [1, 2, 3], 0.0),
        ([1, 2, 3], [5, 5, 5], 0.0),
        ([1, 2, 3, 4], [1, 2, 2, 1], 0.0),
    ],
    ids=str,
)
def test_rank_correlation(values: list[float], scores: list[float], strength: float) -> None:
    assert rank_correlation(np.array(values, float), np.array(scores, float)) == pytest.approx(strength)


@pytest.mark.parametrize(
    ("groups", "scores", "strength"),
    [
        ("aabb", [1, 1, 2, 2], 1.0),
        ("abab", [1, 1, 2, 2], 0.0),
        ("aaaa", [1, 2, 3, 4], 0.0),
        ("abcd", [4, 2, 3, 1], 1.0),
        ("aabb", [5, 5, 5, 5], 0.0),
    ],
)
def test_correlation_ratio(groups: str, scores: list[float], strength: float) -> None:
    assert correlation_ratio(list(groups), np.array(scores, float)) == pytest.approx(strength)


def tried(values: list[object], scores: list[float]) -> HistoryBuilder:
    builder = HistoryBuilder()
    for value, score in zip(values, scores, strict=True):
        builder.full(Configuration("cnn", {"x": value, "fixed": 1}), [score, score])  # type: ignore[dict-item]
    return builder


@pytest.mark.parametrize(
    ("values", "is_number", "is_log"),
    [
        ([1, 2, 3, 4], True, False),
        ([0.001, 0.01, 0.1, 1.0], True, True),
        ([1, 5, 10, 19.9], True, False),
        ([-1.0, 1.0, 10.0, 100.0], True, False),
        (["a", "b", "a", "b"], False, False),
        ([True, False, True, False], False, False),
        ([1, 2, "auto", 4], False, False),
    ],
    ids=str,
)
def test_a_varied_parameter_is_drawn_by_its_kind(values: list[object], is_number: bool, is_log: bool) -> None:
    (plot,) = parameter_plots(tried(values, [0.1, 0.2, 0.3, 0.4]).history, "cnn")
    assert (plot.name, plot.is_number, plot.is_log) == ("x", is_number, is_log)
    assert 0.0 <= plot.strength <= 1.0


@pytest.mark.parametrize("count", [0, 1, 3])
def test_few_trials_make_no_plot(count: int) -> None:
    builder = tried(list(range(count)), [0.1 * i for i in range(count)])
    assert parameter_plots(builder.history, "cnn") == ()


@pytest.mark.parametrize("score", [0.0, 0.5, 1.0, -3.0, 1e9, 1e-9])
def test_a_run_of_equal_scores_is_drawn(score: float) -> None:
    data = build(tried([1, 2, 3, 4], [score] * 4).history)
    for drawn in (charts.score_over_time(data), charts.by_candidate(data)):
        assert "nan" not in drawn
        ET.fromstring(drawn)


@pytest.mark.parametrize("ends", [(0.85, 0.93), (0.89, 0.89), (0.0, 1.0), (-2.0, -1.0)], ids=str)
def test_the_interval_of_the_winner_is_drawn_from_end_to_end(ends: tuple[float, float]) -> None:
    low, high = ends
    winner = Winner("single", "cnn", {0: 1.0}, (low + high) / 2, 0.01, (low + high) / 2, low, high, None)
    root = ET.fromstring(charts.winner_interval(winner))
    assert root.get("aria-label") == f"95 % interval from {low:.4f} to {high:.4f}"


@pytest.mark.parametrize("most", [1, 2, 3, 9])
def test_a_confusion_shows_the_classes_with_most_mistakes(most: int) -> None:
    y = np.array([0, 0, 1, 1, 2, 2])
    scores = np.eye(3)[[0, 0, 2, 2, 2, 1]]
    found = confusion(y, scores, ("a", "b", "c"), most)
    assert (found.classes, found.left_out) == ((("b",), 2) if most == 1 else (("b", "c"), 1) if most == 2 else
                                               (("a", "b", "c"), 0))  # fmt: skip
    assert [(m.truth, m.predicted, m.times, m.rows) for m in found.mistakes] == [("b", "c", 2, 2), ("c", "b", 1, 2)]


def test_rows_without_a_prediction_are_not_counted() -> None:
    scores = np.array([[1.0, 0.0], [np.nan, np.nan], [0.0, 1.0]])
    found = confusion(np.array([0, 0, 1]), scores, ("a", "b"))
    assert (found.rows, found.counts.tolist(), found.mistakes) == (2, [[1, 0], [0, 1]], ())
