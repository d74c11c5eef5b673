"""The exceptions of this package.

AutoMLError                 anything this package raises on purpose
├── UserError               the user's mistake: one line, exit code 2
│   ├── DataError           the data that was handed over
│   ├── SpaceError          a search-space file or a configuration outside its space
│   ├── BudgetError         the budget
│   ├── ArtifactError       a model that was handed over
│   └── RunError            a run folder: missing, foreign, busy or damaged
├── SearchFailed            no trial succeeded: exit code 3
└── MachineError            disk full, no permission, cluster gone: exit code 4
"""

from __future__ import annotations


class AutoMLError(Exception):
    """Anything this package raises on purpose."""


class UserError(AutoMLError):
    """A mistake the user can mend; printed as one line, exit code 2."""


class DataError(UserError):
    """The data cannot be learned from as it is."""


class SpaceError(UserError):
    """A search space is malformed, or a configuration lies outside of one."""


class BudgetError(UserError):
    """The budget is malformed or cannot be spent on this machine."""


class ArtifactError(UserError):
    """A model folder is missing, altered or unsafe."""


class RunError(UserError):
    """A run folder is missing, foreign, in use or damaged."""


class SearchFailed(AutoMLError):
    """The search ended without one finished trial; exit code 3."""


class MachineError(AutoMLError):
    """The machine cannot go on (disk, permission, cluster); exit code 4."""
