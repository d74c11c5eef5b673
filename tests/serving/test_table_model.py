"""A model of tables reads a file or an object by name, encodes it by its members' plans, and refuses hostile plans."""

from __future__ import annotations

import copy
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from automl.serving.errors import InputError, ModelError
from automl.serving.model import Model
from automl.serving.table import Table
from automl.serving.table_encoder import compute
from automl.testing.context import ArrayData, mixed_table
from automl.testing.tiny_tables import PLAN, table_columns, tiny_table_artifact, write_table_csv

Change = Callable[[dict[str, Any]], object]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tables")
    tiny_table_artifact(root / "classes", root / "c")
    tiny_table_artifact(root / "numbers", root / "n", classes=0)
    return root


@pytest.fixture(scope="module")
def model(root: Path) -> Model:
    return Model.load(root / "classes")


@pytest.fixture(scope="module")
def regressor(root: Path) -> Model:
    return Model.load(root / "numbers")


@pytest.fixture(scope="module")
def data() -> ArrayData:
    return mixed_table(60)


@pytest.fixture
def folder(root: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(root / "classes", tmp_path / "model"))


def put(folder: Path, name: str, content: bytes) -> None:
    """Write a file of the folder with the right hash, as an attacker would."""
    facts = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    (folder / name).write_bytes(content)
    facts["files"][name] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    (folder / "manifest.json").write_text(json.dumps(facts), encoding="utf-8")


def change_manifest(folder: Path, **facts: Any) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **facts}), encoding="utf-8")


def direct(folder: Path, number: int, X: Table) -> np.ndarray:
    session = onnxruntime.InferenceSession(folder / f"members/{number:02d}.onnx", providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"input": compute(PLAN, X)})[0])


@pytest.mark.parametrize("name", ["classes", "numbers"])
def test_scores_are_the_weighted_mean_of_the_members(root: Path, data: ArrayData, name: str) -> None:
    parts = [direct(root / name, number, data.X) for number in (0, 1)]
    scores = Model.load(root / name).predict_scores(data.X)
    assert scores.dtype == np.float32
    assert scores == pytest.approx(0.25 * parts[0] + 0.75 * parts[1], rel=1e-6)


def test_numbers_have_one_score_per_row(regressor: Model, data: ArrayData) -> None:
    assert regressor.predict_scores(data.X).shape == (60,)
    assert regressor.classes == ()


def test_what_a_regressor_answers_are_its_values(regressor: Model, data: ArrayData) -> None:
    assert regressor.predict(data.X[:3]) == regressor.predict_scores(data.X[:3]).tolist()


def test_a_column_of_values_is_taken_as_values(root: Path, data: ArrayData, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(root / "numbers", tmp_path / "model"))
    graph = onnx.load_model(folder / "members/00.onnx")
    graph.graph.node[1].CopyFrom(onnx.helper.make_node("Identity", ["column"], ["values"]))
    graph.graph.output[0].CopyFrom(onnx.helper.make_tensor_value_info("values", 1, ["n", 1]))
    put(folder, "members/00.onnx", graph.SerializeToString())
    expected = Model.load(root / "numbers").predict_scores(data.X)
    np.testing.assert_array_equal(Model.load(folder).predict_scores(data.X), expected)


@pytest.mark.parametrize("rows", [0, 1, 4095, 4097])
def test_any_number_of_rows_is_computed_in_batches(model: Model, rows: int) -> None:
    X = mixed_table(max(1, rows), seed=1).X[:rows]
    found = model.predict_scores(X)
    assert found.shape == (rows, 3)
    np.testing.assert_array_equal(found[-3:], model.predict_scores(X[-3:] if rows else X))


def test_a_file_scores_as_the_rows_it_was_made_of(model: Model, data: ArrayData, tmp_path: Path) -> None:
    rows = model.read(write_table_csv(tmp_path / "t.csv", table_columns(data)))
    np.testing.assert_array_equal(model.predict_scores(rows.X), model.predict_scores(data.X))
    assert rows.names == [str(number) for number in range(60)]


def test_the_order_of_columns_is_free_and_others_are_left_alone(model: Model, data: ArrayData, tmp_path: Path) -> None:
    columns = {"answer": ["?"] * 60, **dict(reversed(table_columns(data).items()))}
    rows = model.read(write_table_csv(tmp_path / "t.csv", columns))
    np.testing.assert_array_equal(model.predict_scores(rows.X), model.predict_scores(data.X))


@pytest.mark.parametrize("form", ["columns", "rows", "frame", "table"])
def test_objects_in_memory_score_as_the_rows_they_hold(model: Model, data: ArrayData, form: str) -> None:
    import pandas as pd

    frame = pd.DataFrame(table_columns(data))
    forms = {"columns": table_columns(data), "rows": frame.to_dict("records"), "frame": frame, "table": data.X}
    X = model.rows(forms[form])
    np.testing.assert_array_equal(model.predict_scores(X), model.predict_scores(data.X))


@pytest.mark.parametrize(
    "X",
    [np.zeros((2, 6)), Table(np.zeros((2, 4))), Table(np.zeros((2, 5))), Table(np.zeros((2, 5), np.float32)),
     Table(np.zeros(2))],
    ids=["array", "columns", "no-texts", "float32", "flat"],
)  # fmt: skip
def test_rows_of_another_kind_are_refused(model: Model, X: Any) -> None:
    with pytest.raises(InputError, match=r"X: .* needed. Got .* Use Model.rows\(X\)."):
        model.predict_scores(X)


def test_a_decision_moves_labels_but_not_probabilities(folder: Path, model: Model, data: ArrayData) -> None:
    change_manifest(folder, decision={"weights": [1.0, 1e-9, 1e-9]})
    moved = Model.load(folder)
    assert set(moved.predict(data.X)) == {"class 0"}
    np.testing.assert_array_equal(moved.predict_scores(data.X), model.predict_scores(data.X))


def test_probabilities_are_calibrated(folder: Path, model: Model, data: ArrayData) -> None:
    change_manifest(folder, calibration={"kind": "temperature", "temperature": 2.0})
    expected = np.sqrt(model.predict_scores(data.X).astype(np.float64))
    found = Model.load(folder).predict_scores(data.X)
    assert found == pytest.approx(expected / expected.sum(axis=1, keepdims=True), abs=1e-6)


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"calibration": {"kind": "magic"}}, "manifest.json: calibration: must be one of"),
        ({"calibration": 3}, "manifest.json: calibration: must be an object"),
        ({"decision": {"weights": [1, 2]}}, "manifest.json: decision: weights must be 3 numbers"),
    ],
    ids=["kind", "number", "weights"],
)
def test_a_manifest_with_a_malformed_ending_is_refused(folder: Path, facts: dict[str, Any], message: str) -> None:
    change_manifest(folder, **facts)
    with pytest.raises(ModelError, match=message):
        Model.load(folder)


def test_members_share_an_encoder_that_is_the_same(root: Path, model: Model) -> None:
    entries = json.loads((root / "classes" / "manifest.json").read_text(encoding="utf-8"))["members"]
    assert [entry["features"]["encoder"] for entry in entries] == ["members/00.json", "members/00.json"]
    assert len({member.features.key for member in model._members}) == 1


def _wide(plan: dict[str, Any]) -> None:
    plan["blocks"].append({"kind": "numbers", "columns": [0]})
    plan["names"].append("more")
    plan["width"] = 5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda plan: plan.update(version=99), "version must be"),
        (lambda plan: plan.update(width="4"), "width"),
        (lambda plan: plan.update(width=10**12), "width"),
        (lambda plan: plan.update(width=3), "width|names"),
        (lambda plan: plan.update(blocks={}), "blocks"),
        (lambda plan: plan.update(blocks=[[]]), "blocks"),
        (lambda plan: plan["blocks"][0].update(kind="exec"), "kind"),
        (lambda plan: plan["blocks"][0].update(columns=[0, 1, 99]), "columns must be"),
        (lambda plan: plan["blocks"][0].update(columns=[-1, 0, 1]), "columns"),
        (lambda plan: plan["blocks"][0].update(columns="012"), "columns"),
        (lambda plan: plan["blocks"][0]["finish"].update(fill=[1.0]), "fill"),
        (lambda plan: plan["blocks"][0]["finish"].update(fill=[1.0, 1.0, "x"]), "fill"),
        (lambda plan: plan["blocks"][1].update(sizes=[5]), "values|categories"),
        (lambda plan: plan["blocks"][1].update(columns=[0]), "must be category"),
        (_wide, "input 'input' must take rows of 5 numbers, as its encoder gives. Got shape"),
    ],
)
def test_a_hostile_encoder_is_refused_in_one_line(folder: Path, change: Change, message: str) -> None:
    plan = copy.deepcopy(dict(PLAN))
    change(plan)
    put(folder, "members/00.json", json.dumps(plan).encode())
    with pytest.raises(ModelError, match=rf"members/00.(json|onnx): .*({message}).*Get the model again.") as caught:
        Model.load(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "JSON is needed"),
        (b"\x80\x04\x95", "JSON is needed"),
        (b"[1, 2]", "a JSON object is needed. Got list"),
        (b'{"version": 1, "width": NaN}', "numbers must be finite. Got NaN"),
        (b'{"version": 1, "width": -Infinity}', "numbers must be finite. Got -Infinity"),
        (b'{"a":' * 60 + b"1" + b"}" * 60, "nested at most 50 deep"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "JSON is needed|nested"),
        (b'{"width": ' + b"9" * 5000 + b"}", "JSON is needed"),
        (b'{"names": ["\\ud800"]}', "texts must be UTF-8"),
    ],
    ids=["empty", "pickle", "list", "nan", "infinite", "deep", "very-deep", "digits", "surrogate"],
)
def test_an_encoder_that_is_no_plain_json_is_refused(folder: Path, content: bytes, message: str) -> None:
    put(folder, "members/00.json", content)
    with pytest.raises(ModelError, match=f"members/00.json: .*({message})"):
        Model.load(folder)


def test_a_number_that_overflows_is_refused(folder: Path) -> None:
    text = json.dumps(PLAN).replace('"fill": [1.0', '"fill": [1e999')
    put(folder, "members/00.json", text.encode())
    with pytest.raises(ModelError, match=r"members/00.json: .*fill"):
        Model.load(folder)


def test_an_encoder_that_is_too_large_is_not_parsed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("automl.serving.table_input.MAX_ENCODER_BYTES", 100)
    with pytest.raises(ModelError, match=r"00.json: at most 100 bytes are read. Got \d+. Do not use this model."):
        Model.load(folder)


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ({"kind": "pixels"}, "features must be of kind 'table' or 'text'"),
        ({"kind": "table"}, "features must be of kind 'table' or 'text'"),
        ({"kind": "table", "encoder": 3}, "features must be of kind 'table' or 'text'"),
        ({"kind": "table", "encoder": "members/00.onnx"}, "features must be"),
        ({"kind": "table", "encoder": "members/77.json"}, "every file must be listed. Got no entry"),
        ({"kind": "table", "encoder": "../x.json"}, "every file must be listed. Got no entry"),
        ({"kind": "table", "encoder": "manifest.json"}, "every file must be listed. Got no entry"),
    ],
)
def test_a_member_without_a_listed_encoder_is_refused(folder: Path, features: Any, message: str) -> None:
    facts = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    facts["members"][0]["features"] = features
    change_manifest(folder, members=facts["members"])
    with pytest.raises(ModelError, match=message):
        Model.load(folder)


def test_a_changed_encoder_is_seen_before_it_is_parsed(folder: Path) -> None:
    (folder / "members" / "00.json").write_text("{", encoding="utf-8")
    with pytest.raises(ModelError, match=r"00.json: SHA-256 does not match"):
        Model.load(folder)


def test_a_rule_of_a_table_that_is_malformed_is_refused(folder: Path) -> None:
    change_manifest(folder, input={"kind": "table", "columns": [{"name": "a", "kind": "spaceship"}]})
    with pytest.raises(ModelError, match="a column needs a name and a kind"):
        Model.load(folder)


def test_made_up_rows_have_every_column_and_are_the_same_for_the_same_seed(model: Model) -> None:
    first, again = (model.input.made_up(50, np.random.default_rng(3)) for _ in range(2))
    assert isinstance(first, Table)
    assert isinstance(again, Table)
    model.input.check(first)
    np.testing.assert_array_equal(first.numbers, again.numbers)


def test_a_table_is_predicted_without_pillow(root: Path, data: ArrayData, tmp_path: Path) -> None:
    path = write_table_csv(tmp_path / "t.csv", table_columns(data))
    code = ("import sys; sys.modules['PIL'] = None; sys.path.insert(0, sys.argv[1])\n"
            "from serving.command import main; from pathlib import Path\n"
            "sys.exit(main(sys.argv[2:], Path(sys.argv[1])))")  # fmt: skip
    done = subprocess.run([sys.executable, "-I", "-c", code, str(root / "classes"), str(path)], capture_output=True,
                          text=True, check=False)  # fmt: skip
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 61), done.stderr
