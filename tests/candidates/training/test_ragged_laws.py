"""Laws of rows of different lengths: batches, settings, costs, dropout, steps and pace against plain references."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from automl.candidates.graphs.encoded_model import EncodedModel
from automl.candidates.text.text_network_cost import bag_work, cnn_work
from automl.candidates.training import attention, inception, recurrent
from automl.candidates.training.adamw import AdamW, clip
from automl.candidates.training.bodies_text import Bag, make_bag, make_cnn
from automl.candidates.training.body_costs import recurrent_work, transformer_work
from automl.candidates.training.body_settings import RecurrentSettings, TransformerSettings
from automl.candidates.training.entrance_tokens import TokenEntrance
from automl.candidates.training.inception_cost import kernel_lengths, work
from automl.candidates.training.masks import Masks
from automl.candidates.training.pace import LEAST_SECONDS, Pace
from automl.candidates.training.ragged_cost import Work, cost, predict_seconds, step_seconds, whole
from automl.candidates.training.ragged_encoding import Encoding, Size
from automl.candidates.training.ragged_fit import predicted
from automl.candidates.training.ragged_network import RaggedNetwork
from automl.candidates.training.ragged_parts import Dropout
from automl.candidates.training.ragged_rows import NOISE, Limits, RaggedRows, batches, packed, padded
from automl.candidates.training.ragged_settings import FEWEST_STEPS, LEAST_STEPS, RaggedSettings
from automl.candidates.training.ragged_trainer import held_loss
from automl.core.clock import FakeClock
from automl.core.data import DataSpec
from automl.core.space import Value
from automl.testing.context import LocalContext

STARTS, ENDS = np.array([6, 0, 3, 3, 11]), np.array([11, 1, 6, 11, 12])
"""Of rows that overlap and lie in no order, the last of them at the end of all steps."""
IDS = np.arange(1, 13, dtype=np.float32)
CHANNELS = np.random.default_rng(0).normal(size=(12, 3)).astype(np.float32)
kinds = pytest.mark.parametrize("values", [IDS, CHANNELS], ids=["ids", "channels"])


def filled(values: np.ndarray, steps: int) -> np.ndarray:
    """Return the rows one by one, as `padded` should give them."""
    parts = [values[start:end] for start, end in zip(STARTS, ENDS, strict=True)]
    if values.ndim == 1:
        return np.stack([np.pad(part, (0, steps - len(part))) for part in parts])
    return np.stack([np.pad(p, ((0, steps - len(p)), (0, 0)), constant_values=np.nan).T for p in parts])


def tensors(*arrays: np.ndarray) -> list[torch.Tensor]:
    return [torch.from_numpy(array) for array in arrays]


@kinds
@pytest.mark.parametrize("steps", [None, 8, 9, 40], ids=["longest", "as long", "one more", "beyond all values"])
def test_rows_that_overlap_are_padded_one_by_one(values: np.ndarray, steps: int | None) -> None:
    found = padded(*tensors(values, STARTS, ENDS), steps)
    np.testing.assert_array_equal(found.numpy(), filled(values, steps or 8))
    assert found.dtype == torch.float32
    assert found.is_contiguous()


@kinds
def test_packed_rows_are_slices_end_to_end(values: np.ndarray) -> None:
    found, ends = packed(values, STARTS, ENDS)
    np.testing.assert_array_equal(found, np.concatenate([values[s:e] for s, e in zip(STARTS, ENDS, strict=True)]))
    assert ends.tolist() == np.cumsum(ENDS - STARTS).tolist()
    assert ends.dtype == np.int64


@kinds
def test_packing_first_changes_nothing_in_padded_rows(values: np.ndarray) -> None:
    found, ends = packed(values, STARTS, ENDS)
    np.testing.assert_array_equal(padded(*tensors(found, ends - (ENDS - STARTS), ends)).numpy(), filled(values, 8))


def test_ids_up_to_what_float32_counts_exactly_come_through_unchanged() -> None:
    ids = np.array([1, 2**24 - 1, 2**24, 3], np.int32)
    values, ends = packed(ids, np.array([1, 0]), np.array([4, 2]))
    found = padded(*tensors(values, np.array([0, 3]), ends)).long()
    assert found.tolist() == [[2**24 - 1, 2**24, 3], [1, 2**24 - 1, 0]]


def greedy(lengths: np.ndarray, limits: Limits) -> list[list[int]]:
    """Return batches of rows in the order of their length, each filled row by row until the next would not fit."""
    made: list[list[int]] = []
    for row in sorted(range(len(lengths)), key=lambda place: (lengths[place], place)):
        fits = made and len(made[-1]) < limits.rows and (len(made[-1]) + 1) * lengths[row] <= limits.steps
        made = [*made[:-1], [*made[-1], row]] if fits else [*made, [row]]
    return made


@pytest.mark.parametrize("limits", [(1, 1), (4, 7), (4, 40), (7, 10**6), (1000, 90)], ids=str)
def test_batches_are_filled_row_by_row(limits: tuple[int, int]) -> None:
    lengths = np.random.default_rng(1).integers(1, 30, 200)
    made = batches(lengths, Limits(*limits))
    assert [batch.rows.tolist() for batch in made] == greedy(lengths, Limits(*limits))


@pytest.mark.parametrize(("steps", "sizes"), [(12, [3]), (11, [2, 1]), (4, [1, 1, 1]), (3, [1, 1, 1])], ids=str)
def test_the_limit_of_steps_itself_is_allowed(steps: int, sizes: list[int]) -> None:
    assert [len(batch.rows) for batch in batches(np.array([4, 4, 4]), Limits(9, steps))] == sizes


@pytest.mark.parametrize("seed", range(4))
def test_shuffled_batches_tell_the_truth_about_their_rows(seed: int) -> None:
    lengths = np.random.default_rng(9).integers(1, 6, 150)
    for batch in batches(lengths, Limits(5, 30), np.random.default_rng(seed)):
        assert batch.steps == lengths[batch.rows].max()
        assert batch.is_full == (len(set(lengths[batch.rows].tolist())) == 1)


@pytest.mark.parametrize("seed", range(4))
def test_rows_are_out_of_place_by_no_more_than_the_noise(seed: int) -> None:
    lengths = np.random.default_rng(2).integers(1, 500, 300)
    for batch in batches(lengths, Limits(32, 10**6), np.random.default_rng(seed)):
        held = lengths[batch.rows]
        assert (np.maximum.accumulate(held) <= (1 + NOISE) * held + 1).all()


@pytest.mark.parametrize(
    ("lengths", "steps"),
    [([], 8), ([0, 0], 1), ([5, 5], 40), ([1, 100], 404)],
    ids=["no rows", "empty", "alike", "not"],
)
def test_limits_allow_twice_the_mean(lengths: list[int], steps: int) -> None:
    assert Limits.of(np.array(lengths, np.int64), 4) == Limits(4, steps)


class Sums:
    """Answers each row with the sum of what it has and how many steps that is."""

    def __init__(self, batch: int) -> None:
        self.batch = batch

    def predict_encoded(self, inputs: np.ndarray) -> np.ndarray:
        assert len(inputs) <= self.batch
        flat = np.nan_to_num(inputs.reshape(len(inputs), -1)).astype(np.float64)
        return np.stack([flat.sum(axis=1), (flat != 0).sum(axis=1)], axis=1)


def encoding_of(values: np.ndarray) -> Encoding:
    return Encoding({}, values, STARTS, ENDS, 8, lambda _: TokenEntrance(np.zeros((2, 2), np.float32)), EncodedModel)


@kinds
@pytest.mark.parametrize("batch", [1, 2, 3, 100])
def test_answers_come_in_the_order_of_the_rows_asked_for(values: np.ndarray, batch: int) -> None:
    model: Any = Sums(batch)
    rows = np.array([3, 0, 4, 4, 1, 2, 0])
    expected = [(values[STARTS[r] : ENDS[r]].sum(), values[STARTS[r] : ENDS[r]].size) for r in rows]
    np.testing.assert_allclose(predicted(model, encoding_of(values), rows), expected, rtol=1e-5)


@pytest.mark.parametrize(("values", "shape"), [(IDS, ("steps",)), (CHANNELS, (3, "steps"))], ids=["ids", "channels"])
def test_an_encoding_knows_its_lengths_and_its_shape(values: np.ndarray, shape: tuple[int | str, ...]) -> None:
    assert encoding_of(values).row_shape == shape
    assert encoding_of(values).lengths.tolist() == [5, 1, 3, 8, 1]


def held(weights: torch.Tensor | None = None) -> RaggedRows:
    values = torch.from_numpy(np.random.default_rng(0).integers(1, 6, 12)).float()
    return RaggedRows(values, *tensors(STARTS, ENDS), torch.tensor([0, 1, 1, 0, 1]), weights, ENDS - STARTS)


def network() -> RaggedNetwork:
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        table = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
        return RaggedNetwork(TokenEntrance(table), Bag(4, "mean", hidden=3), 2, dropout=0.5).train()


@pytest.mark.parametrize("limits", [Limits(1, 1), Limits(1, 8), Limits(100, 1000)], ids=["one", "some", "all"])
def test_the_loss_of_held_out_rows_is_the_mean_of_each_alone(limits: Limits) -> None:
    made, rows = network(), held(torch.tensor([1.0, 2, 0, 0.5, 3]))
    found = held_loss(made, rows, limits)
    assert made.training
    logits = [made.eval()(rows.values[None, s:e])[0].detach() for s, e in zip(STARTS, ENDS, strict=True)]
    losses = [float(torch.logsumexp(row, 0) - row[code]) for row, code in zip(logits, rows.y.tolist(), strict=True)]
    assert found == pytest.approx(np.dot(losses, [1, 2, 0, 0.5, 3]) / 5, rel=1e-5)


@pytest.mark.parametrize("batch_size", [1, 4, 8, 32, 256])
def test_steps_are_small_enough_for_an_epoch_of_24_and_no_larger_than_asked_for(batch_size: int) -> None:
    settings = RaggedSettings(1e-3, 10, batch_size=batch_size)
    found = [settings.step_rows(rows) for rows in range(1, 8000)]
    assert found == sorted(found)
    assert found[0] == min(8, batch_size)
    assert found[-1] == batch_size
    assert all(rows // size >= FEWEST_STEPS for rows, size in enumerate(found, 1) if rows >= 8 * FEWEST_STEPS)


@pytest.mark.parametrize("rows", [1, 7, 100, 1599, 30_000, 5_000_000])
@pytest.mark.parametrize("epochs", [1, 2, 30])
def test_no_training_has_fewer_steps_than_the_least(rows: int, epochs: int) -> None:
    settings = RaggedSettings(1e-3, epochs)
    most = settings.most_epochs(rows)
    assert most * rows >= LEAST_STEPS * settings.step_rows(rows)
    assert most <= epochs or (most - 1) * rows < LEAST_STEPS * settings.step_rows(rows)


@pytest.mark.parametrize(("rows", "fit"), [(320, 280), (64_000, 56_000), (100_000, 92_000)], ids=["few", "cap", "many"])
def test_an_eighth_is_held_out_but_8000_at_most(rows: int, fit: int) -> None:
    assert RaggedSettings(1e-3, 10, patience=1).fit_rows(rows) == fit


ROW, SIZE = Work(2e5, 3e3), Size(16, 12.0, 30, 0.25, macs=5.0, values=64.0)
SPEC = DataSpec("texts", "text", 3000, (1, 50, 100), ("a", "b"), (1500, 1500), "0")
SETTINGS = RaggedSettings(1e-3, 10, patience=3)


def test_seconds_are_a_constant_and_so_much_for_each_row() -> None:
    fixed = step_seconds(ROW, 0)
    assert step_seconds(ROW, 24) - fixed == pytest.approx(3 * (step_seconds(ROW, 8) - fixed))
    assert predict_seconds(ROW, 24) == pytest.approx(3 * predict_seconds(ROW, 8))
    assert 0 < 2 * predict_seconds(ROW, 8) <= step_seconds(ROW, 8) - fixed <= 3 * predict_seconds(ROW, 8)


def test_an_entrance_is_paid_for_each_step_and_a_body_as_it_says() -> None:
    entrance, both = whole(Work(0, 0), SIZE), whole(ROW, SIZE)
    assert entrance == pytest.approx((1.15 * 12 * 5, 1.15 * 12 * (64 + 32)))
    assert (both.macs - entrance.macs, both.values - entrance.values) == pytest.approx((2.3e5, 3450))


def test_rows_that_are_predicted_alone_cost_their_prediction() -> None:
    more = dataclasses.replace(SPEC, rows=4000)
    one, two = (cost(spec, SETTINGS, SIZE, ROW, 2000) for spec in (SPEC, more))
    assert two.fixed_seconds - one.fixed_seconds == pytest.approx(predict_seconds(ROW, 2000))
    assert (two.step_seconds, two.peak_bytes) == (one.step_seconds, one.peak_bytes)


@pytest.mark.parametrize("rows", [0, 1, 5, 3000, 4000], ids=str)
def test_a_cost_is_finite_and_positive_however_few_rows_there_are(rows: int) -> None:
    found = cost(SPEC, SETTINGS, SIZE, ROW, rows)
    assert math.isfinite(found.seconds(1))
    assert found.fixed_seconds > SIZE.seconds
    assert isinstance(found.peak_bytes, int)


RECURRENT: dict[str, Value] = {"cell": "lstm", "units": 6, "layers": 1, "directions": 2, "pooling": "max", "dropout": 0}
ATTENTION: dict[str, Value] = {
    "units": 8, "layers": 2, "heads": 2, "expansion": 3, "positions": "sinusoidal", "pooling": "mean", "dropout": 0,
}  # fmt: skip


def matrices(body: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in body.parameters() if parameter.ndim > 1)


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("width", [2, 6])
def test_each_step_of_an_lstm_multiplies_by_each_weight(layers: int, directions: int, width: int) -> None:
    values = {**RECURRENT, "layers": layers, "directions": directions}
    expected = 7 * (matrices(recurrent.make(values, width, 9)) + 6 * directions)
    assert recurrent_work(values, width, 7).macs == expected


@pytest.mark.parametrize("width", [3, 8], ids=["with an entry", "without"])
def test_each_step_of_a_transformer_multiplies_by_each_weight_and_reads_each_step(width: int) -> None:
    expected = 7 * (matrices(attention.make(ATTENTION, width, 9)) + 2 * 2 * 7 * 8 + 8)
    assert transformer_work(ATTENTION, width, 7).macs == expected


@pytest.mark.parametrize("units", [2, 5], ids=["narrowed", "not narrowed at first"])
@pytest.mark.parametrize("blocks", [1, 3, 7])
@pytest.mark.parametrize("kernel", [1, 4, 20])
def test_inception_multiplies_by_each_weight_at_each_step(units: int, blocks: int, kernel: int) -> None:
    values: dict[str, Value] = {"units": units, "blocks": blocks, "kernel": kernel}
    assert work(values, 3, 9).macs == pytest.approx(2.5 * 9 * matrices(inception.make(values, 3, 9)))


@pytest.mark.parametrize("values", [{"kernels": "1,2,5", "blocks": 1}, {"kernels": "3", "blocks": 4}], ids=str)
def test_filters_multiply_by_each_weight_at_each_step(values: dict[str, Value]) -> None:
    given = {**values, "filters": 3}
    assert cnn_work(given, 4, 11).macs == 11 * matrices(make_cnn(given, 4, 11))


@pytest.mark.parametrize("hidden", [0, 5])
def test_the_layer_of_a_bag_is_computed_once_for_a_text(hidden: int) -> None:
    values: dict[str, Value] = {"pooling": "mean", "hidden": hidden}
    assert bag_work(values, 4, 11).macs == bag_work(values, 4, 99).macs == matrices(make_bag(values, 4, 11))


@pytest.mark.parametrize("longest", [1, 2, 5, 6, 8, 39, 1000])
def test_each_kernel_is_about_half_of_the_one_before(longest: int) -> None:
    for kernel in range(1, 90):
        found = kernel_lengths(kernel, longest)
        assert 1 <= len(found) <= 3
        assert found[0] <= min(longest, kernel + 1)
        assert all(abs(long - 2 * short) <= 3 for long, short in itertools.pairwise(found))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"input_dropout": 1}, r"input_dropout: a share in \[0, 1\)\. Got 1\. Name such a number"),
        ({"input_dropout": "half"}, r"input_dropout: a share in \[0, 1\)\. Got 'half'"),
        ({"dropout": float("nan")}, r"^dropout: a share in \[0, 1\)\. Got nan"),
        ({"dropout": -0.1}, r"^dropout: a share in \[0, 1\)\. Got -0\.1"),
        ({"layers": -2}, "layers: a whole number of at least 1. Got -2"),
        ({"units": "6"}, "units: a whole number of at least 1. Got '6'"),
    ],
    ids=["all", "a word", "no number", "below 0", "below 1", "a numeral"],
)
def test_a_setting_outside_its_range_is_named(changed: Mapping[str, Value], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RecurrentSettings.of({**RECURRENT, **changed})


def test_a_transformer_without_a_head_is_refused_before_heads_are_shared() -> None:
    with pytest.raises(ValueError, match=r"heads: a whole number of at least 1\. Got 0"):
        TransformerSettings.of({**ATTENTION, "heads": 0})


def test_moments_of_a_sparse_row_stand_still_without_it_while_steps_are_counted() -> None:
    table, expected = torch.nn.Parameter(torch.ones(3, 1)), np.ones(3)
    optimiser, first, second = AdamW([([table], 0.2)]), np.zeros(3), np.zeros(3)
    for step, row in enumerate((0, 2, 0, 2, 2), 1):
        (torch.nn.functional.embedding(torch.tensor([row]), table, sparse=True) * step).sum().backward()  # type: ignore[no-untyped-call]
        optimiser.step(0.1)
        first[row], second[row] = 0.9 * first[row] + 0.1 * step, 0.999 * second[row] + 0.001 * step**2
        moved = first[row] / (1 - 0.9**step) / (np.sqrt(second[row] / (1 - 0.999**step)) + 1e-8)
        expected[row] = expected[row] * (1 - 0.1 * 0.2) - 0.1 * moved
    np.testing.assert_allclose(table.detach()[:, 0], expected, rtol=1e-5)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_the_first_step_is_as_long_as_the_rate_whatever_the_gradient(scale: float) -> None:
    parameter = torch.nn.Parameter(torch.zeros(3))
    parameter.grad = scale * torch.tensor([1.0, -2, 3])
    AdamW([([parameter], 0.5)]).step(0.01)
    np.testing.assert_allclose(parameter.detach(), [-0.01, 0.01, -0.01], rtol=1e-4)
    assert parameter.grad is None


def test_each_group_has_the_decay_of_its_own() -> None:
    ones = [torch.nn.Parameter(torch.ones(2)) for _ in range(3)]
    for parameter in ones:
        parameter.grad = torch.zeros(2)
    AdamW([(ones[:1], 0.5), (ones[1:2], 0.0), (ones[2:], 1.0)]).step(0.1)
    assert [float(parameter.detach()[0]) for parameter in ones] == pytest.approx([0.95, 1.0, 0.9])


@pytest.mark.parametrize("longest", [1e-3, 1.0, 7.0, 1e3])
def test_clipped_gradients_keep_their_direction_and_are_no_longer_than_asked_for(longest: float) -> None:
    parameters = [torch.nn.Parameter(torch.zeros(2, 2)), torch.nn.Parameter(torch.zeros(3))]
    before = np.arange(1.0, 8)
    parameters[0].grad, parameters[1].grad = torch.arange(1.0, 5).view(2, 2), torch.arange(5.0, 8)
    clip(parameters, longest)
    after = np.concatenate([np.asarray(p.grad).ravel() for p in parameters])
    np.testing.assert_allclose(after, before * min(1, longest / np.linalg.norm(before)), rtol=1e-5)


@pytest.mark.parametrize("gradient", [None, torch.zeros(2)], ids=["none", "zeros"])
def test_where_there_is_nothing_to_clip_nothing_happens(gradient: torch.Tensor | None) -> None:
    parameter = torch.nn.Parameter(torch.ones(2))
    parameter.grad = gradient
    clip([parameter], 1.0)
    assert parameter.grad is gradient
    assert gradient is None or gradient.tolist() == [0, 0]


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.75])
def test_a_mask_multiplies_and_its_gradient_is_itself(rate: float) -> None:
    x = torch.arange(1.0, 31).view(2, 3, 5).requires_grad_()
    one, same = (Masks(rate, torch.Generator().manual_seed(3), torch.device("cpu"), bank=64) for _ in range(2))
    mask, found = one(torch.ones(2, 3, 5)), same(x)
    found.sum().backward()
    assert torch.equal(found, x * mask)
    assert torch.equal(torch.as_tensor(x.grad), mask)


def test_a_mask_may_be_larger_than_all_that_came_before_and_than_the_bank() -> None:
    masks = Masks(0.5, torch.Generator().manual_seed(0), torch.device("cpu"), bank=16)
    found = [masks(torch.ones(size, 2)) for size in (1, 500, 3, 2000)]
    assert [len(part) for part in found] == [1, 500, 3, 2000]
    assert {number for part in found for number in part.flatten().tolist()} == {0.0, 2.0}
    assert float(found[-1].mean()) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(("rate", "is_training"), [(0.0, True), (0.5, False)], ids=["no rate", "evaluation"])
def test_where_nothing_is_dropped_units_are_not_even_copied(rate: float, is_training: bool) -> None:
    x = torch.ones(3, 4)
    assert Dropout(rate).train(is_training)(x) is x


@pytest.mark.parametrize("reserve", [0.0, 3.0])
def test_progress_is_that_of_steps_or_of_the_clock_whichever_is_further(reserve: float) -> None:
    clock, rows = FakeClock(), np.arange(2)
    ctx = LocalContext(rows, rows[:0], 2, Path(), is_timed=True, seconds=8 + reserve + LEAST_SECONDS, clock=clock)
    pace = Pace(ctx, 20, reserve_seconds=reserve)
    for second, step in enumerate((0, 1, 9, 9, 10, 19, 19, 20, 20, 25)):
        assert pace.progress(step) == pytest.approx(min(1, max(step / 20, second / 8)))
        clock.advance(1)
