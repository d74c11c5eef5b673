"""Candidates for series."""
