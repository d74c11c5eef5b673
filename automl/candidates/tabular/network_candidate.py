"""What turns a network for tables into a candidate. The driver imports this: torch is imported only where needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from automl.candidates.tabular.encoder_options import EncoderOptions
from automl.candidates.tabular.network_cost import cost
from automl.candidates.tabular.network_settings import NetworkSettings
from automl.candidates.tabular.table_model import TableModel
from automl.core.data import DataSpec
from automl.core.job import Cost, Job
from automl.core.protocols import Context, DataSource
from automl.core.space import Configuration, Value


@dataclass(frozen=True)
class TableNetworkCandidate:
    """A network for tables; implements `automl.core.protocols.Candidate`."""

    name: str
    tasks: tuple[str, ...] = ("tabular-clf", "tabular-reg")
    requires: tuple[str, ...] = ("torch", "onnx", "onnxruntime")
    is_probed: bool = False

    def estimate(self, spec: DataSpec, configuration: Configuration, rows: int) -> Cost:
        """Return the cost of one fold, for the number of epochs after which such networks usually stop."""
        values = configuration.values
        return cost(spec, NetworkSettings.of(values), encoder_options(values), rows)

    def probe(self, data: DataSource, configuration: Configuration, ctx: Context) -> Cost:
        """Return the estimate: when training stops, which decides the cost, no probe can tell."""
        return self.estimate(data.spec, configuration, len(ctx.train_rows))

    def fit(self, job: Job, configuration: Configuration, data: DataSource, ctx: Context) -> TableModel:
        """Train in one go; where time is short, with a faster schedule.

        Raises:
            FloatingPointError: the loss is not finite.
            MemoryError: the rows do not fit on the device.
            TimeoutError: there is no time to begin.
        """
        from automl.candidates.tabular.network_fit import fitted

        return fitted(self.name, configuration.values, data, ctx)


def encoder_options(values: Mapping[str, Value]) -> EncoderOptions:
    """Return how a table is encoded for a network: without gaps, categories as codes or columns of their own."""
    return EncoderOptions(
        numbers=values["numbers"],  # type: ignore[arg-type]
        missing="impute",
        categories="codes" if values["categories"] == "embedding" else "onehot",
        texts=int(values["texts"]),
    )
