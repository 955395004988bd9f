"""Fine-tuning a model on a few labelled images: LoRA, all weights, or the head alone.

Every checkpoint is given the same protocol, seeds and images. Seeds learn side by side on a GPU,
where small models leave it idle, and in cells of their own on a CPU, where that would gain little.
"""

import copy
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from peft import PeftModel
from torch import Tensor, nn
from transformers import PreTrainedModel

from numerics.sweep.store import Arrays, Cell, cell_key
from transfer.experiment.plan import EACH_CHECKPOINT, OVERLAPS
from transfer.experiment.records import Adaptation
from transfer.images.data import Dataset, Split
from transfer.images.shift import shifted
from transfer.images.subsets import few_shot, nested_seed
from transfer.learning.checkpoint import identity_of, restore, write_adapter
from transfer.learning.head import Head, features_of, fit_head, put_head
from transfer.learning.model import (
    ClassTokenViT,
    VisionModel,
    give_new_head,
    heads_of,
    only_head_learns,
    seeded,
    with_lora,
)
from transfer.learning.network import Network, Together
from transfer.learning.overlap import update_overlaps
from transfer.learning.own import classifier_of, load_own
from transfer.learning.pretrain import checkpoint_path, facts_of, schedule_of, source_model
from transfer.learning.training import Images, Training, evaluate, normalised

_SHIFT_SEED = 0


def downstream_splits(dataset: Dataset, rotation: float, noise: float) -> tuple[Split, Split]:
    """Training and test images of the downstream task, shifted if it says so.

    Arguments:
        dataset: of the downstream task.
        rotation: in degrees.
        noise: standard deviation, in units of the full range.
    """
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
    """Where adapters and head of a cell's fine-tuning seed are kept.

    Arguments:
        folder: of adapters.
        cell: of the fine-tuning.
        seed: of its own.
    """
    return folder / f"{cell_key(cell)}-{seed}.safetensors"


def adapt_cell(
    cell: Cell, source: Dataset, downstream: Dataset, folder: Path, device: torch.device,
    adapters: Path | None = None,
) -> Arrays:  # fmt: skip
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
    (found,) = adapt_cells([cell], source, downstream, folder, device, adapters)
    return found


def adapt_cells(
    cells: Sequence[Cell], source: Dataset, downstream: Dataset, folder: Path,
    device: torch.device, adapters: Path | None = None,
) -> list[Arrays]:  # fmt: skip
    """As ``adapt_cell``, for cells that differ in their checkpoint alone: all side by side.

    Arguments:
        cells: of one protocol.
        source: the dataset of pre-training.
        downstream: that of fine-tuning.
        folder: of the checkpoints.
        device: where it is computed.
        adapters: a folder for the adapters; they are not kept by default.
    """
    (cell, *_), each = cells, []
    seeds = [nested_seed(cell["seed"], seed) for seed in cell["fine_tuning_seeds"]]
    train, test, chosen = _images(cell, source, downstream, device, seeds)
    for one in cells:
        checkpoint = checkpoint_of(one, source, folder)
        models = [adapted_model(one, checkpoint, downstream.classes, seed) for seed in seeds]
        each.append((identity_of(checkpoint), [model.to(device) for model in models]))
    learners = [[learner_of(cell, model) for model in models] for _, models in each]
    result = _adapted(learners, (train, test), chosen, cell["adaptation"], seeds)
    found = []
    for place, (one, (backbone, models)) in enumerate(zip(cells, each, strict=True)):
        if adapters:
            _keep(models, one, backbone, adapters)
        rows = slice(place * len(seeds), (place + 1) * len(seeds))
        own = {name: values[rows] for name, values in result.items()}
        learning = sum(p.numel() for p in models[0].parameters() if p.requires_grad)
        well = np.isfinite(own["train_loss"][:, -1])
        found.append({**own, **_overlaps(models, well), "learning": np.array(learning)})
    return found


def learner_of(cell: Cell, model: PreTrainedModel | PeftModel) -> VisionModel:
    """A model that a cell starts from as what learns: one made here, or one's own."""
    return ClassTokenViT(model) if "run" in cell else classifier_of(model)


def _keep(models: Sequence[nn.Module], cell: Cell, backbone: str, folder: Path) -> None:
    """Write the adapters and heads of a cell, if it has any."""
    for seed, model in zip(cell["fine_tuning_seeds"], models, strict=True):
        if isinstance(model, PeftModel):
            write_adapter(model, adapter_path(folder, cell, seed), backbone, {"seed": seed})


def _images(
    cell: Cell, source: Dataset, downstream: Dataset, device: torch.device, seeds: Sequence[int]
) -> tuple[Images, Images, Tensor]:
    """Training and test images as the source's are, and the few that each seed learns from."""
    settings, stated = cell["downstream"], cell.get("scale")
    splits = downstream_splits(downstream, settings["rotation"], settings["noise"])
    train, test = (normalised(split, source, device, stated) for split in splits)
    chosen = np.stack([few_shot(splits[0].labels, settings["shots"], seed) for seed in seeds])
    return train, test, torch.from_numpy(chosen).to(device)


@dataclass(frozen=True)
class Adapted:
    """A ``model`` that was fine-tuned, and what came out.

    Fields: ``train_loss`` over the epochs, ``test_loss`` and ``test_accuracy`` at the measured
    ones.
    """

    model: PreTrainedModel | PeftModel
    train_loss: NDArray[np.float64]
    test_loss: NDArray[np.float64]
    test_accuracy: NDArray[np.float64]


def adapt(
    model: PreTrainedModel,
    images: Dataset,
    *,
    shots: int,
    adaptation: Adaptation,
    mean: Sequence[float],
    deviation: Sequence[float],
    seed: int = 0,
) -> Adapted:
    """Fine-tune a model in memory, on its device; the model itself is left as it is.

    Arguments:
        model: for image classification, of transformers.
        images: the downstream dataset, as of ``load_folder`` or ``load_dataset``.
        shots: labelled images of each class to learn from.
        adaptation: the protocol; its ``seeds`` are not used.
        mean: of each channel, or of all, of pixels from 0 to 1, to normalise by.
        deviation: likewise.
        seed: of shots, head, adapters and order.

    Raises ``InputError`` for too few images, a model without a linear head, as ``Training`` does.
    """
    settings = msgspec.to_builtins(adaptation)
    scale = {"mean": [255 * value for value in mean], "deviation": [255 * v for v in deviation]}
    train, test = (
        normalised(part, images, model.device, scale) for part in (images.train, images.test)
    )
    chosen = torch.from_numpy(few_shot(images.train.labels, shots, seed))[None]
    own = adapted_model({"adaptation": settings}, model, images.classes, seed)
    learner = classifier_of(own)
    found = _adapted([[learner]], (train, test), chosen.to(model.device), settings, [seed])
    return Adapted(own.eval(), *(found[name][0] for name in ("train_loss", *EACH_CHECKPOINT)))


def _adapted(
    learners: Sequence[Sequence[VisionModel]], images: tuple[Images, Images], chosen: Tensor,
    settings: Mapping[str, Any], seeds: Sequence[int],
) -> Arrays:  # fmt: skip
    """Let models learn, side by side: of each checkpoint one a seed, from the seed's own images."""
    each = [learner for row in learners for learner in row]
    every, drawn = chosen.repeat(len(learners), 1), [*seeds] * len(learners)
    if settings["head"] == "optimum" or settings["method"] in ("probe", "optimum"):
        train, test = images
        known = _known(learners, train, chosen.unique())
        if settings["method"] == "probe":
            places = torch.arange(len(test.labels), device=chosen.device)
            seen = _known(learners, test, places)
            return _learn([one.head for one in each], (known, seen), every, settings, drawn)
        heads = [
            _optimum(known.values[row], known.labels, index, learner)
            for row, of_one in enumerate(learners)
            for index, learner in zip(chosen, of_one, strict=True)
        ]
        for learner, head in zip(each, heads, strict=True):
            if head:
                put_head(learner, head)
        if settings["method"] == "optimum":
            return _of_heads(each, heads, test, settings)
    return _learn(each, images, every, settings, drawn)


def _known(learners: Sequence[Sequence[VisionModel]], images: Images, chosen: Tensor) -> Images:
    """Features of each checkpoint in place of the chosen images, no number in that of others."""
    values = []
    for row in learners:  # the models of a checkpoint have one frozen backbone
        features = features_of(row[0], images, chosen)
        values.append(features.new_full((len(images.labels), features.shape[1]), torch.nan))
        values[-1][chosen] = features
    rows = [row for row, of_one in enumerate(learners) for _ in of_one]
    return Images(torch.stack(values), images.labels, of=torch.tensor(rows, device=chosen.device))


def _optimum(features: Tensor, labels: Tensor, chosen: Tensor, model: VisionModel) -> Head | None:
    """The optimum head of the chosen features; ``None`` if they are not finite."""
    values = features[chosen].double().cpu().numpy()
    if not np.isfinite(values).all():
        return None
    return fit_head(values, labels[chosen].cpu().numpy(), model.base.config.num_labels)


def _of_heads(
    models: Sequence[VisionModel], heads: Sequence[Head | None], test: Images,
    settings: Mapping[str, Any],
) -> Arrays:  # fmt: skip
    """What is converged has no epochs: the same at all of them, if there is a head."""
    shape = len(models), len(settings["measured"])
    found = np.full((2, *shape), np.nan)
    losses = np.full((len(models), settings["epochs"]), np.nan)
    for place, (model, head) in enumerate(zip(models, heads, strict=True)):
        if head:
            losses[place] = head.loss
            found[:, place] = np.stack(evaluate(Network(model), test))
    return {"train_loss": losses, "test_loss": found[0], "test_accuracy": found[1]}


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
        cell: of an adaptation.
        checkpoint: which is left as it is.
        classes: of the downstream task.
        seed: of a new head and of LoRA's A.
    """
    settings, model = cell["adaptation"], copy.deepcopy(checkpoint)
    if settings["head"] != "kept":
        give_new_head(model, classes, seed)
    if settings["method"] == "lora":
        lora = {name: settings[name] for name in ("rank", "alpha", "targets")}
        adapted = with_lora(model, **lora, seed=seed)
        if settings["head"] == "optimum":
            for name in heads_of(model):
                model.get_submodule(name).requires_grad_(False)
        return adapted
    if settings["method"] in ("probe", "optimum"):
        only_head_learns(model)
    return model


def checkpoint_of(cell: Cell, source: Dataset, folder: Path) -> PreTrainedModel:
    """The model that a cell starts from; raises ``InputError`` if it is missing or foreign.

    Arguments:
        cell: of the fine-tuning.
        source: images it was pre-trained on.
        folder: of checkpoints.
    """
    if "weights" in cell:
        return load_own(folder / cell["weights"]["folder"], cell["weights"]["digest"])
    model, (run, epoch) = source_model(cell, source), (cell["run"], cell["checkpoint"])
    restore(model, checkpoint_path(folder, run, epoch), facts_of(cell, run, epoch))
    return model


def _learn(
    models: Sequence[nn.Module], images: tuple[Images, Images], chosen: Tensor,
    settings: Mapping[str, Any], seeds: Sequence[int],
) -> Arrays:  # fmt: skip
    """Models learn side by side, or one after another where that cannot be."""
    if len(models) == 1:
        return _learn_at_once(Network(models[0]), images, chosen, settings, seeds)
    network = Together(models)
    why = network.refused(images[0].take(chosen[:, :2])) if images[0].shared else ""
    if not why:
        found = _learn_at_once(network, images, chosen, settings, seeds)
        network.write_back()
        return found
    print(f"models of this kind are not computed side by side ({why}): one after another",
          file=sys.stderr)  # fmt: skip
    parts = [
        _learn_at_once(Network(model), images, chosen[k : k + 1], settings, seeds[k : k + 1])
        for k, model in enumerate(models)
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _learn_at_once(
    network: Network, images: tuple[Images, Images], chosen: Tensor, settings: Mapping[str, Any],
    seeds: Sequence[int],
) -> Arrays:  # fmt: skip
    train, test = images
    losses = np.full((network.size, settings["epochs"]), np.nan)
    found = np.full((2, network.size, len(settings["measured"])), np.nan)
    well = np.full(network.size, True)  # once a run has diverged, it stays so
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
    return {"train_loss": losses, "test_loss": found[0], "test_accuracy": found[1]}
