"""Series from tables with one step a row, in two passes: what the columns are, and the conversion."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from automl.core.data import DataSpec, Finding
from automl.core.protocols import Task
from automl.data.refusals import data_errors
from automl.data.roles import Roles, checked, listed, nearest
from automl.data.series_channels import ChannelFinder, Channels
from automl.data.series_constants import SeriesConstant
from automl.data.series_writer import SeriesGiven, write_test, write_train
from automl.data.table_labels import MISSING, LabelColumn
from automl.data.table_prepare import TableGiven
from automl.data.table_sides import SideArrays, Sides
from automl.errors import DataError
from automl.serving.series import MAX_CHANNELS, SeriesRule
from automl.serving.series_ids import SeriesIds
from automl.serving.series_long import LongReader, LongSeries, check_columns, wanted_columns
from automl.serving.series_read import check_long
from automl.serving.table_cells import Note


def build_train(folder: Path, given: TableGiven, roles: Roles, task: Task) -> None:
    """Write the prepared training data of a table with one step a row into a folder.

    Raises:
        DataError: nothing can be learned from it.
    """
    with data_errors():
        roles = _checked(roles, given)
        look = _look(given, roles)
        sides = _sides(look.constants, roles, given.shown)
        rule = _rule(look.channels, roles, given.shown)
        found = _converted(given, rule, look.ids)
    kinds = {**dict.fromkeys(look.channels.kinds, "channel"), **look.channels.others}
    write_train(
        folder,
        SeriesGiven(
            given.name, given.shown, found.series, rule, sides, split=roles.split, target=roles.target,
            findings=[*_findings([*given.table.notes, *found.notes]), *look.channels.findings],
            columns=_columns(given.table.names, kinds, roles),
        ),
        task,
    )  # fmt: skip


def build_test(folder: Path, given: TableGiven, train: DataSpec) -> None:
    """Write prepared test data into a folder, by the rule and with the classes of training.

    Raises:
        DataError: a column is missing or holds something else, or a label is not among the classes.
    """
    rule, names = SeriesRule.from_json(train.input), given.table.names
    with data_errors():
        check_long(rule, given.shown)
        check_columns(names, rule, given.shown)
        if train.target not in names:
            raise DataError(
                f"{given.shown}: the target, {train.target!r}, is needed. Got none of that name."
                f"{nearest(train.target, names)} {listed(names)}"
            )
        ids, reader = SeriesIds(rule.id, given.shown), LongReader(rule, given.shown)
        labels = SeriesConstant("the target", train.target, ids, given.shown)
        for chunk in given.table.chunks([*wanted_columns(rule), train.target]):
            labels.add(ids.codes(chunk[rule.id]), chunk[train.target])
            reader.add(chunk)
        found = reader.finish()
        column = _labels(labels.finish(), ids, train.target, given.shown)
        sides = SideArrays(column.among(train.classes), train.classes)
    findings = _findings([*given.table.notes, *found.notes])
    series = SeriesGiven(given.name, given.shown, found.series, rule, sides, findings, target=train.target)
    write_test(folder, series)


class _Look(NamedTuple):
    """What the first pass found: the series, what is said of each, and what the columns are."""

    ids: SeriesIds
    constants: dict[str, list[str]]
    channels: Channels


def _checked(roles: Roles, given: TableGiven) -> Roles:
    """Return the roles with a target and an id."""
    names = given.table.names
    if not roles.series_id:
        raise DataError(
            f"--series-id: the column that says whose step each row is, is needed for {given.shown}. Got none. "
            f"{listed(names)}"
        )
    return checked(roles, names, given.shown)


def _look(given: TableGiven, roles: Roles) -> _Look:
    """Look through all rows once."""
    ids = SeriesIds(roles.series_id, given.shown)
    flags = {"--target": roles.target, "--sample-weight": roles.sample_weight, "--group": roles.group,
             "--split-time": roles.split_time}  # fmt: skip
    constants = {name: SeriesConstant(flag, name, ids, given.shown) for flag, name in flags.items() if name}
    beside = {*constants, roles.series_id, roles.series_time, *roles.drop}
    names = [name for name in given.table.names if name not in beside]
    finder = ChannelFinder(names)
    for chunk in given.table.chunks([*names, *constants, roles.series_id]):
        codes = ids.codes(chunk[roles.series_id])
        for name, constant in constants.items():
            constant.add(codes, chunk[name])
        finder.add(chunk)
    channels = finder.finish(has_time=bool(roles.series_time))
    said = {name: constant.finish() for name, constant in constants.items()}
    _labels(said[roles.target], ids, roles.target, given.shown)
    return _Look(ids, said, channels)


def _labels(texts: list[str], ids: SeriesIds, target: str, shown: str) -> LabelColumn:
    """Return the labels of series, after checking that none is missing."""
    missing = [place for place, text in enumerate(texts) if text.casefold() in MISSING]
    if missing:
        raise DataError(
            f"{shown}: column {target!r}: every series needs a label. Got {len(missing)} of {len(texts)} without one, "
            f"the first {ids.names[missing[0]][:60]!r}. Remove their rows; to predict them, search without them first."
        )
    column = LabelColumn(shown, target)
    column.add(texts)
    return column


def _sides(said: Mapping[str, list[str]], roles: Roles, shown: str) -> SideArrays:
    """Return labels, weights and groups by the rules of tables, in which a series is now one row."""
    sides = Sides(roles, f"{shown}, one row per series", "classes")
    for _ in sides.watched([dict(said)], ()):
        pass
    return sides.finish()


def _rule(channels: Channels, roles: Roles, shown: str) -> SeriesRule:
    if not 0 < len(channels.kinds) <= MAX_CHANNELS:
        others = ", ".join(f"{name!r} ({kind})" for name, kind in list(channels.others.items())[:10])
        raise DataError(
            f"{shown}: 1 to {MAX_CHANNELS} columns of numbers are needed as channels. Got {len(channels.kinds)}"
            f"{f' beside {others}' if others else ''}. Add or drop columns."
        )
    kinds = tuple(channels.kinds.values())
    is_plain = set(kinds) == {"number"}
    return SeriesRule(tuple(channels.kinds), roles.series_id, roles.series_time, () if is_plain else kinds)


def _converted(given: TableGiven, rule: SeriesRule, ids: SeriesIds) -> LongSeries:
    """Read all rows again, as series."""
    reader = LongReader(rule, given.shown)
    for chunk in given.table.chunks(wanted_columns(rule)):
        reader.add(chunk)
    found = reader.finish()
    if found.names != ids.names or len(found.series.values) != ids.rows:
        raise DataError(
            f"{given.table.path}: it changed while it was read. Got {ids.rows} rows, then "
            f"{len(found.series.values)}, or other ids. Read it when it is whole."
        )
    return found


def _columns(names: Iterable[str], kinds: Mapping[str, str], roles: Roles) -> dict[str, str]:
    """Return what became of every column of the table."""
    beside = {**dict.fromkeys(roles.drop, "dropped"), roles.group: "group", roles.sample_weight: "weight",
              roles.split_time: "time of the series", roles.series_time: "time", roles.series_id: "series id",
              roles.target: "target"}  # fmt: skip
    return {name: beside.get(name) or kinds[name] for name in names}


def _findings(notes: Iterable[Note]) -> list[Finding]:
    return [Finding(note.code, "warning" if note.code == "times-repeated" else "info", note.message) for note in notes]
