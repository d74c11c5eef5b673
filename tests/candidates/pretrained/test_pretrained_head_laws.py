"""Laws of the linear head on features of a pre-trained network, and of what tuning starts from and shows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from automl.candidates.pretrained.efficientnet import FEATURES, STAGES, Backbone, choose, load
from automl.candidates.pretrained.efficientnet_torch import Body, Classifier, Entry
from automl.candidates.pretrained.head import ABSENT, Head, head_seconds, learn
from automl.candidates.pretrained.image_levels import LAST
from automl.candidates.pretrained.image_sight import Sight
from automl.candidates.pretrained.image_tuning import Maps, Pixels, Problem, Tuner, TuningSettings
from automl.candidates.training.pace import Pace, PacedCourse
from automl.candidates.training.settings import Augmentation
from automl.core.space import Value
from automl.testing.context import LocalContext, striped_images
from automl.testing.tiny_efficientnet import tiny_efficientnet

CLASSES = pytest.mark.parametrize("classes", [2, 3, 4])
WEIGHTED = pytest.mark.parametrize("is_weighted", [False, True], ids=["alike", "weighted"])
SETTINGS: dict[str, Value] = {
    "epochs": 4, "batch_size": 4, "lr": 1e-3, "head_rate": 1.0, "weight_decay": 0.01, "label_smoothing": 0.0,
    "dropout": 0.0, "patience": 5,
}  # fmt: skip


def blobs(classes: int, rows: int = 60, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    codes = rng.permutation(np.arange(rows) % classes)
    units = np.array([0.2, 1, 3, 1, 0.5])
    return ((rng.normal(size=(rows, 5)) + 1.5 * np.eye(5)[codes]) * units + 2).astype(np.float32), codes


def counted(rows: int, *, is_weighted: bool) -> np.ndarray | None:
    return np.random.default_rng(1).uniform(0.2, 3, rows) if is_weighted else None


@CLASSES
@WEIGHTED
def test_the_learned_head_is_where_the_penalised_mean_loss_is_flat(classes: int, is_weighted: bool) -> None:
    (X, codes), l2 = blobs(classes), 0.3
    weights = counted(len(X), is_weighted=is_weighted)
    head = learn(X, codes, classes, l2=l2, row_weights=weights)
    share = np.full(len(X), 1 / len(X)) if weights is None else weights / weights.sum()
    errors = (head.probabilities(X) - np.eye(classes)[codes]) * share[:, None]
    spread = X.std(axis=0, dtype=np.float64)[:, None]
    slopes = ((X - X.mean(axis=0)) / spread[:, 0]).T @ errors + l2 * head.weights * spread
    flat = slopes[:, 1] if classes == 2 else slopes  # of two classes the first is the reference
    assert np.abs(flat).max() < 2e-3
    assert np.abs(errors.sum(axis=0)).max() < 2e-3


@CLASSES
@WEIGHTED
@pytest.mark.parametrize("l2", [0.03, 10.0])
def test_whatever_the_penalty_the_mean_probability_of_a_class_is_its_share(
    l2: float, classes: int, is_weighted: bool
) -> None:
    X, codes = blobs(classes, rows=62)
    weights = counted(len(X), is_weighted=is_weighted)
    found = learn(X, codes, classes, l2=l2, row_weights=weights).probabilities(X)
    shares = np.bincount(codes, weights, minlength=classes)
    np.testing.assert_allclose(np.average(found, axis=0, weights=weights), shares / shares.sum(), atol=2e-3)


@CLASSES
def test_only_the_proportion_of_row_weights_matters(classes: int) -> None:
    X, codes = blobs(classes)
    weights = np.random.default_rng(2).uniform(0.2, 3, len(X))
    one, other = (learn(X, codes, classes, l2=0.1, row_weights=times * weights) for times in (1.0, 50.0))
    np.testing.assert_allclose(one.probabilities(X), other.probabilities(X), atol=3e-3)


def test_equal_row_weights_are_as_good_as_none() -> None:
    X, codes = blobs(3)
    weighted = learn(X, codes, 3, l2=0.1, row_weights=np.full(len(X), 0.7)).probabilities(X)
    np.testing.assert_allclose(weighted, learn(X, codes, 3, l2=0.1).probabilities(X), atol=3e-3)


@pytest.mark.parametrize("names", [(2, 0, 1), (1, 2, 0), (0, 2, 1)], ids=str)
def test_other_names_of_the_classes_only_move_columns(names: tuple[int, ...]) -> None:
    X, codes = blobs(3)
    plain, named = learn(X, codes, 3, l2=0.1), learn(X, np.array(names)[codes], 3, l2=0.1)
    np.testing.assert_allclose(named.probabilities(X)[:, list(names)], plain.probabilities(X), atol=3e-3)


@CLASSES
def test_the_order_of_rows_and_columns_does_not_matter(classes: int) -> None:
    X, codes = blobs(classes)
    rows, columns = np.random.default_rng(3).permutation(len(X)), np.array([3, 0, 4, 1, 2])
    moved = learn(X[rows][:, columns], codes[rows], classes, l2=0.1)
    expected = learn(X, codes, classes, l2=0.1).probabilities(X)
    np.testing.assert_allclose(moved.probabilities(X[:, columns]), expected, atol=3e-3)


@pytest.mark.parametrize("places", [(0, 2), (1, 4), (3, 4)], ids=str)
def test_classes_without_rows_change_nothing_for_the_others(places: tuple[int, int]) -> None:
    X, codes = blobs(2)
    gaps, plain = learn(X, np.array(places)[codes], 5, l2=0.1), learn(X, codes, 2, l2=0.1)
    absent = [code for code in range(5) if code not in places]
    np.testing.assert_array_equal(gaps.weights[:, list(places)], plain.weights)
    np.testing.assert_array_equal(gaps.probabilities(X)[:, list(places)], plain.probabilities(X))
    assert (gaps.bias[absent] == ABSENT).all()
    assert not gaps.weights[:, absent].any()


@pytest.mark.parametrize("level", [0.0, 0.1, -1e4], ids=str)
def test_a_column_that_never_changes_has_no_say(level: float) -> None:
    X, codes = blobs(3)
    wide = np.hstack([X, np.full((len(X), 1), level, np.float32)])
    head = learn(wide, codes, 3, l2=0.1)
    assert np.abs(head.weights[-1]).max() < 1e-6
    assert np.isfinite(head.bias).all()


def test_columns_that_all_never_change_leave_the_shares() -> None:
    codes = np.array([0, 0, 0, 1])
    found = learn(np.full((4, 3), 7, np.float32), codes, 2, l2=0.1).probabilities(np.full((2, 3), 7, np.float32))
    np.testing.assert_allclose(found, [[0.75, 0.25]] * 2, atol=3e-3)


def test_learning_changes_nothing_it_is_given_and_is_repeatable() -> None:
    X, codes = blobs(4)
    before = X.copy()
    one, other = learn(X, codes, 4, l2=0.1), learn(X, codes, 4, l2=0.1)
    np.testing.assert_array_equal(X, before)
    np.testing.assert_array_equal(one.weights, other.weights)


@pytest.mark.parametrize("size", [1.0, 50.0, 1e4], ids=str)
def test_probabilities_are_a_softmax_however_large_the_scores(size: float) -> None:
    rng = np.random.default_rng(4)
    X, head = rng.normal(size=(9, 4)).astype(np.float32), Head(size * rng.normal(size=(4, 3)), rng.normal(size=3))
    scores = X.astype(np.float64) @ head.weights + head.bias
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    found = head.probabilities(X)
    np.testing.assert_allclose(found, odds / odds.sum(axis=1, keepdims=True), atol=1e-6 * max(1, size))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)


def test_rows_are_classified_one_by_one() -> None:
    X, codes = blobs(3)
    head = learn(X, codes, 3, l2=0.1)
    single = np.concatenate([head.probabilities(X[row : row + 1]) for row in range(len(X))])
    np.testing.assert_allclose(single, head.probabilities(X), atol=1e-6)


@pytest.mark.parametrize(("rows", "columns", "classes"), [(10, 1280, 2), (5000, 40, 10)], ids=["wide", "long"])
def test_the_cost_of_learning_is_linear_in_rows_and_in_columns(rows: int, columns: int, classes: int) -> None:
    start = head_seconds(0, columns, classes)
    one = head_seconds(rows, columns, classes) - start
    assert start > 0
    assert head_seconds(3 * rows, columns, classes) - start == pytest.approx(3 * one)
    assert head_seconds(rows, 3 * columns, classes) - start == pytest.approx(3 * one)


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Backbone:
    weights = choose({"weights": tiny_efficientnet(tmp_path_factory.mktemp("weights"))}, "small")
    assert weights is not None
    return load(weights)


def drawn_head(classes: int) -> Head:
    rng = np.random.default_rng(5)
    return Head(rng.normal(0, 0.05, (FEATURES, classes)), rng.normal(size=classes))


def test_a_classifier_starts_as_the_head_it_was_given(backbone: Backbone) -> None:
    body, head = Body(backbone.part(STAGES + 1, STAGES + 1)), drawn_head(3)
    network, maps = Classifier(body, head, 0.5).eval(), torch.randn(4, backbone.channels(STAGES), 2, 2)
    with torch.no_grad():
        found = torch.softmax(network(maps), dim=1).numpy()
        features = body(maps).numpy()
    np.testing.assert_allclose(found, head.probabilities(features), atol=1e-5)
    np.testing.assert_allclose(network.head().weights, head.weights, atol=1e-7)


@pytest.mark.parametrize("first", [0, 3, STAGES, STAGES + 1])
def test_a_body_that_learned_nothing_gives_the_backbone_back(first: int, backbone: Backbone) -> None:
    again = Body(backbone.part(first, STAGES + 1)).learned(backbone)
    assert [block.stage for block in again.blocks] == [block.stage for block in backbone.blocks]
    for mine, other in zip(again.blocks, backbone.blocks, strict=True):
        assert (mine is other) == (mine.stage < first)
        for conv, known in zip(mine.convs, other.convs, strict=True):
            np.testing.assert_array_equal(conv.weight, known.weight)
            np.testing.assert_array_equal(conv.bias, known.bias)


def test_a_body_is_a_copy_that_leaves_the_backbone_alone(backbone: Backbone) -> None:
    before = backbone.blocks[0].convs[0].weight.copy()
    body = Body(backbone)
    with torch.no_grad():
        for parameter in body.parameters():
            parameter.add_(1.0)
    np.testing.assert_array_equal(backbone.blocks[0].convs[0].weight, before)


def test_what_is_learned_is_rounded_to_what_a_file_holds(backbone: Backbone) -> None:
    body = Body(backbone.part(STAGES + 1, STAGES + 1))
    with torch.no_grad():
        body.get_parameter("blocks.0.convs.0.weight").mul_(1.00037)
    weight = body.learned(backbone).blocks[-1].convs[0].weight
    np.testing.assert_array_equal(weight, weight.astype(np.float16).astype(np.float32))
    np.testing.assert_allclose(weight, backbone.blocks[-1].convs[0].weight * 1.00037, rtol=1e-3, atol=1e-6)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_each_row_of_maps_is_shown_in_one_of_its_views() -> None:
    views = [np.arange(200).reshape(200, 1, 1, 1).astype(np.float16) * sign for sign in (1, -1)]
    rows = torch.arange(1, 200)
    shown = Maps(views, "cpu").shown(rows, generator()).flatten()
    np.testing.assert_array_equal(shown.abs().numpy(), rows.numpy())
    assert 70 < int((shown < 0).sum()) < 130
    assert shown.dtype == torch.float32


def test_maps_of_one_view_are_shown_as_they_are_without_chance() -> None:
    maps, chance, rows = Maps([np.random.default_rng(0).normal(size=(6, 2, 3, 3))], "cpu"), generator(), torch.arange(4)
    np.testing.assert_array_equal(maps.shown(rows, chance).numpy(), maps.plain(rows).numpy())
    assert torch.equal(chance.get_state(), generator().get_state())


@pytest.mark.parametrize("shape", [(8, 8, 1), (12, 20, 3)], ids=str)
def test_pixels_that_are_not_augmented_are_shown_as_they_are(shape: tuple[int, int, int], backbone: Backbone) -> None:
    images = striped_images(6, shape=shape).X
    pixels = Pixels(images, Entry(Sight(backbone, shape, (32, 64), LAST)), Augmentation(), "cpu")
    rows = torch.tensor([5, 0, 5])
    plain = pixels.plain(rows)
    assert plain.shape == (3, 3, 32, 64)
    np.testing.assert_allclose(pixels.shown(rows, generator()).numpy(), plain.numpy(), atol=1e-5)
    np.testing.assert_array_equal(plain[0].numpy(), plain[2].numpy())


def tuner(backbone: Backbone, held: int, **changed: Value) -> Tuner:
    rng = np.random.default_rng(6)
    codes = np.arange(24) % 2
    maps = rng.normal(size=(24, backbone.channels(STAGES), 1, 1)).astype(np.float32) + codes[:, None, None, None]
    network = Classifier(Body(backbone.part(STAGES + 1, STAGES + 1)), drawn_head(2), 0.0)
    rows = np.arange(24)
    problem = Problem(Maps([maps], "cpu"), torch.from_numpy(codes), rows[held:], rows[:held], None)
    return Tuner(network, problem, TuningSettings.of({**SETTINGS, **changed, "network": "small"}), 0)


def course(made: Tuner, folder: Path) -> PacedCourse:
    ctx = LocalContext(np.arange(24), np.arange(0), 2, folder)
    return made.train(Pace(ctx, made.settings.epochs * made.epoch_steps, reserve_seconds=0.0))


@pytest.mark.parametrize(("batch", "steps"), [(1, 16), (5, 3), (16, 1), (17, 1), (99, 1)])
def test_an_epoch_has_the_full_batches_of_its_rows_and_one_at_least(batch: int, steps: int, backbone: Backbone) -> None:
    assert tuner(backbone, 8, batch_size=batch).epoch_steps == steps


def test_the_losses_of_a_course_are_one_more_than_its_epochs_and_the_best_is_kept(
    backbone: Backbone, tmp_path: Path
) -> None:
    made = tuner(backbone, 8)
    found = course(made, tmp_path)
    assert len(found.losses) == found.epochs + 1 == 5
    assert found.losses[found.best_epoch] == min(found.losses)
    assert made.steps == 4 * made.epoch_steps
    assert not found.is_cut


def test_without_held_out_rows_the_last_epoch_is_kept(backbone: Backbone, tmp_path: Path) -> None:
    found = course(tuner(backbone, 0, patience=1), tmp_path)
    assert found.best_epoch == found.epochs == 4


def test_a_rate_of_zero_leaves_the_network_and_its_loss(backbone: Backbone, tmp_path: Path) -> None:
    made = tuner(backbone, 8, lr=0.0)
    before = {name: value.clone() for name, value in made.network.state_dict().items()}
    losses = course(made, tmp_path).losses
    assert len(set(losses)) == 1
    for name, value in made.network.state_dict().items():
        assert torch.equal(value, before[name])


def test_a_course_repeats_to_the_last_digit(backbone: Backbone, tmp_path: Path) -> None:
    one, other = tuner(backbone, 8), tuner(backbone, 8)
    assert course(one, tmp_path) == course(other, tmp_path)
    np.testing.assert_array_equal(one.network.head().weights, other.network.head().weights)


@pytest.mark.parametrize("patience", [1, 2])
def test_patience_ends_a_course_that_only_gets_worse(patience: int, backbone: Backbone, tmp_path: Path) -> None:
    made = tuner(backbone, 8, patience=patience, lr=0.5, epochs=9)
    made.problem = made.problem._replace(codes=torch.cat([made.problem.codes[:8], 1 - made.problem.codes[8:]]))
    found = course(made, tmp_path)
    assert found.epochs == found.best_epoch + patience < 9
    assert found.losses[found.best_epoch] == min(found.losses)
