"""A model folder in use: numbers in, scores out, with numpy and onnxruntime alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from . import image_features
from .errors import InputError, ModelError
from .image_arrays import rows_from_array
from .image_files import Rows, read_rows
from .image_rule import ImageRule
from .manifest import Manifest, MemberEntry, read_manifest

BATCH = 256
"""Rows computed at once: enough to keep one core busy, little enough to stay in its cache."""

_SLACK = 1e-3  # rounding of sums of probabilities in half precision


class Model:
    """A loaded model folder.

    Attributes:
        manifest: what the folder says about itself, checked.
        rule: how images become rows.
    """

    def __init__(self, manifest: Manifest, *, threads: int = 1) -> None:
        self.manifest = manifest
        if str(manifest.input.get("kind")) not in READERS:
            known = ", ".join(READERS)
            raise ModelError(
                f"{manifest.folder}: input kinds known here: {known}. Got {manifest.input.get('kind')!r}. Update."
            )
        self.rule = ImageRule.from_json(manifest.input)
        for entry in manifest.members:
            _check_features(entry, self.rule)
        self._members = [_Member(entry, manifest, threads) for entry in manifest.members]

    @classmethod
    def load(cls, folder: Path | str, *, expect_sha256: str = "", threads: int = 1) -> Model:
        """Load a model folder; every file is compared with its SHA-256 first.

        Args:
            folder: the model folder.
            expect_sha256: what manifest.json must hash to, if given.
            threads: used by onnxruntime within one operator.

        Raises:
            ModelError: the folder is missing, altered or unsafe.
        """
        manifest = read_manifest(Path(folder), expect_sha256=expect_sha256)
        manifest.check_files()
        return cls(manifest, threads=threads)

    @property
    def classes(self) -> tuple[str, ...]:
        """Return the class labels in the order of the scores."""
        return self.manifest.classes

    def read(self, source: Path | str) -> Rows:
        """Read a file or folder as rows, by the rule used in training.

        Raises:
            InputError: it cannot be read as such.
        """
        return READERS[self.manifest.input["kind"]](Path(source), self.rule)

    def rows(self, X: np.ndarray, name: str = "X") -> np.ndarray:
        """Return an array of images in any accepted layout as rows of this model.

        Raises:
            InputError: another shape, type or range than in training.
        """
        return rows_from_array(X, self.rule, name)

    def predict_scores(self, X: np.ndarray) -> np.ndarray:
        """Return float32 scores (n, classes), the weighted mean of the members.

        Args:
            X: rows as `read` or `rows` give them: uint8 (n, height, width, channels).

        Raises:
            InputError: X has another shape or type.
            ModelError: a member answers with something else than it should.
        """
        if X.dtype != np.uint8 or X.ndim != 4 or X.shape[1:] != self.rule.shape:
            raise InputError(f"X: uint8 (n, {self.rule.shape}) is needed. Got {X.dtype} {X.shape}. Use Model.rows(X).")
        out = np.empty((len(X), len(self.classes)), np.float32)
        for start in range(0, len(X), BATCH):
            out[start : start + BATCH] = self._batch(X[start : start + BATCH])
        return out

    def predict(self, X: np.ndarray) -> list[str]:
        """Return the label of the highest score of each row."""
        return labels(self.predict_scores(X), self.classes)

    def _batch(self, X: np.ndarray) -> np.ndarray:
        total = np.zeros((len(X), len(self.classes)), np.float64)
        computed: dict[str, np.ndarray] = {}
        for member in self._members:
            if member.features_key not in computed:
                computed[member.features_key] = image_features.compute(member.entry.features, X)
            total += member.entry.weight * member.scores(computed[member.features_key], total.shape)
        return total


def labels(scores: np.ndarray, classes: Sequence[str]) -> list[str]:
    """Return the label with the highest score of each row; of equals the first.

    >>> labels(np.array([[0.2, 0.8]]), ("cat", "dog"))
    ['dog']
    """
    return [classes[code] for code in scores.argmax(axis=1)]


READERS: Mapping[str, Callable[[Path, ImageRule], Rows]] = {"image": read_rows}
"""Input kind of a manifest → what reads a user's file."""


class _Member:
    """One ONNX model, ready to run."""

    def __init__(self, entry: MemberEntry, manifest: Manifest, threads: int) -> None:
        self.entry = entry
        self.features_key = json.dumps(dict(entry.features), sort_keys=True)
        self._session = _session(manifest.read(entry.file), entry, threads)

    def scores(self, inputs: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Return the scores of the inputs, which must be finite and of this shape."""
        try:
            scores = np.asarray(self._session.run([self.entry.output], {self.entry.input: inputs})[0])
        except _failures() as error:
            raise ModelError(_failed(self.entry, "run", error)) from error
        if scores.dtype.kind != "f" or scores.shape != shape or not np.isfinite(scores).all():
            raise ModelError(
                f"{self.entry.file}: output {self.entry.output!r} must be finite numbers of shape {shape}. "
                f"Got {scores.dtype} {scores.shape}. Get the model again."
            )
        is_bounded = (
            self.entry.output_kind == "values"
            or not scores.size
            or -_SLACK <= scores.min() <= scores.max() <= 1 + _SLACK
        )
        if not is_bounded:
            raise ModelError(
                f"{self.entry.file}: output {self.entry.output!r} must be probabilities in [0, 1]. "
                f"Got values in [{scores.min():g}, {scores.max():g}]. Get the model again."
            )
        return scores


def _check_features(entry: MemberEntry, rule: ImageRule) -> None:
    try:
        image_features.columns(entry.features, rule.shape)
    except ValueError as error:
        raise ModelError(f"{entry.file}: {error}. Get the model again. (features {dict(entry.features)!r})") from error


def _session(data: bytes, entry: MemberEntry, threads: int) -> Any:
    """Return an onnxruntime session made from bytes: with no path there is no folder for external data to lie in."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # errors come back as exceptions
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = ort.InferenceSession(data, sess_options=options, providers=["CPUExecutionProvider"])
    except _failures() as error:
        raise ModelError(_failed(entry, "load", error)) from error
    names = {i.name for i in session.get_inputs()}, {o.name for o in session.get_outputs()}
    if entry.input not in names[0] or entry.output not in names[1]:
        raise ModelError(
            f"{entry.file}: the manifest names input {entry.input!r} and output {entry.output!r}. "
            f"Got {sorted(names[0])} and {sorted(names[1])}. Get the model again."
        )
    return session


def _failures() -> tuple[type[Exception], ...]:
    """Return what onnxruntime raises on a model it cannot load or run."""
    from onnxruntime.capi import onnxruntime_pybind11_state as states

    return (states.Fail, states.InvalidArgument, states.InvalidGraph, states.InvalidProtobuf, states.NotImplemented,
            states.NoSuchFile, states.RuntimeException, RuntimeError, ValueError, TypeError)  # fmt: skip


def _failed(entry: MemberEntry, verb: str, error: Exception) -> str:
    detail = " ".join(str(error).split())[:300]
    return f"{entry.file}: onnxruntime cannot {verb} it ({detail}). Get the model again."
