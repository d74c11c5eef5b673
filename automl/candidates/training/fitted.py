"""A trained network. Imports torch: load lazily."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np

from automl.candidates.training import checkpoint, onnx_graph
from automl.candidates.training.checkpoint import Progress
from automl.candidates.training.layers import Network
from automl.candidates.training.trainer import Trainer, predict

MODEL = "model.onnx"


class NetworkFitted:
    """A network with the state of its training.

    Attributes:
        network: the weights that are kept: those of the best epoch with early stopping, else the last.
        best_step: the epoch they come from.
        steps: complete epochs of training.
    """

    def __init__(self, trainer: Trainer, progress: Progress) -> None:
        self.trainer, self.progress = trainer, progress
        self.network: Network = copy.deepcopy(trainer.kept)
        if progress.best:
            self.network.load_state_dict(progress.best)
        self.steps = trainer.epochs
        self.best_step = progress.best_epoch or trainer.epochs

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return float32 (rows, classes) probabilities for uint8 (rows, height, width, channels)."""
        return predict(self.network, X)

    def save(self, folder: Path) -> dict[str, object]:
        """Write model.onnx into folder; return the manifest entry."""
        onnx_graph.save(self.network, folder / MODEL)
        return {
            "file": MODEL,
            "features": {"kind": "pixels"},
            "input": onnx_graph.INPUT,
            "output": onnx_graph.OUTPUT,
            "output_kind": "probabilities",
        }

    def save_checkpoint(self, folder: Path) -> None:
        """Write checkpoint.safetensors and checkpoint.json."""
        checkpoint.save(self.trainer, self.progress, folder)
