from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from automl.candidates.training import onnx_graph
from automl.candidates.training.architecture import Conv, Dense, Dropout, Flatten, GlobalPool, Residual, Shape
from automl.candidates.training.layers import Network, initialise
from automl.candidates.training.trainer import predict

SHAPE = Shape(9, 8, 3)
NETWORKS = {
    "plain": [Conv(4), Flatten(), Dense(3)],
    "pooled": [Conv(4, pool=True), Flatten(), Dense(8, norm=True, activation="relu"), Dropout(0.5), Dense(3)],
    "strided": [Conv(4, kernel=5, stride=2, norm=False, activation="leaky_relu"), GlobalPool("mean"), Dense(3)],
    "residual": [Conv(4, activation="gelu"), Residual(depth=2, activation="silu"), GlobalPool("max"), Dense(3)],
    "bare": [Conv(4, pool=True, norm=False), Residual(norm=False), Flatten(), Dense(5, activation="gelu"), Dense(3)],
}  # fmt: skip
every = pytest.mark.parametrize("layers", NETWORKS.values(), ids=NETWORKS)


def trained(layers):
    """Return a network whose normalisation has seen data and has gains of both signs."""
    network = Network(layers, SHAPE, np.full(3, 0.4), np.full(3, 0.2))
    generator = torch.Generator().manual_seed(0)
    initialise(network, "he", generator)
    for part in network.modules():
        if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.normal_(part.weight, generator=generator)
            nn.init.normal_(part.bias, generator=generator)
    network(torch.rand(32, 3, 9, 8, generator=generator))
    return network


@every
def test_runtime_agrees_with_torch(layers, tmp_path):
    network, X = trained(layers), np.random.default_rng(0).integers(0, 256, (7, *SHAPE), dtype=np.uint8)
    onnx_graph.save(network, tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    (scores,) = session.run([onnx_graph.OUTPUT], {onnx_graph.INPUT: X})
    np.testing.assert_allclose(scores, predict(network, X), atol=1e-5)


@every
def test_graph_is_one_file_of_the_standard_domain_with_free_batch(layers, tmp_path):
    onnx_graph.save(trained(layers), tmp_path / "model.onnx")
    model = onnx.load(tmp_path / "model.onnx", load_external_data=False)
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]
    assert {node.domain for node in model.graph.node} == {""}
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "N"


def test_unknown_layer_is_refused_by_name():
    with pytest.raises(TypeError, match="no ONNX for a layer of type str"):
        onnx_graph.write("conv", nn.Identity(), onnx_graph.Writer(), "x")
