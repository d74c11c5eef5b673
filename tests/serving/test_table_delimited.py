"""Delimited files are read as written, or refused with the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl.serving import table_delimited
from automl.serving.errors import InputError
from automl.serving.table_delimited import DelimitedFile


def opened(folder: Path, text: str, preferred: str = ",") -> DelimitedFile:
    path = folder / "t.csv"
    path.write_text(text, encoding="utf-8", newline="")
    return DelimitedFile(path, preferred)


def rows(file: DelimitedFile, **options) -> list[tuple[str, ...]]:
    return [row for chunk in file.chunks(**options) for row in zip(*chunk.values(), strict=True)]


READ = {
    "plain": "a,b\n1,x\n2,y\n",
    "no end": "a,b\n1,x\n2,y",
    "line ends of other systems": "a,b\r\n1,x\r\n2,y\r\n",
    "line ends of old systems": "a,b\r1,x\r2,y\r",
    "quoted": '"a","b"\n"1","x"\n"2","y"\n',
    "blank lines": "\n\na,b\n\n1,x\n  \n2,y\n\n",
    "spaces around names": " a , b \n1,x\n2,y\n",
    "empty column at the end": "a,b,\n1,x,\n2,y,\n",
    "empty field behind the last": "a,b\n1,x,\n2,y,,\n",
    "semicolons": "a;b\n1;x\n2;y\n",
    "tabs": "a\tb\n1\tx\n2\ty\n",
}
HEADERS = {
    "no names": "5.1,3.5,setosa\n4.9,3.0,setosa\n",
    "repeated numbers": "1,1,2\n3,4,5\n",
    "the same name twice": "a,b,a\n1,2,3\n",
    "the same name but for spaces": "a, a\n1,2\n",
    "empty": "",
    "blank": "\n \n",
}
MALFORMED = {
    "too many fields": ("a,b\n1,2\n1,2,3\n", r"line 3 has 3 fields, the line of names 2\. Got '1,2,3'"),
    "too few fields": ("a,b\n1\n", "line 2 has 1 fields"),
    "open quote": ('a,b\n1,"2\n3,4\n', r"a double quote that opens a field must be closed\. Got .* up to line"),
    "text behind a quote": ('a,b\n1,"2"3\n', "behind a field in double quotes its separator must come"),
    "behind quoted line ends": ('a,b\n"x\ny\r\nz",2\n\n1,2,3\n', "line 6 has 3 fields"),
}


@pytest.mark.parametrize("text", READ.values(), ids=READ.keys())
def test_the_same_rows_are_read_however_they_are_written(tmp_path: Path, text: str) -> None:
    file = opened(tmp_path, text)
    assert file.names == ("a", "b")
    assert rows(file) == [("1", "x"), ("2", "y")]


def test_quotes_hold_separators_line_ends_and_quotes(tmp_path: Path) -> None:
    assert rows(opened(tmp_path, 'a,b\n"x, y","1\n""2"""\n')) == [("x, y", '1\n"2"')]


def test_a_quote_may_stand_behind_a_space(tmp_path: Path) -> None:
    assert rows(opened(tmp_path, 'a, b\n1, "x, y"\n')) == [("1", "x, y")]


def test_spaces_in_fields_are_kept(tmp_path: Path) -> None:
    assert rows(opened(tmp_path, "a,b\n x , y\n")) == [(" x ", " y")]


def test_a_file_may_have_one_column(tmp_path: Path) -> None:
    file = opened(tmp_path, "a\n1\n\n2\n")
    assert (file.separator, rows(file)) == (",", [("1",), ("2",)])


def test_another_separator_is_told(tmp_path: Path) -> None:
    file = opened(tmp_path, "a;b\n1;2\n")
    assert file.separator == ";"
    assert [note.message for note in file.notes] == ["t.csv: columns are separated by ';'."]


def test_columns_without_a_name_are_called_by_their_place_and_told(tmp_path: Path) -> None:
    file = opened(tmp_path, "a,,column_2,\n1,2,3,4\n")
    assert file.names == ("a", "column_2_", "column_2", "column_4")
    assert "column 2 is called 'column_2_', column 4 is called 'column_4'" in file.notes[0].message


def test_a_value_below_an_empty_name_at_the_end_makes_it_a_column(tmp_path: Path) -> None:
    assert opened(tmp_path, "a,b,\n1,2,\n1,2,3\n").names == ("a", "b", "column_3")


def test_blank_lines_are_told_once_however_often_the_file_is_read(tmp_path: Path) -> None:
    file = opened(tmp_path, "a,b\n\n1,2\n\n")
    assert rows(file) == rows(file)
    assert [note.message for note in file.notes] == ["t.csv: 2 blank lines are passed over."]


@pytest.mark.parametrize("text", HEADERS.values(), ids=HEADERS.keys())
def test_a_line_of_names_is_needed(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match=r"^t\.csv: .*names.* Got "):
        opened(tmp_path, text)


@pytest.mark.parametrize("header", ["0,1,2", "country,2019,2020", "1"])
def test_whole_numbers_that_differ_may_be_names(tmp_path: Path, header: str) -> None:
    assert opened(tmp_path, f"{header}\n{header}\n").names == tuple(header.split(","))


@pytest.mark.parametrize(("text", "message"), MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_row_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        rows(opened(tmp_path, text))


def test_the_line_is_right_far_below(tmp_path: Path) -> None:
    file = opened(tmp_path, "a,b\n" + "1,2\n" * 2500 + "1,2,3\n")
    with pytest.raises(InputError, match="line 2502 has 3 fields"):
        rows(file)


def test_names_alone_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="rows are needed below the line of names"):
        rows(opened(tmp_path, "a,b\n"))


def test_a_field_has_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_delimited, "MAX_FIELD", 100)
    with pytest.raises(InputError, match=r"a field has at most 100 characters.*line 2"):
        rows(opened(tmp_path, "a,b\n1," + "x" * 101 + "\n"))


def test_more_columns_than_a_rule_may_have_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_delimited, "MAX_COLUMNS", 2)
    with pytest.raises(InputError, match=r"at most 2 columns are read\. Got 3"):
        opened(tmp_path, "a,b,c\n1,2,3\n")


def test_rows_come_in_chunks_of_the_wanted_size(tmp_path: Path) -> None:
    file = opened(tmp_path, "a,b\n" + "1,2\n" * 2500)
    assert [len(chunk["a"]) for chunk in file.chunks(rows=700)] == [700, 700, 700, 400]


def test_only_the_wanted_columns_are_handed_on(tmp_path: Path) -> None:
    file = opened(tmp_path, "a,b,c\n1,2,3\n")
    assert list(file.chunks(["c", "a", "none"])) == [{"a": ["1"], "c": ["3"]}]


def test_the_order_of_rows_is_kept_over_chunks(tmp_path: Path) -> None:
    numbers = [str(number) for number in range(3000)]
    file = opened(tmp_path, "a,b\n" + "".join(f"{number},x\n" for number in numbers))
    assert [row[0] for row in rows(file, rows=999)] == numbers
