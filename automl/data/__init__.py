"""Data sources, and the content-addressed cache of decoded data."""
