"""Narrow the search to one candidate and to ranges of your own.

python examples/02_own_search_space.py
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import automl

SPACE = """
candidate = "linear"
source = "https://scikit-learn.org/stable/modules/linear_model.html#logistic-regression"

[params]
l2 = { float = [1e-4, 1e-1], log = true, default = 1e-2 }
"""

with tempfile.TemporaryDirectory() as folder:
    mine = Path(folder) / "mine.toml"
    mine.write_text(SPACE, encoding="utf-8")
    result = automl.search(
        task="image-clf", budget="6trials", include=["linear"], space=[str(mine)], workers=1, tracking_uri="none"
    )

for row in result.rows:
    print(f"{row.rank}  {row.score:.4f} ± {row.se:.4f}  l2 = {row.params['l2']:.5f}")
