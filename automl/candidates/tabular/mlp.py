"""A fully connected network on embedded numbers and categories.

Claim: 3-fold on training parts, defaults but for dropout 0.1 (LightGBM alone, and half of each, behind): accuracy 0.575
on wine_quality (0.601, 0.599); area under the curve 0.778 on credit_g (0.733, 0.777) and 0.849 on telco_churn (0.842,
0.849); average precision 0.705 on mammography (0.661, 0.708). One fold: accuracy 0.961 on letter (0.954, 0.966); rmse
48,600 on california_housing (48,600, 47,200), with the logarithm 560 on diamonds (574, 552) and 39.4 on bike_hourly
(40.2, 37.7); adult 0.915 (0.926, 0.923). From 1 to 30 CPU-s a fold on a busy core.
Source: Gorishniy et al. 2021, https://arxiv.org/abs/2106.11959 (the network), and Gorishniy et al. 2022,
https://arxiv.org/abs/2203.05556 (embeddings of numbers).
"""

from __future__ import annotations

from automl.candidates.tabular.network_candidate import TableNetworkCandidate

CANDIDATE = TableNetworkCandidate("mlp")
