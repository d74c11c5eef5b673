"""Images from a folder with one sub-folder per class."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from automl.core.data import Finding
from automl.data.cache import cache_key, prepared
from automl.data.folder import DataFolder
from automl.data.image_prepare import Rowset, Sizes, Wanted, choose_rule, describe, size_findings
from automl.data.labels import Labels
from automl.data.refusals import data_errors
from automl.errors import DataError
from automl.serving.errors import InputError
from automl.serving.image_files import ImageFile, Listing, list_images, parallel, read_bytes
from automl.serving.image_rule import ImageRule
from automl.serving.images import SUFFIXES, Header, bombs_refused, decode, read_header

_SHOWN = 10


class _Image(NamedTuple):
    """A file with its hash; an empty hash and the problem where it cannot be read at all."""

    label: str
    sha256: str
    file: ImageFile
    problem: str = ""


class _Headed(NamedTuple):
    image: _Image
    header: Header | None
    problem: str = ""


class _Decoded(NamedTuple):
    image: _Image
    pixels: np.ndarray | None
    problem: str = ""


def open_folder(root: Path, name: str, wanted: Wanted, *, cache: Path, shown: Path | None = None) -> DataFolder:
    """Return the prepared data of a folder of images.

    Rows are sorted by class and by the hash of the file, so that names, paths and times have no influence on them.
    Files that cannot be read are left out and named in a finding. Messages name `shown` where it is given: the archive
    that root was unpacked from.

    Raises:
        DataError: no class folders, a class without images, a class that training did not have.
    """
    with data_errors():
        listing = list_images(root)
    files = _class_files(shown or root, listing, wanted)
    images = sorted(parallel(_hashed, files), key=lambda image: (image.label, image.sha256, image.file.name))
    found = hashlib.sha256(repr([(image.file.name, image.sha256) for image in images]).encode("utf-8", "surrogatepass"))
    key = cache_key({"source": "folder", "name": name, "sha256": found.hexdigest(), **wanted.to_json()})
    notes = _listing_findings(listing)
    return prepared(cache, key, lambda folder: _build(folder, name, images, wanted, notes=notes))


def _class_files(root: Path, listing: Listing, wanted: Wanted) -> list[ImageFile]:
    """Return the images that lie in class folders, after checking that there are some in each."""
    files = [file for file in listing.files if "/" in file.name]
    if not listing.folders:
        raise DataError(
            f"{root}: one sub-folder of images per class is needed. Got no sub-folder, {len(listing.files)} images. "
            "Sort the images into folders named like their classes."
        )
    filled = {_label(file) for file in files}
    empty = [label for label in listing.folders if label not in filled]
    if wanted.classes is None and empty:
        raise DataError(
            f"{root}: every class folder needs images. Got no image in {', '.join(map(repr, empty[:_SHOWN]))}. "
            f"Known endings: {' '.join(sorted(SUFFIXES))}. Fill or remove the folder."
        )
    strange = sorted(filled - set(wanted.classes)) if wanted.classes is not None else []
    if strange:
        raise DataError(
            f"{root}: class folders must be named like the classes of training ({', '.join(wanted.classes or ())}). "
            f"Got {', '.join(map(repr, strange[:_SHOWN]))}. Rename or remove them."
        )
    if not files:
        raise DataError(f"{root}: class folders need images. Got no image in {len(listing.folders)} folders.")
    return files


def _hashed(file: ImageFile) -> _Image:
    try:
        data = read_bytes(file.path, file.name)
    except InputError as error:
        return _Image(_label(file), "", file, str(error))
    return _Image(_label(file), hashlib.sha256(data).hexdigest(), file)


def _headed(image: _Image) -> _Headed:
    if image.problem:
        return _Headed(image, None, image.problem)
    try:
        return _Headed(image, read_header(read_bytes(image.file.path, image.file.name), image.file.name))
    except InputError as error:
        return _Headed(image, None, str(error))


def _build(folder: Path, name: str, images: Sequence[_Image], wanted: Wanted, *, notes: list[Finding]) -> None:
    with bombs_refused():
        headed = list(parallel(_headed, images))
    headers = [h.header for h in headed if h.header is not None]
    problems = [h.problem for h in headed if h.header is None]
    if not headers:
        raise DataError(f"{name}: readable images are needed. Got {len(problems)} files, such as: {problems[0]}")
    sizes = Sizes(np.array([(h.height, h.width) for h in headers]), all(h.is_grey for h in headers))
    rule = choose_rule(sizes, wanted)
    kept = _decode_into(folder / "X.npy", [h.image for h in headed if h.header is not None], rule, problems)
    if not kept:
        raise DataError(f"{name}: readable images are needed. Got {len(problems)} files, such as: {problems[0]}")
    classes = wanted.classes or tuple(sorted({image.label for image in images}))
    lost = sorted({image.label for image in images} - {image.label for image in kept})
    if lost and wanted.classes is None:
        raise DataError(f"{name}: every class needs readable images. Got none in {lost[0]!r}, such as: {problems[0]}")
    codes = np.array([classes.index(image.label) for image in kept], np.int64)
    rowset = Rowset(
        np.load(folder / "X.npy", mmap_mode="r", allow_pickle=False), Labels(codes, classes), _fingerprint(kept)
    )
    findings = [*_problem_findings(problems), *notes, *size_findings(sizes, rule)]
    describe(folder, name, rowset, rule, wanted=wanted, findings=findings)


def _decode_into(path: Path, images: Sequence[_Image], rule: ImageRule, problems: list[str]) -> list[_Image]:
    """Decode images into an .npy file, never holding more than a few in memory; return those that could be read."""
    kept: list[_Image] = []
    X = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(len(images), *rule.shape))
    with bombs_refused():
        for decoded in parallel(partial(_decoded, rule=rule), images):
            if decoded.pixels is None:
                problems.append(decoded.problem)
            else:
                X[len(kept)] = decoded.pixels
                kept.append(decoded.image)
    if len(kept) < len(images):
        whole = path.with_name("X.part.npy")
        np.save(whole, X[: len(kept)], allow_pickle=False)
        whole.replace(path)
    else:
        X.flush()
    return kept


def _decoded(image: _Image, rule: ImageRule) -> _Decoded:
    try:
        return _Decoded(image, decode(read_bytes(image.file.path, image.file.name), image.file.name, rule))
    except InputError as error:
        return _Decoded(image, None, str(error))


def _fingerprint(images: Sequence[_Image]) -> str:
    """Return the SHA-256 over class and content of each image, in the order of the rows."""
    digest = hashlib.sha256()
    for image in images:
        digest.update(f"{image.label}\0{image.sha256}\n".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _label(file: ImageFile) -> str:
    return file.name.split("/", 1)[0]


def _problem_findings(problems: Sequence[str]) -> list[Finding]:
    if not problems:
        return []
    shown = " ".join(problems[:_SHOWN])
    more = f" And {len(problems) - _SHOWN} more." if len(problems) > _SHOWN else ""
    return [Finding("images-unreadable", "warning", f"{len(problems)} unreadable files were skipped: {shown}{more}")]


def _listing_findings(listing: Listing) -> list[Finding]:
    findings = []
    loose = sum("/" not in file.name for file in listing.files)
    if loose:
        message = f"{loose} images lie beside the class folders and were left out"
        findings.append(Finding("images-without-class", "warning", message))
    if listing.others:
        findings.append(Finding("files-ignored", "info", f"{listing.others} files that are no images were ignored"))
    if listing.links:
        message = f"{len(listing.links)} links to folders were not followed: {', '.join(listing.links[:_SHOWN])}"
        findings.append(Finding("links-ignored", "info", message))
    return findings
