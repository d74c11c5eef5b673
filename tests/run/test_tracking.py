from __future__ import annotations

from pathlib import Path

import pytest

from automl.errors import UserError
from automl.run.folder import RunFolder
from automl.run.tracking import VARIABLE, absolute_uri, target_of, with_credentials, without_credentials


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("", "sqlite:////work/mlflow.db"), ("sqlite:///my.db", "sqlite:////work/my.db"), ("none", "none"),
        ("sqlite:////data/my.db", "sqlite:////data/my.db"), ("mlruns", "/work/mlruns"), ("./mlruns", "/work/mlruns"),
        ("/data/mlruns", "/data/mlruns"), ("http://host:5000", "http://host:5000"), ("databricks", "databricks"),
        ("file:///data/mlruns", "file:///data/mlruns"), ("with space/m", "/work/with space/m"),
    ],
)  # fmt: skip
def test_an_address_means_the_same_from_every_folder(given: str, expected: str) -> None:
    assert absolute_uri(given, Path("/work")) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("https://ann:s3cret@host/x", "https://***@host/x"),
        ("postgresql://ann:s3cret@db:5432/mlflow", "postgresql://***@db:5432/mlflow"),
        ("https://host/x?token=abc", "https://host/x?token=***"),
        ("http://host:5000", "http://host:5000"),
        ("sqlite:////data/key=5/mlflow.db", "sqlite:////data/key=5/mlflow.db"),
        ("/data/token=abc/mlruns", "/data/token=abc/mlruns"),
        ("none", "none"),
    ],
)
def test_credentials_are_left_out_of_what_is_written_down(given: str, expected: str) -> None:
    assert without_credentials(given) == expected


@pytest.mark.parametrize("uri", ["none", "sqlite:////work/mlflow.db", "http://host:5000"])
def test_an_address_without_credentials_needs_nothing(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "http://elsewhere")
    assert with_credentials(uri) == uri


def test_credentials_come_back_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "https://ann:new@host/x")
    assert with_credentials("https://***@host/x") == "https://ann:new@host/x"


def test_missing_credentials_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(UserError, match=r"recorded in https://\*\*\*@host.* Set MLFLOW_TRACKING_URI.* Got none"):
        with_credentials("https://***@host")


def test_credentials_of_another_place_are_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "https://ann:s3cret@other")
    with pytest.raises(UserError, match=r"Got https://\*\*\*@other") as caught:
        with_credentials("https://***@host")
    assert "s3cret" not in str(caught.value)


def test_nothing_is_recorded_nowhere(tmp_path: Path) -> None:
    assert target_of("none", RunFolder(tmp_path)) is None


def test_a_target_names_an_absolute_run_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    target = target_of("http://host", RunFolder(Path("run")))
    assert target is not None
    assert (target.uri, target.run_folder) == ("http://host", tmp_path.resolve() / "run")
