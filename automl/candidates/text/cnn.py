"""Convolutions over embedded words: filters of several widths and their greatest answers.

Claim: accuracy 0.833 on trec, 3-fold on training parts, defaults, 7.4 CPU-s a fold on a busy core; 0.3 of it and 0.7 of
`tfidf-linear` (0.859) have 0.865. Macro-F1 0.733 on one of three folds of airline_tweets, 19 CPU-s.
Source: Kim 2014, https://arxiv.org/abs/1408.5882.
"""

from __future__ import annotations

from automl.candidates.text.text_network_cost import cnn_work
from automl.candidates.training.ragged_candidate import RaggedCandidate

CANDIDATE = RaggedCandidate(
    "cnn",
    ("text-clf",),
    entrance="automl.candidates.text.token_reader:READER",
    body="automl.candidates.training.bodies_text:make_cnn",
    work=cnn_work,
)
