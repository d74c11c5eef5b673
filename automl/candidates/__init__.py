"""Kinds of models; one method per file."""
