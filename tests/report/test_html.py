"""HTML from plain values."""

from __future__ import annotations

import pytest

from automl.report.html import Markup, code, details, facts, pairs, safe, section, table


@pytest.mark.parametrize(
    ("value", "shown"),
    [("<b>", "&lt;b&gt;"), ('"', "&quot;"), ("'", "&#x27;"), ("&", "&amp;"), (3, "3"), (Markup("<b>"), "<b>")],
    ids=str,
)
def test_text_is_escaped_once(value: object, shown: str) -> None:
    assert safe(value) == shown


def test_code_escapes_what_it_holds() -> None:
    assert code("<x>") == "<code>&lt;x&gt;</code>"


def test_a_section_without_content_is_not_there() -> None:
    assert section("Empty", "", "", note="words") == ""


def test_a_section_has_heading_note_and_parts_in_order() -> None:
    made = section("A & B", "<i>x</i>", note="<n>")
    assert made == '<section><h2>A &amp; B</h2><p class="quiet">&lt;n&gt;</p><i>x</i></section>'


def test_facts_without_a_value_are_left_out() -> None:
    assert facts({"a": "", "b": 0}) == "<dl><dt>b</dt><dd>0</dd></dl>"


def test_columns_of_numbers_stand_to_the_right() -> None:
    made = table(("name", "n "), [("x", 1)])
    assert "<th>name</th>" in made
    assert '<th class="n">n</th>' in made
    assert '<td class="n">1</td>' in made


def test_a_table_without_rows_is_not_there() -> None:
    assert table(("a",), []) == ""


def test_a_row_bears_its_style() -> None:
    made = table(("a",), [("x",), ("y",)], ["", "sum"])
    assert '<tr><td>x</td></tr><tr class="sum"><td>y</td></tr>' in made


def test_details_of_nothing_are_not_there() -> None:
    assert details("more", "") == ""


@pytest.mark.parametrize(
    ("parts", "twos"), [((), 0), (("a",), 0), (("a", "b"), 1), (("a", "", "b"), 1), (("a", "b", "c"), 1)], ids=str
)
def test_sections_are_paired_as_far_as_they_go(parts: tuple[str, ...], twos: int) -> None:
    assert pairs(*parts).count('class="two"') == twos
