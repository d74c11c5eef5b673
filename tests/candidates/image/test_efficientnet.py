from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from automl.candidates.image.efficientnet import CANDIDATE
from automl.candidates.pretrained.efficientnet import NEEDS
from automl.candidates.pretrained.image_model import PretrainedImageModel
from automl.core.clock import FakeClock
from automl.core.space import Configuration, Value
from automl.spaces.space_file import read_space
from automl.testing.candidate_suite import CandidateContract
from automl.testing.context import ArrayData, LocalContext, image_data, one_member, striped_images
from automl.testing.tiny_efficientnet import tiny_efficientnet

FILE = Path(__file__).parents[3] / "search_spaces" / "image-clf" / "efficientnet.toml"
SPACE = read_space(FILE.read_text(encoding="utf-8"), FILE.name)
VALUES: dict[str, Value] = {"network": "small", "scale": 0.7, "levels": "both", "mirror": False, "l2": 0.1}


def context(folder: Path, data: ArrayData) -> LocalContext:
    cut = len(data.X) * 2 // 3
    weights = {"weights": tiny_efficientnet(folder / "weights")}
    return LocalContext(np.arange(cut), np.arange(cut, len(data.X)), len(data.spec.classes), folder / "cache",
                        resources=weights)  # fmt: skip


def fit(data: ArrayData, ctx: LocalContext, **values: Value) -> PretrainedImageModel:
    configuration = Configuration("efficientnet", {**VALUES, **values})
    return CANDIDATE.fit(one_member(configuration), configuration, data, ctx)


class TestEfficientNet(CandidateContract):
    candidate = CANDIDATE
    configuration = Configuration("efficientnet", VALUES)
    space = SPACE

    def context(self, folder: Path, data: ArrayData | None = None) -> LocalContext:
        made = super().context(folder, data)
        made.resources = {"weights": tiny_efficientnet(folder / "weights")}
        return made

    def test_validation_rows_teach_nothing(self, tmp_path: Path) -> None:
        """But for rounding: rows that were seen in training are predicted from what was seen."""
        clean, rows = self.fit(tmp_path / "clean").predict(self.data.X), self.context(tmp_path).valid_rows
        X, y = self.data.X.copy(), (self.data.y + 1) % 3
        X[rows], y = 255 - X[rows], np.where(np.isin(np.arange(len(y)), rows), y, self.data.y)
        poisoned = self.fit(tmp_path / "poisoned", data=replace(self.data, X=X, y=y))
        np.testing.assert_allclose(poisoned.predict(self.data.X), clean, atol=1e-5)


@pytest.mark.parametrize("levels", ["last", "middle", "both"])
def test_it_tells_stripes_apart_at_each_level(levels: str, tmp_path: Path) -> None:
    data = striped_images(90, shape=(16, 16, 3))
    ctx = context(tmp_path, data)
    fit(data, ctx, levels=levels)
    score = ctx.reports[0][1]
    assert score is not None
    assert score > 0.6


def test_what_the_network_saw_is_used_by_the_next_trial(tmp_path: Path) -> None:
    data = striped_images(60)
    first, second = context(tmp_path, data), context(tmp_path, data)
    before = fit(data, first).predict(data.X)
    data.X = np.zeros_like(data.X)
    after = fit(data, second).head
    np.testing.assert_array_equal(after.weights, fit(striped_images(60), first).head.weights)
    assert before.shape == (60, 3)


def test_mirrored_images_teach_too(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X = rng.integers(0, 60, (60, 16, 16, 1), dtype=np.uint8)
    X[:30, :, :8] += 180  # one class is bright on the left, where all rows learned from are
    data = image_data(X, np.repeat([1, 0], 30), classes=2, name="sides")
    ctx = context(tmp_path, data)
    ctx.train_rows = ctx.valid_rows = np.arange(60)
    plain, mirrored = (fit(data, ctx, mirror=mirror, levels="middle").unaided for mirror in (False, True))
    turned = X[:30, :, ::-1]
    assert mirrored.predict(turned)[:, 1].mean() > plain.predict(turned)[:, 1].mean()


def test_the_report_says_which_weights_and_what_size(tmp_path: Path) -> None:
    data = striped_images(30)
    ctx = context(tmp_path, data)
    fit(data, ctx)
    assert ctx.notes["weights"].startswith("folder weights, model.safetensors, sha256 ")
    assert ctx.notes["seen at"] == "64 x 64 pixels"


def test_it_says_what_it_lacks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("automl.candidates.pretrained.weights.find_spec", lambda name: None)
    assert f"needs weights of the package {NEEDS[0].package} or " in CANDIDATE.lacks({})
    assert CANDIDATE.lacks({"weights": tiny_efficientnet(tmp_path)}) == ""


def test_rows_that_count_more_pull_the_head(tmp_path: Path) -> None:
    data = striped_images(60)
    ctx = context(tmp_path, data)
    plain = fit(data, ctx).predict(data.X)
    data.weights = np.where(data.y == 0, 2.8, 0.1)
    assert fit(data, ctx).predict(data.X)[:, 0].mean() > plain[:, 0].mean()


def test_it_does_not_start_what_cannot_end_in_time(tmp_path: Path) -> None:
    data = striped_images(30)
    ctx = context(tmp_path, data)
    ctx.is_timed, ctx.seconds, ctx.clock = True, 0.0, FakeClock()
    with pytest.raises(TimeoutError, match=r"efficientnet takes about .* Got 0.0 s. Raise the budget"):
        fit(data, ctx)


def test_a_larger_network_and_size_are_dearer() -> None:
    spec = striped_images(30).spec
    configurations = [{}, {"network": "large"}, {"network": "large", "scale": 1.4}]
    costs = [CANDIDATE.estimate(spec, Configuration("efficientnet", {**VALUES, **c}), 20) for c in configurations]
    assert costs[0].fixed_seconds < costs[1].fixed_seconds < costs[2].fixed_seconds
