"""A trainer's state as safetensors and JSON: nothing is pickled. Imports torch: load lazily."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from automl.candidates.training.trainer import Trainer

TENSORS, FACTS = "checkpoint.safetensors", "checkpoint.json"
Weights = dict[str, torch.Tensor]


@dataclass
class Progress:
    """What early stopping remembers.

    Attributes:
        losses: loss on the held-out rows after each epoch.
        best_epoch: the epoch with the least of them; 0 before the first.
        best: the weights after it.
    """

    losses: list[float]
    best_epoch: int = 0
    best: Weights | None = None


def save(trainer: Trainer, progress: Progress, folder: Path) -> None:
    """Write everything that training needs to go on exactly as if it had not stopped."""
    tensors = dict(_named("weights", trainer.network.state_dict()))
    if trainer.average:
        tensors.update(_named("average", trainer.average.network.state_dict()))
    if progress.best:
        tensors.update(_named("best", progress.best))
    for name, parameter in trainer.network.named_parameters():
        state = {k: v for k, v in trainer.optimiser.state[parameter].items() if isinstance(v, torch.Tensor)}
        tensors.update(_named(f"optimiser/{name}", state))
    facts = {"steps": trainer.steps, "parts": trainer.frugal.parts, "losses": progress.losses,
             "best_epoch": progress.best_epoch, "course": asdict(trainer.course)}  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / TENSORS)
    (folder / FACTS).write_text(json.dumps(facts), encoding="utf-8")


def restore(trainer: Trainer, folder: Path) -> Progress:
    """Put the state in folder into a fresh trainer of the same network, rows and settings.

    Raises:
        ValueError: the checkpoint was made with another schedule length, so that going on would not be the same.
    """
    facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    if facts["course"]["full_steps"] != trainer.course.full_steps:
        raise ValueError(
            f"{folder}: the checkpoint's schedule spans {facts['course']['full_steps']} epochs, this job's "
            f"{trainer.course.full_steps}. Start the member anew"
        )
    tensors = load_file(folder / TENSORS)
    _fill(trainer.network, _group(tensors, "weights"))
    if trainer.average:
        _fill(trainer.average.network, _group(tensors, "average"))
    _fill_optimiser(trainer, _group(tensors, "optimiser"))
    trainer.steps, trainer.frugal.parts = facts["steps"], facts["parts"]
    return Progress(facts["losses"], facts["best_epoch"], _group(tensors, "best") or None)


def _named(prefix: str, tensors: Mapping[str, torch.Tensor]) -> Iterator[tuple[str, torch.Tensor]]:
    for name, tensor in tensors.items():
        yield f"{prefix}/{name}", tensor.detach().cpu().clone(memory_format=torch.contiguous_format)


def _group(tensors: Mapping[str, torch.Tensor], prefix: str) -> Weights:
    return {name.removeprefix(f"{prefix}/"): t for name, t in tensors.items() if name.startswith(f"{prefix}/")}


def _fill(network: nn.Module, weights: Weights) -> None:
    """Copy values in place, so that device and memory layout stay."""
    network.load_state_dict(weights)


def _fill_optimiser(trainer: Trainer, tensors: Weights) -> None:
    plan = trainer.optimiser.state_dict()
    names = {id(parameter): name for name, parameter in trainer.network.named_parameters()}
    parameters = [p for group in trainer.optimiser.param_groups for p in group["params"]]
    for number, parameter in enumerate(parameters):
        state = _group(tensors, names[id(parameter)])
        plan["state"][number] = {key: _like(parameter, value) for key, value in state.items()}
    trainer.optimiser.load_state_dict(plan)


def _like(parameter: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """Return value in the parameter's layout if it has its shape; step counters have none."""
    return torch.empty_like(parameter).copy_(value) if value.shape == parameter.shape else value
