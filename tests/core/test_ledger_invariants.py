"""The ledger refuses what would make it lie, and adds up whatever happens."""

from __future__ import annotations

import math

import numpy as np
import pytest

from automl.core.budget import Budget
from automl.core.ledger import Ledger

DEVICES = pytest.mark.parametrize("device", ["cpu", "gpu"])
NO_AMOUNT = pytest.mark.parametrize("seconds", [math.nan, -1.0, -1e-9, -math.inf], ids=str)


def ledger(seconds: float = 10.0, device: str = "cpu") -> Ledger:
    return Ledger(Budget(**{device: seconds}), device=device)


@NO_AMOUNT
def test_a_reservation_of_less_than_nothing_is_refused(seconds: float) -> None:
    books = ledger()
    with pytest.raises(ValueError, match=rf"job 3: seconds are 0 or more\. Got {seconds}"):
        books.reserve(3, seconds)
    assert books == ledger()


@NO_AMOUNT
def test_a_cost_of_less_than_nothing_is_refused_and_the_reservation_stays(seconds: float) -> None:
    books = ledger()
    books.reserve(3, 5.0)
    with pytest.raises(ValueError, match=rf"job 3: seconds are 0 or more\. Got {seconds}"):
        books.settle(3, seconds)
    assert (books.reserved, books.settled, books.leases) == ({3: 5.0}, 0.0, 0)


@DEVICES
def test_nothing_may_be_reserved_and_settled(device: str) -> None:
    books = ledger(device=device)
    books.reserve(0, 0.0)
    books.settle(0, 0.0)
    assert (books.settled, books.leases, books.free_device_seconds()) == (0.0, 1, 10.0)


@DEVICES
def test_an_endless_reservation_needs_an_endless_budget(device: str) -> None:
    with pytest.raises(ValueError, match=r"job 0 asks for inf s, 10\.0 s are free"):
        ledger(device=device).reserve(0, math.inf)
    free = Ledger(Budget(trials=3), device=device)
    free.reserve(0, math.inf)
    assert free.free_device_seconds() == math.inf


@pytest.mark.parametrize("over", [1e-12, 1e-10])
def test_rounding_is_no_overdraft(over: float) -> None:
    books = ledger()
    books.reserve(0, 10.0 + over)
    assert books.free_device_seconds() == 0.0


@pytest.mark.parametrize("over", [1e-6, 0.5, 100.0])
def test_more_than_rounding_is_one(over: float) -> None:
    with pytest.raises(ValueError, match=r"are free"):
        ledger().reserve(0, 10.0 + over)


@pytest.mark.parametrize("count", [1, 3, 10])
def test_equal_parts_use_the_budget_up(count: int) -> None:
    books = ledger()
    for job in range(count):
        books.reserve(job, 10.0 / count)
    assert books.free_device_seconds() == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_the_receipt_is_the_sum_of_what_was_settled(seed: int) -> None:
    rng, books, paid = np.random.default_rng(seed), ledger(1e6), []
    for job in range(50):
        books.reserve(job, 1000.0)
        paid.append(float(rng.random() * 1000.0))
        books.settle(job, paid[-1])
    receipt = books.receipt(12.0)
    assert (receipt.leased_seconds, receipt.leases) == (pytest.approx(math.fsum(paid)), 50)


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_settling_does_not_matter(seed: int) -> None:
    rng, costs = np.random.default_rng(seed), [1.0, 2.0, 3.0, 0.5]
    books = ledger(100.0)
    for job in range(4):
        books.reserve(job, 5.0)
    for job in rng.permutation(4).tolist():
        books.settle(job, costs[job])
    assert (books.settled, books.reserved) == (pytest.approx(6.5), {})


@pytest.mark.parametrize("seed", range(5))
def test_what_is_free_never_grows_but_by_settling(seed: int) -> None:
    rng, books = np.random.default_rng(seed), ledger(50.0)
    for job in range(60):
        before = books.free_device_seconds()
        books.reserve(job, before * float(rng.random()))
        assert books.free_device_seconds() <= before
        if rng.random() < 0.5:
            held = books.free_device_seconds()
            books.settle(job, books.reserved[job])
            assert books.free_device_seconds() == pytest.approx(held)


@pytest.mark.parametrize(("limit", "started", "free"), [(3, 0, 3), (3, 2, 1), (3, 3, 0), (None, 9, math.inf)])
def test_trials_left(limit: int | None, started: int, free: float) -> None:
    books = Ledger(Budget(trials=limit), device="cpu")
    for _ in range(started):
        books.start_trial()
    assert books.free_trials() == free


@DEVICES
def test_the_receipt_names_the_device(device: str) -> None:
    assert ledger(device=device).receipt(0.0).device == device


def test_two_ledgers_share_nothing() -> None:
    first, second = ledger(), ledger()
    first.reserve(0, 4.0)
    assert second.reserved == {}
