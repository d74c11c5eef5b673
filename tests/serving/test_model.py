"""A model is the weighted mean of its members, by the numbers in its manifest."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from automl.data.folder import DataFolder
from automl.exporters.artifact import write_artifact
from automl.serving import image_features
from automl.serving.errors import InputError, ModelError
from automl.serving.manifest import read_manifest
from automl.serving.model import Model
from automl.testing.tiny import linear_onnx, tiny_artifact, tiny_data, tiny_images, write_member, write_npz


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("model")
    tiny_artifact(root / "model", root / "cache")
    return root


@pytest.fixture(scope="module")
def model(root: Path) -> Model:
    return Model.load(root / "model")


@pytest.fixture(scope="module")
def data(root: Path) -> DataFolder:
    return tiny_data(root / "cache")


def direct(onnx: bytes, X: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(onnx, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(["probabilities"], {"input": X})[0])


def test_scores_are_the_weighted_mean_of_the_members(model: Model, data: DataFolder) -> None:
    parts = [direct(linear_onnx((8, 8, 1), 3, seed=seed), np.asarray(data.X)) for seed in (0, 1)]

    scores = model.predict_scores(data.X)

    assert scores.dtype == np.float32
    assert np.abs(scores - (0.25 * parts[0] + 0.75 * parts[1])).max() < 1e-6


def test_a_row_scores_alike_alone_and_among_many(model: Model) -> None:
    X = np.random.default_rng(0).integers(0, 256, (600, 8, 8, 1), dtype=np.uint8)

    together = model.predict_scores(X)

    assert np.abs(together[[0, 300, 599]] - model.predict_scores(X[[0, 300, 599]])).max() < 1e-6


def test_no_rows_give_no_scores(model: Model) -> None:
    assert model.predict_scores(np.zeros((0, 8, 8, 1), np.uint8)).shape == (0, 3)


def test_predictions_are_labels(model: Model, data: DataFolder) -> None:
    best = model.predict_scores(data.X[:4]).argmax(axis=1)

    assert model.predict(data.X[:4]) == [("bar", "dot", "ring")[code] for code in best]


def test_a_file_is_read_by_the_rule_of_training(model: Model, tmp_path: Path) -> None:
    arrays = tiny_images(5, side=16)

    rows = model.read(write_npz(tmp_path / "d.npz", arrays))

    assert rows.X.shape == (5, 8, 8, 1)
    assert np.array_equal(rows.X, model.rows(np.asarray(arrays.X)))


@pytest.mark.parametrize(
    "X",
    [np.zeros((2, 8, 8, 1)), np.zeros((2, 8, 8), np.uint8), np.zeros((2, 4, 8, 1), np.uint8)],
    ids=["floats", "no-channels", "another-size"],
)
def test_rows_of_another_kind_are_refused(model: Model, X: np.ndarray) -> None:
    with pytest.raises(InputError, match=r"X: uint8 \(n, \(8, 8, 1\)\) is needed. Got"):
        model.predict_scores(X)


def test_members_on_features_get_them(data: DataFolder, tmp_path: Path) -> None:
    features = {"kind": "pooled", "height": 4, "width": 4}
    onnx = linear_onnx((16,), 3, inputs="features")
    member = write_member(tmp_path / "m", onnx, features=features)
    write_artifact(tmp_path / "a", spec=data.spec, members=[member], task="image-clf", metric="accuracy", scores={},
                   versions={}, run_name="")  # fmt: skip

    scores = Model.load(tmp_path / "a").predict_scores(data.X)

    assert np.abs(scores - direct(onnx, image_features.compute(features, np.asarray(data.X)))).max() < 1e-6


def changed(root: Path, tmp_path: Path, **member: object) -> Model:
    folder = Path(shutil.copytree(root / "model", tmp_path / "model"))
    facts = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    facts["members"][0].update(member)
    (folder / "manifest.json").write_text(json.dumps(facts), encoding="utf-8")
    return Model.load(folder)


@pytest.mark.parametrize(
    ("member", "message"),
    [
        ({"input": "x"}, r"the manifest names input 'x' and output 'probabilities'. Got \['input'\]"),
        ({"output": "y"}, r"output 'y'. Got \['input'\] and \['probabilities'\]"),
        ({"features": {"kind": "pooled"}}, "members/00.onnx: features.height must be"),
        ({"features": {"kind": "exec"}}, "members/00.onnx: features.kind must be one of"),
    ],
    ids=["input", "output", "features-number", "features-kind"],
)
def test_a_manifest_that_does_not_fit_its_members_is_refused(
    root: Path, tmp_path: Path, member: dict[str, object], message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        changed(root, tmp_path, **member)


def test_an_input_kind_of_the_future_is_refused(root: Path) -> None:
    manifest = read_manifest(root / "model")
    manifest.input["kind"] = "hologram"  # type: ignore[index]

    with pytest.raises(ModelError, match=r"input kinds known here: image, table, series. Got 'hologram'"):
        Model(manifest)


def test_a_member_with_another_number_of_classes_is_refused_when_it_answers(data: DataFolder, tmp_path: Path) -> None:
    member = write_member(tmp_path / "m", linear_onnx((8, 8, 1), 4))
    write_artifact(tmp_path / "a", spec=data.spec, members=[member], task="image-clf", metric="accuracy", scores={},
                   versions={}, run_name="")  # fmt: skip

    with pytest.raises(ModelError, match=r"must be finite numbers of shape \(2, 3\). Got float32 \(2, 4\)"):
        Model.load(tmp_path / "a").predict_scores(data.X[:2])


def test_a_member_that_fails_while_running_is_refused(data: DataFolder, tmp_path: Path) -> None:
    member = write_member(tmp_path / "m", linear_onnx((9, 9, 1), 3))
    write_artifact(tmp_path / "a", spec=data.spec, members=[member], task="image-clf", metric="accuracy", scores={},
                   versions={}, run_name="")  # fmt: skip

    with pytest.raises(ModelError, match=r"members/00.onnx: onnxruntime cannot run it \("):
        Model.load(tmp_path / "a").predict_scores(data.X[:2])


def test_a_member_that_is_no_model_is_refused(root: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(root / "model", tmp_path / "model"))
    (folder / "members" / "00.onnx").write_bytes(b"garbage")
    facts = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    facts["files"]["members/00.onnx"] = {"sha256": hashlib.sha256(b"garbage").hexdigest(), "bytes": 7}
    (folder / "manifest.json").write_text(json.dumps(facts), encoding="utf-8")

    with pytest.raises(ModelError, match=r"members/00.onnx: onnxruntime cannot load it \("):
        Model.load(folder)
