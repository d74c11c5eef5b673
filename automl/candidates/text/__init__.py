"""Candidates for texts."""
