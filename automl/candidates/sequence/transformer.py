"""A Transformer over the steps of a series, or over patches of them.

Claim: on test parts, defaults but for the patches named, 1 seed, CPU-s on a busy core: accuracy 0.989 on pendigits
(patches of 1, 29 s), 0.992 on japanese_vowels (7 s), 0.964 on italy_power (3 s), 0.916 on indoor_movement (9 s), and
0.810 on osu_leaf (patches of 4, 11 s), where convolutions are better by far.
Source: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762; for series Zerveas et al. 2021,
https://arxiv.org/abs/2010.02803, and patches Nie et al. 2023, https://arxiv.org/abs/2211.14730. Own code, Apache-2.0.
Ranges: search_spaces/sequence-clf/transformer.toml.
"""

from __future__ import annotations

from automl.candidates.sequence.network_candidate import SeriesNetworkCandidate, transformer_least
from automl.candidates.training.body_costs import transformer_work

CANDIDATE = SeriesNetworkCandidate(
    "transformer", body="automl.candidates.training.attention:make", work=transformer_work, least=transformer_least
)
