"""Search on a data frame with a date, categories and gaps; read the model's answers; use it on the next rows.

python examples/05_tables.py
"""

from __future__ import annotations

import numpy as np
import pandas as pd

import automl

rng = np.random.default_rng(0)
rows = 800
trips = pd.DataFrame({
    "pickup": pd.date_range("2025-01-01", periods=rows, freq="97min"),
    "zone": rng.choice(["centre", "airport", "harbour", None], rows, p=[0.6, 0.2, 0.15, 0.05]),
    "kilometres": rng.gamma(2.0, 3.0, rows).round(1),
    "passengers": rng.integers(1, 5, rows),
})  # fmt: skip
is_night = trips["pickup"].dt.hour.isin([0, 1, 2, 3, 4])
trips["fare"] = (
    4 + 1.8 * trips["kilometres"] + 15 * (trips["zone"] == "airport") + 6 * is_night + rng.normal(0, 1, rows)
)

result = automl.search(trips[:700], task="tabular-reg", target="fare", budget="25s", tracking_uri="none")

winner = result.winner
print(f"{winner.candidate}: rmse {winner.corrected:.2f}, 95 % interval [{winner.low:.2f}, {winner.high:.2f}]")
print(result.leaderboard[["rank", "candidate", "score", "se"]].head().to_string(index=False))

new = trips[700:]
error = result.model.predict(new.drop(columns="fare")) - new["fare"].to_numpy()
print(f"rmse on the next {len(new)} trips: {np.sqrt(np.mean(error**2)):.2f}")
