"""MLflow loads the artifact from its code and files; nothing is pickled."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.exporters.pyfunc import pyfunc_files
from automl.serving.model import Model
from automl.testing.tiny import png, tiny_artifact, tiny_data, tiny_images

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:::mlflow"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("pyfunc")
    tiny_artifact(root / "model", root / "cache")
    return root


@pytest.fixture(scope="module")
def loaded(root: Path) -> Any:
    import mlflow

    files = pyfunc_files(root / "model")
    mlflow.pyfunc.save_model(root / "saved", python_model=str(files.python_model), artifacts=files.artifacts,
                             pip_requirements=files.pip_requirements)  # fmt: skip
    return mlflow.pyfunc.load_model(str(root / "saved"))


@pytest.fixture(scope="module")
def expected(root: Path) -> np.ndarray:
    return Model.load(root / "model").predict_scores(tiny_data(root / "cache").X)


def probabilities(answer: Any) -> np.ndarray:
    assert list(answer.columns) == ["prediction", "proba_bar", "proba_dot", "proba_ring"]
    return np.asarray(answer[["proba_bar", "proba_dot", "proba_ring"]].to_numpy())


def test_nothing_in_the_saved_model_is_a_pickle(root: Path, loaded: Any) -> None:
    suffixes = {path.suffix for path in (root / "saved").rglob("*") if path.is_file()}

    assert loaded is not None
    assert not suffixes & {".pkl", ".pickle", ".joblib", ".pt", ".npy", ".npz"}


def test_an_array_of_images_scores_as_the_artifact_does(root: Path, loaded: Any, expected: np.ndarray) -> None:
    X = np.asarray(tiny_data(root / "cache").X)

    answer = loaded.predict(X)

    assert np.abs(probabilities(answer) - expected).max() < 1e-6
    assert answer["prediction"].tolist() == Model.load(root / "model").predict(X)


@pytest.mark.parametrize("form", ["bytes", "base64"])
def test_a_frame_of_image_files_scores_as_the_artifact_does(loaded: Any, expected: np.ndarray, form: str) -> None:
    import pandas as pd

    images = [png(pixels) for pixels in np.asarray(tiny_images().X)]
    column = images if form == "bytes" else [base64.b64encode(image).decode() for image in images]

    assert np.abs(probabilities(loaded.predict(pd.DataFrame({"image": column}))) - expected).max() < 1e-6


def test_a_frame_of_pixels_scores_as_the_artifact_does(loaded: Any, expected: np.ndarray) -> None:
    import pandas as pd

    flat = pd.DataFrame(np.asarray(tiny_images().X).reshape(60, -1))

    assert np.abs(probabilities(loaded.predict(flat)) - expected).max() < 1e-6


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (["/etc/passwd"], "row 0: image must be base64 text"),
        ([7], "row 0: image must be bytes or base64 text. Got int"),
        ([base64.b64encode(b"no image").decode()], "row 0: an image .* is needed"),
    ],
    ids=["path", "number", "no-image"],
)
def test_what_is_no_image_is_refused_and_no_path_is_opened(loaded: Any, column: list[object], message: str) -> None:
    import pandas as pd

    with pytest.raises(ValueError, match=message):
        loaded.predict(pd.DataFrame({"image": column}))


def test_a_frame_of_the_wrong_width_is_refused(loaded: Any) -> None:
    import pandas as pd

    with pytest.raises(ValueError, match=r"one column `image` or 64 pixel columns.* Got 2 columns"):
        loaded.predict(pd.DataFrame({"a": [1], "b": [2]}))


def test_two_models_in_one_process_do_not_share_code(root: Path, loaded: Any, tmp_path: Path) -> None:
    import mlflow

    tiny_artifact(tmp_path / "other", tmp_path / "cache", classes=2)
    files = pyfunc_files(tmp_path / "other")
    mlflow.pyfunc.save_model(tmp_path / "saved", python_model=str(files.python_model), artifacts=files.artifacts,
                             pip_requirements=files.pip_requirements)  # fmt: skip
    other = mlflow.pyfunc.load_model(str(tmp_path / "saved"))

    X = np.zeros((1, 8, 8, 1), np.uint8)
    assert [len(model.predict(X).columns) for model in (loaded, other, loaded)] == [4, 3, 4]
