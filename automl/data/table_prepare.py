"""Prepare tables in two passes over the rows, in chunks: what the columns are, and the conversion."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from automl.core.data import DataSpec, Finding
from automl.core.protocols import Task
from automl.data.folder import DataFolder, write_spec
from automl.data.refusals import data_errors
from automl.data.roles import Roles, checked, listed, nearest, with_text
from automl.data.table_findings import train_findings
from automl.data.table_labels import LabelColumn
from automl.data.table_sides import SideArrays, Sides, number_target
from automl.data.table_writer import TableWriter
from automl.data.text_facts import text_alone, text_findings, text_shape
from automl.errors import DataError
from automl.serving.table import TableRule
from automl.serving.table_cells import Note, TableFile
from automl.serving.table_infer import infer
from automl.serving.table_rows import ChunkReader

MIN_ROWS = 4
"""Two folds, and two rows to learn from in each."""


class TableGiven(NamedTuple):
    """A table as it was handed over.

    Attributes:
        table: its rows.
        shown: what it is called in messages, such as the name of its file.
        name: of the data set.
    """

    table: TableFile
    shown: str
    name: str


def build_train(folder: Path, given: TableGiven, roles: Roles, task: Task) -> None:
    """Write the prepared training data of a table into a folder.

    Raises:
        DataError: nothing can be learned from it.
    """
    with data_errors():
        roles = checked(roles, given.table.names, given.shown)
        is_text = task.info.kind == "text"
        roles = with_text(roles, given.table.names, given.shown) if is_text else roles
        features = [roles.text] if is_text else _features(given, roles)
        sides = Sides(roles, given.shown, task.info.target)
        wanted = {*features, *roles.flags().values()}
        chunks = sides.watched(given.table.chunks(wanted), features)
        separator = given.table.separator
        inferred = (
            text_alone(chunks, roles.text, separator) if is_text else infer(chunks, features, separator=separator)
        )
        arrays = sides.finish()
        _check_rows(len(arrays.y), given.shown)
        if not inferred.rule.columns:
            kinds = ", ".join(f"{name!r} ({kind})" for name, kind in list(inferred.kinds.items())[:10])
            raise DataError(
                f"{given.shown}: a column that differs from row to row and recurs is needed to predict from. "
                f"Got {kinds}. Add columns."
            )
        spec = replace(_spec(given, arrays, inferred.rule, roles), kind=task.info.kind)
        spec = replace(spec, columns=_kinds(given.table.names, inferred.kinds, roles))
        task.validate(spec, arrays.y)
        spec, _ = _written(folder, given.table, spec, arrays)
        told = [*_findings([*given.table.notes, *inferred.notes]), *arrays.findings]
        write_spec(folder, spec, told)
        X = DataFolder(folder).X
        spec = replace(spec, shape=text_shape(X.texts[0], given.shown)) if is_text else spec
    found = text_findings(spec, X, arrays.y) if is_text else train_findings(spec, X, arrays.y)
    write_spec(folder, spec, [*told, *found])


def build_test(folder: Path, given: TableGiven, train: DataSpec) -> None:
    """Write prepared test data into a folder, by the rule and with the classes of training.

    Raises:
        DataError: a column is missing or holds something else, or a label is not among the classes.
    """
    rule = TableRule.from_json(train.input)
    with data_errors():
        _check_columns(given, rule, train.target)
        column = LabelColumn(given.shown, train.target) if train.classes else number_target(given.shown, train.target)
        for chunk in given.table.chunks([train.target]):
            column.add(chunk[train.target])
        y = column.among(train.classes) if isinstance(column, LabelColumn) else column.finish()
        arrays = SideArrays(y, train.classes)
        spec = replace(_spec(given, arrays, rule, Roles(target=train.target)), kind=train.kind, shape=train.shape)
        spec, notes = _written(folder, given.table, spec, arrays)
    known = {train.target, *train.columns, *(column.name for column in rule.columns)}
    extra = [name for name in given.table.names if name not in known] if train.columns else []
    findings = _findings([*given.table.notes, *notes])
    if extra:
        message = f"{given.shown}: columns that training did not have are not looked at. {listed(extra)}"
        findings.append(Finding("columns-extra", "info", message))
    write_spec(folder, spec, findings)


def _features(given: TableGiven, roles: Roles) -> list[str]:
    beside = {roles.target, roles.sample_weight, roles.group, *roles.drop}
    features = [name for name in given.table.names if name not in beside]
    if not features:
        raise DataError(f"{given.shown}: a column to predict from is needed. Got none beside {roles.target!r}.")
    return features


def _spec(given: TableGiven, arrays: SideArrays, rule: TableRule, roles: Roles) -> DataSpec:
    """Return the facts of a table, but for its fingerprint."""
    counts = np.bincount(arrays.y, minlength=len(arrays.classes)).tolist() if arrays.classes else []
    return DataSpec(
        name=given.name,
        kind="table",
        rows=len(arrays.y),
        shape=(len(rule.columns),),
        classes=arrays.classes,
        class_counts=tuple(counts),
        fingerprint="",
        input=rule.to_json(),
        split=roles.split,
        target=roles.target,
        is_weighted=arrays.weights is not None,
    )


class _Written(NamedTuple):
    """The facts of a table with their fingerprint, and what was noticed as its rows were converted."""

    spec: DataSpec
    notes: list[Note]


def _written(folder: Path, table: TableFile, spec: DataSpec, arrays: SideArrays) -> _Written:
    """Write all arrays."""
    rule = TableRule.from_json(spec.input)
    reader = ChunkReader(rule)
    with TableWriter(folder, rule) as writer:
        for chunk in table.chunks([column.name for column in rule.columns]):
            writer.append(reader.table(chunk))
    notes = reader.finish(table.path.name)
    if writer.rows != spec.rows:
        raise DataError(f"{table.path}: it changed while it was read. Got {writer.rows} rows, then {spec.rows}.")
    digest = hashlib.sha256(json.dumps([spec.input, spec.target, spec.classes, spec.split]).encode())
    digest.update(writer.sha256().encode())
    for name, array in (("y", arrays.y), ("weights", arrays.weights), ("groups", arrays.groups)):
        if array is not None:
            np.save(folder / f"{name}.npy", array, allow_pickle=False)
            digest.update(np.ascontiguousarray(array).data)
    return _Written(replace(spec, fingerprint=digest.hexdigest()), notes)


def _kinds(names: Sequence[str], kinds: Mapping[str, str], roles: Roles) -> dict[str, str]:
    """Return what became of every column of the file."""
    beside = {**dict.fromkeys(roles.drop, "dropped"), roles.group: "group", roles.sample_weight: "weight",
              roles.target: "target"}  # fmt: skip
    return {name: beside.get(name) or kinds.get(name, "unused") for name in names}


def _check_rows(rows: int, shown: str) -> None:
    if rows < MIN_ROWS:
        raise DataError(f"{shown}: at least {MIN_ROWS} rows are needed. Got {rows} row{'s' * (rows != 1)}. Add some.")


def _check_columns(given: TableGiven, rule: TableRule, target: str) -> None:
    names = given.table.names
    missing = [name for name in (target, *(column.name for column in rule.columns)) if name not in names]
    if missing:
        what = "the target" if missing[0] == target else "a column of training"
        raise DataError(
            f"{given.shown}: {what}, {missing[0]!r}, is needed. Got none of that name.{nearest(missing[0], names)} "
            f"{listed(names)}"
        )


def _findings(notes: Sequence[Note]) -> list[Finding]:
    return [Finding(note.code, "info", note.message) for note in notes]
