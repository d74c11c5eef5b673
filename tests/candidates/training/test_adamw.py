from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch

from automl.candidates.training.adamw import AdamW, clip


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_the_optimiser_steps_as_its_source_says(decay: float) -> None:
    parameter, expected = torch.nn.Parameter(torch.linspace(-1, 1, 6)), np.linspace(-1, 1, 6)
    optimiser, first, second = AdamW([([parameter], decay)]), np.zeros(6), np.zeros(6)
    for step in range(1, 6):
        gradient = expected**2 + step
        parameter.grad = torch.from_numpy(gradient).float()
        optimiser.step(0.1)
        first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
        moved = (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
        expected = expected - 0.1 * decay * expected - 0.1 * moved
    np.testing.assert_allclose(parameter.detach(), expected, rtol=1e-4, atol=1e-5)


def test_the_optimiser_spares_the_import_of_torch_dynamo() -> None:
    code = "import sys, torch\nfrom automl.candidates.training.adamw import AdamW\n"
    code += "AdamW([([torch.nn.Parameter(torch.ones(2))], 0.0)]).step(0.1)\nprint('torch._dynamo' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_optimiser_leaves_what_has_no_gradient_alone() -> None:
    parameter = torch.nn.Parameter(torch.ones(2))
    AdamW([([parameter], 0.5)]).step(0.1)
    assert parameter.tolist() == [1, 1]


def embedded(table: torch.nn.Parameter, rows: list[int], *, sparse: bool) -> torch.Tensor:
    """Return a sum whose gradient touches these rows alone, one of them twice as much."""
    return (torch.nn.functional.embedding(torch.tensor(rows), table, sparse=sparse) ** 2).sum()


@pytest.mark.parametrize("decay", [0.0, 0.5])
def test_rows_of_a_sparse_gradient_step_as_those_of_a_dense_one(decay: float) -> None:
    tables = [torch.nn.Parameter(torch.linspace(-1, 1, 12).view(4, 3)) for _ in range(2)]
    for table, sparse in zip(tables, (True, False), strict=True):
        optimiser = AdamW([([table], decay)])
        for _ in range(3):
            embedded(table, [0, 2, 2], sparse=sparse).backward()  # type: ignore[no-untyped-call]
            optimiser.step(0.1)
    torch.testing.assert_close(tables[0][[0, 2]], tables[1][[0, 2]])


def test_rows_without_a_gradient_stay_where_they_are() -> None:
    table = torch.nn.Parameter(torch.ones(4, 3))
    embedded(table, [0, 2], sparse=True).backward()  # type: ignore[no-untyped-call]
    AdamW([([table], 0.5)]).step(0.1)
    assert table[[1, 3]].tolist() == [[1, 1, 1], [1, 1, 1]]
    assert (table[[0, 2]] < 1).all()


def gradients() -> tuple[torch.nn.Parameter, torch.nn.Parameter]:
    """Return a table and a vector whose gradients together are (3, 4) long."""
    table, plain = torch.nn.Parameter(torch.zeros(5, 1)), torch.nn.Parameter(torch.zeros(1))
    picked = torch.nn.functional.embedding(torch.tensor([1, 1, 1]), table, sparse=True)
    (picked.sum() + 4 * plain.sum()).backward()
    return table, plain


def test_long_gradients_are_shortened_together() -> None:
    table, plain = gradients()
    clip([table, plain, torch.nn.Parameter(torch.ones(1))], 1.0)
    assert table.grad is not None
    assert plain.grad is not None
    torch.testing.assert_close(table.grad.to_dense()[1], torch.tensor([0.6]), rtol=1e-5, atol=0)
    torch.testing.assert_close(plain.grad, torch.tensor([0.8]), rtol=1e-5, atol=0)


def test_short_gradients_stay_as_they_are() -> None:
    _, plain = gradients()
    clip([plain], 10.0)
    assert plain.grad is not None
    assert plain.grad.tolist() == [4]
