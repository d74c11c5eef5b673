"""Tiny real data and models for tests: made in milliseconds, learnable, the same for the same seed."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from automl.core.protocols import ExportMember
from automl.data.folder import DataFolder
from automl.data.image_array import LabelledArrays, open_arrays
from automl.data.image_prepare import Wanted
from automl.exporters.artifact import write_artifact

CLASSES = ("bar", "dot", "ring", "cross", "wave")


def tiny_images(rows: int = 60, classes: int = 3, side: int = 8, *, channels: int = 1, seed: int = 0) -> LabelledArrays:
    """Return images (rows, side, side, channels) of a bright stripe whose place tells the class, with some noise.

    Classes take turns, so that every prefix is balanced.
    """
    rng = np.random.default_rng(seed)
    y = np.arange(rows) % classes
    X = rng.integers(0, 90, (rows, side, side, channels), dtype=np.uint8)
    for row, code in enumerate(y):
        place = code * side // classes
        X[row, place : place + max(1, side // classes)] += 120
    return LabelledArrays(X, y, CLASSES[:classes])


def write_npz(path: Path, arrays: LabelledArrays) -> Path:
    """Write an .npz file with X, y and classes."""
    np.savez(path, X=np.asarray(arrays.X), y=np.asarray(arrays.y), classes=np.asarray(arrays.classes))
    return path


def write_image_folder(root: Path, arrays: LabelledArrays) -> Path:
    """Write PNG files into one sub-folder per class."""
    X, y = np.asarray(arrays.X), np.asarray(arrays.y)
    for row, code in enumerate(y):
        folder = root / str(np.asarray(arrays.classes)[code])
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{row:04d}.png").write_bytes(png(X[row]))
    return root


def png(pixels: np.ndarray) -> bytes:
    """Return an image (h, w), (h, w, 1), (h, w, 3) or (h, w, 4) as the bytes of a PNG file."""
    stream = io.BytesIO()
    Image.fromarray(pixels[:, :, 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels).save(stream, "PNG")
    return stream.getvalue()


def tiny_data(cache: Path, rows: int = 60, classes: int = 3, side: int = 8, *, channels: int = 1,
              seed: int = 0) -> DataFolder:  # fmt: skip
    """Return prepared data in a cache folder of the test's own."""
    arrays = tiny_images(rows, classes, side, channels=channels, seed=seed)
    return open_arrays(arrays, "tiny", Wanted(), cache=cache)


def linear_onnx(shape: Sequence[int], classes: int, *, seed: int = 0, inputs: str = "pixels") -> bytes:
    """Return an ONNX file: softmax of a random linear map.

    Args:
        shape: of a row: (height, width, channels) for pixels, (features,) for features.
        classes: number of outputs.
        seed: of the weights.
        inputs: "pixels" takes uint8 (n, *shape) and divides by 255; "features" takes float32 (n, features).
    """
    from onnx import TensorProto, helper, numpy_helper

    size = int(np.prod(shape))
    weights = np.random.default_rng(seed).normal(0, 1, (size, classes)).astype(np.float32)
    constants: dict[str, np.ndarray] = {
        "weights": weights,
        "white": np.array(255, np.float32),
        "flat": np.array([-1, size]),
    }
    pixels = [
        helper.make_node("Cast", ["input"], ["wide"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["wide", "white"], ["unit"]),
        helper.make_node("Reshape", ["unit", "flat"], ["rows"]),
    ]
    nodes = [
        *(pixels if inputs == "pixels" else [helper.make_node("Identity", ["input"], ["rows"])]),
        helper.make_node("MatMul", ["rows", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    kind = TensorProto.UINT8 if inputs == "pixels" else TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "linear",
        [helper.make_tensor_value_info("input", kind, ["n", *shape])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", classes])],
        initializer=[numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return bytes(model.SerializeToString())


def write_member(folder: Path, onnx: bytes, *, features: dict[str, Any] | None = None, weight: float = 1.0,
                 fold: int = 0) -> ExportMember:  # fmt: skip
    """Write a member's files as a worker does, and return it with its weight."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(onnx)
    entry = {
        "file": "model.onnx",
        "features": features or {"kind": "pixels"},
        "input": "input",
        "output": "probabilities",
        "output_kind": "probabilities",
    }
    (folder / "member.json").write_text(json.dumps(entry), encoding="utf-8")
    return ExportMember(trial=0, fold=fold, weight=weight, candidate="linear", folder=folder)


def tiny_artifact(folder: Path, cache: Path, *, side: int = 8, classes: int = 3, channels: int = 1) -> str:
    """Write an artifact of two random linear models on pixels into a new folder; return its manifest's SHA-256."""
    data = tiny_data(cache, side=side, classes=classes, channels=channels)
    members = [
        write_member(cache / f"m{fold}", linear_onnx(data.spec.shape, classes, seed=fold), weight=weight, fold=fold)
        for fold, weight in enumerate((0.25, 0.75))
    ]
    return write_artifact(
        folder,
        spec=data.spec,
        members=members,
        task="image-clf",
        metric="accuracy",
        scores={"cv": 0.9, "low": 0.85, "high": 0.95},
        versions={"automl": "0"},
        run_name="tiny",
    )
