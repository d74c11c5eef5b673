"""A folder of weights as a user names one, with a tiny network of random weights: for tests without a package."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from automl.candidates.pretrained.efficientnet import LAYOUT, state_dict_shapes

WIDTH, DEPTH = 0.2, 0.3


def tiny_efficientnet(folder: Path, *, seed: int = 0) -> Path:
    """Write config.json and model.safetensors of an EfficientNet-Lite of a tenth of the size; return the folder.

    Args:
        folder: made if it is not there; left as it is if it holds weights already.
        seed: of the weights, which are drawn so that signals keep their size.
    """
    from safetensors.numpy import save_file

    path = folder / "model.safetensors"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng(seed)
        arrays = {name: _drawn(name, shape, rng) for name, shape in state_dict_shapes(WIDTH, DEPTH)}
        save_file(arrays, path)
        config = {"model_type": LAYOUT, "width": WIDTH, "depth": DEPTH}
        (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


def _drawn(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    if len(shape) == 4:
        spread = np.sqrt(2 / np.prod(shape[1:]))
        return rng.normal(0, spread, shape).astype(np.float32)
    last = name.rpartition(".")[2]
    level = {"weight": 1.0, "bias": 0.3, "running_mean": 0.0, "running_var": 1.0}[last]
    return np.full(shape, level, np.float32)
