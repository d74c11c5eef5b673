"""Find, read, validate and merge search-space files."""

from __future__ import annotations

from automl.spaces.found import Found, SpaceFile, find, merge
from automl.spaces.portfolio import read_portfolio
from automl.spaces.space_file import read_space

__all__ = ["Found", "SpaceFile", "find", "merge", "read_portfolio", "read_space"]
