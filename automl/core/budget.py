"""The budget a user states, and the grammar of `--budget`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from automl.errors import BudgetError

Account = Literal["wall", "cpu", "gpu", "trials"]

_HOUR, _MINUTE = 3600.0, 60.0
UNITS: dict[str, tuple[Account, float]] = {
    "gpu-h": ("gpu", _HOUR), "gpu-min": ("gpu", _MINUTE), "gpu-s": ("gpu", 1.0),
    "cpu-h": ("cpu", _HOUR), "cpu-min": ("cpu", _MINUTE), "cpu-s": ("cpu", 1.0),
    "h": ("wall", _HOUR), "min": ("wall", _MINUTE), "m": ("wall", _MINUTE), "s": ("wall", 1.0),
    "trials": ("trials", 1.0), "trial": ("trials", 1.0),
}  # fmt: skip
_LONG = {"ho": "h", "hr": "h", "minu": "min", "mins": "min", "sec": "s"}
_PART = re.compile(r"(?P<amount>\d+(?:\.\d+)?)?\s*(?P<unit>[A-Za-z][A-Za-z-]*)?")


@dataclass(frozen=True)
class Budget:
    """What may be spent. None means that this account has no limit; the first limit reached ends the search.

    Attributes:
        wall: seconds from the first line of the program to its exit.
        cpu: seconds of one worker slot.
        gpu: seconds of one whole GPU.
        trials: configurations started.
    """

    wall: float | None = None
    cpu: float | None = None
    gpu: float | None = None
    trials: int | None = None

    @classmethod
    def parse(cls, text: str) -> Budget:
        """Read `8gpu-h`, `30min`, `8gpu-h,2h` ….

        Raises:
            BudgetError: no number, no unit, an unknown unit, a unit twice, or nothing to spend.

        >>> Budget.parse("0.5h,20trials")
        Budget(wall=1800.0, cpu=None, gpu=None, trials=20)
        """
        seen: dict[Account, str] = {}
        amounts: dict[Account, float] = {}
        for part in text.split(","):
            account, amount = _parse_part(part.strip(), text)
            if account in seen:
                raise BudgetError(
                    f"--budget {text!r}: {seen[account]} and {part.strip()} limit the same thing. Keep one."
                )
            seen[account], amounts[account] = part.strip(), amount
        trials = amounts.pop("trials", None)
        if trials is not None and trials != int(trials):
            raise BudgetError(
                f"--budget {text!r}: trials come whole. Got {seen['trials']}. Write {max(1, int(trials))}trials."
            )
        return cls(**amounts, trials=None if trials is None else int(trials))

    def limits(self) -> Iterator[tuple[Account, float]]:
        """Yield each limited account with its amount."""
        for account in ("gpu", "cpu", "wall", "trials"):
            amount = getattr(self, account)
            if amount is not None:
                yield account, float(amount)

    @property
    def is_timed(self) -> bool:
        """Whether any limit is measured by a clock; if not, no decision may read one."""
        return any(account != "trials" for account, _ in self.limits())

    def plus(self, other: Budget) -> Budget:
        """Return this budget with other's amounts added, as `resume --budget +1gpu-h` does."""
        trials = _sum(self.trials, other.trials)
        return Budget(
            wall=_sum(self.wall, other.wall),
            cpu=_sum(self.cpu, other.cpu),
            gpu=_sum(self.gpu, other.gpu),
            trials=None if trials is None else int(trials),
        )

    def __str__(self) -> str:
        """Return the budget in its own grammar."""
        parts = [f"{_trim(amount)}{'s' if account == 'wall' else account + '-s' if account != 'trials' else account}"
                 for account, amount in self.limits()]  # fmt: skip
        return ",".join(parts)


def _parse_part(part: str, whole: str) -> tuple[Account, float]:
    known = " ".join(u for u in UNITS if u != "trial")
    match = _PART.fullmatch(part)
    if match is None:
        raise BudgetError(
            f"--budget {whole!r}: a budget is NUMBER UNIT, joined by commas. Got {part!r}. Units: {known}."
        )
    amount, unit = match["amount"], match["unit"]
    if unit is None:
        raise BudgetError(
            f"--budget {whole!r}: {part!r} has no unit. Units: {known}. Write for example {part or 30}min."
        )
    if unit not in UNITS:
        near = get_close_matches(_shortened(unit), UNITS, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise BudgetError(f"--budget {whole!r}: {unit!r} is not a unit.{hint} Units: {known}.")
    if amount is None:
        raise BudgetError(f"--budget {whole!r}: {unit} has no number. Write for example 8{unit}.")
    if float(amount) <= 0:
        raise BudgetError(f"--budget {whole!r}: the amount must be above zero. Got {part}. Write for example 1{unit}.")
    account, factor = UNITS[unit]
    if float(amount) * factor == float("inf"):
        raise BudgetError(f"--budget {whole!r}: {part[:20]}… is beyond all measure. Leave this limit out.")
    return account, float(amount) * factor


def _shortened(unit: str) -> str:
    """Return a unit as it would be abbreviated here, so that `gpu-hours` is met with gpu-h and not with gpu-s."""
    device, dash, time = unit.lower().rpartition("-")
    return device + dash + next((short for long, short in _LONG.items() if time.startswith(long)), time)


def _sum(mine: float | None, more: float | None) -> float | None:
    return more if mine is None else mine if more is None else mine + more


def _trim(amount: float) -> str:
    return f"{amount:.9f}".rstrip("0").rstrip(".")
