"""Fine-tuning a checkpoint on a few labelled images: LoRA, all weights, or the head alone.

Every checkpoint is given the same protocol, seeds and images. Seeds learn side by side on a GPU,
where small models leave it idle, and in cells of their own on a CPU, where that would gain little.
"""

import copy
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from peft import PeftModel
from torch import Tensor, nn
from transformers import PreTrainedModel

from numerics.sweep.store import Arrays, Cell, cell_key
from transfer.experiment.plan import OVERLAPS
from transfer.images.data import Dataset, Split
from transfer.images.shift import shifted
from transfer.images.subsets import few_shot, nested_seed
from transfer.learning.checkpoint import identity_of, restore, write_adapter
from transfer.learning.model import (
    ClassTokenViT,
    give_new_head,
    only_head_learns,
    seeded,
    with_lora,
)
from transfer.learning.overlap import update_overlaps
from transfer.learning.own import Classifier, classifier_of, load_own
from transfer.learning.pretrain import checkpoint_path, facts_of, schedule_of, source_model
from transfer.learning.training import (
    Images,
    Network,
    Together,
    Training,
    batches,
    evaluate,
    normalised,
)

_SHIFT_SEED = 0


def downstream_splits(dataset: Dataset, rotation: float, noise: float) -> tuple[Split, Split]:
    """Training and test images of the downstream task, shifted if it says so."""
    if not rotation and not noise:
        return dataset.train, dataset.test
    return _shifted_splits(dataset, rotation, noise)


@lru_cache(maxsize=2)
def _shifted_splits(dataset: Dataset, rotation: float, noise: float) -> tuple[Split, Split]:
    train, test = (
        Split(shifted(split.images, rotation, noise, _SHIFT_SEED + place), split.labels)
        for place, split in enumerate((dataset.train, dataset.test))
    )
    return train, test


def adapter_path(folder: Path, cell: Cell, seed: int) -> Path:
    """Where adapters and head of a cell's fine-tuning seed are kept."""
    return folder / f"{cell_key(cell)}-{seed}.safetensors"


def adapt_cell(
    cell: Cell,
    source: Dataset,
    downstream: Dataset,
    folder: Path,
    device: torch.device,
    adapters: Path | None = None,
) -> Arrays:
    """Fine-tune one checkpoint, once for each of the cell's fine-tuning seeds.

    Images, new head, A of LoRA and the order of the batches are drawn from the pre-training seed
    and the fine-tuning seed, and from nothing else: they are the same for every checkpoint and
    protocol of both seeds, and independent of those of any other pre-training.

    Arguments:
        cell: as made by ``plan``.
        source: what the checkpoint was trained on.
        downstream: what it is adapted to.
        folder: of the checkpoints.
        device: where it is computed.
        adapters: a folder to keep adapters and heads in.

    The result holds, one row a seed: ``train_loss`` over the epochs, ``test_loss`` and
    ``test_accuracy`` at the measured ones, the overlaps of ``overlap``, and ``learning``,
    how many parameters learn. A run that diverges (its loss, a weight or a logit is not finite) is
    a result too: from that epoch on its rows hold no numbers, nor has it overlaps.

    Raises ``InputError`` for a missing, damaged or foreign checkpoint, and as ``Training`` does.
    """
    seeds = [nested_seed(cell["seed"], seed) for seed in cell["fine_tuning_seeds"]]
    train, test, chosen = _images(cell, source, downstream, device, seeds)
    checkpoint = checkpoint_of(cell, source, folder)
    models = [adapted_model(cell, checkpoint, downstream.classes, seed) for seed in seeds]
    built = ClassTokenViT if "run" in cell else classifier_of  # made here, or one's own
    learners: list[Any] = [built(model.to(device)) for model in models]
    if cell["adaptation"]["method"] == "probe":
        train = _features(learners[0], train, chosen.unique())
        test = _features(learners[0], test, torch.arange(len(test.labels), device=device))
        learners = [learner.head for learner in learners]
    result = _learn(learners, (train, test), chosen, cell, seeds)
    if adapters and isinstance(models[0], PeftModel):
        for seed, model in zip(cell["fine_tuning_seeds"], models, strict=True):
            path = adapter_path(adapters, cell, seed)
            write_adapter(model, path, identity_of(checkpoint), {"seed": seed})
    learning = sum(p.numel() for p in models[0].parameters() if p.requires_grad)
    well = np.isfinite(result["train_loss"][:, -1])
    return {**result, **_overlaps(models, well), "learning": np.array(learning)}


def _images(
    cell: Cell, source: Dataset, downstream: Dataset, device: torch.device, seeds: Sequence[int]
) -> tuple[Images, Images, Tensor]:
    """Training and test images as the source's are, and the few that each seed learns from."""
    settings, stated = cell["downstream"], cell.get("scale")
    splits = downstream_splits(downstream, settings["rotation"], settings["noise"])
    train, test = (normalised(s.images, s.labels, source, device, stated) for s in splits)
    chosen = np.stack([few_shot(splits[0].labels, settings["shots"], seed) for seed in seeds])
    return train, test, torch.from_numpy(chosen).to(device)


def _overlaps(models: Sequence[nn.Module], well: NDArray[np.bool_]) -> Arrays:
    """Overlaps of each model's update; not a number without LoRA, or if the run diverged."""
    none = dict.fromkeys(OVERLAPS, np.nan)
    found = [
        update_overlaps(model) if isinstance(model, PeftModel) and fine else none
        for model, fine in zip(models, well, strict=True)
    ]
    return {name: np.array([overlaps[name] for overlaps in found]) for name in OVERLAPS}


def adapted_model(
    cell: Cell, checkpoint: PreTrainedModel, classes: int, seed: int
) -> PreTrainedModel | PeftModel:
    """A copy of a checkpoint's model, ready to be fine-tuned as the cell says.

    Arguments:
        classes: of the downstream task.
        seed: of a new head and of LoRA's A.
    """
    settings, model = cell["adaptation"], copy.deepcopy(checkpoint)
    if settings["head"] == "new":
        give_new_head(model, classes, seed)
    if settings["method"] == "lora":
        lora = {name: settings[name] for name in ("rank", "alpha", "targets")}
        return with_lora(model, **lora, seed=seed)
    if settings["method"] == "probe":
        only_head_learns(model)
    return model


def checkpoint_of(cell: Cell, source: Dataset, folder: Path) -> PreTrainedModel:
    """The model that a cell starts from; raises ``InputError`` if it is missing or foreign."""
    if "weights" in cell:
        return load_own(folder / cell["weights"]["folder"], cell["weights"]["digest"])
    model, (run, epoch) = source_model(cell, source), (cell["run"], cell["checkpoint"])
    restore(model, checkpoint_path(folder, run, epoch), facts_of(cell, run, epoch))
    return model


@torch.no_grad()
def _features(model: ClassTokenViT | Classifier, images: Images, chosen: Tensor) -> Images:
    """What a frozen backbone, without dropout, makes of the chosen images: for all epochs, seeds.

    In place of the others is no number.
    """
    model.eval()
    parts = [model.features(images.take(chosen[part])) for part in batches(len(chosen))]
    found = torch.cat(parts)
    values = found.new_full((len(images.labels), found.shape[1]), torch.nan)
    values[chosen] = found
    return Images(values, images.labels)


def _learn(
    models: Sequence[nn.Module], images: tuple[Images, Images], chosen: Tensor, cell: Cell,
    seeds: Sequence[int],
) -> Arrays:  # fmt: skip
    settings, (train, test) = cell["adaptation"], images
    network = Network(models[0]) if len(models) == 1 else Together(models)
    losses = np.full((len(models), settings["epochs"]), np.nan)
    found = np.full((2, len(models), len(settings["measured"])), np.nan)
    well = np.full(len(models), True)  # once a run has diverged, it stays so
    with seeded(seeds[0]):
        training = Training(network, train, chosen, schedule_of(settings), seeds)
        for epoch in range(1, settings["epochs"] + 1):
            last = training.epoch().double().cpu().numpy()
            well &= np.isfinite(last)
            if epoch in settings["measured"] and well.any():
                tested = np.stack(evaluate(network, test))
                well &= np.isfinite(tested[0])
                found[:, well, settings["measured"].index(epoch)] = tested[:, well]
            losses[well, epoch - 1] = last[well]
            if not well.any():  # nothing can be learnt from here on
                break
    network.write_back()
    return {"train_loss": losses, "test_loss": found[0], "test_accuracy": found[1]}
