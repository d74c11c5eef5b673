"""Candidates for tables."""
