"""Search on texts in memory; look at what the models read; classify new texts.

python examples/06_texts.py
"""

from __future__ import annotations

import numpy as np

import automl

rng = np.random.default_rng(0)
SAID = {
    "delivery": ["my parcel never came", "it arrived two weeks late", "the courier lost it", "where is my box"],
    "payment": ["I was charged twice", "the refund is missing", "my card was refused", "the invoice is wrong"],
    "praise": ["thank you, all well", "works like a charm", "best purchase this year", "quick and friendly"],
}
OPENINGS = ["", "Hello, ", "Dear team, ", "hi there - ", "Order 4711: ", "So, "]
labels = rng.choice(list(SAID), 600)
texts = [
    rng.choice(OPENINGS) + " and ".join(rng.choice(SAID[label], 2)) + rng.choice(["", "!", "."]) for label in labels
]

result = automl.search((texts, labels), task="text-clf", budget="25s", tracking_uri="none")

winner = result.winner
print(f"{winner.candidate}: {winner.corrected:.3f}, 95 % interval [{winner.low:.3f}, {winner.high:.3f}]")
print(result.leaderboard[["rank", "candidate", "score", "se"]].head().to_string(index=False))

for text in ("the parcel came late", "they charged my card twice", "friendly and quick", ""):
    print(f"{text!r}: {result.model.predict([text])[0]}")
