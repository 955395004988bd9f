"""A cell of a simulation computed: states, what is observed of them, exits and predicted exits."""

from pathlib import Path

import numpy as np

from numerics.dynamics.flow import OBSERVED
from numerics.dynamics.runs import replica_stream
from numerics.dynamics.sgd import simulate_sgd
from numerics.simulation.design import Simulation, cell_seed
from numerics.sweep.meter import place_in
from numerics.sweep.store import Arrays, Cell, Forms


def compute_cell(cell: Cell, meter: Path | None = None) -> Arrays:
    """Simulate a cell: its ``forms_of`` arrays; a meter is told of the steps that are done."""
    simulation, seed = Simulation.of_cell(cell), cell_seed(cell)
    learner, records = simulation.learner, simulation.records
    replicas = range(cell["first"], cell["first"] + cell["block"])
    runs = simulate_sgd(
        learner,
        replicas,
        seed,
        simulation.horizon,
        records,
        radius=simulation.radius,
        stop_at_exit=not records,
        exit_by=simulation.exit_by,
        threads=1,
        count=place_in(meter),
    )
    starts = (learner.start(replica_stream(seed, replica)) for replica in replicas)
    predicted = [
        learner.flow.predict(start, simulation.radius) if simulation.exit_by == "state" else None
        for start in starts
    ]
    observed = dict.fromkeys(OBSERVED, np.empty((len(replicas), 0)))
    if records:
        observed = learner.flow.observe(runs.states)
    return {
        **observed,
        "states": runs.states,
        "exits": runs.exits,
        "predicted": np.array([np.nan if p is None else p for p in predicted]),
    }


def forms_of(cell: Cell) -> Forms:
    """The kinds and shapes of the arrays that ``compute_cell`` gives."""
    simulation, block = Simulation.of_cell(cell), cell["block"]
    recorded, size = len(simulation.records), len(simulation.learner.names)
    return {
        **dict.fromkeys(OBSERVED, ("f", (block, recorded))),
        "states": ("f", (block, recorded, size)),
        "exits": ("if", (block,)),  # cells of old have integers where all replicas exited
        "predicted": ("f", (block,)),
    }


def compile_for(simulation: Simulation) -> None:
    """Compile what its cells need, in this process: processes forked from it inherit the result."""
    compute_cell({**simulation.cell(0, 1), "horizon": 1, "records": [0]})
