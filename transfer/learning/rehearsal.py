"""What a cell will take, by a rehearsal: its model is built, and learns from two batches."""

import math
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from peft import PeftModel
from peft.tuners.lora import LoraLayer
from torch import nn

from numerics.sweep.store import Cell
from transfer.images.data import Dataset, Split
from transfer.learning.adapt import adapted_model, checkpoint_of
from transfer.learning.model import ClassTokenViT
from transfer.learning.network import Network
from transfer.learning.own import Classifier, classifier_of
from transfer.learning.pretrain import schedule_of, source_model
from transfer.learning.training import Images, Schedule, Training, evaluate, normalised

_EVALUATED = 200
_STATE = 3  # times the weights: these, and two moments
_FLOAT = 4  # bytes


@dataclass(frozen=True)
class Rehearsal:
    """Parameters that learn, matrices adapted, seconds of one process, bytes kept on disk."""

    learning: int
    matrices: int
    seconds: float
    disk: int


def rehearse(
    cell: Cell, images: tuple[Dataset, Dataset], folder: Path, device: torch.device
) -> Rehearsal:
    """Build a cell's model and time two batches; heuristic, for it may be slower or faster later.

    Arguments:
        cell: of any kind, as ``plan`` makes it.
        images: the source and the downstream dataset.
        folder: of the checkpoints, of which only one's own have to be there.
        device: where it is computed.

    What was not pre-trained yet is taken at its random initialisation, of the same shape.
    """
    source, downstream = images
    if cell["kind"] == "series":
        weights = {"weights": cell["weights"][0]}
        model = checkpoint_of(weights, source, folder).to(device)
        once = _evaluating(classifier_of(model), cell, source, source, device)
        return Rehearsal(0, 0, len(cell["weights"]) * len(source.test.labels) * once, 0)
    base = checkpoint_of(cell, source, folder) if "weights" in cell else source_model(cell, source)
    if cell["kind"] == "pretraining":
        return _pretraining(cell, ClassTokenViT(base.to(device)), source, device)
    model = adapted_model(cell, base, downstream.classes, 0).to(device)
    whole = ClassTokenViT(model) if "run" in cell else classifier_of(model)
    settings, seeds = cell["adaptation"], len(cell["fine_tuning_seeds"])
    once = _evaluating(whole, cell, source, downstream, device)
    shots = cell["downstream"]["shots"] * downstream.classes
    tests = len(downstream.test.labels)
    if settings["method"] in ("probe", "optimum"):  # the backbone sees every image once
        learnt, evaluations = 0.0, shots + tests
    else:
        step = _step(whole, cell, source, downstream, schedule_of(settings), shots, device)
        learnt = settings["epochs"] * math.ceil(shots / settings["batch"]) * step
        evaluations = len(settings["measured"]) * tests
    learning = sum(p.numel() for p in model.parameters() if p.requires_grad)
    matrices = sum(isinstance(module, LoraLayer) for module in model.modules())
    kept = seeds * learning * _FLOAT if isinstance(model, PeftModel) else 0
    return Rehearsal(learning, matrices, seeds * (learnt + evaluations * once), kept)


def _pretraining(
    cell: Cell, whole: ClassTokenViT, source: Dataset, device: torch.device
) -> Rehearsal:
    settings, wanted = cell["pretraining"], cell["source"]["images"]
    count = len(source.train.labels) if wanted == "all" else wanted
    held = int(settings["validation"] * count)
    step = _step(whole, cell, source, source, schedule_of(settings), count - held, device)
    once = _evaluating(whole, cell, source, source, device)
    steps = settings["epochs"] * math.ceil((count - held) / settings["batch"])
    kept = len(settings["checkpoints"])
    evaluations = settings["epochs"] * held + kept * len(source.test.labels)
    learning = sum(p.numel() for p in whole.parameters())
    disk = (kept + _STATE) * learning * _FLOAT
    return Rehearsal(learning, 0, steps * step + evaluations * once, disk)


def _taken(part: Split, count: int, cell: Cell, source: Dataset, device: torch.device) -> Images:
    index = np.arange(count) % len(part.labels)
    taken = Split(part.images[index], part.labels[index])
    return normalised(taken, source, device, cell.get("scale"))


def _step(
    model: nn.Module, cell: Cell, source: Dataset, images: Dataset, schedule: Schedule, count: int,
    device: torch.device,
) -> float:  # fmt: skip
    """Seconds of one step of training, the second of two."""
    batch = min(schedule.batch, count)
    taken = _taken(images.train, batch, cell, source, device)
    chosen = torch.arange(batch, device=device)[None]
    training = Training(Network(model), taken, chosen, replace(schedule, epochs=2), [0])
    training.epoch().tolist()
    begun = time.perf_counter()
    training.epoch().tolist()
    return time.perf_counter() - begun


def _evaluating(
    model: ClassTokenViT | Classifier, cell: Cell, source: Dataset, images: Dataset,
    device: torch.device,
) -> float:  # fmt: skip
    """Seconds to evaluate one image."""
    count = min(_EVALUATED, len(images.test.labels))
    taken = _taken(images.test, count, cell, source, device)
    begun = time.perf_counter()
    evaluate(Network(model), taken)
    return (time.perf_counter() - begun) / count
