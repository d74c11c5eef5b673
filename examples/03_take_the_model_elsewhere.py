"""Export the model and run it with nothing but numpy, onnxruntime and Pillow.

python examples/03_take_the_model_elsewhere.py
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

import automl

result = automl.search(task="image-clf", budget="3trials", include=["linear"], workers=1, tracking_uri="none")

with tempfile.TemporaryDirectory() as folder:
    images = Path(folder) / "images.npz"
    np.savez(images, X=load_digits().images[:5])
    # -I: isolated from this environment's variables and folders. The runner lies in the artifact itself.
    command = [sys.executable, "-I", str(result.artifact / "runner.py"), str(images), "--proba"]
    print(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

pinned = automl.load_model(result.artifact, expect_sha256=result.history.decided.manifest_sha256)
print("classes:", ", ".join(pinned.classes))
