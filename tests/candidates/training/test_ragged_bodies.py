"""What every body that texts and series share must hold to."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper

from automl.candidates.training import attention, recurrent
from automl.candidates.training.onnx_graph import IR_VERSION, OPSET, Writer
from automl.candidates.training.ragged_parts import Body, Steps, WrittenSteps
from automl.core.space import Value

WIDTH, LONGEST = 5, 12
LENGTHS = (1, 4, 7, 7, 3, 12)
RECURRENT = {"cell": "lstm", "units": 6, "layers": 1, "directions": 2, "pooling": "attention", "dropout": 0.3}
ATTENTION = {
    "units": 8, "layers": 2, "heads": 2, "expansion": 2, "positions": "learned", "pooling": "mean", "dropout": 0.3,
}  # fmt: skip
BODIES: dict[str, Mapping[str, Value]] = {
    **{
        f"{cell} {pooling}": {**RECURRENT, "cell": cell, "pooling": pooling}
        for cell, pooling in itertools.product(("lstm", "gru"), ("attention", "mean", "max", "last"))
    },
    "lstm of two layers": {**RECURRENT, "layers": 2},
    "gru of two layers": {**RECURRENT, "layers": 2, "cell": "gru", "pooling": "last"},
    "lstm one way": {**RECURRENT, "directions": 1, "pooling": "last"},
    "gru one way": {**RECURRENT, "cell": "gru", "layers": 2, "directions": 1, "pooling": "max"},
    **{f"transformer {pooling}": {**ATTENTION, "pooling": pooling} for pooling in ("attention", "mean", "max")},
    "transformer with waves": {**ATTENTION, "positions": "sinusoidal"},
    "transformer as wide as its steps": {**ATTENTION, "units": WIDTH, "heads": 5, "expansion": 1},
}
each = pytest.mark.parametrize("values", BODIES.values(), ids=BODIES)


def made(values: Mapping[str, Value], seed: int = 0) -> Body:
    """Return a body no parameter of which is as it began."""
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        body = (recurrent if "cell" in values else attention).make(values, WIDTH, LONGEST)
        with torch.no_grad():
            for parameter in body.parameters():
                parameter += 0.1 * torch.randn_like(parameter)
    return body.eval()


def rows(*lengths: int, steps: int = 0, seed: int = 0) -> Steps:
    """Return rows of these lengths, padded to so many steps."""
    rng, steps = np.random.default_rng(seed), max(steps, *lengths, 0)
    parts = [np.pad(rng.normal(size=(length, WIDTH)), ((0, steps - length), (0, 0))) for length in lengths]
    mask = np.arange(steps) < np.array(lengths)[:, None]
    return Steps(torch.tensor(np.stack(parts)).float(), torch.tensor(mask).float())


def answered(body: Body, steps: Steps) -> np.ndarray:
    with torch.no_grad():
        return body(steps).numpy()


def graph(body: Body) -> bytes:
    writer = Writer()
    features = body.write(writer, WrittenSteps("x", "mask"))
    x, mask, out = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("x", ["n", "t", WIDTH]), ("mask", ["n", "t"]), (features, ["n", body.features]))
    )
    made = helper.make_graph(writer.nodes, "body", [x, mask], [out], writer.constants)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def opened(written: bytes) -> Any:
    return onnxruntime.InferenceSession(written, providers=["CPUExecutionProvider"])


def run(session: Any, steps: Steps) -> np.ndarray:
    answer: np.ndarray = session.run(None, {"x": steps.x.numpy(), "mask": steps.mask.numpy()})[0]
    return answer


@each
def test_a_row_is_the_same_alone_and_beside_longer_ones(values: Mapping[str, Value]) -> None:
    body, together = made(values), rows(*LENGTHS)
    alone = [
        answered(body, Steps(together.x[i : i + 1, :length], together.mask[i : i + 1, :length]))
        for i, length in enumerate(LENGTHS)
    ]
    np.testing.assert_allclose(np.concatenate(alone), answered(body, together), atol=1e-6)


@each
def test_rows_of_one_length_are_the_same_where_that_is_known(values: Mapping[str, Value]) -> None:
    body, steps = made(values), rows(4, 4, 4)
    np.testing.assert_allclose(answered(body, steps._replace(is_full=True)), answered(body, steps), atol=1e-6)


@each
def test_the_order_of_rows_does_not_matter(values: Mapping[str, Value]) -> None:
    body, steps = made(values), rows(*LENGTHS)
    turned = answered(body, Steps(steps.x.flip(0), steps.mask.flip(0)))
    np.testing.assert_allclose(turned[::-1], answered(body, steps), atol=1e-6)


@each
def test_the_order_of_steps_matters(values: Mapping[str, Value]) -> None:
    body, steps = made(values), rows(5)
    assert np.abs(answered(body, Steps(steps.x.flip(1), steps.mask)) - answered(body, steps)).max() > 1e-4


@each
def test_the_graph_gives_the_features_of_the_body(values: Mapping[str, Value]) -> None:
    body, steps = made(values), rows(*LENGTHS)
    np.testing.assert_allclose(run(opened(graph(body)), steps), answered(body, steps), atol=1e-5)


@each
def test_the_graph_takes_any_shape(values: Mapping[str, Value]) -> None:
    body = made(values)
    session = opened(graph(body))
    for steps in (rows(1), rows(9), rows(1, steps=6), rows(3, 50)):
        np.testing.assert_allclose(run(session, steps), answered(body, steps), atol=1e-5)


@each
def test_no_rows_have_no_features(values: Mapping[str, Value]) -> None:
    body = made(values)
    session = opened(graph(body))
    for steps in (0, 1, 7):
        none = Steps(torch.zeros(0, steps, WIDTH), torch.zeros(0, steps))
        assert run(session, none).shape == answered(body, none).shape == (0, body.features)


@each
def test_graphs_have_operators_of_the_standard_alone(values: Mapping[str, Value]) -> None:
    assert {node.domain for node in onnx.load_from_string(graph(made(values))).graph.node} == {""}


@each
def test_writing_a_graph_draws_nothing(values: Mapping[str, Value]) -> None:
    body, before = made(values), torch.get_rng_state()
    assert graph(body) == graph(body)
    assert torch.equal(torch.get_rng_state(), before)


@each
def test_every_parameter_learns(values: Mapping[str, Value]) -> None:
    body = made(values).train()
    body(rows(*LENGTHS)).square().sum().backward()
    assert all(p.grad is not None and bool((p.grad != 0).any()) for p in body.parameters())


@each
def test_gradients_reach_steps_and_not_what_is_behind_their_end(values: Mapping[str, Value]) -> None:
    body, steps = made(values), rows(*LENGTHS)
    x = steps.x.requires_grad_()
    body(Steps(x, steps.mask)).sum().backward()
    assert x.grad is not None
    assert torch.equal((x.grad != 0).any(dim=2).any(dim=1), torch.ones(len(LENGTHS), dtype=torch.bool))
    assert float(x.grad[steps.mask == 0].abs().max()) == 0


@each
def test_the_seed_decides_parameters_and_what_is_dropped(values: Mapping[str, Value]) -> None:
    def trained(seed: int) -> torch.Tensor:
        body = made(values, seed).train()
        with torch.random.fork_rng([]):
            torch.manual_seed(seed)
            return torch.stack([body(rows(*LENGTHS)).detach() for _ in range(2)])

    assert torch.equal(trained(3), trained(3))
    assert not torch.equal(trained(3), trained(4))


@each
def test_features_begin_of_a_common_size(values: Mapping[str, Value]) -> None:
    torch.manual_seed(0)
    body = (recurrent if "cell" in values else attention).make(values, WIDTH, LONGEST).eval()
    assert 0.01 < answered(body, rows(*LENGTHS)).std() < 3


@each
def test_large_numbers_have_finite_features(values: Mapping[str, Value]) -> None:
    steps = rows(*LENGTHS)
    answer = run(opened(graph(made(values))), Steps(steps.x * 1e4, steps.mask))
    assert np.isfinite(answer).all()
