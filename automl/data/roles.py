"""What the columns of a table are for, as the user says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from difflib import get_close_matches

from automl.core.data import Split
from automl.core.request import SearchRequest
from automl.errors import DataError

GUESSED_TARGETS = frozenset({"target", "label", "class", "y"})
"""A column of such a name (in any case) is the target where none is named and there is one of them only."""
GUESSED_TEXTS = frozenset({"text", "sentence", "document", "message", "review", "tweet", "comment", "content", "body"})
"""As `GUESSED_TARGETS`, for the column of text where there are several beside the target."""
OTHER_TEXTS = frozenset({"title", "subject", "headline", "summary", "abstract", "description", "question", "answer"})
"""Names of columns that may be meant just as well: beside one of them nothing is guessed."""
_SHOWN = 12


@dataclass(frozen=True)
class Roles:
    """The columns of a table that are no plain features; empty texts where there is none.

    Attributes:
        target: the column to predict.
        drop: columns that are not looked at.
        sample_weight: the weight of each row in training.
        positive: the label that binary metrics look for.
        group: rows of equal value stay together in one fold; no feature.
        split_time: orders rows for validation; a feature too.
        text: the column of text to learn from, where that is the task.
        series_id, series_time: where each row is one step of a series: whose step it is, and its order.
    """

    target: str = ""
    drop: tuple[str, ...] = ()
    sample_weight: str = ""
    positive: str = ""
    group: str = ""
    split_time: str = ""
    text: str = ""
    series_id: str = ""
    series_time: str = ""

    @classmethod
    def of(cls, request: SearchRequest) -> Roles:
        """Return the roles a request gives.

        >>> Roles.of(SearchRequest(task="tabular-clf", target="price", group="house")).split
        'group'
        """
        return cls(request.target, tuple(request.drop), request.sample_weight, request.positive, request.group,
                   request.split_time, request.text, request.series_id, request.series_time)  # fmt: skip

    @property
    def split(self) -> Split:
        """Return how folds must be made."""
        return "group" if self.group else "time" if self.split_time else "stratified"

    def to_json(self) -> dict[str, object]:
        """Return the roles as JSON values."""
        return asdict(self)

    def flags(self) -> dict[str, str]:
        """Return the flags that name one column, with the column they name."""
        flags = {"--target": self.target, "--sample-weight": self.sample_weight, "--group": self.group,
                 "--split-time": self.split_time, "--text": self.text, "--series-id": self.series_id,
                 "--series-time": self.series_time}  # fmt: skip
        return {flag: column for flag, column in flags.items() if column}

    def given(self) -> list[str]:
        """Return the flags that are set at all."""
        return [*self.flags(), *(["--drop"] if self.drop else []), *(["--positive"] if self.positive else [])]


def checked(roles: Roles, names: Sequence[str], shown: str) -> Roles:
    """Return the roles with a target, after holding all of them against the columns of a table.

    Args:
        roles: as the user says.
        names: of all columns.
        shown: what the table is called in messages.

    Raises:
        DataError: a column is not there, has two roles that exclude each other, or no target can be told.
    """
    for flag, column in [*roles.flags().items(), *(("--drop", column) for column in roles.drop)]:
        if column not in names:
            raise DataError(f"{flag} {column!r}: {shown} has no such column.{nearest(column, names)} {listed(names)}")
    roles = roles if roles.target else replace(roles, target=_guessed(names, shown))
    _check_apart(roles)
    return roles


def with_text(roles: Roles, names: Sequence[str], shown: str) -> Roles:
    """Return checked roles with the column of text: the one named, the only one left, or the one that is called so.

    Args:
        roles: as `checked` gives them.
        names: of all columns.
        shown: what the table is called in messages.

    Raises:
        DataError: no column can be told.
    """
    if roles.text:
        return roles
    beside = {roles.target, roles.sample_weight, roles.group, roles.split_time, *roles.drop}
    left = [name for name in names if name not in beside]
    called = [name for name in left if name.strip().lower() in GUESSED_TEXTS | OTHER_TEXTS]
    likely = left if len(left) == 1 else called
    if len(likely) != 1 or (len(left) > 1 and likely[0].strip().lower() in OTHER_TEXTS):
        raise DataError(
            f"--text: the column of text is needed for {shown}. Got {len(left)} that may be. {listed(left)}"
        )
    return replace(roles, text=likely[0])


def _check_apart(roles: Roles) -> None:
    """Check that no column has two roles that exclude each other."""
    if roles.group and roles.split_time:
        raise DataError(
            f"--split-time {roles.split_time!r}: folds go by groups or by time. Got --group {roles.group!r} as well. "
            "Leave one out."
        )
    taken: dict[str, str] = {}
    for flag, column in [*roles.flags().items(), *(("--drop", column) for column in roles.drop)]:
        other = taken.setdefault(column, flag)
        if other != flag:
            raise DataError(f"{flag} {column!r}: a column has one role. Got {other} {column!r} as well. Leave one out.")


def _guessed(names: Sequence[str], shown: str) -> str:
    likely = [name for name in names if name.strip().lower() in GUESSED_TARGETS]
    if len(likely) != 1:
        raise DataError(f"--target: the column to predict is needed for {shown}. Got none. {listed(names)}")
    return likely[0]


def nearest(name: str, names: Sequence[str]) -> str:
    """Return ` Did you mean 'X'?` for the nearest name, or nothing.

    >>> nearest("outcom", ["x1", "outcome"])
    " Did you mean 'outcome'?"
    """
    plain = {known.strip().casefold(): known for known in reversed(names)}
    near = get_close_matches(name.strip().casefold(), plain, n=1, cutoff=0.6)
    return f" Did you mean {plain[near[0]]!r}?" if near else ""


def listed(names: Sequence[str]) -> str:
    """Return the columns of a table as a sentence; long lists are cut.

    >>> listed(["a", "b"])
    "Columns: 'a', 'b'."
    """
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"Columns: {', '.join(map(repr, names[:_SHOWN]))}{more}."
