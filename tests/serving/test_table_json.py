"""JSON Lines are read as flat objects, or refused with the line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.serving.errors import InputError
from automl.serving.table_cells import Cells
from automl.serving.table_json import JsonLines

REFUSED = {
    "cut": ('{"a": 1}\n{"a": 1, "b":\n', r"line 2 is no JSON object \(Expecting value\)\. Got '\{\"a\": 1, \"b\":'"),
    "a list": ("[1, 2]\n", r"line 1: an object such as .* is needed\. Got '\[1, 2\]'"),
    "a list of objects": ('[{"a": 1},\n{"a": 2}]\n', "line 1 is no JSON object"),
    "nested object": ('{"a": 1}\n\n{"a": {"b": 2}}\n', r"line 3: 'a' must be text.* Got \"\{'b': 2\}\""),
    "nested list": ('{"a": [1]}\n', "line 1: 'a' must be text"),
    "no text": ("a,b\n", "line 1 is no JSON object"),
    "key without a name": ('{" ": 1}\n', r"line 1: .* Got the key ' '"),
    "empty": ("", "one JSON object per line is needed"),
    "empty objects": ("{}\n{}\n", "one JSON object per line is needed"),
    "a number of thousands of digits": ('{"a": ' + "1" * 5000 + "}\n", "line 1 is no JSON object"),
    "deep": ('{"a":' + "[" * 100_000, "line 1 is no JSON object"),
}


def opened(folder: Path, text: str) -> JsonLines:
    path = folder / "t.jsonl"
    path.write_text(text, encoding="utf-8")
    return JsonLines(path)


def test_keys_of_all_rows_are_columns_and_a_missing_key_is_a_missing_value(tmp_path: Path) -> None:
    file = opened(tmp_path, '{"a": "x"}\n{"b": 2, "a": null}\n')
    assert file.names == ("a", "b")
    (chunk,) = file.chunks()
    assert chunk["a"] == ["x", ""]
    np.testing.assert_array_equal(chunk["b"], [np.nan, 2])


@pytest.mark.parametrize(
    ("values", "cells"),
    [("1 2.5 null NaN", [1, 2.5, np.nan, np.nan]), ("true false null", ["true", "false", ""]),
     ('1 "a" 2.0 true', ["1", "a", "2", "true"]), ("9007199254740993", ["9007199254740993"])],
    ids=["numbers", "truth values", "mixed", "large"],
)  # fmt: skip
def test_values_become_cells(tmp_path: Path, values: Any, cells: Cells) -> None:
    file = opened(tmp_path, "".join(f'{{"a": {value}}}\n' for value in values.split()))
    (chunk,) = file.chunks()
    np.testing.assert_array_equal(chunk["a"], cells)


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_flat_object_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=rf"^t\.jsonl: .*{message}"):
        opened(tmp_path, text)


def test_a_large_number_is_infinite_and_no_mistake(tmp_path: Path) -> None:
    (chunk,) = opened(tmp_path, '{"a": 1e999}\n{"a": 1}\n').chunks()
    assert chunk["a"].tolist() == [np.inf, 1]


def test_blank_lines_are_passed_over_and_told(tmp_path: Path) -> None:
    file = opened(tmp_path, '{"a": 1}\n\n  \n{"a": 2}\n')
    assert [len(chunk["a"]) for chunk in file.chunks()] == [2]
    assert [note.message for note in file.notes] == ["t.jsonl: 2 blank lines are passed over."]


def test_rows_come_in_chunks_and_only_the_wanted_columns(tmp_path: Path) -> None:
    file = opened(tmp_path, '{"a": 1, "b": 2}\n' * 5)
    assert [(list(chunk), len(chunk["b"])) for chunk in file.chunks(["b"], 2)] == [(["b"], 2), (["b"], 2), (["b"], 1)]


def test_rows_of_many_shapes_are_read(tmp_path: Path) -> None:
    file = opened(tmp_path, "".join(f'{{"k{row}": 1}}\n' for row in range(1100)))
    assert len(file.names) == 1100
    assert sum(len(chunk["k0"]) for chunk in file.chunks()) == 1100
