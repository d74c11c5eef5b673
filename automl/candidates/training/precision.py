"""Number format and memory layout for this machine and network. Imports torch: load lazily.

Under a clock a few steps of each variant decide and the decision is cached; else a table decides, so that the same
seed gives the same model on the same machine at any load.
"""

from __future__ import annotations

import copy
import hashlib
import json
import logging
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import nn

STEPS = 3
GAIN = 1.15
"""How much faster bfloat16 must be to be worth its rounding."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Precision:
    """How a network runs.

    Attributes:
        numbers: what convolutions and matrix products compute in; weights are float32 always.
        channels_last: whether images lie in memory with their channels together.
    """

    numbers: Literal["float32", "bfloat16"] = "float32"
    channels_last: bool = True

    @property
    def memory_format(self) -> torch.memory_format:
        """Return torch's name of the layout."""
        return torch.channels_last if self.channels_last else torch.contiguous_format

    def autocast(self, device: str) -> torch.autocast:
        """Return the context in which to run forwards."""
        name = torch.device(device).type
        return torch.autocast(name, torch.bfloat16, enabled=self.numbers == "bfloat16")

    def __str__(self) -> str:
        """Return a word for the report."""
        return f"{self.numbers}, {'channels last' if self.channels_last else 'channels first'}"


def settle(network: nn.Module, images: torch.Tensor, key: str, cache: Path, *, is_timed: bool) -> Precision:
    """Return the precision for this network, measured once per machine and key, or from the table.

    Args:
        network: left as it is.
        images: float32 (rows, channels, height, width), a small batch on the device.
        key: what stands for all networks of about this shape.
        cache: folder of decisions.
        is_timed: False if no clock may be read.
    """
    if not is_timed:
        return table(images.device.type)
    path = cache / f"precision-{_digest(key, images.device)}.json"
    if not path.exists():
        decision = fastest(network, images, variants(images.device.type))
        _write(path, json.dumps(asdict(decision)))
        logger.info("measured %s: %s", key, decision)
        return decision
    return Precision(**json.loads(path.read_text(encoding="utf-8")))


def table(device_type: str) -> Precision:
    """Return what is right on most machines: bfloat16 on CUDA, float32 elsewhere."""
    return Precision("bfloat16" if device_type == "cuda" else "float32")


def variants(device_type: str) -> list[Precision]:
    """Return what is worth measuring, float32 first: bfloat16 only where the device computes in it."""
    capable = torch.cuda.is_bf16_supported() if device_type == "cuda" else "AVX512" in _cpu_capability()
    formats: list[Literal["float32", "bfloat16"]] = ["float32", "bfloat16"] if capable else ["float32"]
    return [Precision(numbers, channels_last) for numbers in formats for channels_last in (True, False)]


def fastest(network: nn.Module, images: torch.Tensor, choices: Sequence[Precision]) -> Precision:
    """Return the quickest of these, where bfloat16 must win by GAIN."""
    timed = {choice: _seconds(network, images, choice) for choice in choices}
    return min(timed, key=lambda choice: timed[choice] * (GAIN if choice.numbers == "bfloat16" else 1.0))


def _seconds(network: nn.Module, images: torch.Tensor, precision: Precision) -> float:
    """Return the seconds of the quickest of STEPS steps forwards and backwards, after one to warm up."""
    trial = copy.deepcopy(network).to(memory_format=precision.memory_format)  # type: ignore[call-overload]
    images = images.contiguous(memory_format=precision.memory_format)
    seconds = []
    for _ in range(STEPS + 1):
        start = time.perf_counter()
        with precision.autocast(images.device.type):
            loss = trial(images).float().square().mean()
        loss.backward()
        if images.is_cuda:
            torch.cuda.synchronize(images.device)
        seconds.append(time.perf_counter() - start)
    return min(seconds[1:])


def _cpu_capability() -> str:
    return torch.backends.cpu.get_cpu_capability()


def _digest(key: str, device: torch.device) -> str:
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else _cpu_capability()
    parts = [key, name, platform.machine(), torch.__version__, str(torch.get_num_threads())]
    return hashlib.sha256("/".join(parts).encode()).hexdigest()[:16]


def _write(path: Path, text: str) -> None:
    """Put the file in place at once, so that workers beside this one never read half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)
