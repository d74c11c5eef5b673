import math

import numpy as np
import pytest

from automl.core.budget import Budget
from automl.core.ledger import Ledger, Receipt


def cpu_ledger(seconds=10.0):
    return Ledger(Budget(cpu=seconds), device="cpu")


def test_what_is_reserved_is_not_free():
    ledger = cpu_ledger()
    ledger.reserve(1, 6.0)
    assert ledger.free_device_seconds() == 4.0


@pytest.mark.parametrize("cost", [0.0, 4.0, 6.0])
def test_settling_replaces_the_reservation_by_the_cost(cost):
    ledger = cpu_ledger()
    ledger.reserve(1, 6.0)
    ledger.settle(1, cost)
    assert ledger.free_device_seconds() == 10.0 - cost


def test_more_than_is_free_is_refused():
    ledger = cpu_ledger()
    ledger.reserve(1, 6.0)
    with pytest.raises(ValueError, match=r"job 2 asks for 5\.0 s, 4\.0 s are free"):
        ledger.reserve(2, 5.0)


def test_exactly_what_is_free_is_granted():
    ledger = cpu_ledger()
    ledger.reserve(1, 10.0)
    assert ledger.free_device_seconds() == 0.0


def test_a_job_reserves_once():
    ledger = cpu_ledger()
    ledger.reserve(1, 1.0)
    with pytest.raises(ValueError, match="job 1 holds a reservation already"):
        ledger.reserve(1, 1.0)


def test_a_job_without_a_reservation_cannot_settle():
    with pytest.raises(ValueError, match="job 7 holds no reservation"):
        cpu_ledger().settle(7, 1.0)


def test_a_job_settles_once():
    ledger = cpu_ledger()
    ledger.reserve(1, 1.0)
    ledger.settle(1, 1.0)
    with pytest.raises(ValueError, match="job 1 holds no reservation"):
        ledger.settle(1, 1.0)


def test_an_overrun_leaves_nothing_and_not_less():
    ledger = cpu_ledger()
    ledger.reserve(1, 10.0)
    ledger.settle(1, 12.0)
    assert ledger.free_device_seconds() == 0.0


@pytest.mark.parametrize(
    ("budget", "device", "free"),
    [
        (Budget(cpu=5.0), "gpu", math.inf),
        (Budget(gpu=5.0), "cpu", math.inf),
        (Budget(cpu=5.0, gpu=3.0), "gpu", 3.0),
        (Budget(cpu=5.0, gpu=3.0), "cpu", 5.0),
        (Budget(wall=1.0, trials=1), "cpu", math.inf),
    ],
)
def test_only_the_account_of_the_device_bounds_it(budget, device, free):
    assert Ledger(budget, device=device).free_device_seconds() == free


def test_trials_count_when_they_start():
    ledger = Ledger(Budget(trials=3), device="cpu")
    ledger.start_trial()
    assert ledger.free_trials() == 2


def test_without_a_limit_trials_are_free():
    assert cpu_ledger().free_trials() == math.inf


@pytest.mark.parametrize("seed", range(5))
def test_settled_and_reserved_never_exceed_the_budget(seed):
    rng, ledger = np.random.default_rng(seed), cpu_ledger(100.0)
    for job in range(200):
        asked = min(rng.exponential(10.0), ledger.free_device_seconds())
        ledger.reserve(job, asked)
        assert ledger.settled + sum(ledger.reserved.values()) <= 100.0 + 1e-6
        if rng.random() < 0.7:
            ledger.settle(job, asked * rng.random())


def test_the_receipt_adds_up_to_the_ledger():
    ledger = cpu_ledger()
    for job, cost in enumerate((1.0, 2.5)):
        ledger.start_trial()
        ledger.reserve(job, 3.0)
        ledger.settle(job, cost)
    assert ledger.receipt(9.0) == Receipt("cpu", leased_seconds=3.5, wall_seconds=9.0, trials=2, leases=2)
