"""A convolutional network with parallel kernels of different lengths.

Claim: to be measured.
Source: Ismail Fawaz et al. 2020, InceptionTime, https://arxiv.org/abs/1909.04939. Own code, Apache-2.0. Ranges:
search_spaces/sequence-clf/inception.toml.
"""

from __future__ import annotations

from automl.candidates.sequence.network_candidate import SeriesNetworkCandidate, inception_least
from automl.candidates.training.inception_cost import work

CANDIDATE = SeriesNetworkCandidate(
    "inception", body="automl.candidates.training.inception:make", work=work, least=inception_least
)
