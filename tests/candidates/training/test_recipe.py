"""Settings, schedules, optimisers, losses and averaging."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from automl.candidates.training.averaging import Average
from automl.candidates.training.losses import balanced_weights, cross_entropy, soft_labels
from automl.candidates.training.optimisers import optimiser, set_learning_rate
from automl.candidates.training.schedules import factor
from automl.candidates.training.settings import Settings

SCHEDULES = ["one-cycle", "cosine", "warm-up-stable-decay"]


def settings(configure, **values):
    return Settings.of(configure("cnn", **values).values)


def test_settings_of_adaptive_optimisers_take_their_own_learning_rate(configure):
    read = settings(configure, optimizer="adamw", adaptive_lr=1e-3)
    assert (read.lr, read.momentum) == (1e-3, 0.0)


def test_settings_carry_the_augmentation(configure):
    assert settings(configure, flip=True, cutout=0.3).augmentation.cutout == 0.3


@pytest.mark.parametrize(("rows", "expected"), [(50, 16), (1280, 40), (10**6, 64)])
def test_small_data_take_fewer_rows_a_step(configure, rows, expected):
    assert settings(configure, batch_size=64).step_rows(rows) == expected


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_schedule_rises_to_one_and_falls_to_zero(schedule):
    assert factor(schedule, 0.1, 0.2) == pytest.approx(0.5)
    assert factor(schedule, 0.2, 0.2) == pytest.approx(1.0)
    assert factor(schedule, 1.0, 0.2) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_schedule_never_rises_after_warm_up(schedule):
    values = [factor(schedule, p, 0.0) for p in np.linspace(0, 1, 50)]
    assert values == sorted(values, reverse=True)


def test_stable_schedule_is_stable_until_its_last_part():
    assert factor("warm-up-stable-decay", 0.65, 0.1) == 1.0
    assert factor("warm-up-stable-decay", 0.85, 0.1) == pytest.approx(0.5)


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw", "rmsprop"])
def test_biases_and_normalisation_do_not_decay(configure, name):
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    decayed, free = optimiser(network, settings(configure, optimizer=name)).param_groups
    assert [p.ndim for p in decayed["params"]] == [2]
    assert (decayed["weight_decay"], free["weight_decay"]) == (0.05 if name == "adamw" else 5e-4, 0.0)


def test_sgd_is_nesterov(configure):
    assert optimiser(nn.Linear(3, 4), settings(configure, optimizer="sgd")).defaults["nesterov"] is True


def test_learning_rate_is_set_in_all_groups(configure):
    chosen = optimiser(nn.Linear(3, 4), settings(configure))
    set_learning_rate(chosen, 0.123)
    assert [group["lr"] for group in chosen.param_groups] == [0.123, 0.123]


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weights", [None, torch.tensor([0.5, 2.0, 1.0])], ids=["even", "weighted"])
def test_cross_entropy_is_torchs_where_torch_defines_it(smoothing, weights):
    logits, targets = torch.randn(8, 3), torch.tensor([0, 1, 2, 0, 1, 2, 0, 1])
    ours = cross_entropy(logits, soft_labels(targets, 3, smoothing), weights)
    theirs = functional.cross_entropy(logits, targets, weights, label_smoothing=smoothing, reduction="none").mean()
    torch.testing.assert_close(ours, theirs)


def test_balanced_weights_give_each_class_the_same_say():
    y = np.array([0] * 6 + [1] * 3 + [2])
    weights = balanced_weights(y, 4)
    assert np.bincount(y, weights[y], 4)[:3] == pytest.approx([10 / 3] * 3)
    assert weights[3] == 1.0


def network(value):
    made = nn.Sequential(nn.Linear(1, 1, bias=False), nn.BatchNorm1d(1))
    nn.init.constant_(made[0].weight, value)
    return made


def test_average_lies_between_old_and_new_weights():
    average = Average(network(0.0), horizon=8.0)
    average.update(network(1.0), step=400, progress=0.5)
    assert 0.5 < float(average.network[0].weight) < 0.7


def test_average_is_the_weights_themselves_at_the_end():
    average = Average(network(0.0), horizon=100.0)
    average.update(network(1.0), step=401, progress=1.0)
    assert float(average.network[0].weight) == 1.0


def test_average_soon_forgets_the_start():
    average = Average(network(0.0), horizon=1e6)
    average.update(network(1.0), step=4, progress=0.01)
    assert float(average.network[0].weight) > 0.9


def test_average_copies_counters_and_needs_no_gradient():
    source, average = network(0.0), Average(network(0.0), horizon=10.0)
    source[1].num_batches_tracked += 5
    average.update(source, step=4, progress=0.5)
    assert int(average.network[1].num_batches_tracked) == 5
    assert not any(p.requires_grad for p in average.network.parameters())
