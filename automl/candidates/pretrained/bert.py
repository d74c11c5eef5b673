"""The encoder of BERT: tokens to vectors of texts. Imports torch: load lazily.

Sources: Devlin et al. 2018, https://arxiv.org/abs/1810.04805; Vaswani et al. 2017, https://arxiv.org/abs/1706.03762; a
text as the mean of its tokens: Reimers & Gurevych 2019, https://arxiv.org/abs/1908.10084.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import nn
from torch.nn import functional

from automl.candidates.pretrained.bert_config import BertConfig, Pool

_NEVER = -1e9
"""Added to the score of a token that is not there."""


class BertLayer(nn.Module):
    """Attention and a dense network, each added to what came in and normalised."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        width = config.width
        self.heads = config.heads
        self.inputs = nn.Linear(width, 3 * width)  # queries, keys and values
        self.outputs = nn.Linear(width, width)
        self.attended = nn.LayerNorm(width, config.epsilon)
        self.up = nn.Linear(width, config.inner)
        self.down = nn.Linear(config.inner, width)
        self.done = nn.LayerNorm(width, config.epsilon)

    def forward(self, x: torch.Tensor, bias: torch.Tensor, dropout: float = 0.0) -> torch.Tensor:
        """Return (n, L, width).

        Args:
            x: (n, L, width).
            bias: (n, 1, 1, L), added to the scores of tokens.
            dropout: share of the numbers that are dropped, in training.
        """
        n, length, width = x.shape
        parts = self.inputs(x).view(n, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(parts[0], parts[1], parts[2], bias, dropout)
        mixed = self.outputs(mixed.transpose(1, 2).reshape(n, length, width))
        x = self.attended(x + functional.dropout(mixed, dropout))
        inner = self.down(functional.gelu(self.up(x)))
        out: torch.Tensor = self.done(x + functional.dropout(inner, dropout))
        return out


class Bert(nn.Module):
    """An encoder without its pooling layer and without what it was trained with.

    Attributes:
        config: its size.
        words: (vocabulary, width), a vector for each piece.
        positions: (positions, width), added by the place of a token; that of the first kind of segment is within.
        layers: as many as the configuration has.
    """

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.config = config
        self.words = nn.Parameter(torch.zeros(config.vocabulary, config.width))
        self.positions = nn.Parameter(torch.zeros(config.positions, config.width))
        self.entered = nn.LayerNorm(config.width, config.epsilon)
        self.layers = nn.ModuleList(BertLayer(config) for _ in range(config.layers))

    def forward(self, ids: torch.Tensor, pools: Sequence[Pool]) -> torch.Tensor:
        """Return the vectors of texts, float32 (n, len(pools) * width).

        Args:
            ids: (n, L) whole numbers of any type, 0 behind the end; every text has a token.
            pools: what a vector is made of, in the order of the layers.
        """
        mask, x = (ids > 0).float(), self.entrance(ids)
        found = self.pooled(x, mask, pools, 0) + self.through(x, mask, pools)[1]
        return torch.cat(found, dim=1)

    def entrance(self, ids: torch.Tensor) -> torch.Tensor:
        """Return what goes into the first layer, (n, L, width)."""
        places = self.positions[: ids.shape[1]]
        out: torch.Tensor = self.entered(functional.embedding(ids.long(), self.words) + places)
        return out

    def through(
        self,
        x: torch.Tensor,
        mask: torch.Tensor,
        pools: Sequence[Pool],
        *,
        start: int = 0,
        stop: int | None = None,
        dropout: float = 0.0,
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Return what comes out of the layers from start to stop-1, and what is pooled from them.

        Args:
            x: (n, L, width), what goes in.
            mask: (n, L), 1 where there is a token.
            pools: those of other layers are passed over.
            start: number of the first layer.
            stop: number behind the last layer; by default that is the last that is pooled from.
            dropout: share of the numbers that are dropped, in training.
        """
        bias, found = ((1 - mask) * _NEVER)[:, None, None], list[torch.Tensor]()
        stop = max(pool.layer for pool in pools) if stop is None else stop
        for number in range(start, stop):
            x = self.layers[number](x, bias, dropout)
            found += self.pooled(x, mask, pools, number + 1)
        return x, found

    @staticmethod
    def pooled(x: torch.Tensor, mask: torch.Tensor, pools: Sequence[Pool], layer: int) -> list[torch.Tensor]:
        """Return what is pooled from the output of a layer, (n, width) each."""
        counts = mask.sum(dim=1, keepdim=True)
        return [
            x[:, 0] if pool.how == "first" else (x * mask[..., None]).sum(dim=1) / counts
            for pool in pools
            if pool.layer == layer
        ]


def rounded(network: Bert) -> Bert:
    """Round all weights to what half precision holds, in place, as they are stored; return the network.

    Raises:
        ValueError: a weight is not finite, or beyond the range of half precision.
    """
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            half = parameter.half().float()
            if not torch.isfinite(half).all():
                largest = float(parameter.abs().max())
                raise ValueError(f"weights: {name} must lie within 65504. Got {largest:g}. Name other weights.")
            parameter.copy_(half)
    return network


def from_tensors(config: BertConfig, tensors: Mapping[str, torch.Tensor]) -> Bert:
    """Return a network with the weights of a file as the library `transformers` writes it, rounded.

    Args:
        config: the size that the weights must have.
        tensors: by their names in the file, with or without "bert." in front; others are left alone.

    Raises:
        ValueError: a tensor is missing or of another shape, or not finite.
    """
    given = {name.removeprefix("bert."): tensor for name, tensor in tensors.items()}
    network = Bert(config)
    target = dict(network.named_parameters())
    with torch.no_grad():
        for name, sources in _names(config).items():
            shape, parts = target[name].shape, [_tensor(given, source) for source in sources]
            made = _joined(name, parts, shape)
            if made.shape != shape:
                raise ValueError(
                    f"weights: {', '.join(sources)} must be {tuple(shape)} together. Got {tuple(made.shape)}. "
                    "Take the config.json that belongs to them."
                )
            target[name].copy_(made)
    return rounded(network)


def _joined(name: str, parts: list[torch.Tensor], shape: torch.Size) -> torch.Tensor:
    if name == "positions":
        places, kinds = parts
        is_fit = places.shape == shape and kinds.ndim == 2 and len(kinds) > 0 and kinds.shape[1] == shape[1]
        return places + kinds[0] if is_fit else places.new_empty(0)
    is_fit = all(part.ndim == len(shape) and part.shape[1:] == shape[1:] for part in parts)
    return torch.cat(parts) if is_fit else parts[0].new_empty(0)


def _tensor(given: Mapping[str, torch.Tensor], name: str) -> torch.Tensor:
    tensor = given.get(name)
    if tensor is None or not tensor.is_floating_point():
        kind = "nothing" if tensor is None else str(tensor.dtype)
        raise ValueError(f"weights: {name} must be a tensor of numbers. Got {kind}. Take those of a BERT encoder.")
    return tensor.float()


def _names(config: BertConfig) -> dict[str, tuple[str, ...]]:
    """Return parameter of `Bert` → tensors of a file that it is made of."""
    names: dict[str, tuple[str, ...]] = {
        "words": ("embeddings.word_embeddings.weight",),
        "positions": ("embeddings.position_embeddings.weight", "embeddings.token_type_embeddings.weight"),
    }
    modules: dict[str, tuple[str, ...]] = {"entered": ("embeddings.LayerNorm",)}
    for number in range(config.layers):
        here, there = f"layers.{number}", f"encoder.layer.{number}"
        modules |= {
            f"{here}.inputs": tuple(f"{there}.attention.self.{part}" for part in ("query", "key", "value")),
            f"{here}.outputs": (f"{there}.attention.output.dense",),
            f"{here}.attended": (f"{there}.attention.output.LayerNorm",),
            f"{here}.up": (f"{there}.intermediate.dense",),
            f"{here}.down": (f"{there}.output.dense",),
            f"{here}.done": (f"{there}.output.LayerNorm",),
        }
    for part in ("weight", "bias"):
        names |= {f"{name}.{part}": tuple(f"{s}.{part}" for s in sources) for name, sources in modules.items()}
    return names
