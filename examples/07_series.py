"""Search on series of different lengths, from arrays and from a long table with one step a row.

python examples/07_series.py
"""

from __future__ import annotations

import numpy as np
import pandas as pd

import automl

rng = np.random.default_rng(0)


def heartbeat(label: str) -> np.ndarray:
    """Return one made-up recording of two channels, (steps, 2): an irregular heart skips beats."""
    steps = np.arange(rng.integers(80, 160))
    beat = np.sin(steps / 3) ** 16
    if label == "irregular":
        beat = beat * np.repeat(rng.random(len(steps) // 9 + 1) > 0.3, 9)[: len(steps)]
    pressure = np.convolve(beat, np.ones(7) / 7, mode="same")
    return np.stack([beat, pressure], axis=1) + rng.normal(0, 0.1, (len(steps), 2))


labels = rng.choice(["regular", "irregular"], 240)
recordings = [heartbeat(label) for label in labels]

result = automl.search((recordings[:200], labels[:200]), task="sequence-clf", budget="30s", tracking_uri="none")
winner = result.winner
print(f"{winner.candidate}: {winner.corrected:.3f}, 95 % interval [{winner.low:.3f}, {winner.high:.3f}]")
answers = result.model.predict(recordings[200:])
print(f"right on {np.mean(np.array(answers) == labels[200:]):.0%} of the next {len(answers)} recordings")

table = pd.concat(
    pd.DataFrame({"patient": number, "ms": 10 * np.arange(len(values)), "ecg": values[:, 0], "pulse": values[:, 1],
                  "heart": label}) for number, (values, label) in enumerate(zip(recordings, labels, strict=True))
)  # fmt: skip
again = automl.search(
    table, task="sequence-clf", target="heart", series_id="patient", series_time="ms", budget="20s", tracking_uri="none"
)
print(f"from the long table of {len(table)} steps: {again.winner.candidate} {again.winner.corrected:.3f}")
