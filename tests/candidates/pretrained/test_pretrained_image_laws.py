"""Laws of how a pre-trained network sees images: sizes, resizing, layers, costs, features and what is kept of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from automl.candidates.image.efficientnet import CANDIDATE
from automl.candidates.pretrained.efficientnet import (
    FEATURES,
    SCALES,
    STAGES,
    Backbone,
    blocks,
    choose,
    load,
    out_side,
    paddings,
    stage_costs,
    state_dict_shapes,
)
from automl.candidates.pretrained.efficientnet_onnx import classifier_graph, features_graph
from automl.candidates.pretrained.efficientnet_torch import Body, Entry
from automl.candidates.pretrained.head import ABSENT, Head
from automl.candidates.pretrained.image_bank import Bank, View, session_of
from automl.candidates.pretrained.image_cost import costs, image_seconds, seen_seconds
from automl.candidates.pretrained.image_levels import CHOICES, LAST, LEVELS, Level, areas, columns, width
from automl.candidates.pretrained.image_model import PretrainedImageModel, digest, remembered
from automl.candidates.pretrained.image_sight import Sight
from automl.candidates.pretrained.image_tuned_cost import cost
from automl.candidates.pretrained.resizing import LEAST_SIDE, MOST_SIDE, network_sides, resizing
from automl.core.space import Configuration, Value
from automl.testing.context import LocalContext, striped_images
from automl.testing.tiny_efficientnet import DEPTH, WIDTH, tiny_efficientnet

SIDES = pytest.mark.parametrize(("source", "target"), [(1, 3), (5, 5), (7, 32), (10, 4), (33, 32), (300, 96)])
HEAD: dict[str, Value] = {"network": "small", "scale": 0.7, "levels": "both", "mirror": False, "l2": 0.1}
TUNED: dict[str, Value] = {"network": "small", "scale": 0.7, "trained": "half", "mirror": False, "epochs": 3,
                           "batch_size": 16}  # fmt: skip


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Backbone:
    weights = choose({"weights": tiny_efficientnet(tmp_path_factory.mktemp("weights"))}, "small")
    assert weights is not None
    return load(weights)


def images(*shape: int, rows: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (rows, *shape), dtype=np.uint8)


@SIDES
def test_resizing_equals_a_triangle_around_each_centre(source: int, target: int) -> None:
    expected, reach = np.zeros((target, source)), max(1.0, source / target)
    for row in range(target):
        centre = (row + 0.5) * source / target - 0.5
        for place in range(-2 - int(reach), source + 2 + int(reach)):
            expected[row, min(max(place, 0), source - 1)] += max(0.0, 1 - abs(place - centre) / reach)
    expected /= expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(resizing(source, target), expected, atol=1e-6)


@SIDES
def test_resizing_treats_both_ends_alike_and_keeps_an_even_image(source: int, target: int) -> None:
    weights = resizing(source, target)
    assert weights.dtype == np.float32
    assert (weights >= 0).all()
    np.testing.assert_allclose(weights[::-1, ::-1], weights, atol=1e-6)
    np.testing.assert_allclose(weights @ np.full(source, 200.0), 200, rtol=1e-6)


@pytest.mark.parametrize("side", [1, 2, 31, 224])
def test_resizing_to_the_same_side_changes_nothing(side: int) -> None:
    np.testing.assert_array_equal(resizing(side, side), np.eye(side, dtype=np.float32))


@pytest.mark.parametrize(("source", "target"), [(40, 16), (99, 32), (64, 32)], ids=str)
def test_away_from_the_border_shrinking_equals_that_of_torch(source: int, target: int) -> None:
    row = np.random.default_rng(0).normal(size=source).astype(np.float32)
    square = torch.from_numpy(np.tile(row, (source, 1)))[None, None]
    expected = torch.nn.functional.interpolate(square, (target, target), mode="bilinear", antialias=True)[0, 0, 0]
    np.testing.assert_allclose((resizing(source, target) @ row)[2:-2], expected.numpy()[2:-2], atol=1e-5)


@pytest.mark.parametrize(
    ("longest", "sides"), [(1, 96), (47, 96), (48, 96), (56, 128), (64, 128), (111, 224), (112, 224), (4000, 224)]
)
def test_a_square_is_doubled_between_its_bounds(longest: int, sides: int) -> None:
    assert network_sides((longest, longest, 3), 1.0) == (sides, sides)


@pytest.mark.parametrize("shape", [(28, 60, 1), (300, 7, 3), (90, 91, 3)], ids=str)
def test_turning_an_image_turns_the_size_at_which_it_is_seen(shape: tuple[int, int, int]) -> None:
    found = [network_sides(shape, scale) for scale in (0.01, 0.7, 1.0, 1.4, 50.0)]
    turned = [network_sides((shape[1], shape[0], 1), scale) for scale in (0.01, 0.7, 1.0, 1.4, 50.0)]
    assert turned == [sides[::-1] for sides in found]
    assert found == sorted(found)
    assert (found[0], max(found[-1])) == ((LEAST_SIDE, LEAST_SIDE), MOST_SIDE)


@pytest.mark.parametrize("parts", [1, 2, 3, 5])
@pytest.mark.parametrize("source", [1, 2, 3, 7, 10])
def test_areas_are_means_of_a_finely_divided_row(source: int, parts: int) -> None:
    row = np.random.default_rng(source).normal(size=source)
    expected = np.repeat(row, parts).reshape(parts, source).mean(axis=1)
    np.testing.assert_allclose(areas(source, parts) @ row, expected, atol=1e-6)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_paddings_are_those_of_tensorflow(kernel: int, stride: int) -> None:
    for side in range(1, 40):
        over = side % stride or stride
        total = max(kernel - over, 0)
        assert paddings(side, kernel, stride) == (total // 2, total - total // 2)
        assert out_side(side, stride) == len(range(0, side, stride))


@pytest.mark.parametrize(("package", "millions"), list(zip(SCALES, (4.652, 5.417, 6.092), strict=True)))
def test_a_network_has_as_many_parameters_as_its_authors_say(package: str, millions: float) -> None:
    shapes = dict(state_dict_shapes(*SCALES[package]))
    learned = sum(int(np.prod(shape)) for name, shape in shapes.items() if "running" not in name)
    assert (learned + 1000 * (FEATURES + 1)) / 1e6 == pytest.approx(millions, abs=1e-3)


@pytest.mark.parametrize("scale", [(WIDTH, DEPTH), (0.05, 0.05), (1.1, 1.2), (4.0, 4.0)], ids=str)
def test_what_comes_out_of_a_layer_goes_into_the_next(scale: tuple[float, float]) -> None:
    convs = [conv for block in blocks(*scale) for conv in block.convs]
    assert [conv.inputs for conv in convs] == [3, *(conv.outputs for conv in convs[:-1])]
    assert np.prod([conv.stride for conv in convs]) == 32
    assert len({conv.name for conv in convs}) == len({conv.norm for conv in convs}) == len(convs)
    names = [name for name, _ in state_dict_shapes(*scale)]
    assert len(names) == len(set(names)) == 5 * len(convs)


@pytest.mark.parametrize("scale", [(WIDTH, DEPTH), (1.0, 1.0), (1.1, 1.2)], ids=str)
def test_only_blocks_that_keep_size_and_channels_have_a_shortcut(scale: tuple[float, float]) -> None:
    for block in blocks(*scale)[1:-1]:
        keeps = block.convs[0].inputs == block.convs[-1].outputs and all(conv.stride == 1 for conv in block.convs)
        assert block.is_residual == keeps
        assert [conv.is_bent for conv in block.convs] == [True] * (len(block.convs) - 1) + [False]


def test_widths_are_the_nearest_eights_that_lose_no_tenth() -> None:
    for width_scale in np.arange(0.05, 4, 0.05).tolist():
        found = {block.stage: block.convs[-1].outputs for block in blocks(width_scale, 1.0)}
        for stage, channels in enumerate((16, 24, 40, 80, 112, 192, 320), 1):
            wanted = channels * width_scale
            near = min((n for n in range(8, 1400, 8) if n >= 0.9 * wanted), key=lambda n: (abs(n - wanted), -n))
            assert found[stage] == near


@pytest.mark.parametrize("sides", [(32, 32), (64, 32), (33, 47)], ids=str)
def test_costs_are_those_of_the_maps_that_torch_computes(sides: tuple[int, int], backbone: Backbone) -> None:
    found = stage_costs(WIDTH, DEPTH, sides)
    assert sum(stage.macs for stage in found) == backbone.macs(sides)
    with torch.no_grad():
        ends = Body(backbone).ends(torch.zeros(1, 3, *sides))
    for stage, maps in ends.items():
        assert (found[stage].outputs, found[stage].channels) == (maps.numel(), maps.shape[1])
        assert backbone.channels(stage) == maps.shape[1]
        assert found[stage].values >= found[stage].outputs
    last = ends[STAGES + 1]
    assert found[-1].macs == last.numel() * backbone.channels(STAGES)


@pytest.mark.parametrize("cut", [0, 2, 5, STAGES])
def test_a_part_costs_what_its_stages_cost(cut: int, backbone: Backbone) -> None:
    stages = stage_costs(WIDTH, DEPTH, (64, 96))
    assert backbone.part(0, cut).macs((64, 96)) == sum(stage.macs for stage in stages[: cut + 1])
    assert backbone.part(0, STAGES).part(0, cut).blocks == backbone.part(0, cut).blocks
    assert backbone.part(0, cut).blocks + backbone.part(cut + 1, STAGES + 1).blocks == backbone.blocks


def test_levels_share_all_columns_among_them(backbone: Backbone) -> None:
    stages = stage_costs(WIDTH, DEPTH, (32, 32))
    parts = [columns(backbone, (level,)) for level in LEVELS]
    np.testing.assert_array_equal(np.concatenate(parts), columns(backbone, LEVELS))
    np.testing.assert_array_equal(columns(backbone, LEVELS), np.arange(width(stages, LEVELS)))
    for levels in CHOICES.values():
        assert len(columns(backbone, levels)) == width(stages, levels)


def test_pooling_levels_averages_maps_in_quarters(backbone: Backbone) -> None:
    sight, X = Sight(backbone, (16, 16, 3), (128, 64), (Level(4, 2),)), images(16, 16, 3)
    maps = View(sight.until(4)).compute(X)
    high, wide = maps.shape[2] // 2, maps.shape[3] // 2
    quarters = maps.reshape(3, maps.shape[1], 2, high, 2, wide).mean(axis=(3, 5))
    np.testing.assert_allclose(View(sight).compute(X), quarters.reshape(3, -1), atol=1e-5)


def test_grey_images_are_seen_as_three_equal_channels(backbone: Backbone) -> None:
    X, grey = images(9, 12, 1), Sight(backbone, (9, 12, 1), (32, 64))
    colour = replace(grey, shape=(9, 12, 3))
    np.testing.assert_allclose(View(grey).compute(X), View(colour).compute(np.tile(X, 3)), atol=1e-5)


@pytest.mark.parametrize("layout", ["strided", "fortran", "read-only"])
def test_the_layout_of_images_in_memory_does_not_matter(layout: str, backbone: Backbone) -> None:
    X, view = images(8, 8, 3, rows=4), View(Sight(backbone, (8, 8, 3), (32, 32)))
    other = {"strided": np.repeat(X, 2, axis=1)[:, ::2], "fortran": np.asfortranarray(X), "read-only": X.copy()}[layout]
    other.flags.writeable = layout != "read-only"
    np.testing.assert_array_equal(view.compute(other), view.compute(X))


@pytest.mark.parametrize("is_mirrored", [False, True], ids=["plain", "mirrored"])
def test_an_image_is_seen_alike_alone_and_among_others(is_mirrored: bool, backbone: Backbone) -> None:
    X, view = images(8, 8, 1, rows=7), View(Sight(backbone, (8, 8, 1), (32, 32)), is_mirrored)
    together = view.compute(X)
    np.testing.assert_allclose(np.concatenate([view.compute(X[i : i + 1]) for i in range(7)]), together, atol=1e-5)
    np.testing.assert_allclose(view.compute(X[::-1]), together[::-1], atol=1e-5)
    np.testing.assert_array_equal(view.compute(X), together)


@pytest.mark.parametrize("level", [0, 127, 255])
def test_an_even_image_enters_as_its_standardised_level(level: int, backbone: Backbone) -> None:
    scaled = replace(backbone, mean=(10.0, 20.0, 30.0), deviation=(1.0, 2.0, 4.0))
    found = Entry(Sight(scaled, (5, 40, 3), (32, 64)))(torch.full((2, 3, 5, 40), float(level)))
    assert found.shape == (2, 3, 32, 64)
    expected = [(level - 10) / 1, (level - 20) / 2, (level - 30) / 4]
    np.testing.assert_allclose(found.numpy(), np.broadcast_to(np.reshape(expected, (3, 1, 1)), found.shape), atol=1e-3)


def test_a_turned_image_enters_turned(backbone: Backbone) -> None:
    x = torch.from_numpy(images(20, 50, 3).astype(np.float32)).permute(0, 3, 1, 2)
    lying = Entry(Sight(backbone, (20, 50, 3), (32, 64)))(x)
    standing = Entry(Sight(backbone, (50, 20, 3), (64, 32)))(x.transpose(2, 3))
    np.testing.assert_allclose(standing.transpose(2, 3).numpy(), lying.numpy(), atol=1e-5)


@pytest.mark.parametrize("stage", [0, 3, STAGES + 1])
def test_a_graph_declares_the_maps_that_come_out(stage: int, backbone: Backbone) -> None:
    sight = Sight(backbone, (10, 14, 3), (64, 32)).until(stage)
    dims = onnx.load_from_string(features_graph(sight)).graph.output[0].type.tensor_type.shape.dim
    assert View(sight).compute(images(10, 14, 3)).shape[2:] == tuple(dim.dim_value for dim in dims[2:])


def test_a_graph_gives_an_absent_class_no_probability_and_the_others_theirs(backbone: Backbone) -> None:
    sight, X = Sight(backbone, (8, 8, 1), (32, 32), LAST), images(8, 8, 1)
    head = Head(np.random.default_rng(0).normal(0, 0.05, (FEATURES, 3)) * [1, 0, 1], np.array([0.3, ABSENT, 0.0]))
    found = session_of(classifier_graph(sight, head)).run(None, {"pixels": X})[0]
    assert not found[:, 1].any()
    np.testing.assert_allclose(found, head.probabilities(View(sight).compute(X)), atol=1e-5)
    assert classifier_graph(sight, head) == classifier_graph(sight, head)


def test_names_tell_what_changes_the_numbers_and_nothing_else(backbone: Backbone) -> None:
    sight = Sight(backbone, (8, 8, 1), (32, 64))
    others = [replace(sight, shape=(8, 8, 3)), replace(sight, sides=(64, 32)), replace(sight, levels=LAST),
              sight.at(LEVELS[:1]), sight.until(4), replace(sight, backbone=replace(backbone, name="b"))]  # fmt: skip
    assert len({other.name for other in [sight, *others]}) == 7
    assert sight.at(LEVELS).name == sight.name == Sight(backbone, (8, 8, 1), (32, 64)).name
    assert View(sight, device="cuda:0").name == View(sight, device="cuda:1").name
    assert len({View(sight).name, View(sight, True).name, View(sight, device="cuda").name}) == 3


@pytest.mark.parametrize("chunk", [1, 4, 12, 13, 50])
def test_any_chunk_gives_the_rows_asked_for(chunk: int, backbone: Backbone, tmp_path: Path) -> None:
    data, sight = striped_images(13), Sight(backbone, (8, 8, 1), (32, 32), LAST)
    bank = replace(Bank.of(View(sight), data, tmp_path), chunk=chunk)
    rows = np.array([12, 0, 7, 7, 3, 12])
    found = bank.rows(rows, LocalContext(np.arange(13), np.arange(0), 3, tmp_path))
    np.testing.assert_allclose(found, View(sight).compute(data.X)[rows], atol=1e-5)
    touched = {row // chunk for row in rows.tolist()}
    assert bank.missing(np.arange(13)) == sum(row // chunk not in touched for row in range(13))
    assert {path.suffix for path in bank.folder.iterdir()} == {".npy", ".begun"}
    assert len(list(bank.folder.iterdir())) == 2 * len(touched)


def test_a_view_that_fails_leaves_no_file_of_numbers_and_may_be_tried_again(backbone: Backbone, tmp_path: Path) -> None:
    data, view = striped_images(5), View(Sight(backbone, (8, 8, 1), (32, 32), LAST))
    ctx, bank = LocalContext(np.arange(5), np.arange(0), 3, tmp_path), Bank.of(view, data, tmp_path)
    pixels, data.X = data.X, data.X.astype(np.float64)
    with pytest.raises(Exception, match="Unexpected input data type"):
        bank.rows(np.arange(5), ctx)
    assert not list(bank.folder.glob("*.npy"))
    data.X = pixels
    np.testing.assert_allclose(bank.rows(np.arange(5), ctx), view.compute(pixels), atol=1e-6)


def test_equal_pixels_have_one_digest_however_they_lie() -> None:
    image = images(6, 4, 3)[0]
    changed = image.copy()
    changed[5, 3, 2] ^= 1
    assert digest(np.asfortranarray(image)) == digest(np.repeat(image, 2, axis=0)[::2]) == digest(image)
    assert len({digest(image), digest(changed), digest(image[::-1])}) == 3


def test_predictions_of_known_and_unknown_rows_stay_in_their_places(backbone: Backbone) -> None:
    X, sight = images(8, 8, 1, rows=40), Sight(backbone, (8, 8, 1), (32, 32), LAST)
    rows = np.array([30, 2, 17])
    features = np.eye(3, FEATURES, dtype=np.float32)  # not what the network would see: known rows must not be seen
    model = PretrainedImageModel(sight, Head(20 * np.eye(FEATURES, 3), np.zeros(3)), remembered(X, rows, features))
    np.testing.assert_allclose(model.predict(X)[rows], np.eye(3), atol=1e-6)
    others = np.setdiff1d(np.arange(40), rows)
    np.testing.assert_allclose(model.predict(X)[others], model.unaided.predict(X[others]), atol=1e-5)


def test_looking_costs_the_same_for_each_image_and_view() -> None:
    spec = striped_images(30).spec
    stages = costs(spec, Configuration("efficientnet", HEAD))
    assert seen_seconds(spec, stages, 2) == pytest.approx(60 * image_seconds(sum(stage.macs for stage in stages)))
    assert seen_seconds(spec, stages, 0) == 0
    halves = image_seconds(10**9) + image_seconds(10**9)
    assert halves - image_seconds(2 * 10**9) == pytest.approx(image_seconds(0))


@pytest.mark.parametrize("levels", list(CHOICES))
def test_mirrored_images_cost_as_much_again(levels: str) -> None:
    spec = striped_images(30).spec
    one, two = (CANDIDATE.estimate(spec, Configuration("efficientnet", {**HEAD, "levels": levels, "mirror": mirror}),
                                   30) for mirror in (False, True))  # fmt: skip
    nothing = CANDIDATE.estimate(spec, Configuration("efficientnet", {**HEAD, "levels": levels}), 0)
    assert two.step_seconds - one.step_seconds == pytest.approx(one.step_seconds - nothing.step_seconds)
    assert two.peak_bytes - one.peak_bytes == one.peak_bytes - nothing.peak_bytes > 0
    assert two.fixed_seconds > one.fixed_seconds


@pytest.mark.parametrize("trained", ["tail", "half", "all"])
def test_tuning_costs_in_proportion_to_epochs_and_rows(trained: str) -> None:
    spec = striped_images(90).spec
    plain = cost(spec, Configuration("t", {**TUNED, "trained": trained}), 60)
    longer = cost(spec, Configuration("t", {**TUNED, "trained": trained, "epochs": 12}), 60)
    fewer = cost(spec, Configuration("t", {**TUNED, "trained": trained}), 15)
    assert longer.step_seconds == pytest.approx(4 * plain.step_seconds) == pytest.approx(16 * fewer.step_seconds)
    assert longer.fixed_seconds == plain.fixed_seconds > fewer.fixed_seconds
    assert longer.peak_bytes == plain.peak_bytes


@pytest.mark.parametrize(("trained", "is_frozen"), [("tail", True), ("half", True), ("all", False)])
def test_mirroring_is_dearer_only_where_something_is_frozen(trained: str, is_frozen: bool) -> None:
    one, two = (cost(striped_images(90).spec, Configuration("t", {**TUNED, "trained": trained, "mirror": mirror}), 60)
                for mirror in (False, True))  # fmt: skip
    assert (two.fixed_seconds > one.fixed_seconds, two.peak_bytes > one.peak_bytes) == (is_frozen, is_frozen)
    assert two.step_seconds == one.step_seconds
