"""A tiny encoder with random weights, in the files of the library `transformers`: to test what reads such weights."""

from __future__ import annotations

import json
import string
from collections.abc import Iterable
from pathlib import Path

import numpy as np

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
TINY = {
    "model_type": "bert",
    "hidden_act": "gelu",
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "max_position_embeddings": 48,
    "type_vocab_size": 2,
    "layer_norm_eps": 1e-12,
    "pad_token_id": 0,
}
"""A configuration but for the size of the vocabulary."""


def write_bert(folder: Path, words: Iterable[str] = (), *, seed: int = 0) -> Path:
    """Write config.json, model.safetensors and vocab.txt into a folder, and return it.

    Args:
        folder: made where it is missing.
        words: pieces beside letters, digits and marks, which can stand at the beginning and within a word.
        seed: of the weights.
    """
    from safetensors.numpy import save_file

    folder.mkdir(parents=True, exist_ok=True)
    pieces = vocabulary(words)
    (folder / "vocab.txt").write_text("\n".join(pieces) + "\n", encoding="utf-8")
    (folder / "config.json").write_text(json.dumps({**TINY, "vocab_size": len(pieces)}), encoding="utf-8")
    save_file(bert_tensors(len(pieces), seed=seed), folder / "model.safetensors")
    return folder


def vocabulary(words: Iterable[str] = ()) -> list[str]:
    """Return the pieces of the tiny encoder, in the order of their ids."""
    signs = string.ascii_lowercase + string.digits
    singles = [*signs, *string.punctuation, *(f"##{sign}" for sign in signs)]
    return list(dict.fromkeys([*SPECIAL, *singles, *words]))


def bert_tensors(pieces: int, *, seed: int = 0) -> dict[str, np.ndarray]:
    """Return random weights by their names in a file, float32."""
    rng = np.random.default_rng(seed)
    width, inner = int(TINY["hidden_size"]), int(TINY["intermediate_size"])  # type: ignore[call-overload]
    tables = {"word": pieces, "position": TINY["max_position_embeddings"], "token_type": TINY["type_vocab_size"]}
    shapes: dict[str, tuple[int, ...]] = {
        f"embeddings.{name}_embeddings.weight": (int(rows), width)  # type: ignore[call-overload]
        for name, rows in tables.items()
    }
    parts = {f"attention.self.{name}": (width, width) for name in ("query", "key", "value")}
    parts |= {"attention.output.dense": (width, width), "intermediate.dense": (inner, width),
              "output.dense": (width, inner)}  # fmt: skip
    norms = ["embeddings.LayerNorm"]
    for number in range(int(TINY["num_hidden_layers"])):  # type: ignore[call-overload]
        layer = f"encoder.layer.{number}"
        for name, shape in parts.items():
            shapes |= {f"{layer}.{name}.weight": shape, f"{layer}.{name}.bias": shape[:1]}
        norms += [f"{layer}.attention.output.LayerNorm", f"{layer}.output.LayerNorm"]
    tensors = {name: rng.normal(0, 0.3, shape).astype(np.float32) for name, shape in shapes.items()}
    for name in norms:
        tensors[f"{name}.weight"] = rng.normal(1, 0.1, width).astype(np.float32)
        tensors[f"{name}.bias"] = rng.normal(0, 0.1, width).astype(np.float32)
    return tensors
