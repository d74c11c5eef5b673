"""The live picture says what matters, within the width of the terminal."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from automl.core.data import Finding
from automl.core.events import PhaseChanged, Planned, RunEnded, Warned
from automl.core.history import History
from automl.core.job import Report
from automl.core.leaderboard import Row
from automl.core.space import Configuration
from automl.recorders.console_state import Spend
from automl.recorders.console_view import bar, interval, scale_of, view
from automl.recorders.console_words import ASCII, UNICODE, Glyphs, clock, spent
from automl.testing.history_builder import HistoryBuilder, run_started

CNN, LONG = Configuration("cnn", {"lr": 0.1}), Configuration("a-candidate-with-a-long-name", {})


def busy() -> HistoryBuilder:
    builder = HistoryBuilder(folds=3)
    findings = (Finding("a", "info", "all images are grey"), Finding("b", "warning", "3 images appear twice"))
    builder.add(Planned({"cnn": 9}, {}, reserve_seconds=9.0, findings=findings))
    builder.full(CNN, [0.90, 0.92, 0.94])
    builder.full(LONG, [0.91, 0.91, 0.92])
    builder.full(Configuration("baseline", {}), [0.1, 0.1, 0.1])
    builder.stopped(CNN, 0.5)
    builder.start(LONG, rung=3)
    return builder


def text(history: History, *, width: int = 80, now: float = 75.0, glyphs: Glyphs = UNICODE) -> str:
    reports = {(4, 4, 1): Report(4, 4, 1, step=3, score=0.87)}
    out = io.StringIO()
    Console(file=out, width=width, color_system=None).print(view(history, reports, now, width=width, glyphs=glyphs))
    return out.getvalue()


def row(score: float, se: float | None, rank: int = 1) -> Row:
    return Row(rank, 0, "cnn", score, se, 1.0, 1.0, 1.0, {}, "full")


@pytest.mark.parametrize(
    "words",
    [
        "automl  tiny · image-clf",
        "20 images 8×8×3 · 2 classes",
        "accuracy · 3 folds · 1 cpu worker · seed 0",
        "▲ 3 images appear twice",
        "12%  1:15 of 10:00",
        "8:45 left · 0:09 kept back for finishing",
        "5 trials · 3 full · 1 stopped",
        "#4 a-candidate-w~",
        "folds 1-3 · 3/4",
        "0.8700",
        "leaderboard  accuracy ± standard error over 3 folds",
        "1 cnn            0.9200 ± 0.0115",
    ],
)
def test_the_picture_says(words: str) -> None:
    assert words in text(busy().history)


@pytest.mark.parametrize("width", [60, 80, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    assert max(map(len, text(busy().history, width=width).splitlines())) <= width


def test_no_line_is_wrapped_at_eighty_columns() -> None:
    assert len(text(busy().history).splitlines()) == len(text(busy().history, width=200).splitlines())


def test_warnings_come_before_notes() -> None:
    shown = text(busy().history)
    assert shown.index("3 images appear twice") < shown.index("all images are grey")


def test_a_plain_terminal_gets_plain_letters() -> None:
    assert text(busy().history, glyphs=ASCII).isascii()


def test_a_row_far_below_the_others_does_not_squeeze_the_scale() -> None:
    assert "‹" in text(busy().history)


def test_before_the_data_is_known_it_says_so() -> None:
    assert "looking at the data" in text(History())


def test_finishing_is_told_with_its_reason() -> None:
    builder = busy()
    builder.add(PhaseChanged("finalising", "the budget is spent", 70.0))
    assert "finishing  the budget is spent" in text(builder.history)


def test_the_last_picture_tells_how_it_ended() -> None:
    builder = busy()
    builder.add(RunEnded("done", "the budget is spent", 80.0))
    assert "done after 1:20: the budget is spent" in text(builder.history)


def test_what_was_survived_is_shown() -> None:
    builder = busy()
    builder.add(Warned("mlflow", "the server is silent", 70.0))
    assert "▲ mlflow: the server is silent" in text(builder.history)


def test_markup_in_names_is_shown_as_it_is() -> None:
    started = run_started()
    history = History()
    history.apply(replace(started, spec=replace(started.spec, name="[red]x[/red]")))
    assert "[red]x[/red]" in text(history)


@pytest.mark.parametrize(("share", "done"), [(0.0, 0), (0.5, 5), (1.0, 10), (7.0, 10), (-1.0, 0)])
def test_a_bar_is_filled_by_its_share(share: float, done: int) -> None:
    assert bar(share, 10, ASCII).plain == "=" * done + "-" * (10 - done)


def test_an_interval_has_its_point_between_its_ends() -> None:
    drawn = interval(row(0.5, 0.1), 0.0, 1.0, ASCII).plain
    assert drawn.index("|") < drawn.index("o") < drawn.rindex("|")


def test_without_an_error_there_is_only_the_point() -> None:
    assert interval(row(0.5, None), 0.0, 1.0, ASCII).plain.strip() == "o"


def test_one_row_has_a_scale_of_its_own() -> None:
    assert scale_of([row(0.5, None)]) == (0.5, 0.5)
    assert interval(row(0.5, None), 0.5, 0.5, ASCII).plain.strip() == "o"


@pytest.mark.parametrize(
    ("spend", "words"),
    [
        (Spend("trials", 3.0, 40.0, 1.0), "3 of 40 trials"),
        (Spend("wall", 61.0, 3661.0, 1.0), "1:01 of 1:01:01"),
        (Spend("cpu", 12.4, 600.0, 1.0), "12 of 600 cpu-s"),
        (Spend("gpu", 1800.0, 28800.0, 1.0), "0.50 of 8.00 gpu-h"),
    ],
    ids=lambda value: value.account if isinstance(value, Spend) else None,
)
def test_an_account_is_told_in_its_unit(spend: Spend, words: str) -> None:
    assert spent(spend) == words


@pytest.mark.parametrize(("seconds", "shown"), [(0, "0:00"), (59.9, "0:59"), (3600, "1:00:00")])
def test_run_seconds_are_shown_as_a_clock(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown
