"""Throughput of the trainer against a plain loop with a DataLoader and Pillow: same network, same augmentation.

    python tests/bench/bench_image_throughput.py [--rows 2048] [--side 28] [--channels 1] [--rounds 5] [--width 8]

Both train on one thread, one epoch a round, in turn; what counts is the median over rounds of images per CPU-second.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps
from torch.utils.data import DataLoader, Dataset

from automl.candidates.training import rows
from automl.candidates.training.architecture import Conv, Dense, GlobalPool, Shape
from automl.candidates.training.layers import Network, initialise
from automl.candidates.training.settings import Augmentation, Settings
from automl.candidates.training.trainer import Course, Trainer

CLASSES = 10
TRANSLATE = 0.08


class PillowRows(Dataset[tuple[torch.Tensor, int]]):
    """Rows as most tutorials serve them: an image object each, mirrored and shifted by Pillow."""

    def __init__(self, X: np.ndarray, y: np.ndarray) -> None:
        self.images = [Image.fromarray(x.squeeze()) for x in X]
        self.y, self.rng = y, np.random.default_rng(0)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, row: int) -> tuple[torch.Tensor, int]:
        image = self.images[row]
        reach = round(TRANSLATE * image.width)
        if self.rng.random() < 0.5:
            image = ImageOps.mirror(image)
        left, top = self.rng.integers(0, 2 * reach + 1, 2)
        image = ImageOps.expand(image, reach).crop((left, top, left + image.width, top + image.height))
        pixels = np.asarray(image, dtype=np.float32).reshape(image.height, image.width, -1) / 255
        return torch.from_numpy(pixels.transpose(2, 0, 1).copy()), int(self.y[row])


def network(width: int, shape: Shape) -> Network:
    """Return a small network: two pooled blocks and a third."""
    layers = [Conv(width, pool=True), Conv(2 * width, pool=True), Conv(4 * width), GlobalPool(), Dense(CLASSES)]
    made = Network(layers, shape, np.full(shape.channels, 0.5), np.full(shape.channels, 0.25))
    initialise(made, "he", torch.Generator().manual_seed(0))
    return made


def plain_loop(X: np.ndarray, y: np.ndarray, width: int, batch: int) -> Callable[[], object]:
    """Return a function that trains one epoch in the usual way."""
    made = network(width, Shape(*X.shape[1:]))
    optimiser = torch.optim.SGD(made.parameters(), lr=0.05, momentum=0.9, nesterov=True)
    loader = DataLoader(PillowRows(X, y), batch_size=batch, shuffle=True)
    loss = torch.nn.CrossEntropyLoss(label_smoothing=0.1)

    def epoch() -> None:
        for images, targets in loader:
            optimiser.zero_grad()
            loss(made(images), targets).backward()
            optimiser.step()

    return epoch


def trainer_loop(X: np.ndarray, y: np.ndarray, width: int, batch: int) -> Callable[[], object]:
    """Return a function that trains one epoch in ours."""
    settings = Settings(
        batch_size=batch, optimizer="sgd", lr=0.05, momentum=0.9, weight_decay=0.0, schedule="one-cycle", warmup=0.2,
        label_smoothing=0.1, ema=0.0, clip=0.0, class_weights="none", init="he", patience=0,
        augmentation=Augmentation(flip=True, translate=TRANSLATE),
    )  # fmt: skip
    resident = rows.load(X, y, np.arange(len(X)), classes=CLASSES, balanced=False, device="cpu")
    trainer = Trainer(network(width, Shape(*X.shape[1:])), resident, settings, Course(seed=0, full_steps=1000))
    return lambda: trainer.train_epoch(lambda: False)


def throughput(epoch: Callable[[], object], count: int) -> float:
    """Return images per CPU-second of one epoch."""
    start = time.process_time()
    epoch()
    return count / (time.process_time() - start)


def measure(arguments: Any) -> dict[str, float]:
    """Return the median images per CPU-second of each loop, after one epoch of each to warm up."""
    rng = np.random.default_rng(0)
    shape = (arguments.rows, arguments.side, arguments.side, arguments.channels)
    X, y = rng.integers(0, 256, shape, dtype=np.uint8), rng.integers(0, CLASSES, arguments.rows)
    loops = {
        "DataLoader + Pillow": plain_loop(X, y, arguments.width, arguments.batch),
        "trainer": trainer_loop(X, y, arguments.width, arguments.batch),
    }
    seen: dict[str, list[float]] = {name: [] for name in loops}
    for number in range(arguments.rounds + 1):
        for name, epoch in loops.items():
            value = throughput(epoch, arguments.rows)
            if number:
                seen[name].append(value)
    return {name: statistics.median(values) for name, values in seen.items()}


def main() -> None:
    """Print a table of the medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in {"rows": 2048, "side": 28, "channels": 1, "rounds": 5, "width": 8, "batch": 64}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    medians = measure(arguments)
    print(f"{arguments.side}x{arguments.side}x{arguments.channels}, width {arguments.width}, batch {arguments.batch}")
    for name, value in medians.items():
        print(f"{name:22s} {value:10.0f} images/CPU-s")
    print(f"{'ratio':22s} {medians['trainer'] / medians['DataLoader + Pillow']:10.2f}")


if __name__ == "__main__":
    main()
