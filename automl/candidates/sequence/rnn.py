"""A recurrent network: LSTM or GRU over the steps of a series.

Claim: on test parts, defaults, 1 seed, CPU-s on a busy core: accuracy 0.990 on pendigits (19 s), 0.981 on
japanese_vowels (9 s), 0.947 on indoor_movement (12 s), 0.946 on italy_power (4 s), 0.975 on basic_motions (8 s), and
0.773 on osu_leaf in patches of 2 (21 s), where convolutions are better by far.
Source: Hochreiter & Schmidhuber 1997, https://doi.org/10.1162/neco.1997.9.8.1735 (LSTM); Cho et al. 2014,
https://arxiv.org/abs/1406.1078 (GRU). Own code, Apache-2.0. Ranges: search_spaces/sequence-clf/rnn.toml.
"""

from __future__ import annotations

from automl.candidates.sequence.network_candidate import SeriesNetworkCandidate, recurrent_least
from automl.candidates.training.body_costs import recurrent_work

CANDIDATE = SeriesNetworkCandidate(
    "rnn", body="automl.candidates.training.recurrent:make", work=recurrent_work, least=recurrent_least
)
