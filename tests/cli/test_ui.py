"""MLflow's pages are served to this machine alone."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from automl.cli.main import main
from automl.cli.ui import HOST, check_port, check_store, command
from automl.errors import UserError


def test_the_server_listens_on_the_loopback_address_only() -> None:
    words = list(command("sqlite:///mlflow.db", 5000))
    assert words[words.index("--host") + 1] == "127.0.0.1"
    assert words[words.index("--allowed-hosts") + 1] == "127.0.0.1:5000,localhost:5000"


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"there is no file 'mlflow.db'\. Go where the search was started"):
        check_store("sqlite:///mlflow.db")
    assert list(tmp_path.iterdir()) == []


def test_a_taken_port_is_refused() -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        with pytest.raises(UserError, match=r"cannot be used .* Name another one"):
            check_port(taken.getsockname()[1])


def test_a_port_out_of_range_is_refused() -> None:
    with pytest.raises(UserError, match=r"needs a number from 1 to 65535\. Got 70000"):
        check_port(70000)


def test_a_server_elsewhere_is_only_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ui", "--tracking-uri", "http://127.0.0.1:9/", "--port", "59999"], started=0.0) == 0
    assert capsys.readouterr().out == "http://127.0.0.1:9/\n"
