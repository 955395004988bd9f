"""Pre-training on the source: checkpoints along the way, and a state from which to go on.

After every epoch the whole state (weights, optimiser, step, random generators, curves) is in a
file, so that a run killed at any moment goes on to the weights it would have had: bit for bit on
a CPU; on a GPU up to the order in which its kernels add.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from torch import Tensor
from transformers import ViTForImageClassification

from numerics.sweep.store import Arrays, Cell, cell_key
from transfer.experiment.plan import CURVES, EACH_CHECKPOINT
from transfer.experiment.records import Model
from transfer.images.data import Dataset
from transfer.images.subsets import SOURCE, few_shot, held_out
from transfer.learning.checkpoint import (
    damaged,
    insist_on,
    random_state,
    read_tensors,
    restore_random_state,
    write_tensors,
)
from transfer.learning.model import ClassTokenViT, seeded, vision_transformer
from transfer.learning.network import Network
from transfer.learning.training import Images, Schedule, Training, evaluate, normalised


def checkpoint_path(folder: Path, run: str, epoch: int) -> Path:
    """Where a run keeps the checkpoint of an epoch.

    Arguments:
        folder: of checkpoints.
        run: the key of its cell.
        epoch: from 0 on.
    """
    return folder / run / f"epoch-{epoch:04d}.safetensors"


def state_path(folder: Path, run: str) -> Path:
    """Where a run keeps the state from which it goes on."""
    return folder / run / "state.safetensors"


def facts_of(cell: Cell, run: str, epoch: int) -> dict[str, Any]:
    """What a checkpoint says of itself, and a reader may insist on.

    Arguments:
        cell: that names the model.
        run: the key of the run's cell.
        epoch: from 0 on.
    """
    return {"model": cell["model"], "run": run, "epoch": epoch}


def schedule_of(settings: Mapping[str, Any]) -> Schedule:
    """The schedule in the settings of ``Pretraining`` or ``Adaptation``."""
    names = Schedule.__dataclass_fields__
    return Schedule(**{name: settings[name] for name in names if name in settings})


def source_model(cell: Cell, source: Dataset) -> ViTForImageClassification:
    """The model of a pre-training cell, as it is before the first step."""
    sizes = msgspec.convert(cell["model"], Model)
    return vision_transformer(sizes, source.shape, source.classes, cell["seed"])


def pretrain_cell(
    cell: Cell,
    source: Dataset,
    folder: Path,
    device: torch.device,
) -> Arrays:
    """Pre-train, or go on where a run that was stopped left off.

    Arguments:
        cell: as ``plan`` makes it.
        source: the dataset.
        folder: keeps checkpoints and the state.
        device: where it is computed.

    The result holds ``CURVES`` over the epochs, and test loss and accuracy at each checkpoint. From
    the epoch on in which the run diverges none of them is a number, and no weight of its
    checkpoints is: whatever starts from these has diverged too.

    Raises ``InputError`` as ``Training`` does.
    """
    images, (chosen, held, test) = _images(cell, source, device)
    run = _Run(cell, source_model(cell, source).to(device), test, folder, device)
    schedule = schedule_of(cell["pretraining"])
    training = Training(run.network, images, chosen[None], schedule, [cell["seed"]])
    with seeded(cell["seed"]):
        for epoch in range(run.begin(training) + 1, schedule.epochs + 1):
            loss = training.epoch().item() if run.network.finite() else np.nan
            if not np.isfinite(loss):
                _forget_weights(run.model)
            run.note(CURVES, (loss, *(value.item() for value in evaluate(run.network, held))))
            run.keep(epoch, training)
    return {name: np.array(values) for name, values in run.curves.items()}


class _Run:
    """A run of pre-training: its model, what is measured of it, and its files."""

    def __init__(
        self,
        cell: Cell,
        model: ViTForImageClassification,
        test: Images,
        folder: Path,
        device: torch.device,
    ) -> None:
        self.cell, self.model, self.test, self.device = cell, model, test, device
        self.network = Network(ClassTokenViT(model))
        self.folder, self.key = folder, cell_key(cell)
        self.curves: dict[str, list[float]] = {n: [] for n in (*CURVES, *EACH_CHECKPOINT)}

    def begin(self, training: Training) -> int:
        """Go on from the state that is kept, if one is; the epoch from which it goes on."""
        path = state_path(self.folder, self.key)
        if not path.exists():
            self.keep(0, training)
            return 0
        facts = _resume(path, self.model, training, self.device, facts_of(self.cell, self.key, 0))
        self.curves = facts["curves"]
        return int(facts["epoch"])

    def note(self, names: Sequence[str], values: Sequence[float]) -> None:
        """Add a value to each of the curves."""
        for name, value in zip(names, values, strict=True):
            self.curves[name].append(value)

    def keep(self, epoch: int, training: Training) -> None:
        """Write the state, and the checkpoint if the epoch has one."""
        facts = facts_of(self.cell, self.key, epoch)
        if epoch in self.cell["pretraining"]["checkpoints"]:
            self.note(EACH_CHECKPOINT, [v.item() for v in evaluate(self.network, self.test)])
            path = checkpoint_path(self.folder, self.key, epoch)
            write_tensors(path, self.model.state_dict(), facts)
        tensors = {**_state(self.model, training), **random_state(self.device)}
        facts |= {"curves": self.curves, "step": training.step}
        write_tensors(state_path(self.folder, self.key), tensors, facts)


def _images(
    cell: Cell, source: Dataset, device: torch.device
) -> tuple[Images, tuple[Tensor, Images, Images]]:
    """All training images, which of them to train on, those held out, and the test images."""
    seed, wanted = cell["seed"], cell["source"]["images"]
    labels = source.train.labels
    everything = np.arange(len(labels))
    used = (
        everything if wanted == "all" else few_shot(labels, wanted // source.classes, seed, SOURCE)
    )
    kept, out = held_out(labels[used], cell["pretraining"]["validation"], seed)
    images = normalised(source.train, source, device)
    return images, (
        torch.from_numpy(used[kept]).to(device),
        images.part(torch.from_numpy(used[out]).to(device)),
        normalised(source.test, source, device),
    )


@torch.no_grad()
def _forget_weights(model: torch.nn.Module) -> None:
    """Nothing may go on from a run that has diverged, also if only a logit was infinite."""
    for parameter in model.parameters():
        parameter.fill_(torch.nan)


def _state(model: torch.nn.Module, training: Training) -> dict[str, Tensor]:
    moments = {
        f"optimiser.{place}.{name}": value
        for place, values in training.optimiser.state_dict()["state"].items()
        for name, value in values.items()
    }
    return {**{f"model.{n}": t for n, t in model.state_dict().items()}, **moments}


def _resume(
    path: Path, model: torch.nn.Module, training: Training, device: torch.device,
    expected: Mapping[str, Any],
) -> dict[str, Any]:  # fmt: skip
    tensors, facts = read_tensors(path)
    insist_on(path, facts, {name: expected[name] for name in ("model", "run")})
    try:
        _put_back(tensors, facts, model, training, device)
    except (KeyError, RuntimeError, TypeError, ValueError):
        raise damaged(path) from None
    return facts


def _put_back(
    tensors: Mapping[str, Tensor], facts: Mapping[str, Any], model: torch.nn.Module,
    training: Training, device: torch.device,
) -> None:  # fmt: skip
    model.load_state_dict({n[6:]: t for n, t in tensors.items() if n.startswith("model.")})
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith("optimiser."):
            _, place, field = name.split(".")
            state.setdefault(int(place), {})[field] = tensor
    groups = training.optimiser.state_dict()["param_groups"]
    training.optimiser.load_state_dict({"state": state, "param_groups": groups})
    training.step = facts["step"]
    restore_random_state(tensors, device)
