from __future__ import annotations

import pytest

from automl.core.fidelity import ONE_GO, Fidelity, StepRange, ladder


def test_the_ladder_grows_threefold_on_one_fold_and_ends_on_all() -> None:
    assert ladder(27, 5) == (Fidelity(3, 1), Fidelity(9, 1), Fidelity(27, 1), Fidelity(27, 5))


@pytest.mark.parametrize("steps", [1, 2, 5, 10, 100], ids=str)
@pytest.mark.parametrize("folds", [1, 3, 10], ids=str)
def test_every_ladder_has_as_many_rungs_never_falls_and_ends_full(steps: int, folds: int) -> None:
    rungs = ladder(steps, folds)
    assert len(rungs) == 4
    assert [r.steps for r in rungs] == sorted(r.steps for r in rungs)
    assert rungs[0].steps >= 1
    assert rungs[-1] == Fidelity(steps, folds)


def test_the_first_rung_has_at_least_the_low_steps() -> None:
    assert [r.steps for r in ladder(27, 5, low_steps=5)] == [5, 9, 27, 27]


def test_low_steps_above_the_full_ones_give_way() -> None:
    assert [r.steps for r in ladder(4, 2, low_steps=9)] == [4, 4, 4, 4]


def test_what_trains_in_one_go_has_one_step_on_every_rung() -> None:
    assert [r.steps for r in ladder(ONE_GO.full, 5)] == [1, 1, 1, 1]


def test_depth_and_eta_shape_the_ladder() -> None:
    assert [r.steps for r in ladder(16, 2, depth=2, eta=4)] == [4, 16, 16]


def test_a_step_range_is_a_value() -> None:
    assert StepRange("epochs", 3, 27) == StepRange(unit="epochs", low=3, full=27) != ONE_GO
