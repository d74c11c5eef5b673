"""How trials are combined."""
