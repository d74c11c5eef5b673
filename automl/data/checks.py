"""What can be noticed about prepared rows: repeated images, and images known from elsewhere."""

from __future__ import annotations

import hashlib
from collections import defaultdict

import numpy as np

from automl.core.data import Finding


def row_hashes(X: np.ndarray) -> list[bytes]:
    """Return a 16-byte hash of each row."""
    return [hashlib.blake2b(row.data, digest_size=16).digest() for row in np.ascontiguousarray(X).reshape(len(X), -1)]


def duplicate_findings(X: np.ndarray, y: np.ndarray) -> list[Finding]:
    """Tell how many images occur more than once, and how many of these have labels that contradict each other."""
    rows: dict[bytes, list[int]] = defaultdict(list)
    for row, digest in enumerate(row_hashes(X)):
        rows[digest].append(row)
    groups = [group for group in rows.values() if len(group) > 1]
    extra = sum(len(group) - 1 for group in groups)
    torn = sum(len({int(y[row]) for row in group}) > 1 for group in groups)
    findings = []
    if extra:
        message = f"{extra} of {len(X)} images are exact duplicates; folds may share them, which flatters the score"
        findings.append(Finding("duplicates", "warning", message))
    if torn:
        message = f"{torn} images occur with different labels; no model can be right on all of them"
        findings.append(Finding("labels-conflict", "warning", message))
    return findings


def overlap_findings(train: np.ndarray, test: np.ndarray) -> list[Finding]:
    """Tell how many test images are in the training data too."""
    known = set(row_hashes(train))
    shared = sum(digest in known for digest in row_hashes(test))
    if not shared:
        return []
    message = f"{shared} of {len(test)} test images are in the training data too; the test score is flattered"
    return [Finding("test-overlap", "warning", message)]
