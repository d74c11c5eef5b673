"""A column of text: which it is, how long its texts are, and what is told about them."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl import registry
from automl.data.roles import Roles
from automl.data.sources import Opened, open_source, prepare_test
from automl.errors import DataError
from automl.serving.table import TableRule

SAID = ["good film", "bad film", "NA", "null", "", "so good", "bad", "fine"] * 2
MOOD = ["up", "down"] * 8


def opened(folder: Path, columns: dict[str, list[str]], **roles: str) -> Opened:
    lines = [",".join(columns), *(",".join(row) for row in zip(*columns.values(), strict=True))]
    (folder / "films.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    task = registry.resolve("task", "text-clf")
    return open_source(folder / "films.csv", task, roles=Roles(**roles), cache=folder / "cache")


def codes(found: Opened) -> dict[str, str]:
    return {finding.code: finding.message for finding in found.findings}


def test_the_only_column_beside_the_target_is_the_text(tmp_path: Path) -> None:
    data = opened(tmp_path, {"said": SAID, "mood": MOOD}, target="mood").data
    assert [column.name for column in TableRule.from_json(data.spec.input).columns] == ["said"]
    assert data.spec.kind == "text"


def test_words_that_mean_nothing_elsewhere_are_texts(tmp_path: Path) -> None:
    data = opened(tmp_path, {"said": SAID, "mood": MOOD}, target="mood").data
    assert list(data.X.texts[0])[:5] == ["good film", "bad film", "NA", "null", ""]


def test_the_shape_holds_mean_and_most_characters(tmp_path: Path) -> None:
    texts = ["ab", "日本語です"] * 8
    assert opened(tmp_path, {"said": texts, "mood": MOOD}, target="mood").data.spec.shape == (1, 4, 5)


def test_among_several_columns_the_one_that_is_called_so_is_the_text(tmp_path: Path) -> None:
    found = opened(tmp_path, {"Review": SAID, "stars": ["1", "2"] * 8, "mood": MOOD}, target="mood")
    assert found.data.spec.columns == {"Review": "text", "stars": "unused", "mood": "target"}
    assert "not: 'stars'" in codes(found)["columns-unused"]


@pytest.mark.parametrize("names", [("a", "b"), ("text", "review")], ids=["none", "two"])
def test_no_text_is_guessed_where_several_may_be_meant(tmp_path: Path, names: tuple[str, str]) -> None:
    with pytest.raises(DataError, match=r"--text: the column of text is needed for films.csv. Got 2 that may be."):
        opened(tmp_path, {names[0]: SAID, names[1]: SAID, "mood": MOOD}, target="mood")


def test_a_column_that_is_named_is_the_text(tmp_path: Path) -> None:
    found = opened(tmp_path, {"a": SAID, "b": MOOD, "mood": MOOD}, target="mood", text="a")
    assert found.data.spec.columns["a"] == "text"


def test_a_column_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"--text 'sayd': films.csv has no such column. Did you mean 'said'\?"):
        opened(tmp_path, {"said": SAID, "mood": MOOD}, target="mood", text="sayd")


def test_texts_that_are_all_empty_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"texts to learn from are needed. Got 16 that are all empty. Check --text."):
        opened(tmp_path, {"said": [""] * 16, "mood": MOOD, "more": MOOD}, target="mood", text="said")


def test_lengths_and_empty_texts_are_told(tmp_path: Path) -> None:
    told = codes(opened(tmp_path, {"said": SAID, "mood": MOOD}, target="mood"))
    assert told["texts"] == "texts in 'said': 4 characters in the median, 9 at most"
    assert told["texts-empty"].startswith("2 of 16 texts are empty")


def test_long_texts_are_told(tmp_path: Path) -> None:
    told = codes(opened(tmp_path, {"said": ["a " * 3000, "b"] * 8, "mood": MOOD}, target="mood"))
    assert told["texts-long"].startswith("8 of 16 texts have more than 5,000 characters")


@pytest.mark.parametrize(
    ("text", "is_told"), [("很好吃", True), ("とても", True), ("ดีมาก", True), ("good 好", False)],
    ids=["chinese", "japanese", "thai", "mixed"],
)  # fmt: skip
def test_scripts_without_blanks_are_told(tmp_path: Path, text: str, *, is_told: bool) -> None:
    told = codes(opened(tmp_path, {"said": [f"{text}{n}" for n in range(16)], "mood": MOOD}, target="mood"))
    assert ("texts-unspaced" in told) is is_told


def test_repeated_texts_and_torn_labels_are_told(tmp_path: Path) -> None:
    told = codes(opened(tmp_path, {"said": ["same", "same"] * 8, "mood": MOOD}, target="mood"))
    assert told["duplicates"].startswith("15 of 16 rows are exact duplicates")
    assert "labels-conflict" in told


def test_test_texts_are_read_by_the_rule_of_training(tmp_path: Path) -> None:
    train = opened(tmp_path, {"said": SAID, "mood": MOOD}, target="mood").data
    (tmp_path / "test.csv").write_text("mood,said,more\nup,NA,1\ndown,good film,2\n", encoding="utf-8")
    test = prepare_test(tmp_path / "test.csv", train, cache=tmp_path / "cache")
    assert list(test.data.X.texts[0]) == ["NA", "good film"]
    assert test.data.spec.kind == "text"
    assert "2 of 2 test rows are in the training data too" in codes(test)["test-overlap"]


def test_texts_in_memory_are_taken_as_a_list(tmp_path: Path) -> None:
    task = registry.resolve("task", "text-clf")
    data = open_source((SAID, MOOD), task, cache=tmp_path).data
    assert list(data.X.texts[0]) == SAID


def test_the_flag_is_for_texts_only(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"--text 'a': it is for texts, and tabular-clf is about tables. Leave it out."):
        open_source("", registry.resolve("task", "tabular-clf"), roles=Roles(text="a"), cache=tmp_path)
