"""The contract suite that automl ships, run over this plugin's candidate."""

from __future__ import annotations

from automl_bayes.bayes import CANDIDATE

from automl.core.space import Configuration
from automl.testing.table_suite import TableCandidateContract


class TestBayes(TableCandidateContract):
    candidate = CANDIDATE
    configuration = Configuration("bayes", {"smoothing": 0.3, "numbers": "quantile"})
