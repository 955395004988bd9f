"""An experiment: a task as cells, computed by any executor, and the finished ones as labelled data.

One chain of cells a pre-training seed: the pre-training, then every checkpoint x protocol x
fine-tuning seed. Each finished cell is a file of its own with its provenance, so that an experiment
that is stopped goes on, and one that is finished costs nothing to run again.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import torch

from numerics.sweep import Cell, Result, cell_key, read_cell, run_cells
from transfer.adapt import adapt, downstream_splits
from transfer.data import Dataset, load_dataset
from transfer.overlap import NAMES
from transfer.pretrain import CURVES, pretrain
from transfer.statistics import search_phase
from transfer.task import Task

if TYPE_CHECKING:
    import xarray

_VERSION = 1  # of what a cell means; results of another version are not mixed in


@dataclass(frozen=True)
class Place:
    """Where an experiment runs and what it is told about itself.

    Fields: ``results``, the folder of everything it makes; ``data`` and ``hub``, as in
    ``load_dataset``; ``device``, ``cpu`` or ``cuda``; ``adapters``, whether to keep them;
    ``provenance``, written into each cell.
    """

    results: Path
    data: Path | None = None
    hub: bool = False
    device: str = "cpu"
    adapters: bool = False
    provenance: str = ""

    @property
    def cells(self) -> Path:
        """The folder of the finished cells."""
        return self.results / "cells"


@dataclass(frozen=True)
class Chain:
    """One pre-training and all that starts from its checkpoints, by the name of the arm."""

    pretraining: Cell
    adaptations: tuple[tuple[str, Cell], ...]


def datasets_of(task: Task, place: Place) -> tuple[Dataset, Dataset]:
    """Source and downstream dataset; raises ``InputError`` as ``load_dataset`` does."""
    names = (task.source.dataset, task.downstream.dataset)
    source, downstream = (load_dataset(name, place.data, place.hub) for name in names)
    return source, downstream


def chains_of(task: Task, place: Place) -> list[Chain]:
    """All cells of a task, a chain for each pre-training seed.

    A cell names the content of its datasets and the kind of its device: what differs in one of
    them is another cell.
    """
    source, downstream = datasets_of(task, place)
    described: dict[str, Any] = msgspec.to_builtins(task)
    settings = described["pretraining"]
    seeds = settings.pop("seeds")
    common = {
        "version": _VERSION,
        "device": place.device,
        "model": described["model"],
        "source": {**described["source"], "digest": source.digest},
    }
    after = {**common, "downstream": {**described["downstream"], "digest": downstream.digest}}
    chains = []
    for seed in range(seeds):
        first = {**common, "kind": "pretraining", "pretraining": settings, "seed": seed}
        later = {**after, "kind": "adaptation", "run": cell_key(first), "seed": seed}
        chains.append(Chain(first, tuple(_adaptations(described, later, place.device))))
    return chains


def _adaptations(
    described: dict[str, Any], common: dict[str, Any], device: str
) -> Iterator[tuple[str, Cell]]:
    for arm, settings in described["arms"].items():
        own = {name: value for name, value in settings.items() if name != "seeds"}
        seeds = list(range(settings["seeds"]))
        # Side by side on a GPU; on a CPU one after the other is faster, and a cell each is safer.
        groups = [seeds] if device == "cuda" else [[seed] for seed in seeds]
        for epoch in described["pretraining"]["checkpoints"]:
            for group in groups:
                yield (
                    arm,
                    {**common, "adaptation": own, "checkpoint": epoch, "fine_tuning_seeds": group},
                )


def compute_cell(cell: Cell, place: Place) -> Result:
    """Compute a cell; the result also holds its ``provenance`` and the ``seconds`` it took."""
    begun = time.perf_counter()
    if place.device == "cpu":
        torch.set_num_threads(1)  # one process a core is faster, and sums in one order
    device = torch.device(place.device)
    checkpoints = place.results / "checkpoints"
    source = load_dataset(cell["source"]["dataset"], place.data, place.hub)
    if cell["kind"] == "pretraining":
        result = pretrain(cell, source, checkpoints, device)
    else:
        downstream = load_dataset(cell["downstream"]["dataset"], place.data, place.hub)
        adapters = place.results / "adapters" if place.adapters else None
        result = adapt(cell, source, downstream, checkpoints, device, adapters)
    seconds = np.array(time.perf_counter() - begun)
    return {**result, "seconds": seconds, "provenance": np.array(place.provenance)}


def run_experiment(
    chains: Sequence[Chain],
    place: Place,
    executor: Executor | None = None,
    done: Callable[[float], object] = lambda weight: None,
) -> None:
    """Compute what is missing of the chains.

    Arguments: ``executor``, or ``None`` for this process; ``done``, called with the weight of each
    finished cell, as of ``weight_of``.

    Raises what the cells raise; what was finished is kept.
    """
    compute = partial(compute_cell, place=place)

    def follow(chain: Chain) -> None:
        cells = {cell_key(cell): cell for _, cell in chain.adaptations}
        for part in ([chain.pretraining], list(cells.values())):
            weight = sum(map(weight_of, part)) / max(1, len(part))
            run_cells(compute, part, place.cells, executor, partial(done, weight))

    if executor is None:
        for chain in chains:
            follow(chain)
        return
    executor.submit(int).result()  # workers are forked here, before there are threads
    with ThreadPoolExecutor(max(1, len(chains))) as waiting:
        for _ in waiting.map(follow, chains):
            pass


def weight_of(cell: Cell) -> float:
    """About how much work a cell is, in images: for progress bars, and nothing else."""
    if cell["kind"] == "pretraining":
        images = cell["source"]["images"]
        return cell["pretraining"]["epochs"] * (60_000.0 if images == "all" else images)
    return cell["adaptation"]["epochs"] * cell["downstream"]["shots"] * 10.0 + 5_000


def prepare(task: Task, place: Place) -> None:
    """Load and shift the images now: errors show at once, and forked workers inherit them."""
    _, downstream = datasets_of(task, place)
    downstream_splits(downstream, task.downstream.rotation, task.downstream.noise)


def results_of(task: Task, place: Place) -> "xarray.Dataset":
    """The finished cells as labelled arrays, not a number where a cell is missing.

    Dimensions: ``arm``, ``pretraining_seed``, ``checkpoint``, ``fine_tuning_seed``, ``measured``
    (epochs of fine-tuning) and ``epoch`` (of pre-training).
    """
    import xarray

    checkpoints, arms = task.pretraining.checkpoints, task.arms
    coordinates = {
        "arm": list(arms),
        "pretraining_seed": range(task.pretraining.seeds),
        "checkpoint": list(checkpoints),
        "fine_tuning_seed": range(max(arm.seeds for arm in arms.values())),
        "measured": sorted({epoch for arm in arms.values() for epoch in arm.measured}),
        "epoch": range(1, task.pretraining.epochs + 1),
    }
    data = xarray.Dataset(coords={name: list(values) for name, values in coordinates.items()})

    def blank(*dimensions: str) -> tuple[tuple[str, ...], np.ndarray]:
        return dimensions, np.full([data.sizes[name] for name in dimensions], np.nan)

    for name in CURVES:
        data[name] = blank("pretraining_seed", "epoch")
    for name in ("source_loss", "source_accuracy"):
        data[name] = blank("pretraining_seed", "checkpoint")
    run = ("arm", "pretraining_seed", "checkpoint", "fine_tuning_seed")
    for name in ("search_phase", *NAMES):
        data[name] = blank(*run)
    for name in ("loss", "accuracy"):
        data[name] = blank(*run, "measured")
    data["learning"] = blank("arm")
    for chain in chains_of(task, place):
        _fill(data, chain, place, task)
    return data


def _fill(data: "xarray.Dataset", chain: Chain, place: Place, task: Task) -> None:
    seed = {"pretraining_seed": chain.pretraining["seed"]}
    first = read_cell(place.cells, chain.pretraining)
    if first is not None:
        for name in CURVES:
            data[name].loc[seed] = first[name]
        data["source_loss"].loc[seed] = first["test_loss"]
        data["source_accuracy"].loc[seed] = first["test_accuracy"]
    for arm, cell in chain.adaptations:
        found = read_cell(place.cells, cell)
        if found is None:
            continue
        data["learning"].loc[{"arm": arm}] = found["learning"]
        for row, fine in enumerate(cell["fine_tuning_seeds"]):
            place_of = {**seed, "arm": arm, "checkpoint": cell["checkpoint"],
                        "fine_tuning_seed": fine}  # fmt: skip
            data["search_phase"].loc[place_of] = search_phase(found["train_loss"][row])
            for name in NAMES:
                data[name].loc[place_of] = found[name][row]
            measured = {**place_of, "measured": list(task.arms[arm].measured)}
            data["loss"].loc[measured] = found["test_loss"][row]
            data["accuracy"].loc[measured] = found["test_accuracy"][row]


def finished(chains: Sequence[Chain], place: Place) -> dict[str, tuple[int, int]]:
    """How many cells of the pre-training and of each arm are finished, and how many there are."""
    counts: dict[str, tuple[int, int]] = {}
    for chain in chains:
        for name, cell in (("pre-training", chain.pretraining), *chain.adaptations):
            there = read_cell(place.cells, cell) is not None
            found, total = counts.get(name, (0, 0))
            counts[name] = (found + there, total + 1)
    return counts
