"""Simulations run: their cells computed by processes or a cluster, and put together again."""

import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from derive.command.progress import advancing
from numerics.simulation.block import compile_for, compute_cell, forms_of
from numerics.simulation.design import Simulation
from numerics.simulation.simulated import SimulatedRuns
from numerics.sweep.executors import executor_for
from numerics.sweep.run import run_cells

_LONG = 1e11  # steps: hours of a core


def run_simulation(simulation: Simulation) -> SimulatedRuns:
    """Run one simulation in threads of this process: what ``run_simulations`` finds of it.

    >>> runs = run_simulation(Simulation("x", 0.5, replicas=3, horizon=20, records=[0, 20]))
    >>> runs["m"].shape, runs["loss"].shape
    ((3, 2), (3, 2))
    """
    compile_for(simulation)
    with ThreadPoolExecutor() as threads:
        return SimulatedRuns.of(
            simulation, run_cells(compute_cell, simulation.cells(), None, threads)
        )


def run_simulations(
    simulations: Sequence[Simulation],
    *,
    folder: Path | None = None,
    scheduler: str | None = None,
    workers: int | None = None,
) -> list[SimulatedRuns]:
    """Run simulations, telling of progress on stderr.

    Arguments:
        simulations: whose cells are computed, block by block.
        folder: keeps finished cells, and only missing ones are computed; none by default.
        scheduler: address of a Dask cluster that does the work, instead of processes here.
        workers: how many of these, one a core by default.

    Raises ``InputError`` for a learning rate at which a run diverges, and as ``run_cells`` and
    ``executor_for`` do.
    """
    blocks = [simulation.cells() for simulation in simulations]
    cells = [cell for own in blocks for cell in own]
    if scheduler is None:
        for simulation in {simulation.pair: simulation for simulation in simulations}.values():
            compile_for(simulation)
    steps = sum(simulation.replicas * simulation.horizon for simulation in simulations)
    if sys.stderr.isatty() and steps > _LONG:
        print(f"up to {steps:.1g} steps if runs stay; --horizon bounds them", file=sys.stderr)
    with (
        executor_for(scheduler, workers) as executor,
        advancing(len(cells), "cells") as advance,
    ):
        found = iter(run_cells(compute_cell, cells, folder, executor, advance, forms_of))
    return [
        SimulatedRuns.of(simulation, list(islice(found, len(own))))
        for simulation, own in zip(simulations, blocks, strict=True)
    ]
