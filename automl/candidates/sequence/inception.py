"""A convolutional network with parallel kernels of different lengths.

Claim: on test parts, defaults, 1 seed, CPU-s on a busy core: accuracy 0.971 on osu_leaf (21 s), 0.989 on
japanese_vowels (10 s), 0.991 on pendigits (28 s), 0.962 on italy_power (3 s), 1.0 on basic_motions (3 s), 0.874 on
indoor_movement (12 s).
Source: Ismail Fawaz et al. 2020, InceptionTime, https://arxiv.org/abs/1909.04939. Own code, Apache-2.0. Ranges:
search_spaces/sequence-clf/inception.toml.
"""

from __future__ import annotations

from automl.candidates.sequence.network_candidate import SeriesNetworkCandidate, inception_least
from automl.candidates.training.inception_cost import work

CANDIDATE = SeriesNetworkCandidate(
    "inception", body="automl.candidates.training.inception:make", work=work, least=inception_least
)
