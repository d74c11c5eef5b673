"""Trains one member: from a table to an ONNX graph. Imports torch: load lazily."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from automl.candidates.graphs.conditions import classes_present, require_time
from automl.candidates.tabular.encoding import Encoded, encoded
from automl.candidates.tabular.encoding_cost import encoding_seconds
from automl.candidates.tabular.network_candidate import encoder_options
from automl.candidates.tabular.network_cost import predict_seconds, work
from automl.candidates.tabular.network_inputs import CodeInput, Layout, layout
from automl.candidates.tabular.network_layers import TableNetwork
from automl.candidates.tabular.network_losses import Goal
from automl.candidates.tabular.network_onnx import probabilities_graph, values_graph
from automl.candidates.tabular.network_settings import NetworkSettings
from automl.candidates.tabular.network_training import NetworkTrainer, Rows, train
from automl.candidates.tabular.table_model import TableModel, constant_model, report_score
from automl.candidates.tabular.targets import ClassWeighting, TargetScale, prior, row_weights, target_choice
from automl.candidates.training.memory import is_out_of_memory
from automl.candidates.training.pace import Pace
from automl.core import seeds
from automl.core.protocols import Context, DataSource, Holdout
from automl.core.space import Value

_LAYOUT_ROWS = 50_000
"""About so many rows bound the bins of numbers."""
_MOST_VALUES = 250_000_000
"""Of the rows learned from, 1 GB; of more rows a sample is learned from."""
_BATCH_VALUES = 4_000_000
"""Numbers of a layer that are computed at once in prediction."""


def fitted(name: str, values: Mapping[str, Value], data: DataSource, ctx: Context) -> TableModel:
    """Return a trained model, and report its score.

    Args:
        name: of the candidate.
        values: of its configuration.
        data: a table.
        ctx: of the member.

    Raises:
        FloatingPointError: the loss is not finite.
        MemoryError: the rows do not fit on the device.
        TimeoutError: there is no time to begin.
    """
    options = encoder_options(values)
    require_time(ctx, encoding_seconds(data.spec, options), name)
    table = encoded(data, ctx, options)
    y = np.asarray(data.y[ctx.train_rows])
    if (y == y[0]).all():
        model = constant_model(prior(data, ctx), table.plan, table.X.shape[1], ctx)
    else:
        model = _Member(values, table, data, ctx).trained()
    report_score(model, table.X, data, ctx)
    return model


@dataclass(frozen=True)
class _Target:
    """What is learned, of which rows.

    Attributes:
        goal: the loss that is learned.
        present: (classes,) whether a class has rows; empty for values.
        scale: of values; None for classes.
    """

    goal: Goal
    present: np.ndarray
    scale: TargetScale | None

    @classmethod
    def of(cls, values: Mapping[str, Value], data: DataSource, ctx: Context) -> _Target:
        """Learn it on the training rows."""
        y = np.asarray(data.y[ctx.train_rows])
        if ctx.classes:
            return cls("classes", classes_present(y, ctx.classes), None)
        scale = TargetScale.fit(y, target_choice(values["target"], ctx.metric))  # type: ignore[arg-type]
        goal: Goal = "distances" if ctx.metric.name == "mae" else "squares"
        return cls(goal, np.empty(0, bool), scale)

    @property
    def outputs(self) -> int:
        """Return the number of outputs of a member."""
        return 1 if self.scale else int(self.present.sum())

    def learned(self, y: np.ndarray) -> np.ndarray:
        """Return targets as the network sees them: codes without gaps, or standardised values."""
        if self.scale is None:
            return np.searchsorted(np.flatnonzero(self.present), y)
        return self.scale.forward(y).astype(np.float32)

    def graph(self, network: TableNetwork) -> bytes:
        """Return the graph of a trained network."""
        if self.scale is None:
            return probabilities_graph(network, self.present)
        return values_graph(network, self.scale.inverse_node_values())


class _Member:
    """One member on its way, from an encoded table to a model."""

    def __init__(self, values: Mapping[str, Value], table: Encoded, data: DataSource, ctx: Context) -> None:
        self.values, self.table, self.data, self.ctx = values, table, data, ctx
        self.settings = NetworkSettings.of(values)
        self.target = _Target.of(values, data, ctx)

    def trained(self) -> TableModel:
        """Train and return the model."""
        try:
            network = self._network()
        except RuntimeError as error:
            if is_out_of_memory(error):
                shape = (len(self.ctx.train_rows), self.table.X.shape[1])
                raise MemoryError(f"{shape} numbers do not fit on {self.ctx.device}. Use fewer rows.") from error
            raise
        kind = "probabilities" if self.target.scale is None else "values"
        widest = self.settings.members * max(self.settings.width, sum(network.sections))
        batch = max(64, min(2048, _BATCH_VALUES // widest))
        return TableModel(self.target.graph(network), self.table.plan, kind, batch=batch)  # type: ignore[arg-type]

    def _network(self) -> TableNetwork:
        ctx, settings = self.ctx, self.settings
        parts = self._parts()
        fit = self._rows(parts.fit_rows)
        held = self._rows(parts.held_rows) if len(parts.held_rows) else None
        with torch.random.fork_rng([]):
            torch.manual_seed(seeds.derive(ctx.seed, "init"))
            network = TableNetwork(self._layout(parts.fit_rows), settings, self.target.outputs).to(ctx.device)
        trainer = NetworkTrainer(network, fit, settings, self.target.goal, seed=ctx.seed)
        epochs = settings.most_epochs(len(ctx.train_rows))
        row = work(self.data.spec, settings, encoder_options(self.values))
        pace = Pace(ctx, epochs * trainer.epoch_steps, reserve_seconds=predict_seconds(row, 2 * len(ctx.valid_rows)))
        course = train(trainer, held, pace)
        end = ", cut by time" if course.is_cut else ""
        ctx.note("epochs", f"{course.best_epoch} of {course.epochs}, at most {epochs}{end}")
        return trainer.kept.cpu()

    def _parts(self) -> Holdout:
        """Return the rows that are learned from and those that say when to stop."""
        rows, most = self.ctx.train_rows, max(1000, _MOST_VALUES // self.table.X.shape[1])
        parts = Holdout(rows, rows[:0])
        if self.settings.patience:
            parts = self.ctx.holdout(self.settings.held_share, most=self.settings.most_held)
        if len(parts.fit_rows) <= most:
            return parts
        self.ctx.note("rows", f"a sample of {most} of {len(parts.fit_rows)}")
        drawn = seeds.stream(self.ctx.seed, "rows").choice(parts.fit_rows, most, replace=False)
        return Holdout(np.sort(drawn), parts.held_rows)

    def _rows(self, rows: np.ndarray) -> Rows:
        """Copy rows to the device."""
        how: ClassWeighting = self.values.get("class_weights", "none")  # type: ignore[assignment]
        weights = row_weights(self.data, rows, self.ctx.classes, how)
        y = torch.from_numpy(self.target.learned(np.asarray(self.data.y[rows])))
        X = torch.from_numpy(np.asarray(self.table.X[rows]))
        device = self.ctx.device
        return Rows(
            X.to(device), y.to(device), None if weights is None else torch.from_numpy(weights).float().to(device)
        )

    def _layout(self, rows: np.ndarray) -> Layout:
        sample = self.table.X[rows[:: max(1, len(rows) // _LAYOUT_ROWS)]]
        return layout(sample, [CodeInput(*code) for code in self.table.codes], self.settings.bins)
