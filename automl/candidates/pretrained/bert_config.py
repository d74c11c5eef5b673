"""The size of a BERT encoder, as its config.json has it; no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

_LIMITS = {
    "vocab_size": (4, 1_000_000),
    "max_position_embeddings": (3, 8192),
    "type_vocab_size": (1, 16),
    "hidden_size": (4, 4096),
    "num_hidden_layers": (1, 48),
    "num_attention_heads": (1, 64),
    "intermediate_size": (4, 16_384),
}
_FIXED = {"model_type": ("bert",), "hidden_act": ("gelu",), "position_embedding_type": ("absolute",),
          "pad_token_id": (0,)}  # fmt: skip
"""What may not differ; a file that does not say means what BERT has."""


class Pool(NamedTuple):
    """A part of the vector of a text.

    Attributes:
        layer: whose output it is taken from; 0 for what goes into the first.
        how: the mean over all tokens, or the first token, which is there for whole texts.
    """

    layer: int
    how: Literal["mean", "first"]


@dataclass(frozen=True)
class BertConfig:
    """The size of an encoder.

    Attributes:
        vocabulary: pieces it knows.
        positions: tokens of a text at most.
        kinds: kinds of segments; one text is of the first.
        width: of a token's vector.
        layers: of attention and of a dense network each.
        heads: of attention.
        inner: width within the dense networks.
        epsilon: what normalisation adds to a variance.
    """

    vocabulary: int
    positions: int
    kinds: int
    width: int
    layers: int
    heads: int
    inner: int
    epsilon: float

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> BertConfig:
        """Read a configuration as the library `transformers` writes it.

        Source: https://huggingface.co/docs/transformers/model_doc/bert#transformers.BertConfig.

        Raises:
            ValueError: it is of another kind of network, or a size is missing or out of range.
        """
        for name, known in _FIXED.items():
            if values.get(name, known[0]) not in known:
                wanted = ", ".join(map(repr, known))
                raise ValueError(
                    f"config.json: {name} must be {wanted}. Got {repr(values[name])[:80]}. Name other weights."
                )
        vocabulary, positions, kinds, width, layers, heads, inner = (_size(values, name) for name in _LIMITS)
        epsilon = values.get("layer_norm_eps", 1e-12)
        if not isinstance(epsilon, float) or not 0 < epsilon < 1e-2:
            raise ValueError(
                f"config.json: layer_norm_eps must lie in (0, 0.01). Got {repr(epsilon)[:80]}. Name other weights."
            )
        made = cls(vocabulary, positions, kinds, width, layers, heads, inner, epsilon)
        if made.width % made.heads:
            raise ValueError(
                f"config.json: hidden_size must be a multiple of num_attention_heads. "
                f"Got {made.width} and {made.heads}. Name other weights."
            )
        return made

    def pools(self) -> tuple[Pool, ...]:
        """Return all there is to pool, in the order of the layers; the first token is alike before the first layer."""
        later = (pool for layer in range(1, self.layers + 1) for pool in (Pool(layer, "mean"), Pool(layer, "first")))
        return Pool(0, "mean"), *later

    def macs(self, tokens: float, layers: int | None = None) -> float:
        """Return the multiply-adds of a text of so many tokens on the way forward, by default through all layers."""
        dense = 4 * self.width**2 + 2 * self.width * self.inner
        return tokens * (self.layers if layers is None else layers) * (dense + 2 * tokens * self.width)

    @property
    def parameters(self) -> int:
        """Return the number of weights."""
        layer = 4 * self.width**2 + 2 * self.width * self.inner + 9 * self.width + self.inner
        return (self.vocabulary + self.positions + self.kinds + 2) * self.width + self.layers * layer


def _size(values: Mapping[str, Any], name: str) -> int:
    low, high = _LIMITS[name]
    value = values.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        got = repr(value)[:80]
        raise ValueError(
            f"config.json: {name} must be a whole number in [{low}, {high}]. Got {got}. Name other weights."
        )
    return value
