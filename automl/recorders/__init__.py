"""Projections of events to the outside."""
