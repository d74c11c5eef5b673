"""Signals: the first asks the run to end with the best so far, the second ends the program at once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

ASKED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def asking(interrupt: Callable[[str], None]) -> Iterator[None]:
    """Within this context, call interrupt at the first signal and leave at the second; the state on disk is intact.

    Outside of the main thread, where Python takes no handlers, nothing changes; nor does it for a hang-up that is
    ignored, as nohup asks for.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    seen: list[int] = []

    def _handle(number: int, frame: FrameType | None) -> None:
        seen.append(number)
        if len(seen) > 1:
            os._exit(128 + number)
        interrupt("stopped by the user" if number == signal.SIGINT else f"stopped by {signal.Signals(number).name}")

    taken = [n for n in ASKED if n != signal.SIGHUP or signal.getsignal(n) != signal.SIG_IGN]
    before = {number: signal.signal(number, _handle) for number in taken}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
