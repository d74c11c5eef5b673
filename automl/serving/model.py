"""A model folder in use: numbers in, scores out, with numpy and onnxruntime alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from .calibration import calibrate, decide
from .errors import ModelError
from .inputs import Features, input_of
from .manifest import Manifest, MemberEntry, OutputKind, read_manifest
from .rows import Rows, RowSet

_SLACK = 1e-3  # rounding of sums of probabilities in half precision


class Model:
    """A loaded model folder.

    Attributes:
        manifest: what the folder says about itself, checked.
        input: how what a user has becomes rows, and rows what the members read.
    """

    def __init__(self, manifest: Manifest, *, threads: int = 1) -> None:
        self.manifest = manifest
        self.input = input_of(manifest)
        kind: OutputKind = "probabilities" if manifest.classes else "values"
        self._members = [_Member(entry, manifest, self._features(entry, kind), threads) for entry in manifest.members]

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
        """Return the class labels in the order of the scores; none where a number is predicted."""
        return self.manifest.classes

    @property
    def rule(self) -> Any:
        """Return how what a user has becomes rows: an `ImageRule` or a `TableRule`."""
        return self.input.rule

    def read(self, source: Path | str) -> Rows:
        """Read a file or folder as rows, by the rule used in training.

        Raises:
            InputError: it cannot be read as such.
        """
        return self.input.read(Path(source))

    def rows(self, X: Any, name: str = "X") -> RowSet:
        """Return an object in memory as rows of this model.

        Args:
            X: images as an array; a table as a data frame, a dict of columns, a list of dicts or a 2-D array.
            name: for messages.

        Raises:
            InputError: it is not like the training data.
        """
        return self.input.rows(X, name)

    def predict_scores(self, X: RowSet) -> np.ndarray:
        """Return float32 scores, the members' weighted mean: calibrated probabilities (n, classes), or values (n,).

        Args:
            X: rows as `read` or `rows` give them.

        Raises:
            InputError: X is of another kind or shape.
            ModelError: a member answers with something else than it should.
        """
        self.input.check(X)
        out = np.empty(self._shape(len(X)), np.float32)
        for part in self.input.batches(X):
            out[part] = self._batch(X[part])
        return out

    def predict(self, X: RowSet) -> list[str] | list[float]:
        """Return the label of each row, or its value where a number is predicted."""
        return self.answers(self.predict_scores(X))

    def answers(self, scores: np.ndarray) -> list[str] | list[float]:
        """Return what scores mean: the label that the manifest's decision gives each row, or the values themselves."""
        if not self.classes:
            return [float(value) for value in scores]
        return [self.classes[code] for code in decide(scores, self.manifest.decision)]

    def _features(self, entry: MemberEntry, kind: OutputKind) -> Features:
        if entry.output_kind != kind:
            raise ModelError(
                f"{entry.file}: output_kind must be {kind} for {len(self.classes)} classes. "
                f"Got {entry.output_kind!r}. Get the model again."
            )
        return self.input.features(entry)

    def _shape(self, rows: int) -> tuple[int, ...]:
        return (rows, len(self.classes)) if self.classes else (rows,)

    def _batch(self, X: RowSet) -> np.ndarray:
        total = np.zeros(self._shape(len(X)), np.float64)
        computed: dict[str, np.ndarray] = {}
        for member in self._members:
            key = member.features.key
            if key not in computed:
                computed[key] = member.features.compute(X)
            total += member.entry.weight * member.scores(computed[key], total.shape)
        return calibrate(total, self.manifest.calibration)


class _Member:
    """One ONNX model, ready to run."""

    def __init__(self, entry: MemberEntry, manifest: Manifest, features: Features, threads: int) -> None:
        self.entry = entry
        self.features = features
        self._session = _session(manifest.read(entry.file), entry, threads)
        _check_width(self._session, entry, features.width)

    def scores(self, inputs: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Return the scores of the inputs, which must be finite and of this shape; a column of values is taken too."""
        try:
            scores = np.asarray(self._session.run([self.entry.output], {self.entry.input: inputs})[0])
        except _failures() as error:
            raise ModelError(_failed(self.entry, "run", error)) from error
        if len(shape) == 1 and scores.shape == (*shape, 1):
            scores = scores[:, 0]
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


def _check_width(session: Any, entry: MemberEntry, width: int | None) -> None:
    """Refuse a graph that reads another number of columns than its encoder gives."""
    shape = next(i.shape for i in session.get_inputs() if i.name == entry.input)
    is_fit = width is None or (len(shape) == 2 and (shape[1] == width or not isinstance(shape[1], int)))
    if not is_fit:
        raise ModelError(
            f"{entry.file}: input {entry.input!r} must take rows of {width} numbers, as its encoder gives. "
            f"Got shape {shape}. Get the model again."
        )


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
