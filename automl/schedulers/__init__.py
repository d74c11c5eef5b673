"""How far to train it."""
