"""What a pre-trained network makes of the images of a data set: computed once, shared by all trials, folds and workers.

Images come in chunks of half a second. A chunk is a file that is put in place by an atomic rename, so a fold that runs
out of time leaves what is done to the next. Workers that come at once take different chunks: one that is begun is
marked and left for last, so at most the last ones are computed twice, and none waits for a worker that died.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from automl.candidates.pretrained.image_sight import Sight
from automl.core.protocols import Context, DataSource

FORMAT = 1
"""Raised when the same network gives other numbers here, so that a cache is not mistaken for a new one."""
CHUNK_MACS = 8e9
"""Multiply-adds of a chunk: half a second to a second of one core."""
_MOST_CHUNK_ROWS = 1024


@dataclass(frozen=True)
class View:
    """What a network makes of images, and how it is computed.

    Attributes:
        sight: the network and how it sees images.
        is_mirrored: whether left and right are swapped.
        device: of torch; on "cpu" onnxruntime computes.
    """

    sight: Sight
    is_mirrored: bool = False
    device: str = "cpu"

    @property
    def name(self) -> str:
        """Return what the numbers depend on beside the images."""
        parts = [FORMAT, self.sight.name, self.is_mirrored, self.device.partition(":")[0]]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]

    @cached_property
    def _run(self) -> Callable[[np.ndarray], np.ndarray]:
        if self.device != "cpu":
            from automl.candidates.pretrained.efficientnet_torch import features_on

            return features_on(self.sight, self.device)
        from automl.candidates.pretrained.efficientnet_onnx import features_graph

        session = session_of(features_graph(self.sight))
        return lambda X: np.asarray(session.run(None, {session.get_inputs()[0].name: X})[0])

    def compute(self, X: np.ndarray) -> np.ndarray:
        """Return float32 numbers of uint8 images (n, *shape), the rows in front."""
        seen = X[:, :, ::-1] if self.is_mirrored else X
        return self._run(np.ascontiguousarray(seen))


def session_of(graph: bytes) -> Any:
    """Return an onnxruntime session of one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


class _Chunk(NamedTuple):
    """Rows start … stop-1 of the data set and where their numbers are kept."""

    start: int
    stop: int
    path: Path


@dataclass(frozen=True)
class Bank:
    """The numbers of all rows of a data set in one view.

    Attributes:
        view: what is computed.
        data: the images.
        folder: where they are kept.
        chunk: rows of a chunk.
        kind: how numbers are stored.
    """

    view: View
    data: DataSource
    folder: Path
    chunk: int
    kind: str = "<f4"

    @classmethod
    def of(cls, view: View, data: DataSource, cache: Path) -> Bank:
        """Return the bank of a view in a cache; maps, which are large, are kept in half precision where it can be."""
        chunk = max(1, min(_MOST_CHUNK_ROWS, round(CHUNK_MACS / view.sight.macs)))
        kind = "<f4" if view.sight.levels else "<f2"
        parts = [data.spec.fingerprint, data.spec.rows, chunk, kind]
        name = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
        return cls(view, data, cache / f"pretrained-{view.name}-{name}", chunk, kind)

    def missing(self, rows: np.ndarray) -> int:
        """Return how many images would have to be computed to give the numbers of these rows."""
        return sum(chunk.stop - chunk.start for chunk in self._chunks(rows) if not chunk.path.exists())

    def rows(self, rows: np.ndarray, ctx: Context) -> np.ndarray:
        """Return the numbers of these rows, one at least, computing what is missing.

        Raises:
            TimeoutError: the time ends before all are computed; those that are there are kept.
        """
        chunks = self._chunks(rows)
        self._fill(chunks, ctx)
        numbers = np.concatenate([self._load(chunk) for chunk in chunks])
        starts = np.concatenate([np.arange(chunk.start, chunk.stop) for chunk in chunks])
        taken: np.ndarray = numbers[np.searchsorted(starts, rows)]
        return taken

    def _chunks(self, rows: np.ndarray) -> list[_Chunk]:
        """Return the chunks that hold these rows, in order."""
        total, size = self.data.spec.rows, self.chunk
        return [
            _Chunk(number * size, min(total, (number + 1) * size), self.folder / f"{number:06d}.npy")
            for number in np.unique(rows // size).tolist()
        ]

    def _fill(self, chunks: list[_Chunk], ctx: Context) -> None:
        todo = [chunk for chunk in chunks if not chunk.path.exists()]
        if not todo:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        later = [chunk for chunk in todo if not self._compute(chunk, ctx, is_first=True)]
        for chunk in later:
            self._compute(chunk, ctx, is_first=False)

    def _compute(self, chunk: _Chunk, ctx: Context, *, is_first: bool) -> bool:
        """Compute a chunk that is not there; if is_first, only one that nobody else has begun. Return whether it is."""
        if chunk.path.exists():
            return True
        if not _marked(chunk.path.with_suffix(".begun")) and is_first:
            return False
        if ctx.is_timed and ctx.seconds_left() <= 0:
            raise TimeoutError(
                f"{self.folder.name}: the pre-trained network has still to see {self.missing(_span(chunk))} images or "
                f"more. Got {ctx.seconds_left():.1f} s. What was computed is kept for the next trial."
            )
        self._write(chunk)
        return True

    def _write(self, chunk: _Chunk) -> None:
        numbers = self.view.compute(np.asarray(self.data.X[chunk.start : chunk.stop]))
        if np.abs(numbers).max(initial=0) <= np.finfo(self.kind).max:
            numbers = numbers.astype(self.kind)
        with tempfile.NamedTemporaryFile(dir=self.folder, prefix=".chunk-", suffix=".npy", delete=False) as file:
            try:
                np.save(file, numbers, allow_pickle=False)
                file.flush()
                Path(file.name).replace(chunk.path)
            finally:
                Path(file.name).unlink(missing_ok=True)

    def _load(self, chunk: _Chunk) -> np.ndarray:
        stored: np.ndarray = np.load(chunk.path, allow_pickle=False)
        return stored


def _span(chunk: _Chunk) -> np.ndarray:
    return np.arange(chunk.start, chunk.stop)


def _marked(path: Path) -> bool:
    """Mark a chunk as begun; return whether nobody had."""
    try:
        path.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True
