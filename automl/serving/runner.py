"""Predict with the model in this folder: `python runner.py DATA [-o FILE] [--proba]`. See model_card.md."""

import importlib
import sys
from pathlib import Path

if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    sys.path.insert(0, str(here))
    sys.dont_write_bytecode = True
    try:
        main = importlib.import_module("serving.command").main
    except ImportError as error:
        sys.stderr.write(f"error: {error.name}: a package is missing. pip install -r {here / 'requirements.txt'}\n")
        sys.exit(2)
    sys.exit(main(sys.argv[1:], here))
