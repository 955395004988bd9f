"""What a cell will take: its model is built and learns from two batches; operations are counted.

Time is that of this machine, and heuristic. Steps, launches and arithmetic are counted, and the
same everywhere: where there is no GPU they say what one would have to do.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass, replace
from operator import add
from pathlib import Path
from typing import Any

import numpy as np
import torch
from peft import PeftModel
from peft.tuners.lora import LoraLayer
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from numerics.sweep.store import Cell
from transfer.images.data import Dataset, Split
from transfer.learning.adapt import adapted_model, checkpoint_of, learner_of
from transfer.learning.model import ClassTokenViT, VisionModel
from transfer.learning.network import Network
from transfer.learning.pretrain import schedule_of, source_model
from transfer.learning.training import (
    EVALUATED_AT_ONCE,
    Images,
    Schedule,
    Training,
    evaluate,
    normalised,
)

_EVALUATED = 200
_COUNTED = 2  # images of a batch of which operations are counted: their number is that of any
_STATE = 3  # times the weights: these, and two moments
_FLOAT = 4  # bytes


@dataclass(frozen=True)
class Rehearsal:
    """What a cell takes, its seeds side by side.

    Fields: parameters that are ``learning``, ``matrices`` that are adapted, ``seconds`` of one
    process (not a number if nothing was timed), bytes kept on ``disk``; ``steps`` and ``launches``
    of operations, one after another; ``flop``, arithmetic in all.
    """

    learning: int
    matrices: int
    seconds: float
    disk: int
    steps: int
    launches: int
    flop: float


@dataclass(frozen=True)
class _Cost:
    """What work takes: ``steps`` of training, ``launches``, one after another; flop, seconds."""

    steps: int
    launches: int
    flop: float
    seconds: float

    def __add__(self, other: "_Cost") -> "_Cost":
        return _Cost(*map(add, astuple(self), astuple(other)))

    def __mul__(self, times: int) -> "_Cost":
        return _Cost(*(times * part for part in astuple(self)))


@dataclass(frozen=True)
class _Stage:
    """A cell's model, what it is given, where; ``timed``, or only counted."""

    model: nn.Module
    images: Callable[[int], Images]
    timed: bool

    def training(self, schedule: Schedule, count: int) -> _Cost:
        """All steps of a schedule on ``count`` images."""
        batch, steps = min(schedule.batch, count), math.ceil(count / schedule.batch)
        few = min(batch, _COUNTED)
        launches, flop = counted(self._learning(schedule, few).epoch)
        seconds = math.nan
        if self.timed:
            training = self._learning(schedule, batch)
            training.epoch().tolist()
            seconds = _seconds(lambda: training.epoch().tolist())
        return _Cost(1, launches, batch * flop / few, seconds) * (schedule.epochs * steps)

    def evaluation(self, count: int) -> _Cost:
        """A pass of evaluation over ``count`` images."""
        network, few = Network(self.model), self.images(min(count, _COUNTED))
        launches, flop = counted(lambda: evaluate(network, few))
        seconds = math.nan
        if self.timed:
            taken = self.images(min(_EVALUATED, count))
            seconds = count * _seconds(lambda: evaluate(network, taken)) / len(taken.labels)
        parts = math.ceil(count / EVALUATED_AT_ONCE)
        return _Cost(0, parts * launches, count * flop / len(few.labels), seconds)

    def _learning(self, schedule: Schedule, batch: int) -> Training:
        taken = self.images(batch)
        chosen = torch.arange(batch, device=taken.labels.device)[None]
        return Training(Network(self.model), taken, chosen, replace(schedule, epochs=4), [0])


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


class _Launches(TorchDispatchMode):
    """Counts operations that compute something: neither views nor empty memory."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # fmt: skip
        returned = func._schema.returns
        view = any(part.alias_info and not part.alias_info.is_write for part in returned)
        self.count += not view and "empty" not in func.__name__
        return func(*args, **(kwargs or {}))


def counted(work: Callable[[], object]) -> tuple[int, float]:
    """Operations and arithmetic of some work: matrix products, two for each multiply-add."""
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as flop, _Launches() as found:
        work()
    return found.count, float(flop.get_total_flops())


def rehearse(
    cell: Cell, images: tuple[Dataset, Dataset], folder: Path, device: torch.device,
    timed: bool = True,
) -> Rehearsal:  # fmt: skip
    """Build a cell's model, time two batches, count.

    Arguments:
        cell: of any kind, as ``plan`` makes it.
        images: the source and the downstream dataset.
        folder: of the checkpoints, of which only one's own have to be there.
        device: where it is computed.
        timed: or only counted.

    What was not pre-trained yet is taken at its random initialisation, of the same shape.
    """
    source, downstream = images
    if cell["kind"] == "series":
        model = checkpoint_of({"weights": cell["weights"][0]}, source, folder).to(device)
        stage = _Stage(learner_of(cell, model), _taken(source.test, cell, source, device), timed)
        cost = stage.evaluation(len(source.test.labels)) * len(cell["weights"])
        return _rehearsal(cost, 1, 0)
    base = checkpoint_of(cell, source, folder) if "weights" in cell else source_model(cell, source)
    if cell["kind"] == "pretraining":
        stage = _Stage(
            ClassTokenViT(base.to(device)), _taken(source.train, cell, source, device), timed
        )
        return _of_pretraining(cell, stage, source)
    model = adapted_model(cell, base, downstream.classes, 0).to(device)
    whole = learner_of(cell, model)
    stage = _Stage(whole, _taken(downstream.train, cell, source, device), timed)
    return _of_adaptation(cell, stage, whole, downstream)


def _taken(
    part: Split, cell: Cell, source: Dataset, device: torch.device
) -> Callable[[int], Images]:
    def taken(count: int) -> Images:
        index = np.arange(count) % len(part.labels)
        few = Split(part.images[index], part.labels[index])
        return normalised(few, source, device, cell.get("scale"))

    return taken


def _rehearsal(
    cost: _Cost, seeds: int, learning: int, matrices: int = 0, disk: int = 0
) -> Rehearsal:
    """Of so many seeds side by side, which take their steps and launches at once."""
    seconds, flop = seeds * cost.seconds, seeds * cost.flop
    return Rehearsal(learning, matrices, seconds, disk, cost.steps, cost.launches, flop)


def _of_pretraining(cell: Cell, stage: _Stage, source: Dataset) -> Rehearsal:
    settings, wanted = cell["pretraining"], cell["source"]["images"]
    count = len(source.train.labels) if wanted == "all" else wanted
    held = int(settings["validation"] * count)
    epochs, kept = settings["epochs"], len(settings["checkpoints"])
    # Held-out images in every epoch, test images at every checkpoint: as many passes of both.
    images = (epochs * held + kept * len(source.test.labels)) // (epochs + kept) + 1
    cost = stage.training(schedule_of(settings), count - held)
    cost += stage.evaluation(images) * (epochs + kept)
    learning = sum(p.numel() for p in stage.model.parameters())
    return _rehearsal(cost, 1, learning, disk=(kept + _STATE) * learning * _FLOAT)


def _of_adaptation(cell: Cell, stage: _Stage, whole: VisionModel, downstream: Dataset) -> Rehearsal:
    settings, seeds = cell["adaptation"], len(cell["fine_tuning_seeds"])
    shots = cell["downstream"]["shots"] * downstream.classes
    tests, method = len(downstream.test.labels), settings["method"]
    if method in ("probe", "optimum"):  # the backbone sees every image once
        cost = stage.evaluation(shots + tests)
    else:
        cost = stage.evaluation(tests) * len(settings["measured"])
    if method != "optimum":
        learner = _head_of(stage, whole) if method == "probe" else stage
        cost += learner.training(schedule_of(settings), shots)
    model = whole.model
    learning = sum(p.numel() for p in model.parameters() if p.requires_grad)
    matrices = sum(isinstance(module, LoraLayer) for module in model.modules())
    kept = seeds * learning * _FLOAT if isinstance(model, PeftModel) else 0
    return _rehearsal(cost, seeds, learning, matrices, kept)


def _head_of(stage: _Stage, whole: VisionModel) -> _Stage:
    with torch.no_grad():
        known: Tensor = whole.features(stage.images(1).take(slice(None)))

    def features(count: int) -> Images:
        return Images(known.expand(count, -1), known.new_zeros(count, dtype=torch.long))

    return _Stage(whole.head, features, stage.timed)
