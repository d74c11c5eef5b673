"""A small Transformer encoder over embedded words, trained from nothing.

Claim: folds of a fifth of training parts, defaults, one seed (behind: logistic regression on terms, the mean of both):
accuracy 0.836 on two folds of trec (0.860, 0.861), macro-F1 0.749 on one of airline_tweets (0.746, 0.763);
6 and 19 CPU-s a fold on a busy core.
Source: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762, section 3.1.
"""

from __future__ import annotations

from automl.candidates.training.body_costs import transformer_work
from automl.candidates.training.ragged_candidate import RaggedCandidate

CANDIDATE = RaggedCandidate(
    "transformer",
    ("text-clf",),
    entrance="automl.candidates.text.token_reader:READER",
    body="automl.candidates.training.attention:make",
    work=transformer_work,
)
