"""What turns an architecture into a candidate. The driver imports this: torch is imported only where it is needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from automl.candidates.training.architecture import Layer, Shape, count
from automl.candidates.training.cost import cost
from automl.candidates.training.settings import Settings
from automl.core.data import DataSpec
from automl.core.job import Cost, Job
from automl.core.protocols import Context, DataSource, Fitted
from automl.core.space import Configuration, Value

Architecture = Callable[[Mapping[str, Value], Shape, int], list[Layer]]
"""From the values of a configuration, the shape of an image and the number of classes to layers."""


@dataclass(frozen=True)
class NetworkCandidate:
    """A network for images as a candidate.

    Attributes:
        architecture: its layers for a configuration.
    """

    name: str
    architecture: Architecture
    tasks: tuple[str, ...] = ("image-clf",)
    requires: tuple[str, ...] = ("torch", "safetensors", "onnx")
    is_probed: bool = True

    def layers(self, spec: DataSpec, configuration: Configuration) -> list[Layer]:
        """Return the layers for this data and configuration."""
        return self.architecture(configuration.values, Shape(*spec.shape), len(spec.classes))

    def estimate(self, spec: DataSpec, configuration: Configuration, rows: int) -> Cost:
        """Return the cost of one fold of so many training rows on one core, counted from the layers."""
        shape = Shape(*spec.shape)
        batch = Settings.of(configuration.values).step_rows(rows)
        return cost(count(self.layers(spec, configuration), shape), rows=rows, batch=batch, row_bytes=shape.size)

    def probe(self, data: DataSource, configuration: Configuration, ctx: Context) -> Cost:
        """Measure the cost with a few steps; settles precision and memory layout on the way.

        Raises:
            MemoryError: as `fit`.
        """
        from automl.candidates.training.probing import probe

        guess = self.estimate(data.spec, configuration, len(ctx.train_rows))
        return probe(self.name, self.layers(data.spec, configuration), configuration, data, ctx, guess=guess)

    def fit(self, job: Job, configuration: Configuration, data: DataSource, ctx: Context) -> Fitted:
        """Train one member from job.start_steps to job.stop_steps.

        Raises:
            FloatingPointError: the loss is not finite.
            MemoryError: not even two rows at a time fit in memory.
        """
        from automl.candidates.training.member import Training

        return Training(self.name, self.layers(data.spec, configuration), configuration, data, ctx).run(job)
