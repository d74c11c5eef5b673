"""The doctor says what is wrong and what to do."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from automl.cli import doctor
from automl.cli.doctor import Check, check_cores, check_disk, check_memory, check_packages, check_store, render


def test_a_missing_package_is_a_problem_with_a_remedy() -> None:
    check = check_packages(("numpy", "no-such-package-of-ours"))
    assert (check.state, check.remedy) == ("problem", "pip install no-such-package-of-ours")


def test_versions_of_what_is_there_are_told() -> None:
    check = check_packages(("numpy",))
    assert check.state == "ok"
    assert check.text.startswith("numpy ")


def test_a_store_that_is_no_database_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("not a database, but long enough to be looked at as one" * 20)
    assert check_store(tmp_path / "mlflow.db").state == "problem"


def test_an_empty_database_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").touch()
    assert "no such table" in check_store(tmp_path / "mlflow.db").text


@pytest.mark.parametrize(("version", "state"), [("abc", "ok"), (None, "problem")], ids=["whole", "half made"])
def test_a_store_is_whole_with_its_schema_version(tmp_path: Path, version: str | None, state: str) -> None:
    connection = sqlite3.connect(tmp_path / "mlflow.db")
    connection.executescript(
        "CREATE TABLE runs (a); CREATE TABLE alembic_version (version_num); INSERT INTO runs VALUES (1)"
    )
    if version:
        connection.execute("INSERT INTO alembic_version VALUES (?)", (version,))
    connection.commit()
    connection.close()
    assert check_store(tmp_path / "mlflow.db").state == state


def test_no_store_yet_is_fine(tmp_path: Path) -> None:
    assert check_store(tmp_path / "mlflow.db").state == "ok"


def test_room_is_looked_for_where_the_folder_would_be(tmp_path: Path) -> None:
    assert "GiB free" in check_disk("disk", tmp_path / "not" / "yet").text


def test_a_full_disk_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_LEAST_DISK_BYTES", 1 << 60)
    assert check_disk("disk", tmp_path).state == "warning"


@pytest.mark.parametrize("check", [check_cores, check_memory], ids=["cores", "memory"])
def test_a_check_says_something(check: object) -> None:
    assert check().text  # type: ignore[operator]


def test_the_remedy_stands_on_a_line_of_its_own() -> None:
    assert render(Check("disk", "problem", "full", "delete old runs")).splitlines()[1].strip() == "do: delete old runs"


@pytest.mark.parametrize(("state", "code"), [("ok", 0), ("warning", 0), ("problem", 4)])
def test_a_problem_makes_the_exit_code(
    state: str, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "checks", lambda folder: [Check("x", state, "text", "")])  # type: ignore[arg-type]
    assert doctor.run(None) == code  # type: ignore[arg-type]
    assert "x" in capsys.readouterr().out
