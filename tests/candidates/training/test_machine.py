"""Memory, precision, rows and cost."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from torch import nn

from automl.candidates.training import precision, rows
from automl.candidates.training.architecture import Count
from automl.candidates.training.cost import cost
from automl.candidates.training.memory import FrugalStep, backward, is_out_of_memory
from automl.candidates.training.precision import Precision

IMAGES, LABELS = torch.rand(12, 3), torch.rand(12, 2)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return nn.Linear(3, 2)


def squared(network):
    return lambda images, labels: (network(images) - labels).square().mean()


def cramped(limit):
    """Return a backward step that finds no memory for more rows than limit."""

    def run(loss, images, labels, share):
        if len(images) > limit:
            raise torch.OutOfMemoryError(f"no room for {len(images)} rows")
        return backward(loss, images, labels, share)

    return run


def test_parts_of_a_batch_add_up_to_its_gradient(network):
    whole = FrugalStep(squared(network))(network, IMAGES, LABELS)
    gradient = network.weight.grad.clone()
    step = FrugalStep(squared(network), cramped(5))
    torch.testing.assert_close(step(network, IMAGES, LABELS), whole)
    torch.testing.assert_close(network.weight.grad, gradient)
    assert step.parts == 4


def test_no_room_for_two_rows_is_a_memory_error(network):
    with pytest.raises(MemoryError, match="3 rows at a time do not fit in memory"):
        FrugalStep(squared(network), cramped(1))(network, IMAGES, LABELS)


def test_other_errors_pass_through(network):
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        FrugalStep(squared(network))(network, IMAGES[:, :2], LABELS)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), True),
        (MemoryError("host"), True),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("shape mismatch"), False),
        (ValueError("not enough memory"), False),
    ],
    ids=["cuda", "host", "allocator", "shapes", "value"],
)
def test_full_memory_is_told_from_other_errors(error, expected):
    assert is_out_of_memory(error) is expected


@pytest.fixture
def convolution():
    return nn.Conv2d(1, 4, 3, padding=1)


def test_without_a_clock_a_table_decides_and_nothing_is_written(convolution, tmp_path):
    chosen = precision.settle(convolution, torch.rand(2, 1, 8, 8), "key", tmp_path / "c", is_timed=False)
    assert chosen == Precision("float32", channels_last=True)
    assert not (tmp_path / "c").exists()


def test_a_measured_decision_is_cached_and_read_back(convolution, tmp_path):
    first = precision.settle(convolution, torch.rand(2, 1, 8, 8), "key", tmp_path, is_timed=True)
    (path,) = tmp_path.iterdir()
    assert json.loads(path.read_text()) == {"numbers": first.numbers, "channels_last": first.channels_last}
    path.write_text('{"numbers": "bfloat16", "channels_last": false}')
    again = precision.settle(convolution, torch.rand(2, 1, 8, 8), "key", tmp_path, is_timed=True)
    assert again == Precision("bfloat16", channels_last=False)


def test_measuring_leaves_the_network_alone(convolution):
    before = convolution.weight.detach().clone()
    precision.fastest(convolution, torch.rand(2, 1, 8, 8), precision.variants("cpu"))
    assert torch.equal(before, convolution.weight)
    assert convolution.weight.grad is None


def test_bfloat16_runs_under_autocast(convolution):
    with Precision("bfloat16").autocast("cpu"):
        assert convolution(torch.rand(2, 1, 8, 8)).dtype == torch.bfloat16


def test_a_larger_share_of_rows_contains_a_smaller_one():
    small, large = (rows.share_of(np.arange(100, 200), share, seed=3) for share in (0.2, 0.6))
    assert (len(small), len(large)) == (20, 60)
    assert set(small) <= set(large)


def test_held_out_rows_are_a_tenth_of_each_class():
    y = np.array([0] * 50 + [1] * 30 + [2] * 5)
    learn, held_out = rows.split(np.arange(85), y, held_out=True, seed=1)
    assert np.bincount(y[held_out], minlength=3).tolist() == [5, 3, 0]
    assert sorted([*learn, *held_out]) == list(range(85))


def test_nothing_is_held_out_unless_wanted():
    assert len(rows.split(np.arange(20), np.zeros(20, int), held_out=False, seed=1).held_out) == 0


def test_statistics_are_of_the_given_rows_and_never_zero():
    X = np.zeros((4, 2, 2, 2), np.uint8)
    X[0, ..., 0] = 51
    mean, deviation = rows.statistics(X, np.array([0]))
    assert mean == pytest.approx([0.2, 0.0])
    assert deviation == pytest.approx([1 / 255, 1 / 255])


def test_loaded_rows_are_copies_on_the_device():
    X, y = np.zeros((4, 2, 2, 1), np.uint8), np.array([0, 1, 1, 1])
    X.setflags(write=False)
    loaded = rows.load(X, y, np.array([0, 1, 2]), classes=2, balanced=True, device="cpu")
    assert loaded.pixels.shape == (3, 2, 2, 1)
    assert loaded.class_weights.tolist() == pytest.approx([1.5, 0.75])


def test_cost_of_an_epoch_is_proportional_to_rows():
    one, two = (cost(Count(10**6, 10**4), rows=n, batch=64, row_bytes=784) for n in (1000, 2000))
    assert two.step_seconds == pytest.approx(2 * one.step_seconds)
    assert two.peak_bytes - one.peak_bytes == 784_000
