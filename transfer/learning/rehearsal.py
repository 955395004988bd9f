"""What a cell will take: its model is built and learns from two batches; operations are counted.

Time is that of this machine, and heuristic. Steps, launches and arithmetic are counted, and the
same everywhere: where there is no GPU they say what one would have to do.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
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
from transfer.learning.model import ClassTokenViT, Learner
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
    """Of a step, or of a pass of evaluation: its launches; ``seconds`` and ``flop`` an image."""

    launches: int
    flop: float
    seconds: float


@dataclass(frozen=True)
class _Stage:
    """A cell's model, what it is given, where; ``timed``, or only counted."""

    model: nn.Module
    images: Callable[[int], Images]
    timed: bool

    def step(self, schedule: Schedule, count: int) -> _Cost:
        """A step of training, of ``count`` images or a batch."""
        batch = min(schedule.batch, count)
        few = self._learning(schedule, min(batch, _COUNTED))
        launches, flop = counted(few.epoch)
        seconds = math.nan
        if self.timed:
            training = self._learning(schedule, batch)
            training.epoch().tolist()
            seconds = _seconds(lambda: training.epoch().tolist()) / batch
        return _Cost(launches, flop / min(batch, _COUNTED), seconds)

    def evaluation(self, count: int) -> _Cost:
        """A pass of evaluation over ``count`` images or some."""
        network, few = Network(self.model), self.images(min(count, _COUNTED))
        launches, flop = counted(lambda: evaluate(network, few))
        seconds = math.nan
        if self.timed:
            taken = self.images(min(_EVALUATED, count))
            seconds = _seconds(lambda: evaluate(network, taken)) / len(taken.labels)
        return _Cost(launches, flop / len(few.labels), seconds)

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
        tests = len(source.test.labels)
        return _summed(stage, None, 0, 0, len(cell["weights"]), tests, 1)
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


def _summed(
    stage: _Stage, schedule: Schedule | None, count: int, steps: int, times: int, tests: int,
    seeds: int,
) -> Rehearsal:  # fmt: skip
    """Of ``steps`` of training on ``count`` images, and ``times`` all of ``tests`` evaluated."""
    once = stage.evaluation(tests)
    launches = times * math.ceil(tests / EVALUATED_AT_ONCE) * once.launches
    flop, seconds = times * tests * once.flop, times * tests * once.seconds
    if schedule and steps:
        step, batch = stage.step(schedule, count), min(schedule.batch, count)
        launches += steps * step.launches
        flop, seconds = flop + steps * batch * step.flop, seconds + steps * batch * step.seconds
    return Rehearsal(0, 0, seeds * seconds, 0, steps, launches, seeds * flop)


def _of_pretraining(cell: Cell, stage: _Stage, source: Dataset) -> Rehearsal:
    settings, wanted = cell["pretraining"], cell["source"]["images"]
    count = len(source.train.labels) if wanted == "all" else wanted
    held = int(settings["validation"] * count)
    epochs, kept = settings["epochs"], len(settings["checkpoints"])
    steps = epochs * math.ceil((count - held) / settings["batch"])
    # Held-out images in every epoch, test images at every checkpoint: as many passes of both.
    images = (epochs * held + kept * len(source.test.labels)) // (epochs + kept) + 1
    schedule = schedule_of(settings)
    found = _summed(stage, schedule, count - held, steps, epochs + kept, images, 1)
    learning = sum(p.numel() for p in stage.model.parameters())
    return replace(found, learning=learning, disk=(kept + _STATE) * learning * _FLOAT)


def _of_adaptation(cell: Cell, stage: _Stage, whole: Learner, downstream: Dataset) -> Rehearsal:
    settings, seeds = cell["adaptation"], len(cell["fine_tuning_seeds"])
    shots = cell["downstream"]["shots"] * downstream.classes
    tests = len(downstream.test.labels)
    if settings["method"] in ("probe", "optimum"):  # the backbone sees every image once
        found = _summed(stage, None, 0, 0, 1, shots + tests, seeds)
        if settings["method"] == "probe":
            head = _head_of(stage, whole)
            found = _with_head(found, head, schedule_of(settings), shots, seeds)
    else:
        steps = settings["epochs"] * math.ceil(shots / settings["batch"])
        times = len(settings["measured"])
        found = _summed(stage, schedule_of(settings), shots, steps, times, tests, seeds)
    model = whole.model
    learning = sum(p.numel() for p in model.parameters() if p.requires_grad)
    matrices = sum(isinstance(module, LoraLayer) for module in model.modules())
    kept = seeds * learning * _FLOAT if isinstance(model, PeftModel) else 0
    return replace(found, learning=learning, matrices=matrices, disk=kept)


def _head_of(stage: _Stage, whole: Learner) -> _Stage:
    with torch.no_grad():
        known: Tensor = whole.features(stage.images(1).take(slice(None)))

    def features(count: int) -> Images:
        return Images(known.expand(count, -1), known.new_zeros(count, dtype=torch.long))

    return _Stage(whole.head, features, stage.timed)


def _with_head(
    found: Rehearsal, head: _Stage, schedule: Schedule, shots: int, seeds: int
) -> Rehearsal:
    steps = schedule.epochs * math.ceil(shots / schedule.batch)
    step, batch = head.step(schedule, shots), min(schedule.batch, shots)
    images = seeds * steps * batch
    return replace(
        found, steps=steps, launches=found.launches + steps * step.launches,
        seconds=found.seconds + images * step.seconds, flop=found.flop + images * step.flop,
    )  # fmt: skip
