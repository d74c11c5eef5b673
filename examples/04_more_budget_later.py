"""Stop, think, and go on with more budget: nothing is trained twice.

python examples/04_more_budget_later.py
"""

from __future__ import annotations

import automl

first = automl.search(task="image-clf", budget="3trials", include=["linear"], workers=1, tracking_uri="none")
print(f"{first.receipt.trials} trials: {first.winner.cv:.4f}")

second = automl.resume(first.run, budget="+3trials")
print(f"{second.receipt.trials} trials: {second.winner.cv:.4f}")
