from __future__ import annotations

import numpy as np
import pytest

from automl.calibration.temperature import BAG_SHARE, LEAST, MOST, Temperature, fit_temperature
from automl.core.metrics import metric
from automl.serving.calibration import calibrate, check_calibration

LOG_LOSS = metric("log_loss")


def drawn(boldness: float, *, classes: int = 3, rows: int = 4000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities raised to a power, and classes drawn by what they were before."""
    rng = np.random.default_rng(seed)
    true = rng.dirichlet(np.ones(classes), size=rows)
    y = (true.cumsum(axis=1) > rng.random((rows, 1))).argmax(axis=1)
    bold = true**boldness
    return (bold / bold.sum(axis=1, keepdims=True)).astype(np.float32), y


@pytest.mark.parametrize("boldness", [0.4, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("classes", [2, 6])
def test_the_power_that_probabilities_were_raised_to_is_found(boldness: float, classes: int) -> None:
    scores, y = drawn(boldness, classes=classes)
    assert fit_temperature(scores, y).temperature == pytest.approx(boldness, rel=0.1)


def test_no_other_temperature_has_a_lower_loss() -> None:
    scores, y = drawn(3.0)
    best = fit_temperature(scores, y).temperature
    losses = [LOG_LOSS.score(y, calibrate(scores, Temperature(best * f).to_json())) for f in (0.97, 1.0, 1.03)]
    assert min(losses) == losses[1]


def test_the_likeliest_class_stays_the_likeliest() -> None:
    scores, y = drawn(3.0)
    calibrated = calibrate(scores, fit_temperature(scores, y).to_json())
    assert np.array_equal(calibrated.argmax(axis=1), scores.argmax(axis=1))


@pytest.mark.parametrize(("right", "end"), [(True, LEAST), (False, MOST)], ids=["always right", "always wrong"])
def test_a_model_that_is_always_right_or_wrong_is_taken_to_the_end(right: bool, end: float) -> None:
    scores = np.tile(np.float32([0.7, 0.3]), (50, 1))
    y = np.full(50, 0 if right else 1)
    assert fit_temperature(scores, y).temperature == pytest.approx(end, rel=1e-3)


def test_true_classes_without_probability_say_nothing() -> None:
    scores, y = drawn(2.0)
    more = np.concatenate([scores, np.tile(np.float32([1, 0, 0]), (100, 1))])
    found = fit_temperature(more, np.append(y, np.full(100, 2)))
    assert found.temperature == pytest.approx(fit_temperature(scores, y).temperature, abs=1e-6)


def test_no_row_to_learn_from_leaves_probabilities_alone() -> None:
    assert fit_temperature(np.float32([[1, 0]]), np.array([1])) == Temperature(1.0)


def test_a_mean_of_models_needs_less_of_it() -> None:
    assert Temperature(2.0).of_bag().temperature == pytest.approx(2.0**BAG_SHARE)
    assert Temperature(0.5).of_bag().temperature > 0.5


def test_a_manifest_takes_it() -> None:
    check_calibration(Temperature(1.7).to_json(), 5)
