"""The page is one file that stands alone, and whatever is in the data stays text."""

from __future__ import annotations

import re
import stat
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from automl.core.data import Finding
from automl.core.history import History
from automl.core.space import Configuration
from automl.report.build import OutOfFold, build
from automl.report.render import render
from automl.report.write import write_report
from automl.testing.history_builder import HistoryBuilder, run_started

if TYPE_CHECKING:
    from .conftest import FinishedRun

VOID = {"meta", "br", "link", "img", "hr", "input"}
EVIL = "<script>alert('x')</script>&\"'"


class Balanced(HTMLParser):
    """Checks that every element is closed where it should be."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.add(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page(finished: FinishedRun) -> str:
    known = OutOfFold(finished.y, dict.fromkeys(finished.history.decided.winner.weights, finished.probabilities))
    return render(build(finished.history, run="runs/digits", out_of_fold=known))


def evil_history() -> History:
    started = run_started()
    spec = replace(started.spec, name=EVIL, classes=(EVIL, "dog"))
    found, names = (Finding("x", "warning", EVIL),), {"cnn": EVIL}
    builder = HistoryBuilder()
    builder.add(replace(started, name=EVIL, spec=spec, findings=found, space_origins=names, spaces=names,
                        versions={EVIL: EVIL}))  # fmt: skip
    builder.full(Configuration(EVIL, {EVIL: EVIL}), [0.5, 0.6])
    builder.failed(Configuration("cnn", {"act": EVIL}))
    return builder.history


@pytest.mark.parametrize(
    "words",
    [
        "<h1>image-clf-digits</h1>", "0.9851", "0.9789", "0.9907", "above 0.99", "0.9833 [0.9700, 0.9900], 360 rows",
        "3 images appear twice", "Score over time", "Candidates", "Leaderboard", "Learning curves", "Confusion",
        "Parameters of", "Spend", "leased in all", "Workers", "out of memory at batch 32", "worse than the best third",
        "Search spaces", "image-clf/cnn.toml", "Versions", "2.13.0", "automl predict runs/digits DATA",
        "models:/automl-image-clf-digits/3", "the server did not answer",
    ],
)  # fmt: skip
def test_the_page_tells(page: str, words: str) -> None:
    assert words in page


def test_the_page_asks_nothing_of_any_other_machine(page: str) -> None:
    assert not re.findall(r"(?:src|href|url|@import)\s*[=(]?\s*[\"'(]?\s*(?:https?:)?//", page)
    assert "script" not in Balanced(page).seen
    assert "default-src 'none'" in page


def test_every_element_is_closed(page: str) -> None:
    assert Balanced(page).open == []


def test_what_the_user_wrote_stays_text() -> None:
    page = render(build(evil_history()))
    assert "script" not in Balanced(page).seen
    assert "&lt;script&gt;" in page


def test_a_run_that_only_began_has_a_page() -> None:
    history = History()
    history.apply(run_started())
    assert "No trial is full yet." in render(build(history))


def test_a_run_without_a_winner_names_the_best_so_far() -> None:
    builder = HistoryBuilder()
    builder.full(Configuration("cnn", {}), [0.5, 0.6])
    assert "The best full trial so far is cnn." in render(build(builder.history))


def test_a_legend_names_only_what_the_chart_shows(page: str) -> None:
    curves = page.split("<h2>Learning curves</h2>")[1].split("</section>")[0]
    assert re.findall(r"</i>(\w+)</span>", curves) == ["resnet", "cnn"]


def test_dark_and_light_are_both_defined(page: str) -> None:
    assert "prefers-color-scheme: dark" in page


def test_the_same_run_gives_the_same_page(finished: FinishedRun) -> None:
    assert render(build(finished.history)) == render(build(finished.history))


def test_the_page_is_written_whole_and_readable(finished: FinishedRun, tmp_path: Path) -> None:
    path = write_report(tmp_path, finished.history)
    assert path == tmp_path / "report.html"
    assert path.read_text(encoding="utf-8").endswith("</html>\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert list(tmp_path.iterdir()) == [path]


def test_a_page_is_written_over_the_one_before(finished: FinishedRun, tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("old")
    assert "old" not in write_report(tmp_path, finished.history).read_text(encoding="utf-8")[:10]


@pytest.mark.parametrize("metric", ["log_loss", "accuracy"])
def test_a_loss_is_drawn_as_well_as_a_score(metric: str) -> None:
    builder = HistoryBuilder(metric=metric)
    for score in (0.5, 0.2, 0.4, 0.3, 7.0):
        builder.full(Configuration("cnn", {"lr": score}), [score, score + 0.01])
    page = render(build(builder.history))
    assert f"{metric} of each full trial over time" in page
    assert "nan" not in re.findall(r'points="[^"]*"', page)
