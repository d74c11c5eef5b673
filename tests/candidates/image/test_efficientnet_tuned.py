from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.candidates.image.efficientnet_tuned import CANDIDATE
from automl.candidates.pretrained.image_model import PretrainedImageModel
from automl.core.clock import FakeClock
from automl.core.space import Configuration, Value
from automl.spaces.space_file import read_space
from automl.testing.candidate_suite import CandidateContract
from automl.testing.context import ArrayData, LocalContext, one_member, striped_images
from automl.testing.tiny_efficientnet import tiny_efficientnet

FILE = Path(__file__).parents[3] / "search_spaces" / "image-clf" / "efficientnet-tuned.toml"
SPACE = read_space(FILE.read_text(encoding="utf-8"), FILE.name)
OWN: dict[str, Value] = {"scale": 0.7, "epochs": 3, "trained": "half"}


def configuration(**values: Value) -> Configuration:
    return SPACE.complete({**OWN, **values})


class _Tuned(CandidateContract):
    candidate = CANDIDATE
    module = "automl.candidates.image.efficientnet_tuned"

    def context(self, folder: Path, data: ArrayData | None = None) -> LocalContext:
        made = super().context(folder, data)
        made.resources = {"weights": tiny_efficientnet(folder / "weights")}
        return made


class TestTunedTail(_Tuned):
    configuration = configuration(trained="tail")
    space = SPACE


@pytest.mark.slow
class TestTunedHalf(_Tuned):
    configuration = configuration(mirror=True)


@pytest.mark.slow
class TestTunedAll(_Tuned):
    configuration = configuration(trained="all", mirror=True)


def context(folder: Path, data: ArrayData, **fields: Any) -> LocalContext:
    cut = len(data.X) * 2 // 3
    weights = {"weights": tiny_efficientnet(folder / "weights")}
    return LocalContext(np.arange(cut), np.arange(cut, len(data.X)), len(data.spec.classes), folder / "cache",
                        resources=weights, **fields)  # fmt: skip


def fit(data: ArrayData, ctx: LocalContext, **values: Value) -> PretrainedImageModel:
    chosen = configuration(**values)
    return CANDIDATE.fit(one_member(chosen), chosen, data, ctx)


@pytest.mark.parametrize(("trained", "first"), [("tail", 7), ("half", 6), ("all", 0)])
def test_only_the_stages_asked_for_change(trained: str, first: int, tmp_path: Path) -> None:
    data = striped_images(60)
    tuned = fit(data, context(tmp_path, data), trained=trained, lr=2e-3, patience=5)
    again = fit(data, context(tmp_path, data), trained="tail", lr=5e-5)
    for mine, other in zip(tuned.sight.backbone.blocks, again.sight.backbone.blocks, strict=True):
        if mine.stage < min(first, 7):
            np.testing.assert_array_equal(mine.convs[0].weight, other.convs[0].weight)


def test_tuning_lowers_the_loss_on_held_out_rows(tmp_path: Path) -> None:
    data = striped_images(90)
    ctx = context(tmp_path, data)
    fit(data, ctx, trained="tail", l2=10.0, lr=1e-4, head_rate=1.0, epochs=6)
    losses = [float(part) for part in ctx.notes["kept"].partition("rows ")[2].split(", ")]
    assert min(losses[1:]) < losses[0]


def test_time_that_ends_gives_the_best_by_then(tmp_path: Path) -> None:
    data = striped_images(60)
    ctx = context(tmp_path, data, is_timed=True, seconds=3.0, clock=_Ticking())
    fitted = fit(data, ctx, epochs=20, patience=5)
    assert "the time ended" in ctx.notes["epochs"]
    assert np.isfinite(fitted.predict(data.X)).all()


def test_no_time_at_all_is_said(tmp_path: Path) -> None:
    data = striped_images(60)
    fit(data, context(tmp_path, data))
    ctx = context(tmp_path, data, is_timed=True, seconds=0.1, clock=FakeClock())
    with pytest.raises(TimeoutError, match=r"a network needs more than .* Got 0.1 s"):
        fit(data, ctx)


def test_a_rate_beyond_reason_is_named(tmp_path: Path) -> None:
    data = striped_images(60)
    chosen = Configuration("efficientnet-tuned", {**configuration().values, "lr": float("inf")})
    with pytest.raises(FloatingPointError, match=r"the loss is nan after \d+ steps. Lower lr"):
        CANDIDATE.fit(one_member(chosen), chosen, data, context(tmp_path, data))


def test_more_of_the_network_costs_more() -> None:
    spec = striped_images(60).spec
    costs = [CANDIDATE.estimate(spec, configuration(trained=part), 60) for part in ("tail", "half", "all")]
    assert costs[0].step_seconds < costs[1].step_seconds < costs[2].step_seconds


class _Ticking:
    """A clock that goes on by a tenth of a second with each look."""

    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        self._now += 0.1
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += seconds
