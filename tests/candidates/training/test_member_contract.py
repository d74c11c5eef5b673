"""What both networks promise as candidates."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
import torch

from automl.candidates.image import cnn, resnet
from automl.candidates.training.member import Training

CANDIDATES = {"cnn": cnn.CANDIDATE, "resnet": resnet.CANDIDATE}
both = pytest.mark.parametrize("name", CANDIDATES)


def weights(fitted):
    return {name: tensor.clone() for name, tensor in fitted.network.state_dict().items()}


def assert_same(one, other):
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture
def fit(data, ctx, configure, job):
    """Return a function that fits a member on the tiny data."""

    def run(name, stop, *, ctx=ctx, data=data, start=0, full=0, rows=1.0, **values):
        configuration = configure(name, **values)
        return CANDIDATES[name].fit(
            job(configuration, stop, start=start, full=full, rows=rows), configuration, data, ctx
        )

    return run


@both
def test_learns_what_is_easy(fit, ctx, name):
    fit(name, 6)
    assert ctx.reports[-1][1] > 0.9


@both
def test_reports_every_epoch_with_score_and_falling_loss(fit, ctx, name):
    fit(name, 3)
    assert [step for step, _, _ in ctx.reports] == [1, 2, 3]
    assert ctx.reports[0][2] > ctx.reports[-1][2]


@both
def test_same_seed_gives_same_weights(fit, fresh, name):
    values = {"dropout": 0.3, "flip": True, "rotate": 10.0, "cutout": 0.3, "mixup": 0.2}
    assert_same(weights(fit(name, 2, ctx=fresh(), **values)), weights(fit(name, 2, ctx=fresh(), **values)))


def test_other_seed_gives_other_weights(fit, fresh):
    one, other = fit("cnn", 1, ctx=fresh(seed=1)), fit("cnn", 1, ctx=fresh(seed=2))
    assert not np.array_equal(
        one.predict(np.zeros((1, 8, 8, 1), np.uint8)), other.predict(np.zeros((1, 8, 8, 1), np.uint8))
    )


def test_global_random_state_is_neither_read_nor_changed(fit, fresh):
    torch.manual_seed(1)
    one = fit("cnn", 1, ctx=fresh(), dropout=0.5)
    state = torch.random.get_rng_state()
    torch.manual_seed(1)
    assert torch.equal(state, torch.random.get_rng_state())
    torch.manual_seed(2)
    assert_same(weights(one), weights(fit("cnn", 1, ctx=fresh(), dropout=0.5)))


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw", "rmsprop"])
@pytest.mark.parametrize("ema", [0.0, 1.0], ids=["last", "averaged"])
def test_training_in_rungs_equals_training_at_once(fit, fresh, tmp_path, optimizer, ema):
    values = {"optimizer": optimizer, "ema": ema, "dropout": 0.2, "flip": True, "mixup": 0.2}
    whole = fit("cnn", 6, ctx=fresh(), **values)
    folder, start = None, 0
    for stop in (1, 3, 6):
        part = fit("cnn", stop, ctx=fresh(checkpoint=folder), start=start, full=6, **values)
        folder, start = tmp_path / str(stop), stop
        part.save_checkpoint(folder)
    assert_same(weights(whole), weights(part))


def test_resnet_in_rungs_with_early_stopping_equals_training_at_once(fit, fresh, tmp_path):
    whole = fit("resnet", 4, ctx=fresh(), patience=8)
    fit("resnet", 2, ctx=fresh(), full=4, patience=8).save_checkpoint(tmp_path)
    part = fit("resnet", 4, ctx=fresh(checkpoint=tmp_path), start=2, full=4, patience=8)
    assert_same(weights(whole), weights(part))
    assert part.best_step == whole.best_step


def test_a_later_rung_without_checkpoint_is_refused(fit):
    with pytest.raises(ValueError, match="starts at epoch 2 but has no checkpoint"):
        fit("cnn", 4, start=2)


def test_a_checkpoint_of_another_schedule_is_refused(fit, fresh, tmp_path):
    fit("cnn", 1, ctx=fresh(), full=4).save_checkpoint(tmp_path)
    with pytest.raises(ValueError, match="spans 4 epochs, this job's 8"):
        fit("cnn", 2, ctx=fresh(checkpoint=tmp_path), start=1, full=8)


@both
def test_validation_rows_leave_no_trace_in_the_model(fit, fresh, data, ctx, name):
    clean = weights(fit(name, 2, ctx=fresh(), patience=3))
    data.X[ctx.valid_rows] = 255 - data.X[ctx.valid_rows]
    data.y[ctx.valid_rows] = (data.y[ctx.valid_rows] + 1) % 3
    assert_same(clean, weights(fit(name, 2, ctx=fresh(), patience=3)))


@both
def test_onnx_gives_the_same_probabilities(fit, data, tmp_path, name):
    fitted = fit(name, 2)
    entry = fitted.save(tmp_path)
    session = onnxruntime.InferenceSession(str(tmp_path / entry["file"]), providers=["CPUExecutionProvider"])
    (scores,) = session.run([entry["output"]], {entry["input"]: data.X})
    np.testing.assert_allclose(scores, fitted.predict(data.X), atol=1e-5)


def test_predictions_are_float32_probabilities(fit, data):
    predicted = fit("cnn", 1).predict(data.X)
    assert predicted.dtype == np.float32
    np.testing.assert_allclose(predicted.sum(axis=1), 1, atol=1e-5)


def test_predicting_no_rows_gives_no_rows(fit, data):
    assert fit("cnn", 1).predict(data.X[:0]).shape == (0, 3)


def test_manifest_entry_is_json_and_names_pixels(fit, tmp_path):
    entry = json.loads(json.dumps(fit("cnn", 1).save(tmp_path)))
    assert entry["features"] == {"kind": "pixels"}
    assert entry["output_kind"] == "probabilities"


def test_stop_rule_ends_training(fit, fresh):
    ctx = fresh(stops_at=2)
    assert fit("cnn", 5, ctx=ctx).steps == 2
    assert len(ctx.reports) == 2


def test_no_time_left_ends_training_within_an_epoch(fit, fresh):
    ctx = fresh(left=[9.0] * 7 + [0.0])
    fitted = fit("cnn", 5, ctx=ctx)
    assert fitted.steps == 1
    assert ctx.notes["stopped"] == "the time was up in epoch 2"


def test_training_cut_within_an_epoch_goes_on_as_if_it_was_not(fit, fresh, tmp_path):
    whole = fit("cnn", 3, ctx=fresh())
    fit("cnn", 3, ctx=fresh(left=[9.0] * 7 + [0.0])).save_checkpoint(tmp_path)
    assert_same(weights(whole), weights(fit("cnn", 3, ctx=fresh(checkpoint=tmp_path), start=1)))


def test_early_stopping_keeps_the_best_epoch_of_held_out_rows(fit, fresh):
    fitted = fit("cnn", 30, ctx=fresh(), patience=2)
    assert fitted.best_step <= fitted.steps < 30


def test_diverging_loss_raises(data, ctx, configure, job):
    configuration = configure("cnn", batch_norm=False)
    training = Training("cnn", cnn.CANDIDATE.layers(data.spec, configuration), configuration, data, ctx)
    training.settings = replace(training.settings, lr=1e30)
    with pytest.raises(
        FloatingPointError, match=r"the loss is (nan|inf) at step \d+. Try a learning rate below 1e\+30"
    ):
        training.run(job(configuration, 3))


def test_a_full_memory_halves_the_batch_and_is_noted(data, ctx, configure, job):
    configuration = configure("cnn")
    layers = cnn.CANDIDATE.layers(data.spec, configuration)

    def backward(loss, images, labels, share):
        if len(images) > 8:
            raise torch.OutOfMemoryError(f"no room for {len(images)} rows")
        value = loss(images, labels) * share
        value.backward()
        return value.detach()

    fitted = Training("cnn", layers, configuration, data, ctx, run=backward).run(job(configuration, 1))
    assert fitted.steps == 1
    assert ctx.notes["batch"] == "in 2 parts, for want of memory"


def test_a_share_of_rows_trains_on_fewer_steps(fit, ctx, data):
    fitted = fit("cnn", 1, rows=0.5)
    assert len(fitted.trainer.rows.pixels) == len(ctx.train_rows) // 2


def test_without_validation_rows_no_score_is_reported(fit, fresh):
    ctx = fresh(valid_rows=np.arange(0))
    fit("cnn", 1, ctx=ctx)
    assert ctx.reports[0][1] is None


@both
def test_probe_measures_a_cost_and_settles_precision(data, ctx, configure, name):
    cost = CANDIDATES[name].probe(data, configure(name), ctx)
    assert 0 < cost.step_seconds < 5
    assert ctx.notes["precision"].startswith("float32")


@both
def test_estimate_grows_with_rows_and_width(data, configure, name):
    small, large = configure(name, width=16), configure(name, width=32)
    estimate = CANDIDATES[name].estimate
    assert estimate(data.spec, small, 200).step_seconds == pytest.approx(
        2 * estimate(data.spec, small, 100).step_seconds
    )
    assert estimate(data.spec, large, 100).step_seconds > estimate(data.spec, small, 100).step_seconds


SWITCHES = {
    "cosine": {"schedule": "cosine"}, "stable": {"schedule": "warm-up-stable-decay"}, "clip": {"clip": 1.0},
    "balanced": {"class_weights": "balanced"}, "xavier": {"init": "xavier"}, "turned": {"rotate": 15.0, "zoom": 0.1},
    "colour": {"colour": 0.2}, "mixed": {"mixup": 0.4}, "blanked": {"cutout": 0.4}, "still": {"translate": 0.0},
}  # fmt: skip


@pytest.mark.parametrize("values", SWITCHES.values(), ids=SWITCHES)
def test_every_switch_trains(fit, ctx, values):
    fit("cnn", 1, **values)
    assert np.isfinite(ctx.reports[0][2])
