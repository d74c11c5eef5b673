"""Gradient-boosted trees (LightGBM) on a table, with its own splits of categories and its own way of missing values.

Claim: 5-fold, defaults: roc_auc 0.781 on credit_g, 0.847 on telco_churn, 0.928 on adult, 0.884 on titanic; average
precision 0.712 on mammography; accuracy 0.638 on wine_quality, 0.947 on letter (3-fold); rmse 46,226 on
california_housing. 0.1, 0.3, 1.3, 0.2, 0.5, 1.1, 7.4 and 1.4 CPU-s a fold on one core. With LightGBM's own defaults and
the learning rate 0.05, as AutoGluon has it, stopped and trained again in the same way: 0.762, 0.842, 0.928, 0.885,
0.708, 0.640 and 46,913 (without letter).
Source: Ke et al. 2017, https://papers.nips.cc/paper/6907; parameters: https://lightgbm.readthedocs.io/en/stable/Parameters.html.

Rows held out inside the fold say how many rounds are enough; see `boosting_rounds`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from automl.candidates.graphs.onnx_graphs import Trees

_SEARCHED = (
    "num_leaves", "feature_fraction", "bagging_fraction", "lambda_l2", "extra_trees", "max_bin", "cat_smooth",
)  # fmt: skip
_LEAST_LEAVES = 20  # a leaf has at most the 20th part of the rows as its least number of rows
_SECONDS = TreeSeconds(fixed=1e-4, row=7e-8, value=4e-9, bin=5e-9)


class GradientBoosting:
    """Implements `automl.core.protocols.Candidate`."""

    name = "gbdt"
    tasks = ("tabular-clf", "tabular-reg")
    requires = ("lightgbm", "onnx", "onnxruntime")
    is_probed = False

    def estimate(self, spec: DataSpec, configuration: Configuration, rows: int) -> Cost:
        """Return the cost of one fold, for the number of rounds that is usual at this learning rate."""
        values = configuration.values
        leaves = min(int(values["num_leaves"]), max(1, rows // int(values["min_data_in_leaf"])))
        shape = Shape(
            float(values["learning_rate"]), leaves, int(values["max_bin"]), float(values["feature_fraction"])
        )  # fmt: skip
        return boosting_cost(spec, configuration, rows, shape=shape, seconds=_SECONDS)

    def probe(self, data: DataSource, configuration: Configuration, ctx: Context) -> Cost:
        """Return the estimate: how many rounds it takes, which decides the cost, no probe can tell."""
        return self.estimate(data.spec, configuration, len(ctx.train_rows))

    def fit(self, job: Job, configuration: Configuration, data: DataSource, ctx: Context) -> TableModel:
        """Train in one go: rounds as the rows held out ask for, fewer where the time ends."""
        problem = problem_of(data, ctx, configuration)
        plan, width = problem.table.plan, problem.table.X.shape[1]
        trees = boosted_trees(problem, configuration, ctx) if problem.is_learnable() else None
        if trees is None:
            ctx.note("rounds", "0: nothing tells one target from another")
            model = constant_model(prior(data, ctx), plan, width, ctx)
        else:
            model = TableModel(graph_of(trees, problem), plan, "probabilities" if ctx.classes else "values")
        report_score(model, problem.table.X, data, ctx)
        return model


def boosted_trees(problem: Problem, configuration: Configuration, ctx: Context) -> Trees | None:
    """Return the trees that a configuration grows on a problem; None where no split was found."""
    from automl.candidates.graphs.lightgbm_trees import trees_of

    trained = _boosted(problem, configuration, ctx)
    return None if trained is None else trees_of(trained.model, np.flatnonzero(problem.present))


def _boosted(problem: Problem, configuration: Configuration, ctx: Context) -> Boosted | None:
    """Return the model, its text; rows are sorted into bins once for both trainings."""
    import lightgbm

    inputs = problem.inputs()
    if not _is_varied(inputs):
        return None
    parameters = parameters_of(configuration, problem, ctx)
    table = lightgbm.Dataset(
        inputs,
        problem.y,
        weight=problem.weights,
        categorical_feature=[code.column for code in problem.table.codes],
        params=parameters,
    ).construct()

    def _make(is_fit: np.ndarray, is_held: np.ndarray | None) -> LightGbmEngine:
        fit = table if is_held is None else table.subset(np.flatnonzero(is_fit).tolist())
        held = None if is_held is None else table.subset(np.flatnonzero(is_held).tolist())
        return LightGbmEngine(parameters, fit, held)

    return boosted(_make, problem, ctx, parameters["learning_rate"])


def _is_varied(inputs: np.ndarray) -> bool:
    """Whether a column tells one row from another; LightGBM refuses anything else."""
    return any(not np.array_equal(column, np.full_like(column, column[0]), equal_nan=True) for column in inputs.T)


def parameters_of(configuration: Configuration, problem: Problem, ctx: Context) -> dict[str, Any]:
    """Return the parameters of LightGBM for a problem."""
    values = configuration.values
    target: dict[str, Any] = {"objective": _objective(problem, ctx), "metric": _metrics(problem, ctx)}
    if problem.goal == "many":
        target["num_class"] = int(problem.present.sum())
    fixed = {
        "num_threads": 1,
        "deterministic": True,
        "force_col_wise": True,
        "feature_pre_filter": False,  # a filter by min_data_in_leaf can leave no column at all, which is an error
        "bagging_freq": 1,
        "learning_rate": rate_of(float(values["learning_rate"]), problem.trees_a_round),
        "min_data_in_leaf": max(1, min(int(values["min_data_in_leaf"]), len(problem.rows) // _LEAST_LEAVES)),
        "seed": derive(ctx.seed, "gbdt") % 2**31,
        "verbose": -1,
    }
    return {**target, **fixed, **{name: values[name] for name in _SEARCHED if name in values}}


def _objective(problem: Problem, ctx: Context) -> str:
    if problem.goal == "value":
        return "regression_l1" if ctx.metric.name == "mae" else "regression"
    return "binary" if problem.goal == "two" else "multiclass"


def _metrics(problem: Problem, ctx: Context) -> list[str]:
    """Return the losses that say when to stop, the first of them where the best rounds are.

    The likelihood also where classes are ranked: by the area under the curve itself the models were worse (roc_auc of
    credit_g 0.744 in place of 0.774, telco_churn 0.840 and 0.846; average_precision of mammography 0.666 and 0.680).
    So they were by errors of two classes (accuracy of credit_g 0.736 and 0.749, titanic 0.831 and 0.838), but of
    several classes errors are the better sign: wine_quality 0.645 in place of 0.633, letter 0.954 and 0.950.
    """
    if problem.goal == "value":
        return ["l1" if ctx.metric.name == "mae" else "l2"]
    if problem.goal == "two":
        return ["binary_logloss"]
    return ["multi_error", "multi_logloss"] if ctx.metric.name == "accuracy" else ["multi_logloss"]


class LightGbmEngine:
    """Implements `automl.candidates.tabular.boosting_rounds.Engine`."""

    def __init__(self, parameters: dict[str, Any], fit: Any, held: Any) -> None:
        import lightgbm

        self._metrics = parameters["metric"]
        self._booster = lightgbm.Booster(parameters, fit)
        if held is not None:
            self._booster.add_valid(held, "held")

    def step(self) -> None:
        """Add a round, unless no split is found."""
        self._booster.update()

    def rounds(self) -> int:
        """Return the rounds it has; LightGBM counts those in which a split was found."""
        return int(self._booster.current_iteration())

    def losses(self) -> tuple[float, ...]:
        """Return the losses on the rows held out."""
        found = {name: float(loss) for _, name, loss, _ in self._booster.eval_valid()}
        return tuple(found[name] for name in self._metrics)

    def model(self, rounds: int) -> str:
        """Return the text of the first so many rounds."""
        return str(self._booster.model_to_string(num_iteration=rounds))


CANDIDATE = GradientBoosting()
