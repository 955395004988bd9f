"""Fine-tuning a checkpoint on a few labelled images: LoRA, all weights, or the head alone.

Every checkpoint is given the same protocol, seeds and images. Seeds learn side by side on a GPU,
where small models leave it idle, and in cells of their own on a CPU, where that would gain little.
"""

import copy
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from peft import PeftModel
from torch import Tensor, nn
from transformers import ViTForImageClassification

from numerics.sweep import Cell, Result, cell_key
from transfer.checkpoint import identity_of, restore, write_adapter
from transfer.data import Dataset, Split
from transfer.model import ClassTokenViT, give_new_head, only_head_learns, seeded, with_lora
from transfer.overlap import update_overlaps
from transfer.plan import OVERLAPS
from transfer.pretrain import checkpoint_path, facts_of, schedule_of, source_model
from transfer.shift import shifted
from transfer.subsets import few_shot
from transfer.training import (
    Alone,
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


def adapt_cell(
    cell: Cell,
    source: Dataset,
    downstream: Dataset,
    folder: Path,
    device: torch.device,
    adapters: Path | None = None,
) -> Result:
    """Fine-tune one checkpoint, once for each of the cell's seeds.

    Arguments: ``cell``, as made by ``transfer.plan``; the datasets; ``folder`` of the
    checkpoints; ``device``; ``adapters``, a folder to keep adapters and heads in.

    The result holds, one row a seed: ``train_loss`` over the epochs, ``test_loss`` and
    ``test_accuracy`` at the measured ones (not a number from where a loss was not finite), the
    overlaps of ``transfer.overlap``, and ``learning``, how many parameters learn.

    Raises ``InputError`` for a missing, damaged or foreign checkpoint, and as ``Training`` does.
    """
    seeds = cell["fine_tuning_seeds"]
    shift = cell["downstream"]["rotation"], cell["downstream"]["noise"]
    splits = downstream_splits(downstream, *shift)
    train, test = (normalised(s.images, s.labels, source, device) for s in splits)
    shots = cell["downstream"]["shots"]
    chosen = torch.from_numpy(np.stack([few_shot(splits[0].labels, shots, s) for s in seeds]))
    checkpoint = _checkpoint(cell, source, folder)
    models = [adapted_model(cell, checkpoint, downstream.classes, seed) for seed in seeds]
    learners: list[nn.Module] = [ClassTokenViT(model.to(device)) for model in models]
    if _features_suffice(cell):
        train, test = (_features(learners[0], images) for images in (train, test))
        learners = [model.classifier for model in models]
    result = _learn(learners, (train, test), chosen.to(device), cell)
    lora = [model for model in models if isinstance(model, PeftModel)]
    if adapters and lora:
        for seed, model in zip(seeds, lora, strict=True):
            path = adapters / f"{cell_key(cell)}-{seed}.safetensors"
            write_adapter(model, path, identity_of(checkpoint), {"seed": seed})
    overlaps = [update_overlaps(model) for model in lora] or [dict.fromkeys(OVERLAPS, np.nan)]
    learning = sum(p.numel() for p in models[0].parameters() if p.requires_grad)
    return {
        **result,
        **{name: np.array([overlap[name] for overlap in overlaps]) for name in OVERLAPS},
        "learning": np.array(learning),
    }


def adapted_model(
    cell: Cell, checkpoint: ViTForImageClassification, classes: int, seed: int
) -> ViTForImageClassification | PeftModel:
    """A copy of a checkpoint's model, ready to be fine-tuned as the cell says.

    Arguments: ``classes`` of the downstream task; ``seed`` of a new head and of LoRA's A.
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


def _checkpoint(cell: Cell, source: Dataset, folder: Path) -> ViTForImageClassification:
    model, (run, epoch) = source_model(cell, source), (cell["run"], cell["checkpoint"])
    restore(model, checkpoint_path(folder, run, epoch), facts_of(cell, run, epoch))
    return model


def _features_suffice(cell: Cell) -> bool:
    """Whether the head alone learns, on features that are the same at every epoch."""
    return cell["adaptation"]["method"] == "probe" and not cell["model"]["dropout"]


@torch.no_grad()
def _features(model: ClassTokenViT, images: Images) -> Images:
    """What a frozen backbone makes of images, computed once for all epochs and seeds."""
    model.eval()
    parts = [model.features(images.take(part)) for part in batches(len(images.labels))]
    return Images(torch.cat(parts), images.labels)


def _learn(
    models: Sequence[nn.Module], images: tuple[Images, Images], chosen: Tensor, cell: Cell
) -> Result:
    settings, seeds = cell["adaptation"], cell["fine_tuning_seeds"]
    train, test = images
    network: Network = Alone(models[0]) if len(models) == 1 else Together(models)
    losses, measured = [], []
    with seeded(seeds[0]):
        training = Training(network, train, chosen, schedule_of(settings), seeds)
        for epoch in range(1, settings["epochs"] + 1):
            last = training.epoch().double().cpu().numpy()
            losses.append(last)
            if epoch in settings["measured"]:
                found = np.stack(evaluate(network, test))
                measured.append(np.where(np.isfinite(last + found[0]), found, np.nan))
            if not np.isfinite(last).any():  # nothing can be learnt from here on
                break
    network.write_back()
    lost = np.full_like(last, np.nan)
    losses += [lost] * (settings["epochs"] - len(losses))
    measured += [np.stack([lost, lost])] * (len(settings["measured"]) - len(measured))
    loss, accuracy = np.stack(measured, axis=-1)
    return {"train_loss": np.stack(losses, -1), "test_loss": loss, "test_accuracy": accuracy}
