"""Weights that others trained: where they are found, and the networks they belong to."""
