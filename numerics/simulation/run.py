"""Simulations run: their cells computed by processes or a cluster, and put together again."""

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path

from derive.command.progress import advancing
from derive.given import insist_on
from numerics.simulation.block import compile_for, compute_cell, forms_of
from numerics.simulation.design import Simulation
from numerics.simulation.plan import Plan, tell_plan
from numerics.simulation.simulated import SimulatedRuns
from numerics.sweep.executors import executor_for
from numerics.sweep.meter import metering
from numerics.sweep.run import run_cells
from numerics.sweep.store import Cell, cell_path

_A_SIMULATION = "a Simulation, or several as grid makes them; study(...).simulate() runs one"


def run_simulation(simulation: Simulation) -> SimulatedRuns:
    """Run one simulation in threads of this process: what ``run_simulations`` finds of it.

    >>> runs = run_simulation(Simulation("x", 0.5, replicas=3, horizon=20, records=[0, 20]))
    >>> runs["m"].shape, runs["loss"].shape
    ((3, 2), (3, 2))
    """
    insist_on(simulation, Simulation, _A_SIMULATION)
    Plan.of(simulation.cells()).checked()
    compile_for(simulation)
    with ThreadPoolExecutor() as threads:
        return SimulatedRuns.of(
            simulation, run_cells(compute_cell, simulation.cells(), None, threads)
        )


def run_simulations(
    simulations: Simulation | Iterable[Simulation],
    *,
    folder: Path | None = None,
    scheduler: str | None = None,
    workers: int | None = None,
) -> list[SimulatedRuns]:
    """Run simulations, telling of progress on stderr.

    Arguments:
        simulations: whose cells are computed, block by block; one, or several.
        folder: keeps finished cells, and only missing ones are computed; none by default.
        scheduler: address of a Dask cluster that does the work, instead of processes here.
        workers: how many of these, one a core by default.

    Raises ``InputError`` for a learning rate at which a run diverges, for what would take months,
    and as ``run_cells`` and ``executor_for`` do.
    """
    simulations = _listed(simulations)
    blocks = [simulation.cells() for simulation in simulations]
    cells = [cell for own in blocks for cell in own]
    missing = [cell for cell in cells if _is_missing(cell, folder)]
    plan = Plan.of(missing).checked(scheduler is not None)
    if scheduler is None:
        for simulation in _unfinished(simulations, folder):
            compile_for(simulation)
        tell_plan(missing, workers)
    with executor_for(scheduler, workers) as executor, _kept_in(folder):
        if scheduler is not None:
            with advancing(len(cells), "cells") as advance:
                arrays = run_cells(compute_cell, cells, folder, executor, advance, forms_of)
        else:
            with advancing(plan.steps, "steps") as advance, metering(advance) as meter:
                compute = partial(compute_cell, meter=meter)
                arrays = run_cells(compute, cells, folder, executor, forms=forms_of)
    found = iter(arrays)
    return [
        SimulatedRuns.of(simulation, list(islice(found, len(own))))
        for simulation, own in zip(simulations, blocks, strict=True)
    ]


def _listed(given: Simulation | Iterable[Simulation]) -> list[Simulation]:
    if isinstance(given, Simulation):
        return [given]
    simulations = list(given) if isinstance(given, Iterable) else [given]
    for simulation in simulations:
        insist_on(simulation, Simulation, _A_SIMULATION)
    return simulations


def _is_missing(cell: Cell, folder: Path | None) -> bool:
    return not (folder and os.path.isfile(cell_path(folder, cell)))


def _unfinished(simulations: Sequence[Simulation], folder: Path | None) -> Iterable[Simulation]:
    """One of each pair, of those that a cell is missing of."""
    return {
        simulation.pair: simulation
        for simulation in simulations
        if any(_is_missing(cell, folder) for cell in simulation.cells())
    }.values()


@contextmanager
def _kept_in(folder: Path | None) -> Iterator[None]:
    """Say at an interrupt what is left of the work."""
    try:
        yield
    except KeyboardInterrupt as stop:
        kept = f"kept in {folder}" if folder else "lost without --results FOLDER"
        stop.add_note(f"(finished cells are {kept})")
        raise
