"""A bag of embedded words and pairs of neighbours, with a linear model on it.

Claim: accuracy 0.832 on trec, macro-F1 0.725 on airline_tweets; 3-fold on training parts, defaults, 2.4 and 5.3 CPU-s a
fold on a busy core. Behind `tfidf-linear` alone (0.859, 0.756); 0.3 of it and 0.7 of that have 0.860 on trec.
Source: Joulin et al. 2016, https://arxiv.org/abs/1607.01759 (fastText).
"""

from __future__ import annotations

from automl.candidates.text.text_network_cost import bag_work
from automl.candidates.training.ragged_candidate import RaggedCandidate

CANDIDATE = RaggedCandidate(
    "bag",
    ("text-clf",),
    entrance="automl.candidates.text.token_reader:READER",
    body="automl.candidates.training.bodies_text:make_bag",
    work=bag_work,
)
