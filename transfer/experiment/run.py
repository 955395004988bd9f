"""Running an experiment: its cells computed by any executor, each kept when it is finished.

An experiment that is stopped goes on where it was, and one that is finished costs nothing to run
again. What the cells are is the matter of ``transfer.experiment.plan``.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import (
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ThreadPoolExecutor,
    as_completed,
)
from functools import partial
from typing import Any

import numpy as np
import torch

from derive.errors import InputError, Undecided
from numerics.sweep.processes import LocalPool
from numerics.sweep.run import run_cells
from numerics.sweep.store import Arrays, Cell, cell_key, cell_path
from transfer.experiment.plan import (
    Chain,
    Place,
    datasets_of,
    forms_of,
    images_of,
    side_by_side,
    weight_of,
)
from transfer.experiment.records import Task
from transfer.images.data import Dataset
from transfer.images.subsets import SOURCE, few_shot
from transfer.learning.adapt import adapt_cells, adapter_path, downstream_splits
from transfer.learning.own import measure_cell
from transfer.learning.pretrain import checkpoint_path, pretrain_cell, state_path
from transfer.learning.training import OutOfMemory

_ONE_AT_A_TIME = threading.Lock()  # a worker may have threads; PyTorch's generator is but one


def compute_cell(cell: Cell, place: Place) -> Arrays:
    """Compute a cell; the result also holds its ``provenance`` and the ``seconds`` it took.

    Raises ``InputError`` if this machine's images are not the cell's, if the device has not enough
    memory, and as pre-training and fine-tuning do.
    """
    (found,) = _compute_cells([cell], place)
    return found


def _compute_cells(cells: Sequence[Cell], place: Place) -> list[Arrays]:
    """Cells that learn in one pass, of which each takes its share of the time."""
    with _ONE_AT_A_TIME:
        begun = time.perf_counter()
        try:
            results = _computed(cells, place)
        except RuntimeError as error:  # on a CPU PyTorch raises no kind of its own
            full = isinstance(error, torch.OutOfMemoryError) or "allocate memory" in str(error)
            if not full:
                raise
            raise OutOfMemory(
                f"out of memory on {place.device}: give a smaller batch or model in the task"
            ) from None
        seconds = np.array((time.perf_counter() - begun) / len(cells))
    told = {"seconds": seconds, "provenance": np.array(place.provenance)}
    return [{**result, **told} for result in results]


def _computed(cells: Sequence[Cell], place: Place) -> list[Arrays]:
    if place.device == "cpu":
        torch.set_num_threads(1)  # one process a core is faster, and sums in one order
    device, (cell, *_) = torch.device(place.device), cells
    checkpoints = place.checkpoints(cell)
    source = _images(cell["source"], place)
    if cell["kind"] == "series":
        return [measure_cell(cell, source, checkpoints, device)]
    if cell["kind"] == "pretraining":
        return [pretrain_cell(cell, source, checkpoints, device)]
    adapters = place.kept_adapters if place.adapters else None
    downstream = _images(cell["downstream"], place)
    return adapt_cells(cells, source, downstream, checkpoints, device, adapters)


class _InGroups:
    """Computes a cell together with all that can learn beside it, as far as memory allows."""

    def __init__(self, cells: Sequence[Cell], place: Place) -> None:
        self._place, self._ready = place, dict[str, Arrays]()
        missing = [cell for cell in cells if place.found(cell) is None]
        self._groups = {cell_key(c): group for group in side_by_side(missing) for c in group}

    def __call__(self, cell: Cell) -> Arrays:
        key = cell_key(cell)
        if key not in self._ready:
            self._compute(self._groups[key])
        return self._ready.pop(key)

    def _compute(self, cells: Sequence[Cell]) -> None:
        try:
            results = _compute_cells(cells, self._place)
        except OutOfMemory:
            if len(cells) == 1:
                raise
            results = []  # what failed holds its memory until it is forgotten
        for cell, result in zip(cells, results, strict=False):
            self._ready[cell_key(cell)] = result
        if results:
            return
        half = len(cells) // 2
        print(f"out of memory with {len(cells)} checkpoints side by side: {half} at once",
              file=sys.stderr)  # fmt: skip
        for part in (cells[:half], cells[half:]):
            self._compute(part)


def _images(part: dict[str, Any], place: Place) -> Dataset:
    found = images_of(part, place)
    if found.digest != part["digest"]:
        raise InputError(
            f"{found.name} in {found.origin} holds other images here than where the run was "
            "started: give every machine the same --data-dir"
        )
    return found


class _Cancellable:
    """An executor whose open work, and all that is still to come, is called off by an error."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._submitted: list[Future[Any]] = []
        self._off = False
        self.error: BaseException | None = None

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        if self._off:
            raise CancelledError
        future = self._executor.submit(function, *arguments)
        self._submitted.append(future)
        future.add_done_callback(self._look_at)
        return future

    def _look_at(self, future: Future[Any]) -> None:
        """Called as soon as work ends, before a worker takes up what comes next."""
        error = None if future.cancelled() else future.exception()
        if error is None or isinstance(error, BrokenExecutor):  # all work of a broken pool fails
            return
        self.error = self.error or error
        self.call_off()

    def call_off(self) -> None:
        self._off = True
        for future in self._submitted:
            future.cancel()


def run_experiment(
    chains: Sequence[Chain],
    place: Place,
    executor: Executor | None = None,
    done: Callable[[float], object] = lambda weight: None,
) -> None:
    """Compute what is missing of the chains.

    Arguments:
        chains: of cells, each after the one before it.
        place: where they are computed and kept.
        executor: what runs them, or ``None`` for this process.
        done: called with the weight of each finished cell, as of ``weight_of``.

    Raises what a cell raises first; what is open is called off, what was finished is kept.
    """
    if executor is None:
        for chain in chains:
            _follow(chain, place, None, done)
        return
    executor.submit(int).result()  # workers are forked here, before there are threads
    shared = _Cancellable(executor)
    with ThreadPoolExecutor(max(1, len(chains))) as waiting:
        followed = [waiting.submit(_follow, chain, place, shared, done) for chain in chains]
        try:
            for future in as_completed(followed):
                future.result()
        except CancelledError as error:
            raise shared.error or error from None
        except Undecided:  # a worker died, and all the others' work fails with it
            raise
        except BaseException:
            shared.call_off()
            if isinstance(executor, LocalPool):
                executor.end()
            raise


def _follow(
    chain: Chain,
    place: Place,
    executor: "_Cancellable | None",
    done: Callable[[float], object],
) -> None:
    """Pre-train, then adapt every checkpoint."""
    cells = {cell_key(cell): cell for _, cell in chain.adaptations}
    if place.adapters:
        _forget_without_adapters(cells.values(), place)
    if any(place.found(cell) is None for cell in cells.values()):
        _forget_incomplete(chain.pretraining, place)
    for part in filter(None, ([chain.pretraining], list(cells.values()))):
        weight = sum(map(weight_of, part)) / max(1, len(part))
        at_once = executor is None and part[0]["device"] != "cpu"
        compute = _InGroups(part, place) if at_once else partial(compute_cell, place=place)
        run_cells(compute, part, place.cells, executor, partial(done, weight), forms_of)


def _forget_without_adapters(cells: Iterable[Cell], place: Place) -> None:
    """Let finished runs of LoRA go again of which no adapters were kept: both are to match."""
    for cell in cells:
        paths = [adapter_path(place.kept_adapters, cell, s) for s in cell["fine_tuning_seeds"]]
        lora = cell["adaptation"]["method"] == "lora"
        if lora and not all(path.exists() for path in paths):
            cell_path(place.cells, cell).unlink(missing_ok=True)


def _forget_incomplete(cell: Cell, place: Place) -> None:
    """Let a pre-training run again if one of its checkpoints was removed, say as damaged."""
    if cell["kind"] == "series":  # whose checkpoints were not made here
        return
    folder, run = place.checkpoints(cell), cell_key(cell)
    paths = [checkpoint_path(folder, run, e) for e in cell["pretraining"]["checkpoints"]]
    if not all(path.exists() for path in paths) and place.found(cell) is not None:
        cell_path(place.cells, cell).unlink()
        state_path(folder, run).unlink(missing_ok=True)


def prepare(task: Task, place: Place) -> None:
    """Load and shift the images, and choose some: errors show at once, workers inherit them."""
    source, downstream = datasets_of(task, place)
    train, _ = downstream_splits(downstream, task.downstream.rotation, task.downstream.noise)
    few_shot(train.labels, task.downstream.shots, 0)
    if task.source.images != "all":
        few_shot(source.train.labels, task.source.images // source.classes, 0, SOURCE)
