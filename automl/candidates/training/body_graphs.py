"""Pieces of graphs that bodies share. Imports torch and onnx: load lazily."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from automl.candidates.training.onnx_graph import Writer
from automl.candidates.training.ragged_parts import WrittenSteps

NEVER = -1e9
"""Added to the score of what is no step: its weight is exactly 0 in float32, as is a maximum's interest in it."""


def written_not_none(writer: Writer, steps: WrittenSteps) -> WrittenSteps:
    """Write rows and steps as they are, or one of each where there are none; `written_as_many` undoes it.

    Recurrent operators and fused products of onnxruntime 1.31 end the process where there are no rows.
    """
    shape = writer.node("Shape", steps.mask)
    lacking = writer.node("Max", writer.node("Sub", whole(writer, 1, 1), shape), whole(writer, 0, 0))
    none = whole(writer, 0, 0)
    flat = writer.node("Concat", none, lacking, axis=0)
    deep = writer.node("Concat", none, whole(writer, 0), lacking, whole(writer, 0), axis=0)
    return WrittenSteps(
        writer.node("Pad", steps.x, deep, writer.number(0.0)),
        writer.node("Pad", steps.mask, flat, writer.number(1.0)),
    )


def written_as_many(writer: Writer, features: str, steps: WrittenSteps) -> str:
    """Write features without the row that `written_not_none` added to these steps."""
    rows = writer.node("Shape", steps.mask, start=0, end=1)
    return writer.node("Slice", features, whole(writer, 0), rows, whole(writer, 0))


def written_never(writer: Writer, mask: str) -> str:
    """Write what is added to scores, (n, T): 0 where there is a step, `NEVER` where there is none."""
    lacking = writer.node("Sub", writer.number(1.0), mask)
    return writer.node("Mul", lacking, writer.number(NEVER))


def written_linear(writer: Writer, layer: nn.Linear, x: str) -> str:
    """Write a linear layer over the last axis."""
    product = writer.node("MatMul", x, writer.constant(numbers(layer.weight).T))
    return product if layer.bias is None else writer.node("Add", product, writer.constant(numbers(layer.bias)))


def whole(writer: Writer, *values: int) -> str:
    """Write whole numbers as a constant."""
    return writer.constant(np.array(values, np.int64))


def numbers(tensor: torch.Tensor) -> np.ndarray:
    """Return a parameter as a float32 array."""
    return tensor.detach().cpu().float().contiguous().numpy()
