from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper

from automl.candidates.training.inception import Inception, MaskedNorm, make
from automl.candidates.training.inception_cost import kernel_lengths, work
from automl.candidates.training.onnx_graph import Writer
from automl.candidates.training.ragged_parts import Steps, WrittenSteps

VALUES = {"units": 4, "blocks": 3, "kernel": 8}


def steps(*lengths: int, width: int = 3) -> Steps:
    torch.manual_seed(0)
    mask = (torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]).float()
    return Steps(torch.randn(*mask.shape, width) * mask[:, :, None] - mask[:, :, None], mask)


def trained(given: Steps, **values: int) -> Inception:
    """A body whose running means are not those of its start."""
    torch.manual_seed(1)
    body = make({**VALUES, **values}, given.x.shape[2], given.x.shape[1]).train()
    for part in body.modules():
        if isinstance(part, MaskedNorm):
            torch.nn.init.uniform_(part.gain, -1, 1)
            torch.nn.init.uniform_(part.offset, -1, 1)
    for _ in range(3):
        body(given)
    return body.eval()


def run(body: Inception, given: Steps) -> np.ndarray:
    writer = Writer()
    name = body.write(writer, WrittenSteps("x", "mask"))
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", "steps", given.x.shape[2]])
    mask = helper.make_tensor_value_info("mask", TensorProto.FLOAT, ["n", "steps"])
    output = helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", body.features])
    graph = helper.make_graph(writer.nodes, "body", [x, mask], [output], writer.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    found: np.ndarray = session.run(None, {"x": given.x.numpy(), "mask": given.mask.numpy()})[0]
    return found


@pytest.mark.parametrize(
    ("lengths", "values"),
    [((12, 5, 1), {}), ((12, 5), {"blocks": 1}), ((9, 9), {"blocks": 6}), ((30, 2), {"units": 2}), ((1,), {})],
    ids=["three", "one block", "six", "narrow", "one step"],
)
@torch.no_grad()
def test_the_graph_gives_the_same(lengths: tuple[int, ...], values: dict[str, int]) -> None:
    given = steps(*lengths)
    body = trained(given, **values)
    np.testing.assert_allclose(run(body, given), body(given), atol=1e-5)


def test_the_graph_takes_no_row_at_all() -> None:
    given = steps(4, 2)
    body = trained(given)
    assert run(body, Steps(given.x[:0], given.mask[:0])).shape == (0, body.features)


@torch.no_grad()
def test_a_row_is_the_same_alone_as_beside_longer_ones() -> None:
    given = steps(12, 5)
    body = trained(given)
    alone = body(Steps(given.x[1:, :5], given.mask[1:, :5]))
    np.testing.assert_allclose(alone, body(given)[1:], atol=1e-6)


@pytest.mark.parametrize("is_training", [False, True])
def test_a_full_mask_can_be_left_out(is_training: bool) -> None:
    given = steps(6, 6)
    body = trained(given).train(is_training)
    np.testing.assert_allclose(body(given).detach(), body(given._replace(is_full=True)).detach(), atol=1e-5)


def test_normalisation_looks_at_steps_alone() -> None:
    given, norm = steps(7, 3), MaskedNorm(3).train()
    x = norm(given.x.transpose(1, 2) + 5 * (1 - given.mask[:, None]), given.mask[:, None]).transpose(1, 2)
    there = x[given.mask.bool()].detach()
    np.testing.assert_allclose(there.mean(dim=0), 0, atol=1e-6)
    np.testing.assert_allclose(there.std(dim=0, unbiased=False), 1, atol=1e-4)
    assert x[~given.mask.bool()].abs().sum() == 0


def test_running_means_are_those_of_the_steps() -> None:
    given, norm = steps(7, 3), MaskedNorm(3).train()
    for _ in range(200):
        norm(given.x.transpose(1, 2), given.mask[:, None])
    known = given.x[given.mask.bool()]
    np.testing.assert_allclose(norm.mean, known.mean(dim=0), rtol=1e-4)
    np.testing.assert_allclose(norm.variance, known.var(dim=0), rtol=1e-4)


def test_one_step_alone_can_be_learned_from() -> None:
    body = trained(steps(2, 2)).train()
    assert torch.isfinite(body(steps(1)._replace(is_full=True))).all()


def test_every_parameter_learns() -> None:
    given = steps(12, 5)
    body = trained(given, blocks=6).train()
    body(given).square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in body.parameters())


@pytest.mark.parametrize("longest", [1, 2, 3, 4, 7, 8, 50, 1000])
def test_kernels_are_odd_and_no_longer_than_rows(longest: int) -> None:
    found = kernel_lengths(40, longest)
    assert all(length % 2 and length <= max(1, longest) for length in found)
    assert len(set(found)) == len(found)


def test_work_counts_the_multiplications() -> None:
    one, longer = work(VALUES, 3, 20), work(VALUES, 3, 40)
    assert longer.macs == pytest.approx(2 * one.macs)
    assert work({**VALUES, "blocks": 6}, 3, 20).macs > 1.9 * one.macs
