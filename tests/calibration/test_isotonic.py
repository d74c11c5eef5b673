from __future__ import annotations

import numpy as np
import pytest

from automl.calibration.isotonic import MOST_POINTS, Isotonic, fit_isotonic
from automl.core.metrics import metric
from automl.serving.calibration import calibrate, check_calibration


def two(positive: np.ndarray) -> np.ndarray:
    return np.stack([1 - positive, positive], axis=1)


def bent(rows: int = 20_000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of which only the square is true."""
    rng = np.random.default_rng(seed)
    said = rng.random(rows)
    return two(said), (rng.random(rows) < said**2).astype(np.int64)


def test_the_true_line_is_found() -> None:
    scores, y = bent()
    said = np.linspace(0.05, 0.95, 19)
    assert np.abs(calibrate(two(said), fit_isotonic(scores, y).to_json())[:, 1] - said**2).max() < 0.04


def test_the_loss_falls_to_that_of_the_truth() -> None:
    scores, y = bent()
    fresh, truth = bent(seed=1)
    found = metric("log_loss").score(truth, calibrate(fresh, fit_isotonic(scores, y).to_json()))
    assert found == pytest.approx(metric("log_loss").score(truth, two(fresh[:, 1] ** 2)), abs=0.005)


def test_no_two_rows_change_places() -> None:
    scores, y = bent(5000)
    after = calibrate(scores, fit_isotonic(scores, y).to_json())[:, 1]
    assert (np.diff(after[np.argsort(scores[:, 1])]) > 0).all()


def test_points_are_few_and_a_manifest_takes_them() -> None:
    line = fit_isotonic(*bent(50_000))
    assert 2 < len(line.x) <= MOST_POINTS
    check_calibration(line.to_json(), 2)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_nothing_is_ever_certain(share: float) -> None:
    y = (np.arange(1000) < 1000 * share).astype(np.int64)
    line = fit_isotonic(two(np.full(1000, share)), y)
    check_calibration(line.to_json(), 2)
    assert 0 < min(line.y) <= max(line.y) < 1


def test_pooled_shares_are_those_of_the_textbook() -> None:
    said = np.repeat([0.1, 0.2, 0.3, 0.4], 1000)
    found = np.concatenate([np.arange(1000) < count for count in (100, 300, 200, 800)]).astype(np.int64)
    line = fit_isotonic(two(said), found)
    assert line.x[1:-1] == pytest.approx((0.1, 0.25, 0.4))
    assert line.y[1:-1] == pytest.approx((0.1, 0.25, 0.8), abs=1e-3)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("rows", [1, 2, 40])
def test_few_rows_make_a_line_too(rows: int, seed: int) -> None:
    scores, y = bent(rows, seed)
    line = fit_isotonic(scores, y)
    assert isinstance(line, Isotonic)
    check_calibration(line.to_json(), 2)
