"""What a search gives back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from automl.core.budget import Budget
from automl.core.data import DataSpec, Finding
from automl.core.events import Registered, TestScore, Winner
from automl.core.history import History
from automl.core.job import Cost
from automl.core.leaderboard import Row, leaderboard
from automl.core.ledger import Receipt
from automl.core.metrics import metric
from automl.core.request import SearchRequest
from automl.core.space import Configuration

if TYPE_CHECKING:
    from automl.model import Model


@dataclass(frozen=True)
class PlanPreview:
    """What a search would do, by estimates alone."""

    spec: DataSpec
    findings: tuple[Finding, ...]
    folds: int
    slots: int
    device: str
    space_origins: dict[str, str]
    portfolio: tuple[Configuration, ...]
    full_steps: dict[str, int]
    costs: dict[str, Cost]
    reserve_seconds: float


@dataclass(frozen=True)
class SearchResult:
    """A finished run: its leaderboard, its winner and its model.

    Attributes:
        run: the run folder.
        receipt: what was spent, as the ledger has it.
    """

    run: Path
    history: History
    receipt: Receipt

    @property
    def request(self) -> SearchRequest:
        """Return what was asked for."""
        assert self.history.started is not None
        return self.history.started.request

    @property
    def status(self) -> str:
        """Return "done", "interrupted" or "failed"."""
        return self.history.ended.status if self.history.ended else "failed"

    @property
    def winner(self) -> Winner:
        """Return the chosen model and how sure we are of it."""
        assert self.history.decided is not None
        return self.history.decided.winner

    @property
    def test(self) -> TestScore | None:
        """Return the one look at the test set, if there was one."""
        return self.history.decided.test if self.history.decided else None

    @property
    def artifact(self) -> Path:
        """Return the artifact folder."""
        return self.run / "artifact"

    @property
    def registered(self) -> Registered | None:
        """Return what MLflow knows the model as, if it does."""
        return self.history.registered

    @cached_property
    def rows(self) -> list[Row]:
        """Return the leaderboard: full trials, the best first."""
        assert self.history.started is not None
        return leaderboard(self.history, metric(self.history.started.metric))

    @property
    def leaderboard(self) -> Any:
        """Return the leaderboard as a pandas DataFrame."""
        import pandas as pd

        return pd.DataFrame([row.as_json() for row in self.rows])

    @cached_property
    def model(self) -> Model:
        """Return the loaded model: `predict`, `predict_proba`, `classes`."""
        from automl.model import Model

        return Model(self.artifact)

    def to_json(self) -> dict[str, Any]:
        """Return the shape that `automl search --json` prints."""
        started, registered, winner = self.history.started, self.registered, self.winner
        assert started is not None
        return {
            "run": str(self.run), "status": self.status, "task": self.request.task, "engine": self.request.engine,
            "data": started.spec.name, "metric": started.metric,
            "winner": {
                "candidate": winner.candidate, "kind": winner.kind, "cv": winner.cv, "se": winner.se,
                "corrected": winner.corrected, "low": winner.low, "high": winner.high, "p_better": winner.p_better,
            },
            "trials": self._trials(), "spend": self._spend(), "artifact": str(self.artifact),
            "model_uri": registered.model_uri if registered else "",
            "experiment_id": registered.experiment_id if registered else "",
            "mlflow_run_id": registered.mlflow_run_id if registered else "",
            "test": self.test.score if self.test else None,
        }  # fmt: skip

    def _trials(self) -> dict[str, int]:
        full, failed = len(self.history.full()), len(self.history.with_status("failed"))
        return {"full": full, "stopped": len(self.history.trials) - full - failed, "failed": failed}

    def _budget(self) -> Budget:
        """Return the budget with all that was added to it."""
        budget = Budget.parse(self.request.budget)
        for resumed in self.history.resumed:
            if resumed.added_budget:
                budget = budget.plus(Budget.parse(resumed.added_budget.removeprefix("+")))
        return budget

    def _spend(self) -> dict[str, Any]:
        account, amount = next(self._budget().limits())
        receipt, started = self.receipt, self.history.started
        assert started is not None
        used = {"wall": receipt.wall_seconds, "trials": receipt.trials}.get(account, receipt.leased_seconds)
        slots = max(1e-9, receipt.wall_seconds * started.slots)
        return {
            "unit": "trials" if account == "trials" else f"{account}-s", "budget": amount, "used": used,
            "wall_seconds": receipt.wall_seconds, "leased_seconds": receipt.leased_seconds,
            "overhead_share": max(0.0, 1.0 - receipt.leased_seconds / slots),
        }  # fmt: skip
