"""The layers of a network for tables, and the network. Imports torch: load lazily.

Ensembles are laid out (members, rows, units), so that what members share is one matrix product over all of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from automl.candidates.tabular.network_inputs import Layout
from automl.candidates.tabular.network_settings import NetworkSettings
from automl.candidates.training.masks import Masks


class PiecewiseLinear(nn.Module):
    """Embeds each number by how full its bins are, besides a linear term.

    Source: Gorishniy et al. 2024, https://arxiv.org/abs/2410.24210, appendix D: the bins' weights begin at zero.

    Shapes: (rows, numbers) → (rows, numbers * width).
    """

    left: torch.Tensor
    scale: torch.Tensor

    def __init__(self, layout: Layout, width: int) -> None:
        super().__init__()
        numbers = len(layout.numbers)
        self.register_buffer("left", torch.from_numpy(layout.left))
        self.register_buffer("scale", torch.from_numpy(layout.scale))
        bound = 1 / math.sqrt(width)
        self.weight = nn.Parameter(torch.empty(numbers, width).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(numbers, width).uniform_(-bound, bound))
        self.bins = nn.Parameter(torch.zeros(numbers, layout.bins, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the embeddings, those of a number side by side."""
        by_number = x.t()[:, :, None]
        full = ((by_number - self.left[:, None]) * self.scale[:, None]).clamp_(0, 1)
        straight = torch.addcmul(self.bias[:, None], by_number, self.weight[:, None])
        return torch.baddbmm(straight, full, self.bins).transpose(0, 1).flatten(1)


class Periodic(nn.Module):
    """Embeds each number by waves of learned frequencies, then a linear map that all numbers share, then a ReLU.

    Source: Gorishniy et al. 2022, https://arxiv.org/abs/2203.05556, section 3.3; "lite" as in the authors' package
    https://github.com/yandex-research/rtdl-num-embeddings.

    Shapes: (rows, numbers) → (rows, numbers * width).
    """

    def __init__(self, layout: Layout, width: int, *, frequencies: int, sigma: float) -> None:
        super().__init__()
        drawn = torch.empty(len(layout.numbers), frequencies)
        self.frequency = nn.Parameter(nn.init.trunc_normal_(drawn, std=sigma, a=-3 * sigma, b=3 * sigma))
        self.linear = nn.Linear(2 * frequencies, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the embeddings, those of a number side by side."""
        angle = 2 * math.pi * self.frequency * x[:, :, None]
        return torch.relu(self.linear(torch.cat([angle.cos(), angle.sin()], dim=2))).flatten(1)


class Codes(nn.Module):
    """Embeds category codes; all columns share one table, each with rows of its own.

    Shapes: (rows, columns of codes) → (rows, columns * width). A value that is no code is read as the last row.
    """

    last: torch.Tensor
    start: torch.Tensor

    def __init__(self, layout: Layout, width: int) -> None:
        super().__init__()
        counts = torch.tensor([code.count for code in layout.codes])
        self.register_buffer("last", counts.float())
        self.register_buffer("start", torch.cumsum(counts + 1, 0) - counts - 1)
        self.table = nn.Parameter(torch.randn(int((counts + 1).sum()), width) / math.sqrt(width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the embeddings, those of a column side by side."""
        known = (x >= 0) & (x < self.last)
        rows = torch.where(known, x, self.last).long() + self.start
        return nn.functional.embedding(rows, self.table).flatten(1)


class Shared(nn.Module):
    """A linear layer whose matrix all members share and whose input and output each may scale for itself.

    Source: Gorishniy et al. 2024, https://arxiv.org/abs/2410.24210, section 3.3, after BatchEnsemble
    (https://arxiv.org/abs/2002.06715).

    Shapes: (members, rows, inputs) → (members, rows, outputs); members may be 1 where nothing is scaled.
    """

    def __init__(self, inputs: int, outputs: int, *, members: int, scaled: bool) -> None:
        super().__init__()
        bound = 1 / math.sqrt(inputs)
        self.weight = nn.Parameter(torch.empty(inputs, outputs).uniform_(-bound, bound))
        own = members if scaled else 1
        self.bias = nn.Parameter(torch.empty(own, 1, outputs).uniform_(-bound, bound))
        self.scale_in = nn.Parameter(torch.ones(members, 1, inputs)) if scaled else None
        self.scale_out = nn.Parameter(torch.ones(members, 1, outputs)) if scaled else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the layer's output."""
        if self.scale_in is None or self.scale_out is None:
            flat = torch.addmm(self.bias.view(-1), x.flatten(0, 1), self.weight)
            return flat.view(*x.shape[:2], self.weight.shape[1])
        flat = (x * self.scale_in).flatten(0, 1) @ self.weight
        return torch.addcmul(self.bias, flat.view(len(self.scale_in), x.shape[1], self.weight.shape[1]), self.scale_out)


class Heads(nn.Module):
    """A linear layer of each member's own.

    Shapes: (members, rows, inputs) → (members, rows, outputs).
    """

    def __init__(self, inputs: int, outputs: int, *, members: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(inputs)
        self.weight = nn.Parameter(torch.empty(members, inputs, outputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(members, 1, outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return each member's output."""
        return torch.baddbmm(self.bias, x, self.weight)


class TableNetwork(nn.Module):
    """From encoded columns to (members, rows, outputs): logits or standardised values.

    Attributes:
        layout: how it reads columns.
        sections: widths of the inputs of each column, in the order in which they are read.
        first: (members, 1, inputs) the scale of each member's inputs, or None with one member.
    """

    number_places: torch.Tensor
    plain_places: torch.Tensor
    code_places: torch.Tensor

    def __init__(self, layout: Layout, settings: NetworkSettings, outputs: int) -> None:
        super().__init__()
        self.layout, self.settings = layout, settings
        self.numbers = _embedding(layout, settings)
        self.codes = Codes(layout, settings.category_width) if layout.codes else None
        self.sections = _sections(layout, settings)
        self.first = nn.Parameter(_signs(self.sections, settings.members)) if settings.members > 1 else None
        widths = [sum(self.sections), *[settings.width] * settings.layers]
        self.body = nn.ModuleList(
            Shared(wide, units, members=settings.members, scaled=settings.scaled and depth > 0)
            for depth, (wide, units) in enumerate(pairwise(widths))
        )
        self.heads = Heads(widths[-1], outputs, members=settings.members)
        for name, places in (("number_places", layout.numbers), ("plain_places", layout.plain)):
            self.register_buffer(name, torch.tensor(places, dtype=torch.int64))
        self.register_buffer("code_places", torch.tensor([c.column for c in layout.codes], dtype=torch.int64))

    def forward(self, x: torch.Tensor, masks: Masks | None = None) -> torch.Tensor:
        """Return each member's output for float32 (rows, columns); masks drop units in training."""
        inputs = self.embedded(x)[None]
        hidden = inputs if self.first is None else inputs * self.first
        for layer in self.body:
            hidden = torch.relu(layer(hidden))
            if masks is not None:
                hidden = masks(hidden)
        outputs: torch.Tensor = self.heads(hidden)
        return outputs

    def embedded(self, x: torch.Tensor) -> torch.Tensor:
        """Return what the first layer reads: numbers, plain columns, codes."""
        parts = []
        if self.layout.numbers:
            numbers = x[:, self.number_places]
            parts.append(numbers if self.numbers is None else self.numbers(numbers))
        if self.layout.plain:
            parts.append(x[:, self.plain_places])
        if self.codes is not None:
            parts.append(self.codes(x[:, self.code_places]))
        return torch.cat(parts, dim=1) if len(parts) > 1 else parts[0]

    def decayed(self) -> list[nn.Parameter]:
        """Return the parameters that weight decay is for: matrices of the body and the heads."""
        return [*(layer.weight for layer in self.body if isinstance(layer, Shared)), self.heads.weight]


def _embedding(layout: Layout, settings: NetworkSettings) -> PiecewiseLinear | Periodic | None:
    if not layout.numbers or settings.embedding == "none":
        return None
    if settings.embedding == "piecewise":
        return PiecewiseLinear(layout, settings.embedding_width)
    return Periodic(layout, settings.embedding_width, frequencies=settings.frequencies, sigma=settings.sigma)


def _sections(layout: Layout, settings: NetworkSettings) -> tuple[int, ...]:
    wide = 1 if settings.embedding == "none" else settings.embedding_width
    return (*[wide] * len(layout.numbers), *[1] * len(layout.plain), *[settings.category_width] * len(layout.codes))


def _signs(sections: Sequence[int], members: int) -> torch.Tensor:
    """Return random signs, one for each member and column, the same for all inputs of a column."""
    drawn = torch.randint(0, 2, (members, 1, len(sections))).float() * 2 - 1
    return drawn.repeat_interleave(torch.tensor(sections), dim=2)
