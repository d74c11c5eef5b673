"""Rows of a table that occur more than once, in one table or in two: found by 64-bit hashes, all rows, in blocks."""

from __future__ import annotations

import hashlib

import numpy as np

from automl.core.data import Finding, Level
from automl.serving.table import Table

_BLOCK = 65_536
_FACTORS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_WORTH_A_WARNING = 0.01
"""Share of repeated rows; below it they are told, but do not move a score."""


def table_hashes(table: Table) -> np.ndarray:
    """Return a hash of each row, uint64 (n,); equal rows have equal ones, and all missing values are equal."""
    hashes = np.empty(len(table), np.uint64)
    for start in range(0, len(table), _BLOCK):
        hashes[start : start + _BLOCK] = _hashes(table[start : start + _BLOCK])
    return hashes


def repeated_findings(hashes: np.ndarray, y: np.ndarray) -> list[Finding]:
    """Tell how many rows are repeated, and for classes how many have targets that contradict each other."""
    _, codes, counts = np.unique(hashes, return_inverse=True, return_counts=True)
    extra = int((counts - 1).sum())
    if not extra:
        return []
    share = extra / len(hashes)
    message = f"{extra} of {len(hashes)} rows are exact duplicates; folds may share them, which flatters the score"
    level: Level = "warning" if share >= _WORTH_A_WARNING else "info"
    findings = [Finding("duplicates", level, message)]
    torn = _torn(codes, counts, y) if y.dtype.kind == "i" else 0
    if torn:
        message = f"equal rows with different labels: {torn} kinds of row; no model can be right on all of them"
        findings.append(Finding("labels-conflict", level, message))
    return findings


def shared_findings(train: np.ndarray, test: np.ndarray) -> list[Finding]:
    """Tell how many test rows are in the training data too, by the hashes of both."""
    shared = int(np.isin(test, train).sum())
    if not shared:
        return []
    message = f"{shared} of {len(test)} test rows are in the training data too; the test score is flattered"
    return [Finding("test-overlap", "warning" if shared >= _WORTH_A_WARNING * len(test) else "info", message)]


def _torn(codes: np.ndarray, counts: np.ndarray, y: np.ndarray) -> int:
    """Return how many of the repeated rows have more than one label."""
    low, high = np.full(len(counts), np.iinfo(np.int64).max), np.full(len(counts), np.iinfo(np.int64).min)
    np.minimum.at(low, codes, y)
    np.maximum.at(high, codes, y)
    return int((low != high).sum())


def _hashes(rows: Table) -> np.ndarray:
    numbers = np.where(np.isnan(rows.numbers), np.nan, rows.numbers) + 0.0  # one kind of NaN, one kind of zero
    bits = np.ascontiguousarray(numbers.T).view(np.uint64)
    hashes = np.zeros(len(rows), np.uint64)
    for column in bits:
        hashes = _mixed(hashes * _GOLDEN + column)
    for texts in rows.texts:
        said = b"".join(hashlib.blake2b(text.encode(), digest_size=8).digest() for text in texts)
        hashes = _mixed(hashes * _GOLDEN + np.frombuffer(said, np.uint64))
    return hashes


def _mixed(values: np.ndarray) -> np.ndarray:
    """Return a permutation of 64-bit values in which each bit depends on all.

    Source: the finaliser of SplitMix64, Steele et al. 2014, https://doi.org/10.1145/2660193.2660195.
    """
    values = (values ^ (values >> np.uint64(30)) ^ _GOLDEN) * _FACTORS[0]
    values = (values ^ (values >> np.uint64(27))) * _FACTORS[1]
    return np.asarray(values ^ (values >> np.uint64(31)))
