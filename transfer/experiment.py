"""Running an experiment: its cells computed by any executor, each kept when it is finished.

An experiment that is stopped goes on where it was, and one that is finished costs nothing to run
again. What the cells are is the matter of ``transfer.plan``.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial

import numpy as np
import torch

from numerics.sweep import Cell, Result, cell_key, run_cells
from transfer.adapt import adapt_cell, downstream_splits
from transfer.data import load_dataset
from transfer.plan import Chain, Place, datasets_of, weight_of
from transfer.pretrain import pretrain_cell
from transfer.task import Task


def compute_cell(cell: Cell, place: Place) -> Result:
    """Compute a cell; the result also holds its ``provenance`` and the ``seconds`` it took."""
    begun = time.perf_counter()
    if place.device == "cpu":
        torch.set_num_threads(1)  # one process a core is faster, and sums in one order
    device = torch.device(place.device)
    checkpoints = place.results / "checkpoints"
    source = load_dataset(cell["source"]["dataset"], place.data, place.hub)
    if cell["kind"] == "pretraining":
        result = pretrain_cell(cell, source, checkpoints, device)
    else:
        downstream = load_dataset(cell["downstream"]["dataset"], place.data, place.hub)
        adapters = place.results / "adapters" if place.adapters else None
        result = adapt_cell(cell, source, downstream, checkpoints, device, adapters)
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


def prepare(task: Task, place: Place) -> None:
    """Load and shift the images now: errors show at once, and forked workers inherit them."""
    _, downstream = datasets_of(task, place)
    downstream_splits(downstream, task.downstream.rotation, task.downstream.noise)
