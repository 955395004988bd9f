"""Flows from three starts in place of runs: nothing is simulated, or compiled for it."""

from functools import cache

import numpy as np

from numerics.simulation.design import Simulation
from numerics.simulation.simulated import SimulatedRuns


def flows_as_runs(name, strengths, **how):
    how = {"dimension": 50, "replicas": 3, "horizon": 200, "records": 12, "batch": 4,
           "learning_rate": 0.01} | how  # fmt: skip
    return [_planted(Simulation(name, mu, **how)) for mu in strengths]


@cache
def _planted(simulation):
    learner, stream = simulation.learner, np.random.default_rng(0)
    steps = np.array(simulation.records)
    starts = [learner.start(stream)[: len(learner.names)] for _ in range(simulation.replicas)]
    times = steps * simulation.learning_rate
    paths = [learner.flow.path(start[None], times) if len(times) else start[None][:0]
             for start in starts]  # fmt: skip
    states = np.stack(paths)
    observed = learner.flow.observe(states)
    exits = stream.uniform(90, 110, len(starts)) * np.log(simulation.dimension)
    predicted = exits * simulation.learning_rate
    return SimulatedRuns(steps, states, exits, learner.names, simulation.learning_rate, simulation,
                         observed, predicted)  # fmt: skip
