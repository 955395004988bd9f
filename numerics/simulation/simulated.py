"""What came out of simulations, labelled: runs with what was observed of them, and data sets.

Runs of a simulation hold every replica's states at the recorded steps and its exit time; a dataset
of several carries units, and all that is needed to make it again.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, log
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from derive.errors import InputError, quoted
from numerics.doubles.arrays import Doubles
from numerics.dynamics.flow import OBSERVED
from numerics.dynamics.runs import Runs
from numerics.simulation.design import Simulation
from numerics.simulation.exits import LogFit, fit_log_dimension, quantile
from numerics.sweep.store import Arrays

if TYPE_CHECKING:  # its import costs a second, and pandas
    from xarray import Dataset

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)


@dataclass(frozen=True, repr=False)
class SimulatedRuns(Runs):
    """Runs of a simulation: ``runs["loss"]`` and the like are there beside the states.

    Fields: those of ``Runs``; ``simulation``; ``observed``, replicas × records of each name;
    ``predicted``, the exit time of the linearised flow from each replica's start, NaN for none.
    """

    simulation: Simulation
    observed: Mapping[str, Doubles]
    predicted: Doubles

    @classmethod
    def of(cls, simulation: Simulation, blocks: Sequence[Arrays]) -> "SimulatedRuns":
        """The blocks of a simulation, as ``compute_cell`` gives them, joined."""
        joined = {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
        return cls(
            steps=np.array(simulation.records, dtype=np.int64),
            states=joined["states"],
            exits=joined["exits"].astype(float),
            names=simulation.learner.names,
            learning_rate=simulation.learning_rate,
            simulation=simulation,
            observed={name: joined[name] for name in OBSERVED},
            predicted=joined["predicted"],
        )

    def __getitem__(self, name: str) -> Doubles:
        """An order parameter or what was observed, by its name; raises ``InputError`` for none."""
        if name in self.observed:
            return self.observed[name]
        if name not in self.names:
            known = ", ".join((*self.names, *self.observed))
            raise InputError(f"{quoted(name)} was not recorded: choose from {known}")
        return super().__getitem__(name)

    def dataset(self) -> "Dataset":
        """These runs alone, as ``dataset_of`` labels them."""
        return dataset_of([self])

    def to_xarray(self, source: str = "") -> "Dataset":
        """What ``numerics.simulate --data`` writes of these runs, with provenance ``source``."""
        return dataset_of([self], source)

    def _described(self) -> str:
        asked = self.simulation
        told = {"μ": asked.mu, "d": asked.dimension, "B": asked.batch, "seed": asked.seed}
        names = asked.pair.texts
        pair = f"{names['student']} taught by {names['teacher']}, {names['labels']} labels"
        return ", ".join((pair, *(f"{k} = {v}" for k, v in told.items()), super()._described()))

    def path(self) -> Doubles:
        """The flow at the recorded times, from a typical one of the replicas' starts."""
        return self.simulation.learner.flow.path(self.states[:, 0], self.times)

    def record(self) -> dict[str, Any]:
        """What a report says of it; times in units of 1/γ, ``None`` where censored."""
        simulation, exits = self.simulation, self.exit_times
        described = simulation.described()
        names = ("mu", "strengths", "rank", "dimension", "batch", "learning_rate", "update",
                 "noise", "seed", "horizon")  # fmt: skip
        quantiles = {str(q): _finite(quantile(exits, q)) for q in QUANTILES}
        half = log(simulation.dimension) / 2
        steps = quantile(np.nan_to_num(self.exits, nan=np.inf), 0.5)
        started = quantile(np.nan_to_num(self.predicted, nan=np.inf), 0.5)
        return {
            **simulation.pair.texts,
            **{name: described[name] for name in names},
            "replicas": simulation.replicas,
            "escaped": simulation.replicas - self.censored,
            "censored": self.censored,
            "exit_time_median": quantiles["0.5"],
            "exit_time_quantiles": quantiles,
            "exit_steps_median": _finite(steps),
            "exit_samples_median": _finite(steps * simulation.batch),
            "predicted": _finite(half * simulation.tau) if simulation.method == "lora" else None,
            "predicted_with_start": _finite(started),
        }


def fit_of(members: Sequence[SimulatedRuns]) -> LogFit | None:
    """``fit_log_dimension`` of runs that differ in the dimension alone."""
    return fit_log_dimension(
        [runs.simulation.dimension for runs in members],
        [runs.exit_times for runs in members],
        members[0].simulation.tau,
    )


def dataset_of(simulated: Sequence[SimulatedRuns], source: str = "") -> "Dataset":
    """Runs of several simulations as one labelled dataset, with units, parameters, provenance.

    Arguments:
        simulated: with equally many replicas.
        source: the provenance.

    Shorter records are filled up with NaN. Dimensions are ``point``, ``replica``, ``record`` and
    ``parameter`` (u, m and κ); points carry their parameters as coordinates, all of them in
    ``parameters``.
    """
    from xarray import Dataset

    shape, units = ("point", "replica", "record"), {"units": "1/gamma"}
    described = [runs.simulation.described() for runs in simulated]
    texts, numbers = ("student", "teacher", "labels"), ("mu", "dimension", "learning_rate", "batch")
    columns = {name: ("point", np.array([each[name] for each in described])) for name in texts}
    columns |= {
        name: ("point", np.array([each[name] for each in described], dtype=float))
        for name in numbers
    }
    censored = {**units, "long_name": "first passage; inf for censored runs"}
    return Dataset(
        {
            "state": ((*shape, "parameter"), _stacked([runs.states for runs in simulated])),
            **{name: (shape, _stacked([runs[name] for runs in simulated])) for name in OBSERVED},
            "exit_time": (shape[:2], _stacked([r.exit_times for r in simulated]), censored),
            "time": (("point", "record"), _stacked([runs.times for runs in simulated]), units),
        },
        coords={
            "parameter": max((list(runs.names) for runs in simulated), key=len),
            "parameters": ("point", [json.dumps(each, sort_keys=True) for each in described]),
            **columns,
        },
        attrs={"provenance": source, "radius": described[0]["radius"]},
    )


def _stacked(arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Arrays along a new first axis, filled up with NaN to the largest."""
    shape = np.max([array.shape for array in arrays], axis=0)
    result = np.full((len(arrays), *shape), np.nan)
    for row, array in zip(result, arrays, strict=True):
        row[tuple(slice(length) for length in array.shape)] = array
    return result


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None
