"""Laws of preparing texts: every character arrives, is counted once, and is told of by shares that are exact."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest

from automl.core.data import DataSpec, Finding
from automl.data import text_facts
from automl.data.folder import DataFolder
from automl.data.roles import GUESSED_TEXTS, OTHER_TEXTS, Roles, checked, with_text
from automl.data.sources import open_source
from automl.data.text_facts import text_alone, text_findings, text_shape
from automl.errors import DataError
from automl.serving.texts import Texts
from automl.tasks import tabular_clf, text_clf
from automl.testing.context import text_table

SEEDS = range(5)
SIGNS = [*"aZ09 ,;\"'\t.", "\u00e9", "e\u0301", "\u00df", "\u4f60", "\U0001f600", "\u200b", "\u0e01"]
HARD = [
    'she said "no"', "a,b,,c", "two\nlines", "tab\there", "\u4f60\u597d, \U0001f600", "NA", "nan", "None", "1.0", "007",
    "2024-01-31", "-", "''", "x" * 300, "\u00e9t\u00e9", "true",
]  # fmt: skip
MOOD = ["up", "down"] * 8


def drawn(seed: int, count: int = 40) -> list[str]:
    """Return texts of 0 to 12 signs of 1 to 4 bytes, the last of them not empty."""
    rng = np.random.default_rng(seed)
    return ["".join(rng.choice(SIGNS, rng.integers(0, 13))) for _ in range(count - 1)] + ["end"]


def found(texts: Sequence[str], columns: dict[str, str] | None = None) -> dict[str, Finding]:
    """Return what is told about texts, by code."""
    kinds = columns or {"said": "text", "mood": "target"}
    spec = DataSpec("d", "text", len(texts), (1, 1, 1), ("a", "b"), (1, 1), "", columns=kinds)
    told = text_findings(spec, text_table(texts), np.arange(len(texts)) % 2)
    return {finding.code: finding for finding in told}


@pytest.mark.parametrize("sign", SIGNS, ids=ascii)
def test_a_sign_of_any_width_is_counted_as_python_counts_it(sign: str) -> None:
    assert text_shape(Texts.of([sign * 7]), "d") == (1, 7 * len(sign), 7 * len(sign))


@pytest.mark.parametrize("block", [1, 3, 39, 40, 41])
@pytest.mark.parametrize("seed", SEEDS)
def test_the_shape_is_that_of_decoded_texts_in_blocks_of_any_size(
    seed: int, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_facts, "_BLOCK", block)
    lengths = [len(text) for text in drawn(seed)]
    assert text_shape(Texts.of(drawn(seed)), "d") == (1, round(np.mean(lengths)), max(lengths))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_shape_of_a_choice_of_texts_is_that_of_the_texts_alone(seed: int) -> None:
    texts, rows = drawn(seed), np.append(np.random.default_rng(seed).integers(0, 40, 15), 39)
    assert text_shape(Texts.of(texts)[rows], "d") == text_shape(Texts.of([texts[row] for row in rows]), "d")


def test_half_of_a_pair_of_surrogates_is_one_character() -> None:
    assert text_shape(Texts.of(["a\ud83db"]), "d") == (1, 3, 3)


def test_texts_that_are_nearly_all_empty_have_a_character_in_the_mean() -> None:
    assert text_shape(Texts.of([*[""] * 99, "a"]), "d") == (1, 1, 1)


@pytest.mark.parametrize("count", [1, 70_000])
def test_no_character_at_all_is_refused_with_the_number_of_texts(count: int) -> None:
    with pytest.raises(DataError, match=rf"^d\.csv: texts to learn from are needed\. Got {count} that are all empty\."):
        text_shape(Texts.of([""] * count), "d.csv")


@pytest.mark.parametrize("seed", SEEDS)
def test_the_summary_is_of_decoded_texts(seed: int) -> None:
    lengths = [len(text) for text in drawn(seed)]
    message = f"texts in 'said': {int(median(lengths))} characters in the median, {max(lengths)} at most"
    assert found(drawn(seed))["texts"] == Finding("texts", "info", message)


@pytest.mark.parametrize(("rows", "level"), [(100, "warning"), (101, "info")])
def test_empty_texts_are_a_warning_from_one_in_a_hundred_on(rows: int, level: str) -> None:
    told = found(["", *(f"text {number}" for number in range(rows - 1))])["texts-empty"]
    assert (told.level, told.message.partition(";")[0]) == (level, f"1 of {rows} texts are empty")


@pytest.mark.parametrize("sign", ["a", "\u00e9", "\U0001f600"], ids=["1 byte", "2 bytes", "4 bytes"])
def test_texts_are_long_by_their_characters_and_not_by_their_bytes(sign: str) -> None:
    assert "texts-long" not in found([sign * 5000, "b"])
    assert found([sign * 5001, "b"])["texts-long"].message.startswith("1 of 2 texts have more than 5,000 characters")


def test_blanks_alone_are_no_empty_text() -> None:
    assert "texts-empty" not in found([" ", "\t", "a"])


@pytest.mark.parametrize(
    ("texts", "is_told"),
    [(["aa\u597d\u597d"], False), (["a\u597d\u597d"], True), (["a", "\u597d", "\u597d"], True),
     (["1234567 !?" * 9, "\u597d"], True), (["\u043f\u0440\u0438\u0432\u0435\u0442"], False), (["12 34"], False),
     (["\uac00\ub098"], False)],
    ids=["half", "more than half", "over rows", "digits", "cyrillic", "no letters", "korean"],
)  # fmt: skip
def test_a_script_without_blanks_is_told_where_most_letters_are_of_it(texts: list[str], *, is_told: bool) -> None:
    assert ("texts-unspaced" in found(texts)) is is_told


@pytest.mark.parametrize("unused", [1, 8, 9, 20])
def test_columns_that_are_not_learned_from_are_listed_up_to_eight(unused: int) -> None:
    columns = {"said": "text", **{f"c{number}": "unused" for number in range(unused)}, "id": "dropped"}
    listed = ", ".join(f"'c{number}'" for number in range(min(8, unused)))
    more = f" and {unused - 8} more" if unused > 8 else ""
    assert f"not: {listed}{more}; --task" in found(["a", "b"], columns)["columns-unused"].message


@pytest.mark.parametrize("seed", SEEDS)
def test_repeated_texts_are_counted_as_a_set_counts_them(seed: int) -> None:
    texts = np.random.default_rng(seed).choice(["a", "A", "a ", "", "\u00e9", "e\u0301"], 20).tolist()
    assert found(texts)["duplicates"].message.startswith(f"{20 - len(set(texts))} of 20 rows are exact duplicates")


@pytest.mark.parametrize("sizes", [[], [5], [1, 1, 3], [0, 2]], ids=str)
def test_a_rule_of_text_counts_the_rows_of_all_chunks(sizes: list[int]) -> None:
    told = text_alone(({"said": ["x"] * size, "other": [""] * size} for size in sizes), "said", ";")
    assert told.rows == sum(sizes)
    assert (told.rule.separator, told.kinds, [c.name for c in told.rule.columns]) == (";", {"said": "text"}, ["said"])


def written(path: Path, texts: Sequence[str], separator: str = ",") -> Path:
    if path.suffix == ".jsonl":
        lines = [json.dumps({"said": text, "mood": mood}) for text, mood in zip(texts, MOOD, strict=True)]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, delimiter=separator, quoting=csv.QUOTE_ALL).writerows(
            [("said", "mood"), *zip(texts, MOOD, strict=True)]
        )
    return path


def opened(source: Any, cache: Path, **roles: Any) -> DataFolder:
    return open_source(source, text_clf.TASK, roles=Roles(**roles), cache=cache).data


@pytest.mark.parametrize(("name", "separator"), [("d.csv", ","), ("d.csv", ";"), ("d.tsv", "\t"), ("d.jsonl", "")],
                         ids=["commas", "semicolons", "tabs", "json lines"])  # fmt: skip
def test_texts_arrive_as_they_are_from_every_kind_of_file(name: str, separator: str, tmp_path: Path) -> None:
    data = opened(written(tmp_path / name, HARD, separator), tmp_path / "cache", target="mood")
    assert list(data.X.texts[0]) == HARD
    assert [data.spec.classes[code] for code in data.y] == MOOD
    assert data.spec.shape == (1, round(np.mean([len(t) for t in HARD])), max(map(len, HARD)))


def test_texts_in_memory_arrive_as_they_are(tmp_path: Path) -> None:
    listed = opened((HARD, MOOD), tmp_path)
    framed = opened({"said": HARD, "mood": MOOD}, tmp_path, target="mood")
    assert list(listed.X.texts[0]) == list(framed.X.texts[0]) == HARD
    assert listed.y.tolist() == framed.y.tolist()


@pytest.mark.parametrize("place", [0, 7, 15])
def test_one_character_more_is_another_data_set(place: int, tmp_path: Path) -> None:
    changed = [text + "." * (number == place) for number, text in enumerate(HARD)]
    one, other = (opened({"said": texts, "mood": MOOD}, tmp_path, target="mood").spec for texts in (HARD, changed))
    assert one.fingerprint != other.fingerprint
    assert replace(one, fingerprint="", shape=()) == replace(other, fingerprint="", shape=())


def test_characters_that_move_to_the_next_text_are_another_data_set(tmp_path: Path) -> None:
    one, other = (opened({"said": [*first, *HARD[2:]], "mood": MOOD}, tmp_path, target="mood").spec.fingerprint
                  for first in (("ab", "c"), ("a", "bc")))  # fmt: skip
    assert one != other


@pytest.mark.parametrize("count", [3, 4])
def test_four_texts_are_the_fewest(count: int, tmp_path: Path) -> None:
    source = {"said": HARD[:count], "mood": MOOD[:count]}
    if count == 4:
        assert opened(source, tmp_path, target="mood").spec.rows == 4
        return
    with pytest.raises(DataError, match=r"at least 4 rows are needed\. Got 3 rows\. Add some\."):
        opened(source, tmp_path, target="mood")


def guess(names: Sequence[str], taken: set[str]) -> str | None:
    """Return the column of text as a plain reading of the rule has it."""
    left = [name for name in names if name not in taken]
    called = [name for name in left if name.strip().lower() in GUESSED_TEXTS]
    others = [name for name in left if name.strip().lower() in OTHER_TEXTS]
    return left[0] if len(left) == 1 else called[0] if len(called) == 1 and not others else None


@pytest.mark.parametrize("seed", range(12))
def test_the_column_of_text_is_told_or_asked_for(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pool = ["Text", " review ", "BODY", "price", "title", "when", "x"]
    names = ["label", *rng.choice(pool, rng.integers(1, 6), replace=False).tolist()]
    dropped = tuple(name for name in names[1:] if rng.random() < 0.4)
    expected, roles = guess(names, {"label", *dropped}), checked(Roles(drop=dropped), names, "d.csv")
    if expected is not None:
        assert with_text(roles, names, "d.csv") == replace(roles, text=expected)
        return
    with pytest.raises(DataError, match=rf"^--text: .* d\.csv\. Got {len(names) - 1 - len(dropped)} that may be\."):
        with_text(roles, names, "d.csv")


ROLE_FLAGS = {"target": "--target", "sample_weight": "--sample-weight", "group": "--group", "text": "--text",
              "split_time": "--split-time", "series_id": "--series-id", "series_time": "--series-time"}  # fmt: skip


@pytest.mark.parametrize("role", [role for role in ROLE_FLAGS if role != "text"])
def test_the_column_of_text_has_no_other_role(role: str) -> None:
    with pytest.raises(DataError, match=r"'a': a column has one role\. Got --[a-z-]+ 'a' as well\. Leave one out\."):
        checked(Roles(**{"target": "y", "text": "a", role: "a"}), ["y", "a"], "d.csv")  # type: ignore[arg-type]


@pytest.mark.parametrize(("role", "flag"), ROLE_FLAGS.items(), ids=ROLE_FLAGS)
def test_every_role_has_a_flag_that_names_its_column(role: str, flag: str) -> None:
    roles = Roles(**{role: "a"})  # type: ignore[arg-type]
    assert (roles.flags(), roles.given()) == ({flag: "a"}, [flag])


def test_every_role_is_part_of_what_data_is_remembered_by() -> None:
    given = {field.name: ("a",) if field.name == "drop" else "a" for field in fields(Roles)}
    keys = [json.dumps(Roles(**{name: value}).to_json()) for name, value in given.items()]  # type: ignore[arg-type]
    assert len({json.dumps(Roles().to_json()), *keys}) == len(given) + 1


def test_a_text_may_be_one_column_of_a_table_for_its_own_task(tmp_path: Path) -> None:
    source = {"said": HARD, "x": list(range(16)), "mood": MOOD}
    data = open_source(source, tabular_clf.TASK, roles=Roles(target="mood"), cache=tmp_path).data
    assert data.spec.kind == "table"
    with pytest.raises(DataError, match=r"--text 'said': it is for texts, and tabular-clf is about tables"):
        open_source(source, tabular_clf.TASK, roles=Roles(target="mood", text="said"), cache=tmp_path)
