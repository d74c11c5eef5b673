"""The artifact's own command, in a fresh interpreter that knows nothing of this package."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from automl.serving.command import main, to_csv, write_whole
from automl.serving.errors import InputError
from automl.serving.model import Model
from automl.testing.context import mixed_table
from automl.testing.tiny import tiny_artifact, tiny_images, write_image_folder, write_npz
from automl.testing.tiny_tables import table_columns, tiny_table_artifact, write_table_csv


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("runner")
    tiny_artifact(root / "model", root / "cache")
    write_npz(root / "d.npz", tiny_images(20, seed=5))
    write_image_folder(root / "images", tiny_images(6, seed=5))
    return root


def runner(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", str(root / "model" / "runner.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=root, env={"PATH": os.defpath}, check=False)


def table(text: str) -> tuple[list[str], list[list[str]]]:
    header, *rows = csv.reader(io.StringIO(text))
    return header, rows


def test_a_fresh_interpreter_predicts_what_this_one_does(root: Path) -> None:
    model = Model.load(root / "model")
    expected = model.predict_scores(model.read(root / "d.npz").X)

    done = runner(root, "d.npz", "--proba")

    header, rows = table(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert header == ["prediction", "proba_bar", "proba_dot", "proba_ring"]
    assert np.abs(np.array([row[1:] for row in rows], float) - expected).max() <= 1e-6
    assert [row[0] for row in rows] == [model.classes[code] for code in expected.argmax(axis=1)]


def test_a_reader_that_closes_early_is_no_mistake(root: Path) -> None:
    command = f"{sys.executable} -I model/runner.py d.npz --proba | true"

    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, cwd=root, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_running_leaves_no_file_in_the_model_folder(root: Path) -> None:
    before = sorted(root.joinpath("model").rglob("*"))

    runner(root, "d.npz")

    assert sorted(root.joinpath("model").rglob("*")) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing.npz"], "nothing.npz: not found"),
        ([], "required: DATA"),
        (["d.npz", "--prob", "x"], "unrecognized arguments: x"),
        (["d.npz", "-o", "."], "-o needs a file. Got a folder"),
        (["d.npz", "-o", "no/where.csv"], "the folder of -o must exist"),
        (["model/manifest.json"], "an image .* is needed"),
    ],
    ids=["missing", "no-data", "unknown-flag", "output-folder", "output-nowhere", "no-image"],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    root: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)

    code = main(arguments, root / "model")

    out, err = capsys.readouterr()
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("error: ")
    assert re.search(message, err)


def test_predictions_of_a_folder_go_to_a_file_in_the_order_of_names(root: Path, tmp_path: Path) -> None:
    code = main([str(root / "images"), "-o", str(tmp_path / "p.csv")], root / "model")

    header, rows = table((tmp_path / "p.csv").read_text(encoding="utf-8"))
    assert (code, header, len(rows)) == (0, ["prediction"], 6)
    assert [p.name for p in tmp_path.iterdir()] == ["p.csv"]


def test_a_changed_model_is_refused_by_the_command(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main([str(root / "d.npz")], root / "cache")

    assert (code, capsys.readouterr().err[:6]) == (2, "error:")


def test_labels_with_commas_and_quotes_are_quoted() -> None:
    text = to_csv(np.array([[1.0, 0.0]]), ('a,"b"', "c\nd"), with_proba=True)

    assert table(text) == (["prediction", 'proba_a,"b"', "proba_c\nd"], [['a,"b"', "1.0", "0.0"]])


def test_numbers_read_back_as_the_same_float32() -> None:
    scores = np.random.default_rng(0).random((50, 3)).astype(np.float32)

    _, rows = table(to_csv(scores, ("a", "b", "c"), with_proba=True))

    assert np.array_equal(np.array([row[1:] for row in rows], np.float32), scores)


def test_tiny_probabilities_are_not_lost() -> None:
    scores = np.array([[1e-30, 1.0]], np.float32)

    _, rows = table(to_csv(scores, ("a", "b"), with_proba=True))

    assert np.float32(rows[0][1]) == np.float32(1e-30)


def test_an_output_that_exists_is_replaced_whole(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("old" * 100, encoding="utf-8")

    write_whole(tmp_path / "p.csv", "new\n")

    assert (tmp_path / "p.csv").read_text(encoding="utf-8") == "new\n"
    with pytest.raises(InputError, match=r"-o needs a file. Got a folder"):
        write_whole(tmp_path, "new\n")


def test_an_output_gets_the_permissions_of_the_users_other_files(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()

    write_whole(tmp_path / "p.csv", "x")

    assert (tmp_path / "p.csv").stat().st_mode == (tmp_path / "usual").stat().st_mode


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tables")
    tiny_table_artifact(root / "classes", root / "c", decision={"weights": [1e9, 1.0, 1.0]})
    tiny_table_artifact(root / "numbers", root / "n", classes=0)
    write_table_csv(root / "t.csv", table_columns(mixed_table(7)))
    return root


def test_a_table_gets_labels_by_the_decision_and_plain_probabilities(
    tables: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tables / "t.csv"), "--proba"], tables / "classes") == 0
    header, rows = table(capsys.readouterr().out)
    assert header == ["prediction", "proba_class 0", "proba_class 1", "proba_class 2"]
    assert {row[0] for row in rows} == {"class 0"}


def test_numbers_read_back_as_the_very_same_float32(tables: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tables / "t.csv")], tables / "numbers") == 0
    header, rows = table(capsys.readouterr().out)
    model = Model.load(tables / "numbers")
    assert header == ["prediction"]
    assert np.array_equal(np.float32([row[0] for row in rows]), model.predict_scores(mixed_table(7).X))


def test_numbers_have_no_probabilities(tables: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tables / "t.csv"), "--proba"], tables / "numbers") == 2
    assert capsys.readouterr().err == (
        "error: --proba: only classes have probabilities. Got a model that predicts numbers. Leave it out.\n"
    )


@pytest.mark.parametrize("suffix", ["tsv", "jsonl"])
def test_other_forms_of_a_table_are_read_too(tables: Path, suffix: str, capsys: pytest.CaptureFixture[str]) -> None:
    columns, path = table_columns(mixed_table(7)), tables / f"t.{suffix}"
    lines = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    tabs = ["\t".join(columns), *("\t".join("" if v is None else str(v) for v in line.values()) for line in lines)]
    path.write_text("\n".join(tabs if suffix == "tsv" else map(json.dumps, lines)) + "\n", encoding="utf-8")
    assert (main([str(tables / "t.csv")], tables / "numbers"), main([str(path)], tables / "numbers")) == (0, 0)
    answers = capsys.readouterr().out.split("prediction\n")
    assert answers[1] == answers[2] != ""


def test_columns_that_are_not_used_are_said_on_stderr(tables: Path, capsys: pytest.CaptureFixture[str]) -> None:
    columns = {**table_columns(mixed_table(7)), "answer": ["x"] * 7}
    assert main([str(write_table_csv(tables / "more.csv", columns))], tables / "numbers") == 0
    said = capsys.readouterr()
    assert "note: more.csv: columns that the model does not use are left alone: 'answer'." in said.err
    assert len(said.out.splitlines()) == 8


@pytest.mark.parametrize(
    ("scores", "text"),
    [([], ""), ([0.1], "0.1\n"), ([-3.0, 1e20], "-3.0\n1e+20\n"), ([123456.79], "123456.79\n")],
    ids=["none", "short", "large", "exact"],
)
def test_numbers_are_written_as_short_as_they_can_be(scores: list[float], text: str) -> None:
    assert to_csv(np.array(scores, np.float32), (), with_proba=False) == f"prediction\n{text}"
