from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from automl.candidates.pretrained.efficientnet import (
    FEATURES,
    NEEDS,
    SCALES,
    STAGES,
    Backbone,
    blocks,
    choose,
    load,
    paddings,
    stage_costs,
)
from automl.candidates.pretrained.efficientnet_torch import Body, features_on
from automl.candidates.pretrained.head import Head
from automl.candidates.pretrained.image_bank import View, session_of
from automl.candidates.pretrained.image_levels import CHOICES, LAST, Level, columns
from automl.candidates.pretrained.image_sight import Sight
from automl.errors import UserError
from automl.testing.tiny_efficientnet import tiny_efficientnet


@pytest.fixture(scope="module")
def weights_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_efficientnet(tmp_path_factory.mktemp("weights"))


def backbone(folder: Path) -> Backbone:
    weights = choose({"weights": folder}, "small")
    assert weights is not None
    return load(weights)


def images(*shape: int, rows: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (rows, *shape), dtype=np.uint8)


def test_the_smallest_costs_what_its_authors_say() -> None:
    macs = sum(stage.macs for stage in stage_costs(1.0, 1.0, (224, 224)))
    assert macs / 1e6 == pytest.approx(384, abs=15)  # 407 million with the classifier and its bends


def test_the_largest_is_wider_and_deeper() -> None:
    made = blocks(*SCALES[NEEDS[2].package])
    assert len(made) == 23
    assert made[-1].convs[0].inputs == 352


@pytest.mark.parametrize("side", [7, 8, 224, 15])
@pytest.mark.parametrize("kernel", [3, 5])
def test_padding_keeps_or_halves_a_side(side: int, kernel: int) -> None:
    for stride in (1, 2):
        before, after = paddings(side, kernel, stride)
        assert (side + before + after - kernel) // stride + 1 == -(-side // stride)
        assert 0 <= after - before <= 1


@pytest.mark.parametrize("shape", [(8, 8, 1), (40, 24, 3), (100, 100, 3)], ids=str)
@pytest.mark.parametrize("levels", CHOICES.values(), ids=CHOICES)
def test_the_graph_sees_what_torch_sees(
    levels: tuple[Level, ...], shape: tuple[int, int, int], weights_folder: Path
) -> None:
    sight, X = Sight(backbone(weights_folder), shape, (64, 32), levels), images(*shape)
    found = View(sight).compute(X)
    assert found.shape == (3, len(columns(sight.backbone, levels)))
    np.testing.assert_allclose(found, features_on(sight, "cpu")(X), atol=1e-5)


def test_levels_are_columns_of_all_levels(weights_folder: Path) -> None:
    sight, X = Sight(backbone(weights_folder), (32, 32, 3), (64, 64)), images(32, 32, 3)
    whole = View(sight).compute(X)
    for levels in CHOICES.values():
        np.testing.assert_allclose(
            View(sight.at(levels)).compute(X), whole[:, columns(sight.backbone, levels)], atol=1e-6
        )


def test_the_whole_is_no_part(weights_folder: Path) -> None:
    network = backbone(weights_folder)
    assert network.part(0, STAGES + 1) is network
    assert network.part(0, STAGES).name != network.name


def test_earlier_levels_need_less_of_the_network(weights_folder: Path) -> None:
    sight = Sight(backbone(weights_folder), (32, 32, 3), (64, 64))
    assert sight.at(CHOICES["middle"]).macs < sight.at(CHOICES["last"]).macs == sight.macs


def test_a_mirrored_view_is_that_of_mirrored_images(weights_folder: Path) -> None:
    sight, X = Sight(backbone(weights_folder), (32, 32, 3), (32, 32)), images(32, 32, 3)
    mirrored = View(sight, is_mirrored=True).compute(X)
    np.testing.assert_array_equal(mirrored, View(sight).compute(X[:, :, ::-1]))


@pytest.mark.parametrize("last", [0, 3, STAGES])
def test_two_parts_give_what_the_whole_gives(last: int, weights_folder: Path) -> None:
    sight, X = Sight(backbone(weights_folder), (32, 32, 3), (32, 32), LAST), images(32, 32, 3)
    maps = View(sight.until(last)).compute(X)
    rest = Body(sight.backbone.part(last + 1, STAGES + 1))(torch.from_numpy(maps)).detach().numpy()
    np.testing.assert_allclose(rest, View(sight).compute(X), atol=1e-5)


def test_normalisation_is_folded_as_torch_computes_it(weights_folder: Path) -> None:
    stored = {name: torch.from_numpy(array) for name, array in load_file(weights_folder / "model.safetensors").items()}
    x = torch.randn(2, 3, 9, 9)
    norm = [stored[f"_bn0.{part}"] for part in ("running_mean", "running_var", "weight", "bias")]
    y = torch.nn.functional.conv2d(torch.nn.functional.pad(x, (1, 1, 1, 1)), stored["_conv_stem.weight"], stride=2)
    expected = torch.nn.functional.batch_norm(y, *norm, eps=1e-3).clamp(0, 6)
    found = Body(backbone(weights_folder).part(0, 0)).ends(x)[0].detach()
    assert float((found - expected).abs().max()) < 5e-3  # weights are kept in half precision


def test_an_exported_file_holds_weights_in_half_precision(weights_folder: Path) -> None:
    from automl.candidates.pretrained.efficientnet_onnx import classifier_graph

    network = backbone(weights_folder)
    head = Head(np.zeros((FEATURES, 2)), np.array([0.0, np.log(3)]))
    graph = classifier_graph(Sight(network, (16, 16, 3), (32, 32), LAST), head)
    numbers = sum(conv.weight.size for block in network.blocks for conv in block.convs)
    assert len(graph) < 2 * numbers + 4 * FEATURES * 2 + 60_000
    np.testing.assert_allclose(session_of(graph).run(None, {"pixels": images(16, 16, 3)})[0], [[0.25, 0.75]] * 3)


def test_weights_read_once_are_kept(weights_folder: Path) -> None:
    assert backbone(weights_folder) is backbone(weights_folder)


def broken(folder: Path, source: Path, change: dict[str, np.ndarray], config: dict[str, Any]) -> Path:
    folder.mkdir()
    save_file({**load_file(source / "model.safetensors"), **change}, folder / "model.safetensors")
    own = json.loads((source / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**own, **config}))
    return folder


@pytest.mark.parametrize(
    ("change", "config", "said"),
    [
        ({"_bn0.bias": np.zeros(7, np.float32)}, {}, r"_bn0.bias must be .* shape \(32,\). Got .* of shape \(7,\)"),
        ({"_bn0.bias": np.full(32, np.nan, np.float32)}, {}, r"_bn0.bias must be finite"),
        ({}, {"depth": 3.0}, r"_conv.weight must be finite, .* Got float32 of shape"),
        ({"a": np.zeros(2)}, {"width": "wide"}, r"width in config.json must be in \[0.05, 4\]. Got 'wide'"),
        ({"a": np.zeros(3)}, {"mean": [1, 2]}, r"mean in config.json must be one number or three. Got \[1, 2\]"),
        ({"a": np.zeros(4)}, {"deviation": 0}, r"deviation in config.json must be in \[0.001, 10000\]. Got 0"),
    ],
    ids=["shape", "not finite", "missing", "width", "mean", "deviation"],
)  # fmt: skip
def test_weights_that_do_not_fit_are_refused(
    change: dict[str, np.ndarray], config: dict[str, Any], said: str, tmp_path: Path, weights_folder: Path
) -> None:
    folder = broken(tmp_path / "broken", weights_folder, {"b": np.zeros(len(said)), **change}, config)
    with pytest.raises(UserError, match=said):
        backbone(folder)


@pytest.mark.parametrize("config", [{"mean": 0}, {"deviation": [1, 2, 3]}], ids=["mean", "deviation"])
def test_another_config_is_another_network(config: dict[str, Any], tmp_path: Path, weights_folder: Path) -> None:
    one = backbone(weights_folder)
    other = backbone(broken(tmp_path / "other", weights_folder, {}, config))
    assert (other.name != one.name, backbone(tmp_path / "other") is other) == (True, True)
    assert (other.mean, other.deviation) != (one.mean, one.deviation)
    assert Sight(other, (8, 8, 3), (32, 32)).name != Sight(one, (8, 8, 3), (32, 32)).name


@pytest.mark.parametrize(
    ("name", "array", "said"),
    [
        ("_conv_stem.weight", np.full((32, 3, 3, 3), 1e6, np.float32),
         r"_conv_stem.weight times that of _bn0 must lie within 65504. Got 999"),
        ("_bn0.bias", np.full(32, 1e38, np.float32), r"_bn0.bias less .* must lie within 65504. Got 1e\+38"),
        ("_bn0.running_mean", np.full(32, 1e300), r"_bn0.running_mean must be finite"),
        ("_bn0.bias", np.ones(32, np.complex64), r"_bn0.bias must be finite, .* Got complex64"),
    ],
    ids=["weight", "bias", "double", "complex"],
)  # fmt: skip
def test_weights_that_half_precision_does_not_hold_are_refused(
    name: str, array: np.ndarray, said: str, tmp_path: Path, weights_folder: Path
) -> None:
    folder = broken(tmp_path / "broken", weights_folder, {name: array}, {})
    with pytest.raises(UserError, match=said):
        backbone(folder)


def test_the_largest_number_of_half_precision_is_taken(tmp_path: Path, weights_folder: Path) -> None:
    stem = np.full((32, 3, 3, 3), 65504 * np.sqrt(1.001) * (1 - 1e-6), np.float32)
    network = backbone(broken(tmp_path / "large", weights_folder, {"_conv_stem.weight": stem}, {}))
    assert np.unique(network.blocks[0].convs[0].weight).tolist() == [65504]


def test_weights_that_grew_beyond_half_precision_are_no_network(weights_folder: Path) -> None:
    network = backbone(weights_folder)
    body = Body(network)
    with torch.no_grad():
        next(body.parameters()).fill_(1e6)
    with pytest.raises(FloatingPointError, match=r"_conv_stem.weight must lie within 65504. Got 1e\+06. Lower lr"):
        body.learned(network)


def test_a_long_value_of_a_config_is_cut(tmp_path: Path, weights_folder: Path) -> None:
    folder = broken(tmp_path / "long", weights_folder, {}, {"mean": "x" * 100_000})
    with pytest.raises(UserError, match=r"mean in config.json must be in") as caught:
        backbone(folder)
    assert len(str(caught.value)) < 300 + len(str(tmp_path))
