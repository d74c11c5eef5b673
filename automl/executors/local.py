"""Warm worker processes on this machine, one job each at a time."""

from __future__ import annotations

import json
import logging
import os
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict
from multiprocessing.connection import Connection, wait
from typing import Any

from automl.core.job import JobResult
from automl.core.protocols import WAIT, Done, Port, WorkOrder
from automl.errors import MachineError
from automl.executors.slot import Slot
from automl.executors.zygote import THREAD_LIMITS

_LOG = logging.getLogger(__name__)
_POLL_SECONDS = 0.1
_STOP_SECONDS = 2.0
_START_TRIES = 3


def make(slots: int, *, gpus: int = 0) -> LocalExecutor:
    """Return an executor with so many slots; with GPUs, slot i sees only GPU i modulo gpus."""
    return LocalExecutor(slots, gpus=gpus)


class LocalExecutor:
    """Runs jobs on forked workers and replaces those that die."""

    def __init__(self, slots: int, *, gpus: int = 0) -> None:
        self.slots = slots
        self._gpus = gpus
        self._order: WorkOrder | None = None
        self._preload: tuple[str, ...] = ()
        self._zygotes: dict[int, _Zygote] = {}
        self._workers: list[Slot] = []
        self._failed_starts = 0

    def warm(self, preload: tuple[str, ...]) -> None:
        """Begin to boot the zygotes, one per GPU, else one; returns at once."""
        self._preload = preload
        for index in range(min(self.slots, max(1, self._gpus))):
            self._zygote(index)

    def start(self, order: WorkOrder) -> None:
        """Ask the zygotes for a worker per slot; returns at once."""
        self._order = order
        self._workers = [self._spawn(index) for index in range(self.slots)]

    def run(self, port: Port) -> None:
        """Pump the port until it is done and every job has come back or was cut at its deadline."""
        finished = False
        while True:
            finished = (
                self._hand_out(port) or finished or (not any(w.is_ready for w in self._workers) and port.is_over())
            )
            busy = [w for w in self._workers if w.job is not None]
            if finished and not busy:
                return
            self._listen(port)
            now = time.monotonic()
            for worker in self._workers:
                if worker.job is not None:
                    worker.deadline = min(worker.deadline, port.deadline(worker.job.id))
                worker.enforce_deadline(now)
            port.on_idle()

    def stop(self) -> None:
        """End workers and zygotes; nothing of ours is alive when this returns."""
        for worker in self._workers:
            worker.kill()
        for zygote in self._zygotes.values():
            zygote.close()
        self._workers.clear()
        self._zygotes.clear()

    def _hand_out(self, port: Port) -> bool:
        """Give jobs to idle workers; returns whether the port is done."""
        for worker in self._workers:
            if worker.job is not None or not worker.is_ready:
                continue
            job = port.next_job()
            if isinstance(job, Done):
                return True
            if job == WAIT:
                return False
            worker.assign(job, port.deadline(job.id))
        return False

    def _listen(self, port: Port) -> None:
        pipes: dict[Any, int] = {w.pipe: i for i, w in enumerate(self._workers)}
        for pipe in wait(list(pipes), timeout=_POLL_SECONDS):
            index = pipes[pipe]
            try:
                kind, payload = self._workers[index].pipe.recv()
            except (EOFError, OSError):
                self._replace(index, port)
                continue
            self._take(self._workers[index], kind, payload, port)

    def _take(self, worker: Slot, kind: str, payload: Any, port: Port) -> None:
        if kind == "ready":
            self._failed_starts = 0
            worker.boot(pid=payload)
        elif kind == "report":
            port.on_report(payload)
        else:
            result = JobResult(payload.job, payload.members, worker.held_seconds(), worker.name)
            worker.release()
            port.on_end(result)

    def _replace(self, index: int, port: Port) -> None:
        """Take the loss of a worker: its job ends as lost or timed out, a new worker takes the slot."""
        worker = self._workers[index]
        if not worker.is_ready:
            self._failed_starts += 1
            self._check_starts(worker)
        worker.kill()
        self._workers[index] = self._spawn(index)
        if worker.job is not None:
            if not worker.was_told_to_end:
                _LOG.warning("worker %s died in job %d", worker.name, worker.job.id)
            port.on_end(worker.lost(f"the worker process died ({worker.name}, process {worker.pid})"))

    def _check_starts(self, worker: Slot) -> None:
        """Allow a worker to be lost with a dying parent; workers that never get up are the machine's failure."""
        if self._failed_starts >= _START_TRIES:
            raise MachineError(
                f"worker {worker.name} (process {worker.pid}) died while it started, "
                f"{self._failed_starts} times in a row. See the lines above."
            )

    def _spawn(self, index: int) -> Slot:
        assert self._order is not None
        return self._zygote(index).fork(f"w{index}", self._order)

    def _zygote(self, index: int) -> _Zygote:
        key = index % self._gpus if self._gpus else -1
        if key in self._zygotes and not self._zygotes[key].is_alive():
            self._zygotes.pop(key).close()
        if key not in self._zygotes:
            self._zygotes[key] = _Zygote(self._preload, gpu=None if key < 0 else key)
        return self._zygotes[key]


class _Zygote:
    """The driver's end of a zygote process."""

    def __init__(self, preload: tuple[str, ...], *, gpu: int | None) -> None:
        ours, theirs = socket.socketpair()
        env = {**os.environ, **THREAD_LIMITS}
        if gpu is not None:
            visible = [v for v in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if v]
            env["CUDA_VISIBLE_DEVICES"] = visible[gpu] if visible else str(gpu)
        command = [sys.executable, "-m", "automl.executors.zygote", str(theirs.fileno()), *preload]
        self._control = ours
        self._process = subprocess.Popen(
            command, pass_fds=[theirs.fileno()], env=env, stdin=subprocess.DEVNULL, start_new_session=True
        )
        theirs.close()

    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def fork(self, name: str, order: WorkOrder) -> Slot:
        """Ask for a worker; the request waits in the socket while the zygote still imports."""
        mine, workers = socket.socketpair()
        with suppress(ConnectionError):  # a zygote that just died: the worker's pipe ends, and a new one is asked
            socket.send_fds(self._control, [json.dumps(asdict(order)).encode()], [workers.fileno()])
        workers.close()
        return Slot(name, Connection(mine.detach()))

    def close(self) -> None:
        """End the process and wait for it."""
        self._control.close()
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_STOP_SECONDS)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
