"""Search on arrays, look at the leaderboard, predict.

python examples/01_search_arrays.py
"""

from __future__ import annotations

from sklearn.datasets import load_digits

import automl

digits = load_digits()
train, new = slice(0, 1500), slice(1500, None)

result = automl.search(
    (digits.images[train], digits.target[train]), task="image-clf", budget="20s", tracking_uri="none"
)

winner = result.winner
print(f"{winner.candidate}: {winner.corrected:.3f}, 95 % interval [{winner.low:.3f}, {winner.high:.3f}]")
print(result.leaderboard[["rank", "candidate", "score", "se"]].to_string(index=False))

labels = result.model.predict(digits.images[new])
print(f"right on new images: {(labels == digits.target[new].astype(str)).mean():.3f}")
