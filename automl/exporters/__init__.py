"""Ways to write a trained model out."""
