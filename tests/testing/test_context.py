from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from automl.core.clock import FakeClock
from automl.core.space import Configuration
from automl.testing.context import LocalContext, image_data, one_member, striped_images


def context(**given: object) -> LocalContext:
    return LocalContext(np.arange(2), np.arange(2, 3), 3, Path("cache"), **given)  # type: ignore[arg-type]


def test_it_remembers_reports_and_notes() -> None:
    ctx = context()
    assert not ctx.report(1, 0.5, 0.7)
    ctx.note("precision", "bf16")
    assert (ctx.reports, ctx.notes) == ([(1, 0.5, 0.7)], {"precision": "bf16"})


def test_it_asks_to_stop_after_so_many_reports() -> None:
    ctx = context(stop_after=2)
    assert [ctx.report(step, None) for step in (1, 2)] == [False, True]


def test_time_runs_from_the_first_look() -> None:
    clock = FakeClock(100.0)
    ctx = context(seconds=5.0, clock=clock)
    assert ctx.seconds_left() == 5.0
    clock.advance(2.0)
    assert ctx.seconds_left() == 3.0


def test_without_a_deadline_time_is_endless() -> None:
    assert context().seconds_left() == float("inf")


def test_image_data_counts_classes_that_have_no_row() -> None:
    spec = image_data(np.zeros((3, 4, 5, 1), np.uint8), np.array([0, 0, 2]), classes=4).spec
    assert (spec.rows, spec.shape, spec.class_counts) == (3, (4, 5, 1), (2, 0, 1, 0))
    assert len(spec.classes) == 4


@pytest.mark.parametrize("shape", [(8, 8, 1), (5, 9, 3)], ids=["grey", "colour"])
def test_striped_images_are_the_same_for_the_same_seed(shape: tuple[int, int, int]) -> None:
    first, again, other = (striped_images(12, shape=shape, seed=seed) for seed in (0, 0, 1))
    assert first.X.shape == (12, *shape)
    np.testing.assert_array_equal(first.X, again.X)
    assert not np.array_equal(first.X, other.X)
    assert first.spec.fingerprint != other.spec.fingerprint


def test_a_job_of_one_member_spans_its_steps() -> None:
    job = one_member(Configuration("cnn", {}), start=3, stop=9, full=27)
    assert (job.candidate, job.start_steps, job.stop_steps, job.full_steps) == ("cnn", 3, 9, 27)
