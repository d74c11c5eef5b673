"""An LSTM or GRU that reads embedded words both ways, and attention over what it read.

Claim: folds of a fifth of training parts, defaults, one seed (behind: logistic regression on terms, the mean of both):
accuracy 0.850 on two folds of trec (0.860, 0.875), macro-F1 0.744 on one of airline_tweets (0.746, 0.757);
9 and 27 CPU-s a fold on a busy core.
Source: Yang et al. 2016, https://aclanthology.org/N16-1174, section 2.2 (GRU both ways, attention over words).
"""

from __future__ import annotations

from automl.candidates.training.body_costs import recurrent_work
from automl.candidates.training.ragged_candidate import RaggedCandidate

CANDIDATE = RaggedCandidate(
    "rnn",
    ("text-clf",),
    entrance="automl.candidates.text.token_reader:READER",
    body="automl.candidates.training.recurrent:make",
    work=recurrent_work,
)
