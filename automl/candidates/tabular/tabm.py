"""An ensemble of fully connected networks that share their matrices and are trained as one.

Claim: rmse 46,700 on one fold of california_housing, defaults (LightGBM alone 48,600, half of each 46,300), 43 CPU-s on
a busy core; 47,400 with 20 epochs, 24 CPU-s. Accuracy 0.966 on one fold of letter with 192 units, lr 5e-3 and 20 epochs
(0.954, 0.965), 23 CPU-s. Area under the curve, 3-fold: 0.782 on credit_g with 16 members of 128 units, none scaled
(0.733, 0.778), 2 CPU-s; 0.850 on telco_churn with 32 of 64 (0.842, 0.849), 12 CPU-s. Behind `mlp` on mammography and
wine_quality.
Source: Gorishniy et al. 2024, https://arxiv.org/abs/2410.24210 (TabM and TabM-mini with piecewise-linear embeddings).
"""

from __future__ import annotations

from automl.candidates.tabular.network_candidate import TableNetworkCandidate

CANDIDATE = TableNetworkCandidate("tabm")
