"""What a simulation will cost, before it begins: its steps, its samples, and about how long.

A step's cost does not depend on the dimension, but the number of steps does: at a rate of 1/d it is
of the order of d log d. So what would take months is refused, with what to do instead.
"""

import os
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from derive.errors import InputError
from numerics.dynamics.sgd import simulate_sgd
from numerics.simulation.design import Simulation
from numerics.sweep.store import Cell

MOST_SAMPLES = 1e13  # of all runs together: some weeks of a core
_ON_A_CLUSTER = 100  # times as many
_TRIAL = 10_000  # samples
_LONG = 10.0  # seconds


@dataclass(frozen=True)
class Plan:
    """What cells ask for at most, since runs without records end at their exit.

    Fields: ``runs``, ``steps`` and ``samples`` of all of them together.
    """

    runs: int
    steps: float
    samples: float

    @classmethod
    def of(cls, cells: Sequence[Cell]) -> "Plan":
        """The plan of a simulation's cells.

        >>> Plan.of(Simulation("x", 0.5, horizon=1000, batch=4, replicas=50).cells())
        Plan(runs=50, steps=50000.0, samples=200000.0)
        """
        steps = [float(cell["block"] * cell["horizon"]) for cell in cells]
        samples = sum(n * cell["batch"] for n, cell in zip(steps, cells, strict=True))
        return cls(sum(cell["block"] for cell in cells), sum(steps), samples)

    def __str__(self) -> str:
        return f"{self.steps:.2g} steps, {self.samples:.2g} samples in {self.runs} runs"

    def checked(self, cluster: bool = False) -> "Plan":
        """This plan; raises ``InputError`` for one that would take months."""
        if self.samples > MOST_SAMPLES * (_ON_A_CLUSTER if cluster else 1):
            raise InputError(
                f"up to {self} are too many to simulate: take the law of numerics.exit or "
                "numerics.budget, which needs none, or give a larger learning rate, a smaller "
                "dimension, fewer replicas or a shorter horizon"
            )
        return self


def tell_plan(cells: Sequence[Cell], workers: int | None) -> None:
    """Say on stderr what is planned and about how long it takes, if that is long.

    A trial of each pair is timed, so what it needs must be compiled.
    """
    plan = Plan.of(cells)
    if plan.samples < 100 * _TRIAL:
        return
    kinds: dict[str, list[Cell]] = {}
    for cell in cells:
        kind = str([cell[name] for name in ("teacher", "student", "labels", "strengths", "rank")])
        kinds.setdefault(kind, []).append(cell)
    seconds = sum(Plan.of(own).samples / _samples_a_second(own[0]) for own in kinds.values())
    count = workers or os.cpu_count() or 1
    if seconds > _LONG * count:
        told = _duration(seconds / count)
        with suppress(OSError):  # nobody may be listening any more
            print(f"planned: up to {plan}, about {told} in {count} processes", file=sys.stderr,
                  flush=True)  # fmt: skip


def _samples_a_second(cell: Cell) -> float:
    simulation = Simulation.of_cell(cell)
    steps = max(_TRIAL // simulation.batch, 1)
    begun = time.perf_counter()
    with suppress(InputError):  # a run that diverges will say so itself
        simulate_sgd(simulation.learner, 1, 0, steps, threads=1)
    return steps * simulation.batch / (time.perf_counter() - begun)


def _duration(seconds: float) -> str:
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"
