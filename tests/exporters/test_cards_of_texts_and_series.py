"""Artifacts of texts and series say how they are used, and their names cannot break what is said."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.core.data import DataSpec
from automl.core.events import Decided, Winner
from automl.core.space import Configuration
from automl.exporters.artifact import RUNTIME, serving_files, write_artifact
from automl.exporters.card import model_card
from automl.exporters.verify import check_artifact
from automl.model import Model
from automl.recorders.mlflow.model_folder import ModelFacts, mlmodel, write_model_files
from automl.report import sections
from automl.report.build import build
from automl.serving.series import SeriesRule
from automl.serving.table import Column, TableRule
from automl.testing.context import mixed_table, spoken_texts, striped_images, waving_series
from automl.testing.history_builder import HistoryBuilder, run_started
from automl.testing.tiny_series import PLAN, RULE, tiny_series_artifact, write_series_member

FACTS = ModelFacts("m-1", "r-1", "/place", "3.17.2", 0.0, 10)
TEXT = TableRule((Column("said", "text"),))
TEXTS, WAVES = spoken_texts(60).spec, waving_series(60).spec
HOSTILE = "a|b`c\n# d<script>"


def manifest(rule: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """Return the manifest of a model of three classes with one member."""
    data = {"name": "d", "rows": 60, "fingerprint": "ab", "class_counts": [20, 20, 20], "columns": {}}
    member = {"file": "members/00.onnx", "candidate": "rocket", "trial": 3, "fold": 1, "weight": 1.0,
              "features": {"kind": "series"}}  # fmt: skip
    facts = {"run": "r", "task": "sequence-clf", "metric": "accuracy", "classes": ["a", "b", "c"], "target": "label",
             "input": rule, "members": [member], "scores": {}, "data": data}  # fmt: skip
    return {**facts, **changes}


def use(rule: Mapping[str, Any]) -> str:
    """Return what the card says about the use of a model."""
    return model_card(manifest(rule)).partition("## Use")[2].partition("## Data")[0]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("series")
    tiny_series_artifact(root / "a", root / "members")
    return root / "a"


def test_the_card_of_an_artifact_is_that_of_its_manifest(root: Path) -> None:
    facts = json.loads((root / "manifest.json").read_text(encoding="utf-8"))
    assert (root / "model_card.md").read_text(encoding="utf-8") == model_card(facts)


def test_an_artifact_of_series_holds_what_its_manifest_lists_and_nothing_else(root: Path) -> None:
    facts = check_artifact(root).facts
    held = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    assert held == {*facts["files"], "manifest.json"}
    assert set(serving_files()) <= held
    assert held & {"members/00.json", "members/01.json"} == {"members/00.json"}


def test_an_artifact_of_series_asks_for_no_more_than_two_packages(root: Path) -> None:
    lines = (root / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert all(re.fullmatch(r"(numpy|onnxruntime)>=\d+(\.\d+)*,<\d+", line) for line in lines)
    assert [re.split(r"[>=]", line)[0] for line in lines] == list(RUNTIME["series"])


def test_the_answer_of_an_artifact_is_the_weighted_mean_of_its_members(root: Path, tmp_path: Path) -> None:
    X = waving_series(20, seed=5).X
    alone = []
    for fold in range(2):
        member = write_series_member(tmp_path / f"m{fold}", PLAN, fold=fold)
        facts: Any = {"task": "sequence-clf", "metric": "log_loss", "scores": {}, "versions": {}, "run_name": ""}
        write_artifact(tmp_path / f"a{fold}", spec=replace(WAVES, input=RULE.to_json()), members=[member], **facts)
        alone.append(Model(tmp_path / f"a{fold}").predict_scores(X))
    np.testing.assert_allclose(Model(root).predict_scores(X), 0.25 * alone[0] + 0.75 * alone[1], atol=1e-6)


def test_equal_artifacts_are_equal_byte_for_byte(root: Path, tmp_path: Path) -> None:
    tiny_series_artifact(tmp_path / "b", tmp_path / "members")
    files = [path.relative_to(root) for path in sorted(root.rglob("*")) if path.is_file()]
    assert all((root / name).read_bytes() == (tmp_path / "b" / name).read_bytes() for name in files)


USES = {
    "table with a time": (SeriesRule(("x", "y"), "id", "t"), ["per row, ordered by `t`: `id` says whose", "`x`, `y`"]),
    "table without one": (SeriesRule(("x",), "id"), ["per row, in the order of the file: `id` says", "first appear"]),
    "arrays": (SeriesRule(("0", "1")), ["DATA is an `.npz` file with `X`", "Channels: `0`, `1`.", "order of `X`"]),
}


@pytest.mark.parametrize(("rule", "words"), USES.values(), ids=USES)
def test_the_card_says_how_series_are_given(rule: SeriesRule, words: list[str]) -> None:
    said = use(rule.to_json())
    assert [word for word in words if word not in said] == []
    assert ("CSV" in said) is bool(rule.id)
    assert "image" not in said


@pytest.mark.parametrize(("channels", "more"), [(1, ""), (200, ""), (201, " and 1 more"), (900, " and 700 more")])
@pytest.mark.parametrize("column", ["", "id"], ids=["arrays", "table"])
def test_the_card_names_two_hundred_channels_at_most(channels: int, more: str, column: str) -> None:
    said = use(SeriesRule(tuple(f"c{number}" for number in range(channels)), column).to_json())
    assert len(re.findall(r"`c\d+`", said)) == min(200, channels)
    assert f"`c{min(200, channels) - 1}`{more}." in said


@pytest.mark.parametrize(
    "rule",
    [SeriesRule((HOSTILE, "y"), "id", "t"), SeriesRule(("x",), HOSTILE, "t"), SeriesRule(("x",), "id", HOSTILE)],
    ids=["channel", "id", "time"],
)
def test_names_of_columns_of_series_cannot_break_the_card(rule: SeriesRule) -> None:
    said = use(rule.to_json())
    assert "`a\\|b'c # d&lt;script>`" in said
    assert "<script" not in said
    assert not re.search(r"^# d", said, re.MULTILINE)


@pytest.mark.parametrize(
    ("rule", "what", "elsewhere"),
    [(SeriesRule(("x",)).to_json(), "series", "Other sensors"), (TEXT.to_json(), "row", "Other times")],
    ids=["series", "texts"],
)
def test_limits_speak_of_what_a_row_is(rule: Mapping[str, Any], what: str, elsewhere: str) -> None:
    said = model_card(manifest(rule)).partition("## Limits")[2]
    assert f"- Every {what} is given one of the 3 classes above" in said
    assert f"{elsewhere}, places or groups were not tested." in said


def test_the_card_of_texts_names_the_column_and_what_is_not_read() -> None:
    facts = manifest(TEXT.to_json(), task="text-clf", target="mood")
    columns = {"said": "text", "stars": "unused", HOSTILE: "dropped", "mood": "target"}
    said = model_card({**facts, "data": {**facts["data"], "columns": columns}})
    assert "| said | text |" in said
    assert "does not read: stars (unused), a\\|b'c # d&lt;script> (dropped), mood (target)." in said


@pytest.mark.parametrize("columns", [11, 12, 3000])
def test_of_many_columns_that_are_not_read_ten_are_named_and_all_counted(columns: int) -> None:
    facts = manifest(TEXT.to_json(), task="text-clf")
    named = {f"c{place}": "unused" for place in range(columns)}
    said = model_card({**facts, "data": {**facts["data"], "columns": named}})
    assert f" {columns} columns are not read by the model: c0 (unused), " in said
    assert f"c9 (unused) and {columns - 10} more, see `data` in `manifest.json`." in said
    assert said.count("(unused)") == 10


def test_ten_columns_that_are_not_read_are_all_named() -> None:
    facts = manifest(TEXT.to_json(), task="text-clf")
    named = {f"c{place}": "unused" for place in range(10)}
    said = model_card({**facts, "data": {**facts["data"], "columns": named}})
    assert "Columns that the model does not read: c0 (unused), " in said
    assert "c9 (unused)." in said


def test_scores_of_any_depth_are_lines_of_a_table() -> None:
    scores = {"cv": 0.5, "test": {"rows": 12, "metrics": {"macro_f1": 0.25}}, "how": "boot|strap"}
    said = model_card(manifest(TEXT.to_json(), scores=scores))
    lines = ["| cv | 0.5000 |", "| test.rows | 12 |", "| test.metrics.macro_f1 | 0.2500 |", "| how | boot\\|strap |"]
    assert "\n".join(lines) in said


@pytest.mark.parametrize(("fold", "shown"), [(-1, "all rows"), (0, "0"), (4, "4")])
def test_members_say_which_rows_they_learned_from(fold: int, shown: str) -> None:
    facts = manifest(TEXT.to_json())
    said = model_card({**facts, "members": [{**facts["members"][0], "fold": fold}]})
    assert f"| members/00.onnx | rocket | 3 | {shown} | 1.0000 | series |" in said


@pytest.mark.parametrize("kind", ["text", "series"])
def test_every_line_of_a_card_is_text_or_a_row_of_a_table_of_one_width(kind: str) -> None:
    rule = TEXT.to_json() if kind == "text" else SeriesRule((HOSTILE,), HOSTILE, HOSTILE).to_json()
    said = model_card(manifest(rule, classes=[HOSTILE, "b", "c"], target=HOSTILE))
    widths = [len(re.findall(r"(?<!\\)\|", line)) for line in said.splitlines() if line.startswith("|")]
    assert widths.count(3) + widths.count(7) == len(widths) > 5
    assert said.count("\n## ") == 6


def test_mlflow_is_told_the_column_of_text_and_a_probability_of_each_class() -> None:
    content: Any = mlmodel("run.py", TEXTS, FACTS)
    inputs, outputs = (json.loads(content["signature"][key]) for key in ("inputs", "outputs"))
    assert inputs == [{"type": "any", "name": "said", "required": True}]
    assert [c["name"] for c in outputs] == ["prediction", *(f"proba_{label}" for label in TEXTS.classes)]
    assert content["metadata"]["columns"] == {"said": "text"}


def test_mlflow_is_told_no_columns_of_series() -> None:
    content: Any = mlmodel("run.py", WAVES, FACTS)
    assert content["signature"]["inputs"] is None
    assert "columns" not in content["metadata"]
    assert content["metadata"]["input_shape"] == list(WAVES.shape)


def files_of(folder: Path, spec: DataSpec) -> dict[str, Any]:
    """Return the JSON files that are written for MLflow, by name."""
    (folder / "out").mkdir()
    (folder / "run.py").write_text("", encoding="utf-8")
    write_model_files(folder / "out", folder, folder / "run.py", spec, FACTS)
    names = ("input_example.json", "serving_input_example.json", "MLmodel")
    return {n: json.loads((folder / "out" / n).read_text()) for n in names if (folder / "out" / n).is_file()}


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 10, 20), (1, 60, 64)], ids=str)
def test_an_example_of_series_is_a_flat_one_that_the_model_could_read(shape: tuple[int, ...], tmp_path: Path) -> None:
    found = files_of(tmp_path, replace(WAVES, shape=shape))
    example = np.array(found["input_example.json"])
    assert example.shape == (1, *shape[:2])
    assert not example.any()
    assert found["serving_input_example.json"] == {"inputs": example.tolist()}
    assert found["MLmodel"]["saved_input_example_info"]["type"] == "ndarray"


def test_an_example_of_series_of_the_artifact_is_answered(root: Path, tmp_path: Path) -> None:
    example = np.array(files_of(tmp_path, WAVES)["input_example.json"])
    scores = Model(root).predictions(example).scores
    np.testing.assert_allclose(scores.sum(axis=1), [1.0], atol=1e-6)


def test_very_large_series_have_no_example(tmp_path: Path) -> None:
    found = files_of(tmp_path, replace(WAVES, shape=(100, 1000, 2000)))
    assert list(found) == ["MLmodel"]
    assert "saved_input_example_info" not in found["MLmodel"]


@pytest.mark.parametrize("longest", [10, 1_000_000])
def test_an_example_of_texts_is_short_however_long_texts_are(longest: int, tmp_path: Path) -> None:
    found = files_of(tmp_path, replace(TEXTS, shape=(1, longest, longest)))
    assert found["input_example.json"] == {"columns": ["said"], "data": [["some words"]]}


def told(spec: DataSpec) -> str:
    """Return what the report says about the use of a model of such data."""
    made = HistoryBuilder()
    made.add(replace(run_started(), spec=spec))
    made.full(Configuration("cnn", {"lr": 0.1}), [0.9, 0.9])
    winner = Winner("single", "cnn", {0: 1.0}, 0.9, 0.01, 0.89, 0.85, 0.93, None, "bootstrap")
    made.add(Decided(winner, "artifacts/0001", "ab" * 32, None, 9.0))
    return sections.how_to_use(build(made.history, run="runs/x"))


REPORTS = {
    "texts": (TEXTS, "labels = model.predict(texts)", "numpy and onnxruntime"),
    "series": (WAVES, "labels = model.predict(series)", "numpy and onnxruntime"),
    "tables": (mixed_table(20, classes=0).spec, "values = model.predict(table)", "numpy and onnxruntime"),
    "images": (striped_images(20).spec, "labels = model.predict(images)", "numpy, onnxruntime and Pillow"),
}


@pytest.mark.parametrize(("spec", "call", "needs"), REPORTS.values(), ids=REPORTS)
def test_the_report_says_how_a_model_of_such_rows_is_asked(spec: DataSpec, call: str, needs: str) -> None:
    drawn = told(spec)
    assert call in drawn
    assert needs in drawn
