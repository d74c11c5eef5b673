"""Open MLflow's pages on this machine.

The pages have no password: they are served to this machine alone (loopback). Ctrl-C ends.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from automl.cli.parser import CommandParser, whole
from automl.errors import MachineError, UserError

EXAMPLES = """
automl ui
automl ui --port 5001 --tracking-uri sqlite:///other/mlflow.db
"""
HOST = "127.0.0.1"
DEFAULT_STORE = "sqlite:///mlflow.db"
_SQLITE = "sqlite:///"
_LONGEST_START_SECONDS = 120.0
_LONGEST_END_SECONDS = 5.0


def add_arguments(parser: CommandParser) -> None:
    """Add the arguments of `automl ui`."""
    parser.add_argument("--port", type=whole(1), default=5000, metavar="N", help="port (default: %(default)s)")
    parser.add_argument("--tracking-uri", default=DEFAULT_STORE, metavar="URI", help="the store (default: %(default)s)")


def run(args: argparse.Namespace) -> int:
    """Serve until Ctrl-C."""
    check_store(args.tracking_uri)
    check_port(args.port)
    if args.tracking_uri.startswith(("http://", "https://")):
        sys.stdout.write(f"{args.tracking_uri}\n")
        return 0
    server = subprocess.Popen(command(args.tracking_uri, args.port), env=_environment(), start_new_session=True)
    try:
        _await_start(server, args.port)
        sys.stdout.write(f"http://{HOST}:{args.port}  (Ctrl-C ends)\n")
        sys.stdout.flush()
        server.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        _end(server)
    raise MachineError(f"MLflow's server ended by itself with code {server.returncode}. Its words are above.")


def command(store: str, port: int) -> Sequence[str]:
    """Return the words that start MLflow's server on the loopback address."""
    hosts = f"{HOST}:{port},localhost:{port}"
    return [sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", store, "--host", HOST, "--port", str(port),
            "--workers", "1", "--allowed-hosts", hosts]  # fmt: skip


def check_store(store: str) -> None:
    """Refuse an SQLite store that is not there: MLflow would make an empty one.

    Raises:
        UserError: no such file.
    """
    path = Path(store.removeprefix(_SQLITE))
    if store.startswith(_SQLITE) and not path.is_file():
        raise UserError(f"--tracking-uri {store!r}: there is no file {str(path)!r}. Go where the search was started.")


def check_port(port: int) -> None:
    """Refuse a port that is taken or out of range.

    Raises:
        UserError: it is.
    """
    if port > 65535:
        raise UserError(f"--port: needs a number from 1 to 65535. Got {port}.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise UserError(f"--port {port}: cannot be used ({error.strerror}). Name another one.") from None


def _environment() -> dict[str, str]:
    return {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}


def _await_start(server: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + _LONGEST_START_SECONDS
    while server.poll() is None and time.monotonic() < until:
        with socket.socket() as probe:
            probe.settimeout(1.0)
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.2)
    state = "is silent" if server.poll() is None else f"ended with code {server.returncode}"
    raise MachineError(f"MLflow's server on port {port} {state}. Its words are above.")


def _end(server: subprocess.Popen[bytes]) -> None:
    """End the server and the workers it started; they are a process group of their own."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(server.pid, sign)
            server.wait(_LONGEST_END_SECONDS)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue
