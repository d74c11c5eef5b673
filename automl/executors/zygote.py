"""The process that workers are forked from, with the heavy modules already imported.

A fresh worker costs a fork instead of seconds of imports, and unlike `multiprocessing`'s fork server this one never
imports the user's main module, so `automl.search` works in a script without a `__main__` guard and in a notebook.
The zygote never touches CUDA, runs no thread and ignores SIGINT, as do its workers. When the driver is gone, by
whatever cause, its pipe closes and all end.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys
import threading
import traceback
from importlib import import_module
from multiprocessing.connection import Connection
from typing import Any

from automl.core.job import Job, Report
from automl.core.protocols import Workload, WorkOrder

THREAD_LIMITS = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    "GOMP_SPINCOUNT": "0",
}
"""Set before libgomp loads: one thread per worker, waiting without spinning."""

LARGEST_ORDER = 1 << 16
SLOW = ("lightgbm", "torch")
"""Packages that take long to import and that no first trial needs."""
EARLY_WORKERS = 2
"""Each of them that comes to need a slow framework takes its 260 MB for itself."""


def main() -> None:
    """Import the modules named after the socket's descriptor and serve fork requests until the socket closes.

    The first EARLY_WORKERS, if asked for before the SLOW modules are imported, are forked at once, so that quick
    candidates need not wait for them; they import those themselves should they come to need them.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps; the driver sees a closed pipe
    control = socket.socket(fileno=int(sys.argv[1]))
    is_open, forked = True, 0
    for module in sorted(sys.argv[2:], key=lambda name: name.startswith(SLOW)):
        while module.startswith(SLOW) and is_open and forked < EARLY_WORKERS and _is_asked(control):
            is_open, forked = _fork_one(control), forked + 1
        import_module(module)
    while is_open:
        is_open = _fork_one(control)


def _is_asked(control: socket.socket) -> bool:
    return bool(select.select([control], [], [], 0)[0])


def _fork_one(control: socket.socket) -> bool:
    """Wait for a fork request and serve it; returns whether the driver is still there."""
    message, descriptors, _, _ = socket.recv_fds(control, LARGEST_ORDER, 1)
    if not message:
        return False
    order = WorkOrder(**json.loads(message))
    if os.fork() == 0:
        control.close()
        _be_worker(order, Connection(descriptors[0]))
    os.close(descriptors[0])
    return True


def _be_worker(order: WorkOrder, pipe: Connection) -> None:
    """Run jobs from the pipe until it closes, then leave without the parent's exit handlers.

    Whatever ends it is printed, since nobody is left to raise it to; not that the driver is gone.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        serve(order, pipe)
    finally:
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, BrokenPipeError):
            traceback.print_exception(error)
        os._exit(0)


def serve(order: WorkOrder, pipe: Connection) -> None:
    """Build the workload, say so, and run jobs until the driver closes the pipe."""
    module, _, attribute = order.factory.partition(":")
    workload: Workload = getattr(import_module(module), attribute)(order.arguments)
    inbox = Inbox(pipe)
    pipe.send(("ready", os.getpid()))

    def _report(sign: Report) -> None:
        pipe.send(("report", sign))

    while True:
        kind, job, deadline = inbox.take()
        assert kind == "job"
        assert isinstance(job, Job)
        pipe.send(("end", workload.run(job, _report, deadline)))


class Inbox:
    """Reads the pipe on a thread of its own, so that a busy worker notices at once that its driver died."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._messages: list[tuple[str, Any, float]] = []
        self._arrived = threading.Semaphore(0)
        threading.Thread(target=self._read, daemon=True).start()

    def take(self) -> tuple[str, Any, float]:
        """Wait for the next message."""
        self._arrived.acquire()
        return self._messages.pop(0)

    def _read(self) -> None:
        while True:
            try:
                message = self._pipe.recv()
            except (EOFError, OSError):
                os._exit(0)
            self._messages.append(message)
            self._arrived.release()


if __name__ == "__main__":
    main()
