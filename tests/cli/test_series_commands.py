"""The commands that take a model and data take series in every form."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from automl.cli.main import main
from automl.model import Model
from automl.testing.context import waving_series
from automl.testing.tiny_series import series_columns, tiny_series_artifact

WAVES = waving_series(30)
LABELS = [f"class {code}" for code in WAVES.y.tolist()]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("series")
    tiny_series_artifact(root / "model", root / "members")
    return root / "model"


def write(folder: Path, name: str) -> Path:
    """Write labelled series as a file of this name."""
    frame = pd.DataFrame(series_columns(WAVES.X)).assign(label=np.repeat(LABELS, WAVES.X.lengths))
    path = folder / name
    if name.endswith(".npz"):
        np.savez(path, X=WAVES.X.padded(), lengths=WAVES.X.lengths, y=LABELS)
    elif name.endswith(".parquet"):
        frame.to_parquet(path, index=False)
    else:
        frame.to_csv(path, index=False)
    return path


@pytest.mark.parametrize("name", ["s.csv", "s.parquet", "s.npz"])
def test_predict_writes_one_line_per_series(
    name: str, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", str(model), str(write(tmp_path, name)), "-o", "-"], started=0.0) == 0
    assert capsys.readouterr().out.splitlines()[1:] == Model(model).predict(WAVES.X).tolist()


@pytest.mark.parametrize("name", ["s.csv", "s.parquet", "s.npz"])
def test_evaluate_scores_labelled_series(
    name: str, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOML_CACHE", str(tmp_path / "cache"))
    path = write(tmp_path, name)
    assert main(["evaluate", str(model), str(path), "--metric", "accuracy", "--json"], started=0.0) == 0
    expected = np.mean(Model(model).predict(WAVES.X) == np.array(LABELS))
    assert json.loads(capsys.readouterr().out)["score"] == pytest.approx(expected)


BAD = {
    "an-ending": ("s.png", b"", "series are read from an .npz file with X, or a table"),
    "no-columns": ("s.csv", b"a,b\n1,2\n", "columns of the training data are missing: 'id', 't', 'x', 'y'"),
    "no-parquet": ("s.parquet", b"no", "cannot be read as Parquet"),
}


@pytest.mark.parametrize(("name", "content", "message"), BAD.values(), ids=BAD)
def test_predict_refuses_other_files_in_one_line(
    name: str, content: bytes, message: str, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_bytes(content)
    assert main(["predict", str(model), str(tmp_path / name), "-o", "-"], started=0.0) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert message in error
    assert error.count("\n") == 1


def test_predict_refuses_another_parquet_file_in_one_line(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "s.parquet")
    assert main(["predict", str(model), str(tmp_path / "s.parquet"), "-o", "-"], started=0.0) == 2
    assert "columns of the training data are missing: 'id'" in capsys.readouterr().err
