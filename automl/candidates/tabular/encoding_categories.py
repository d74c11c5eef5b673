"""Categories as codes, columns of zeros and ones, frequencies or mean targets, learned on the rows learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from automl.candidates.tabular.encoder_options import EncoderOptions
from automl.candidates.tabular.encoding_blocks import FittedBlock, finished
from automl.candidates.tabular.encoding_rows import INNER_FOLDS, Learned
from automl.serving.table_blocks import places_of


@dataclass(frozen=True)
class CategoryColumns:
    """The columns of categories.

    Attributes:
        columns: their places in `Table.numbers`.
        names: theirs.
        labels: of each, its categories.
        counts: of each, rows of its m categories, of unseen ones and of missing ones, int64 (m + 2,).
    """

    columns: tuple[int, ...]
    names: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]
    counts: tuple[np.ndarray, ...]

    @property
    def sizes(self) -> list[int]:
        """Return the number of categories of each column."""
        return [len(labels) for labels in self.labels]

    def only(self, chosen: Sequence[int]) -> CategoryColumns:
        """Return some of the columns."""
        return CategoryColumns(
            tuple(self.columns[c] for c in chosen), tuple(self.names[c] for c in chosen),
            tuple(self.labels[c] for c in chosen), tuple(self.counts[c] for c in chosen),
        )  # fmt: skip


def category_columns(learned: Learned) -> CategoryColumns:
    """Return the columns of categories that have two values at least on the rows learned from, a gap being one."""
    found = [(place, column) for place, column in enumerate(learned.rule.numbers) if column.kind == "category"]
    columns, sizes = [place for place, _ in found], np.array([len(c.categories) for _, c in found], np.int64)
    counts = [np.zeros(size + 2, np.int64) for size in sizes]
    for _, table in learned.chunks() if found else ():
        places = places_of(table.numbers[:, columns], sizes)
        for column, count in enumerate(counts):
            count += np.bincount(places[:, column], minlength=len(count))
    every = CategoryColumns(
        tuple(columns), tuple(c.name for _, c in found), tuple(c.categories for _, c in found), tuple(counts)
    )
    return every.only([place for place, count in enumerate(counts) if np.count_nonzero(count) > 1])


def encoded_categories(learned: Learned, options: EncoderOptions) -> list[FittedBlock]:
    """Return the block of the categories, as the options ask for it; none if there are no categories."""
    found = category_columns(learned)
    if options.categories == "codes":
        return _codes(found, options)
    if options.categories == "onehot":
        return _onehot(found, options)
    if not found.columns:
        return []
    block = target_block(learned, found) if options.categories == "target" else frequency_block(found)
    return [finished(block, learned, options)]


def _codes(found: CategoryColumns, options: EncoderOptions) -> list[FittedBlock]:
    tables = [_code_table(counts, options) for counts in found.counts]
    kept = [place for place, (_, codes) in enumerate(tables) if codes > 1 or options.missing == "keep"]
    found, tables = found.only(kept), [tables[place] for place in kept]
    if not kept:
        return []
    block = _lookup(found, [[table] for table, _ in tables])
    return [FittedBlock(block, found.names, tuple(codes for _, codes in tables))]


def _code_table(counts: np.ndarray, options: EncoderOptions) -> tuple[list[float | None], int]:
    """Return the code of each category, of an unseen and of a missing one, and the number of codes.

    Frequent categories have codes by their frequency; rare and unseen ones share the next. That one and the one of
    missing values are None, a gap, where gaps are kept and no row learned from is rare.
    """
    named, has_gaps = counts[:-2], counts[-1] > 0
    order = _frequent(named, options.rare)
    others, is_own = len(order), options.missing == "impute"
    has_others = counts[:-1].sum() > named[order].sum()
    table: list[float | None] = [float(others) if is_own or has_others else None] * len(counts)
    for code, category in enumerate(order.tolist()):
        table[category] = float(code)
    if not is_own:
        table[-1] = None
        return table, others + int(has_others)
    if has_gaps:
        table[-1] = float(others + 1)
    return table, others + 1 + int(has_gaps)


def _frequent(counts: np.ndarray, rare: int) -> np.ndarray:
    """Return the categories that are not rare, most frequent first."""
    order = np.argsort(-counts, kind="stable")
    return order[counts[order] >= max(1, rare)]


def _onehot(found: CategoryColumns, options: EncoderOptions) -> list[FittedBlock]:
    places: list[list[int]] = []
    names: list[str] = []
    for name, labels, counts in zip(found.names, found.labels, found.counts, strict=True):
        own, words = _onehot_places(labels, counts, options)
        places.append(np.where(own >= 0, own + len(names), -1).tolist())
        names += [f"{name} {word}" for word in words]
    if not names:
        return []
    block = {"kind": "onehot", "columns": list(found.columns), "sizes": found.sizes, "places": places}
    return [FittedBlock({**block, "width": len(names)}, tuple(names))]


def _onehot_places(
    labels: tuple[str, ...], counts: np.ndarray, options: EncoderOptions
) -> tuple[np.ndarray, list[str]]:
    """Return the place of each category, of an unseen and of a missing one, and what the places are called.

    Of two places only the second is kept: the first says the same.
    """
    order = _frequent(counts[:-2], options.rare)[: options.most_onehot]
    places, names = np.full(len(counts), -1), [f"= {labels[category]}" for category in order.tolist()]
    if counts[:-1].sum() > counts[order].sum():
        places[:-1] = len(names)
        names.append("is another")
    places[order] = np.arange(len(order))
    if counts[-1]:
        places[-1] = len(names)
        names.append("is missing")
    if len(names) <= 2:
        return places - 1 if len(names) == 2 else np.full(len(counts), -1), names[1:]
    return places, names


def frequency_block(found: CategoryColumns) -> FittedBlock:
    """Return the logarithm of each category's share of the rows; one that no row has counts as half a row."""
    shares = [np.log(np.maximum(counts, 0.5) / counts.sum()).tolist() for counts in found.counts]
    return FittedBlock(_lookup(found, [[share] for share in shares]), tuple(f"share of {n}" for n in found.names))


def target_block(learned: Learned, found: CategoryColumns) -> FittedBlock:
    """Return each category's mean target, drawn towards the mean of all; see `shrunken_means`.

    For rows learned from the inner blocks, each learned without an inner fold, give the values: a model that were fed
    means with the row's own target in them would trust them too much. Served rows get the means of all rows. As in
    scikit-learn's TargetEncoder, https://scikit-learn.org/stable/modules/generated/sklearn.preprocessing.TargetEncoder.html.
    """
    sums = [np.zeros((INNER_FOLDS, len(counts), 1 + 2 * learned.targets.shape[1])) for counts in found.counts]
    sizes, columns = np.array(found.sizes), list(found.columns)
    for rows, table in learned.chunks():
        places = places_of(table.numbers[:, columns], sizes)
        for column, total in enumerate(sums):
            total += fold_sums(places[:, column], learned, rows, len(found.counts[column]))
    used = np.unique(learned.folds)
    blocks = [_means_block(found, [total.sum(axis=0) for total in sums])]
    blocks += [_means_block(found, [np.delete(total, fold, axis=0).sum(axis=0) for total in sums]) for fold in used]
    names = tuple(f"target{of} by {name}" for name in found.names for of in target_names(learned))
    return FittedBlock(blocks[0], names, inner=tuple(blocks[1:]))


def target_names(learned: Learned) -> list[str]:
    """Return which class a mean is of, for names of columns; nothing where there is but one."""
    if len(learned.target_classes) < 2:
        return [""]
    return [f" = {learned.labels[code]}" for code in learned.target_classes]


def fold_sums(places: np.ndarray, learned: Learned, rows: np.ndarray, count: int) -> np.ndarray:
    """Return rows, sums of the targets and sums of their squares for each inner fold and each of count places.

    Args:
        places: of rows, (n,).
        learned: the rows learned from.
        rows: which of them these are.
        count: number of places.

    Returns:
        (INNER_FOLDS, count, 1 + 2 t).
    """
    key, size = learned.folds[rows].astype(np.int64) * count + places, INNER_FOLDS * count
    targets = learned.targets[rows]
    sums: list[np.ndarray] = [np.bincount(key, minlength=size).astype(np.float64)]
    sums += [np.bincount(key, weights=column, minlength=size) for column in targets.T]
    sums += sums[1:] if learned.classes else [np.bincount(key, weights=c * c, minlength=size) for c in targets.T]
    return np.stack(sums, axis=1).reshape(INNER_FOLDS, count, len(sums))


def shrunken_means(sums: np.ndarray) -> np.ndarray:
    """Return the mean target of each place, drawn towards the mean of all rows, (places, t).

    A mean of n rows gets the weight n / (n + k), the mean of all the rest; k is the variance within places over the
    variance between their true means, by the moments of a one-way analysis of variance.

    Source: Micci-Barreca 2001, https://doi.org/10.1145/507533.507538, section 3.1 (empirical Bayes).

    Args:
        sums: (places, 1 + 2 t): rows, sums of the targets, sums of their squares.
    """
    rows, outputs = sums[:, :1], sums.shape[1] // 2
    total, used = max(1.0, float(rows.sum())), max(1, int(np.count_nonzero(rows)))
    means = sums[:, 1 : 1 + outputs] / np.maximum(1, rows)
    prior = sums[:, 1 : 1 + outputs].sum(axis=0) / total
    within = np.maximum(0, sums[:, 1 + outputs :].sum(axis=0) - (rows * means**2).sum(axis=0)) / max(1, total - used)
    between = (rows * (means - prior) ** 2).sum(axis=0) / max(1, used - 1) - within
    per_place = max(1e-12, (total - float((rows**2).sum()) / total) / max(1, used - 1))
    ratio = within / np.maximum(between / per_place, within / total + 1e-12)
    weights = rows / (rows + np.maximum(ratio, 1e-12))
    shrunken: np.ndarray = weights * means + (1 - weights) * prior
    return shrunken


def _means_block(found: CategoryColumns, sums: list[np.ndarray]) -> dict[str, Any]:
    return _lookup(found, [shrunken_means(total).T.tolist() for total in sums])


def _lookup(found: CategoryColumns, values: list[Any]) -> dict[str, Any]:
    return {"kind": "lookup", "columns": list(found.columns), "sizes": found.sizes, "values": values}
