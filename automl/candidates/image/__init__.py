"""Candidates for images."""
