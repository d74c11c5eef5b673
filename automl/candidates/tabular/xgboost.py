"""Gradient-boosted trees (XGBoost) on a table; an extra, since it needs a package of its own.

Claim: 5-fold, defaults: roc_auc 0.790 on credit_g, 0.846 on telco_churn, 0.929 on adult, 0.886 on titanic; average
precision 0.719 on mammography; accuracy 0.642 on wine_quality, 0.950 on letter (3-fold); rmse 46,287 on
california_housing. 0.3, 0.4, 1.4, 0.3, 0.3, 1.7, 6.2 and 2.4 CPU-s a fold on one core.
Source: Chen & Guestrin 2016, https://arxiv.org/abs/1603.02754; parameters:
https://xgboost.readthedocs.io/en/stable/parameter.html.

Rows held out inside the fold say how many rounds are enough; see `boosting_rounds`.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from automl.candidates.tabular.boosting_cost import Shape, TreeSeconds, boosting_cost
from automl.candidates.tabular.boosting_problem import Problem, graph_of, problem_of
from automl.candidates.tabular.boosting_rounds import Boosted, boosted, rate_of
from automl.candidates.tabular.table_model import TableModel, constant_model, report_score
from automl.candidates.tabular.targets import prior
from automl.core.data import DataSpec
from automl.core.job import Cost, Job
from automl.core.protocols import Context, DataSource
from automl.core.seeds import derive
from automl.core.space import Configuration

_SEARCHED = (
    "max_depth", "min_child_weight", "subsample", "colsample_bytree", "reg_lambda", "max_bin",
)  # fmt: skip
_LEAF_ROWS = 20  # that a leaf has on average, at least
_SECONDS = TreeSeconds(fixed=2e-4, row=5e-8, value=3.5e-9, bin=6e-9)


class XGBoost:
    """Implements `automl.core.protocols.Candidate`."""

    name = "xgboost"
    tasks = ("tabular-clf", "tabular-reg")
    requires = ("xgboost", "onnx", "onnxruntime")
    is_probed = False

    def estimate(self, spec: DataSpec, configuration: Configuration, rows: int) -> Cost:
        """Return the cost of one fold, for the number of rounds that is usual at this learning rate."""
        values = configuration.values
        leaves = min(2 ** int(values["max_depth"]), max(1, rows // _LEAF_ROWS))
        shape = Shape(
            float(values["learning_rate"]), leaves, int(values["max_bin"]), float(values["colsample_bytree"])
        )  # fmt: skip
        return boosting_cost(spec, configuration, rows, shape=shape, seconds=_SECONDS)

    def probe(self, data: DataSource, configuration: Configuration, ctx: Context) -> Cost:
        """Return the estimate: how many rounds it takes, which decides the cost, no probe can tell."""
        return self.estimate(data.spec, configuration, len(ctx.train_rows))

    def fit(self, job: Job, configuration: Configuration, data: DataSource, ctx: Context) -> TableModel:
        """Train in one go: rounds as the rows held out ask for, fewer where the time ends."""
        problem = problem_of(data, ctx, configuration)
        plan, width = problem.table.plan, problem.table.X.shape[1]
        trained = _boosted(problem, configuration, ctx) if problem.is_learnable() else None
        if trained is None:
            ctx.note("rounds", "0: all targets are alike")
            model = constant_model(prior(data, ctx), plan, width, ctx)
        else:
            model = TableModel(_graph(trained, problem), plan, "probabilities" if ctx.classes else "values")
        report_score(model, problem.table.X, data, ctx)
        return model


def _graph(trained: Boosted, problem: Problem) -> bytes:
    from automl.candidates.graphs.xgboost_trees import trees_of

    return graph_of(trees_of(trained.model, np.flatnonzero(problem.present)), problem)


def _boosted(problem: Problem, configuration: Configuration, ctx: Context) -> Boosted | None:
    import xgboost

    inputs, parameters = problem.inputs(), parameters_of(configuration, problem, ctx)
    kinds = np.full(inputs.shape[1], "q")
    kinds[[code.column for code in problem.table.codes]] = "c"

    def _table(kind: Any, is_chosen: np.ndarray) -> Any:
        weights = None if problem.weights is None else problem.weights[is_chosen]
        known = {"feature_types": kinds.tolist(), "enable_categorical": True, "nthread": 1, "weight": weights}
        return kind(inputs[is_chosen], problem.y[is_chosen], **known)

    def _make(is_fit: np.ndarray, is_held: np.ndarray | None) -> XGBoostEngine:
        held = None if is_held is None else _table(xgboost.DMatrix, is_held)
        bins = {"max_bin": parameters["max_bin"]}
        return XGBoostEngine(parameters, _table(partial(xgboost.QuantileDMatrix, **bins), is_fit), held)

    return boosted(_make, problem, ctx, parameters["learning_rate"])


def parameters_of(configuration: Configuration, problem: Problem, ctx: Context) -> dict[str, Any]:
    """Return the parameters of XGBoost for a problem."""
    objective, metrics = _objective(problem, ctx)
    fixed = {
        "objective": objective,
        "eval_metric": metrics,
        "disable_default_eval_metric": True,
        "tree_method": "hist",
        "device": "cpu",
        "nthread": 1,
        "learning_rate": rate_of(float(configuration.values["learning_rate"]), problem.trees_a_round),
        "seed": derive(ctx.seed, "xgboost") % 2**31,
        "verbosity": 0,
    }
    if problem.goal == "many":
        fixed["num_class"] = int(problem.present.sum())
    return {**fixed, **{name: configuration.values[name] for name in _SEARCHED}}


def _objective(problem: Problem, ctx: Context) -> tuple[str, list[str]]:
    """Return what is minimised, and the losses that say when to stop, for the reasons given in `gbdt`.

    Squares are minimised for the metric mae too: 30,957 in place of 31,368 by absolute differences on
    california_housing, 2.02 and 2.04 on taxis_fare, in two thirds and half of the time.
    """
    if problem.goal == "two":
        return "binary:logistic", ["logloss"]
    if problem.goal == "many":
        return "multi:softprob", ["merror", "mlogloss"] if ctx.metric.name == "accuracy" else ["mlogloss"]
    return "reg:squarederror", ["mae" if ctx.metric.name == "mae" else "rmse"]


class XGBoostEngine:
    """Implements `automl.candidates.tabular.boosting_rounds.Engine`."""

    def __init__(self, parameters: dict[str, Any], fit: Any, held: Any) -> None:
        import xgboost

        self._fit, self._held = fit, held
        self._booster = xgboost.Booster(parameters, cache=[fit] if held is None else [fit, held])

    def step(self) -> None:
        """Add a round; a tree without a split counts as one."""
        self._booster.update(self._fit, self.rounds())

    def rounds(self) -> int:
        """Return the rounds it has."""
        return int(self._booster.num_boosted_rounds())

    def losses(self) -> tuple[float, ...]:
        """Return the losses on the rows held out; XGBoost gives them as text: [round], then name:value of each."""
        return tuple(float(part.rsplit(":", 1)[1]) for part in self._booster.eval(self._held).split("\t")[1:])

    def model(self, rounds: int) -> bytes:
        """Return the JSON of the first so many rounds."""
        return bytes(self._booster[:rounds].save_raw("json"))


CANDIDATE = XGBoost()
