"""Benchmarks of the law of the exit time: against SGD, and its constant by several methods.

Runs are kept in a folder, ``results/exit-law`` or that of ``EXIT_LAW_RUNS``, block by block: what
was stopped goes on. The whole takes about an hour of a core. Its output is on the page on the law.
"""

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import Any

import mpmath
import numpy as np
from harness import Row, benchmark
from scipy.stats import ks_2samp
from taylor import constant_by_taylor

from derive.pair import Pair
from numerics.certified.flow import ball_flow
from numerics.certified.unstable_manifold import exit_constant
from numerics.dynamics.dense_sgd import dense_states, rademacher
from numerics.dynamics.exit_constant import exit_constant_of, shot
from numerics.dynamics.exit_law import ExitLaw, exit_law
from numerics.dynamics.flow import flow_of
from numerics.dynamics.sgd import Learner, simulate_sgd
from numerics.simulation.block import compute_cell
from numerics.simulation.design import Simulation, cell_seed
from numerics.simulation.exits import ks_distance, quantile
from numerics.sweep.run import run_cells

FOLDER = Path(os.environ.get("EXIT_LAW_RUNS", "results/exit-law"))
RUNS, BLOCK = 4000, 50
# What enters is γd/B; a larger batch saves drawing lengths.
BATCH = {100: 1, 1000: 8, 10000: 32}
# Pairs, two strengths each, and what γd/B is divided by: units of γ are those of the activation.
CASES = (
    (Pair("x"), (0.3, 0.5), 1),
    (Pair("relu"), (0.3, 0.5), 1),
    (Pair("relu", labels="squared"), (0.3, 0.7), 1),
    (Pair("erf", loss="correlation"), (0.3, 0.5), 1),
    (Pair("He2"), (0.4, 0.7), 1),
    (Pair("He3"), (0.5, 0.7), 10),
)
BOUNDS = {0.1: 0.03, 1.0: 0.04}  # of the distance, by γd/B
DENSE = (("x", 0.3, 1.0), ("relu", 0.1, 1.0), ("relu", 0.3, 1.0), ("erf", 0.1, 1.0),
         ("He2", 0.5, 0.3), ("He3", 0.6, 0.05))  # fmt: skip
DENSE_IN_LARGE = (("x", 0.3, 1.0),)
HERMITE = ((1, "0.5"), (2, "0.5"), (3, "0.6"), (4, "0.5"), (5, "0.8"), (6, "0.5"), (7, "0.5"),
           (8, "0.6"), (9, "0.9"), (10, "0.5"))  # fmt: skip


def _name(pair: Pair) -> str:
    extra = [t for t in (pair.labels.text, pair.loss) if t not in ("matched", "square")]
    return " ".join([pair.student.text, *extra])


def _found(times: np.ndarray, law: ExitLaw, horizon: float) -> tuple[float, str, bool]:
    """The distance from the law; how far 10, 50, 90 % are off; whether by 3 % or by chance."""
    distance = ks_distance(times, lambda t: 1 - law.searching(t), horizon)
    off, fine = [], True
    for p in (0.1, 0.5, 0.9):
        found, told = quantile(times, p), law.quantile(p)
        error = 1.96 * (p * (1 - p) / len(times)) ** 0.5
        low, high = (quantile(times, p + side * error) for side in (-1, 1))
        off.append(f"{100 * (found / told - 1):+.1f}" if told else "-")
        fine = fine and (abs(found - told) <= 0.03 * told or low <= told <= high)
    return distance, ", ".join(off), fine


def _exits(dimension: int, rate: float) -> Iterator[Row]:
    """Runs of all cases at one dimension and γd/B beside the law."""
    batch = BATCH[dimension]
    for pair, strengths, divided in CASES:
        for strength in strengths:
            simulation = Simulation(
                pair, strength, dimension=dimension, batch=batch, records=0, replicas=RUNS,
                learning_rate=rate / divided * batch / dimension,
            )  # fmt: skip
            law = exit_law(simulation.learner)
            blocks = run_cells(compute_cell, simulation.cells(), FOLDER)
            exits = np.concatenate([block["exits"].astype(float) for block in blocks])
            horizon = simulation.horizon * simulation.learning_rate
            times = np.where(np.isnan(exits), np.inf, exits * simulation.learning_rate)
            distance, off, fine = _found(times, law, horizon)
            bound = BOUNDS[rate] if dimension == 10**4 else 0.1
            constant = exit_constant_of(pair, Fraction(str(strength)))
            small, *_ = _found(times, exit_law(simulation.learner, constant=constant), horizon)
            yield (
                f"{_name(pair)}, mu = {strength}, d = {dimension}, γd/B = {rate / divided:g}, "
                f"{RUNS} runs: distance (with the constant of small steps); 10, 50, 90 % off by "
                "(%); noise at exit",
                f"{distance:.3f} ({small:.3f}); {off}; {law.finite_rate:.2g}",
                f"{bound}; 3 % or chance",
                distance <= bound and (fine or dimension < 10**4),
            )


@benchmark
def exit_times_of_sgd() -> Iterator[Row]:
    """The law against runs that are exact in law, by dimension and rate."""
    for dimension in reversed(BATCH):
        for rate in BOUNDS:
            yield from _exits(dimension, rate)


def _seconds_of(learner: Learner) -> float:
    begin = time.process_time()
    exit_law(learner).quantile(0.5)
    return time.process_time() - begin


@benchmark
def speed_of_the_exit_law() -> Iterator[Row]:
    """The law against runs that show as much, in seconds of a core: at a strength, and again."""
    for text, strength in (("x", 0.3), ("relu", 0.3)):
        learner = Learner(Pair(text), strength, 10**4, 1e-5)
        derived, *firsts = (
            _seconds_of(replace(learner, mu=mu)) for mu in (0.35, 0.32, 0.31, 0.29)
        )  # the first of them derives the formulas, once for all strengths
        first, law = median(firsts), exit_law(learner)
        begin = time.process_time()
        for p in np.linspace(0.1, 0.9, 100):
            exit_law(learner).quantile(float(p))
        again = (time.process_time() - begin) / 100
        horizon = law.steps(0.999)
        simulate_sgd(learner, 1, 0, 10)  # compiles
        begin = time.process_time()
        simulate_sgd(learner, 8, 1, horizon, stop_at_exit=True, threads=1)
        runs = (time.process_time() - begin) / 8 * RUNS
        yield (
            f"{text}, mu = {strength}, d = 1e4, γd = 0.1: time of {RUNS} runs over that of the "
            "law, the pair's first, a strength's first, again; seconds of these and of the runs",
            f"{runs / derived:.0f}, {runs / first:.0f}, {runs / again:.1e}; {derived:.2g}, "
            f"{first:.2g}, {again:.1g}, {runs:.0f}",
            "10000 for a strength's first",
            runs / first >= 10**4,
        )


def sparse_rademacher(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Inputs of ±1 in their own axes: the teacher sees a sign alone."""
    return 2.0 * rng.integers(0, 2, shape, dtype=np.int8) - 1.0


# How inputs are drawn, how many runs, and whether the law is expected to hold.
INPUTS = {
    "±1, dense teacher": (rademacher, 400, True),
    "±1, teacher along an axis": (sparse_rademacher, 100, False),
}


def _dense_cell(cell: dict[str, Any]) -> dict[str, np.ndarray]:
    """Exit times of a block of runs with vectors, ``inf`` beyond the horizon."""
    batch, dimension = cell["batch"], cell["dimension"]
    rate = cell["rate"] * batch / dimension
    learner = Learner(Pair(cell["student"]), cell["mu"], dimension, rate, batch)
    seeds = np.random.SeedSequence([cell_seed(cell), cell["first"]]).spawn(cell["block"])
    times = []
    for seed in seeds:
        states = dense_states(learner, np.random.default_rng(seed), INPUTS[cell["inputs"]][0])
        steps = (step for step, (u, m) in enumerate(states)
                 if u * u + m * m >= 0.25 or step >= cell["horizon"])  # fmt: skip
        step = next(steps)
        times.append(step * rate if step < cell["horizon"] else np.inf)
    return {"times": np.array(times)}


@benchmark
def exit_times_of_other_inputs() -> Iterator[Row]:
    """Runs with vectors of ±1 against runs and law of normal inputs."""
    for case in DENSE:
        for name, (_, runs, expected) in INPUTS.items():
            yield _against_normal(case, 1000, name, runs, 0.1 if expected else None)
    for case in DENSE_IN_LARGE:  # a run takes ten seconds: few, whose distance is 0.2 by chance
        yield _against_normal(case, 10000, "±1, dense teacher", BLOCK, 0.2)


def _against_normal(
    case: tuple[str, float, float], dimension: int, inputs: str, runs: int, bound: float | None
) -> Row:
    """Some runs of one learner beside 1,000 of normal inputs."""
    (text, strength, rate), batch = case, 16
    learner = Learner(Pair(text), strength, dimension, rate * batch / dimension, batch)
    law = exit_law(learner)
    horizon = law.steps(0.999)
    normal = simulate_sgd(learner, 1000, 1, horizon, stop_at_exit=True).exit_times
    cells = [
        {"student": text, "mu": strength, "rate": rate, "dimension": dimension, "batch": batch,
         "inputs": inputs, "horizon": horizon, "first": first, "block": BLOCK}
        for first in range(0, runs, BLOCK)
    ]  # fmt: skip
    times = np.concatenate([block["times"] for block in run_cells(_dense_cell, cells, FOLDER)])
    last = horizon * learner.learning_rate
    distance, off, _ = _found(times, law, last)
    apart = float(ks_2samp(np.minimum(times, last), np.minimum(normal, last)).statistic)
    return (
        f"{text}, mu = {strength}, d = {dimension}, γd/B = {rate}, inputs {inputs}, {runs} runs: "
        "distance from runs of normal inputs; from the law; 10, 50, 90 % off by (%); never left",
        f"{apart:.3f}; {distance:.3f}; {off}; {int(np.isinf(times).sum())}",
        f"{bound or 'none'}",
        bound is None or apart <= bound,
    )


@benchmark
def constants_of_hermite_pairs() -> Iterator[Row]:
    """The constant of the exit time: enclosed, by Taylor's method, by shooting in doubles."""
    for degree, strength in HERMITE:
        pair = Pair(f"He{degree}")
        enclosed = exit_constant(ball_flow(pair, Fraction(strength)))
        middle = mpmath.mpf(str(enclosed.mid().str(20, radius=False)))
        taylor = abs(constant_by_taylor(pair, strength) - middle)
        found = shot(flow_of(pair, float(strength)))
        shooting = abs(found.log_k - float(middle))
        yield (
            f"He{degree}, mu = {strength}: log K; Taylor's method off by; shooting off by",
            f"{enclosed.str(14)}; {mpmath.nstr(taylor, 1)}; {shooting:.0e}",
            "1e-10; its error",
            bool(taylor < 1e-10 and enclosed.rad() < 1e-10 and shooting < found.error),
        )
