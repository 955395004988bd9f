"""Claims that simulations support: SGD exact in law, and the flow (Sec. 3.2, App. E, I)."""

from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np

from derive.errors import Undecided
from derive.pair import Pair
from numerics.claims.ledger import Finding, Step, claim, decided, judged, shown
from numerics.dynamics.flow import flow_of, integrate
from numerics.dynamics.runs import Runs
from numerics.dynamics.sgd import simulate_sgd
from numerics.simulation.design import Simulation
from numerics.simulation.exits import LogFit, fit_log_dimension, median_interval, quantile

Exits: TypeAlias = dict[str, Any]
_RUNS, _SEED, _DIMENSION = 100, 1, 1000
_CONFIDENCE = "95 %, of each median"


def _runs(simulation: Simulation) -> Runs:
    """Runs of a simulation in this process, to their exit where nothing is recorded."""
    numbers = (simulation.replicas, simulation.seed, simulation.horizon, simulation.records)
    return simulate_sgd(simulation.learner, *numbers, stop_at_exit=not simulation.records)


def _exits(text: str, strength: float, horizon: int, d: int = _DIMENSION) -> tuple[Exits, Runs]:
    """Exit times of runs in units of 1/γ, with what they were simulated with, and the runs.

    ``low`` and ``high`` hold the median with 95 % confidence; runs that never leave count as
    infinite.
    """
    simulation = Simulation(
        text, strength, dimension=d, seed=_SEED, horizon=horizon, records=0, replicas=_RUNS
    )
    runs = _runs(simulation)
    low, high = median_interval(runs.exit_times)
    told = ("learning_rate", "batch", "horizon", "seed")
    exits = {
        "low": low,
        "median": quantile(runs.exit_times, 0.5),
        "high": high,
        "exits": _RUNS - runs.censored,
        "runs": _RUNS,
        "d": d,
        "confidence": _CONFIDENCE,
        **{name: getattr(simulation, name) for name in told},
    }
    return exits, runs


def _apart(exits: tuple[Exits, ...]) -> bool:
    """Whether medians increase, their confidence intervals being disjoint."""
    return all(x["high"] < y["low"] for x, y in pairwise(exits))


def _later(text: str, strengths: tuple[float, ...], horizon: int) -> Step:
    exits = tuple(_exits(text, strength, horizon)[0] for strength in strengths)
    named = ", ".join(map(str, strengths))
    return judged(f"{text}: exit times at μ = {named}, intervals disjoint", exits, _apart)


@claim(
    "strong-pre-training-delays",
    "Sec. 3.2 (a), Fig. 1",
    "Linear students with stronger pre-training leave the search phase later",
    "supported",
)
def _delay() -> Finding:
    step = _later("x", (0.1, 0.5, 0.9), 10**6)
    times = ", ".join(f"{exits['median']:.3g}" for exits in step.value)
    evidence = f"medians {times} of {_RUNS} runs at μ = 0.1, 0.5, 0.9, d = {_DIMENSION}"
    return decided("supported", evidence, step)


@claim(
    "common-delays",
    "Sec. 3.2 (b), App. E.3, Fig. 5",
    "So do students of erf, ReLU and sigmoid",
    "supported",
)
def _common_delays() -> Finding:
    steps = [_later(text, (0.3, 0.8), 10**6) for text in ("erf", "relu", "sigmoid")]
    evidence = f"medians of {_RUNS} runs at μ = 0.3 and 0.8, d = {_DIMENSION}, intervals disjoint"
    return decided("supported", evidence, *steps)


@claim(
    "exit-time-simulated",
    "Prop. 1, (9)",
    "SGD's exit time grows as ½ τ log d (x, μ = 0.5)",
    "supported",
)
def _law() -> Finding:
    dimensions = (100, 1000, 10_000, 100_000)
    found = [_exits("x", 0.5, 3 * 10**6, d) for d in dimensions]
    times = [runs.exit_times for _, runs in found]
    fit = fit_log_dimension(dimensions, times, flow_of(Pair("x"), 0.5).tau())
    if fit is None:
        raise Undecided("fewer than three dimensions have a median exit time")
    return decided(
        "supported",
        f"medians against log d: slope {fit.slope:.2f} ± {fit.error:.2f}, ½ τ = {fit.half_tau:.2f}",
        *[shown(f"d = {exits['d']}", exits) for exits, _ in found],
        judged("slope within 3 errors of ½ τ", fit, _agrees),
    )


def _agrees(fit: LogFit) -> bool:
    return abs(fit.slope - fit.half_tau) < 3 * fit.error < 0.3 * fit.half_tau


@claim(
    "flow-limit",
    "Sec. 2.1, App. C",
    "For small learning rates SGD concentrates on its gradient flow (x, μ = 0.5)",
    "supported",
)
def _flow_limit() -> Finding:
    gaps = tuple(_distance_to_flow(rate) for rate in (1.6e-3, 4e-4, 1e-4))
    return decided(
        "supported",
        f"distances {', '.join(f'{gap:.2g}' for gap in gaps)} at γ = 0.0016, 0.0004, 0.0001: √γ",
        shown("simulation", {"runs": _RUNS, "d": _DIMENSION, "batch": 1, "seed": _SEED, "time": 8.0,
                             "confidence": "95 %: ratios of such sizes are known to a fifth"}),
        judged("root mean square distance of (u, m) at these γ, halved each time", gaps, _halved),
    )  # fmt: skip


def _halved(gaps: tuple[float, ...]) -> bool:
    return all(1.6 < x / y < 2.5 for x, y in pairwise(gaps))


def _distance_to_flow(rate: float, horizon: float = 8.0) -> float:
    """Root mean square distance of SGD to the flow from each run's own start."""
    last = round(horizon / rate)
    how: dict[str, Any] = {"learning_rate": rate, "batch": 1, "signs": "aligned", "seed": _SEED}
    simulation = Simulation("x", 0.5, horizon=last, records=(0, last), replicas=_RUNS, **how)
    states, flow = _runs(simulation).states, flow_of(Pair("x"), 0.5)
    ends = np.array([integrate(flow, start, horizon).at(horizon) for start in states[:, 0]])
    return float(np.sqrt(np.mean(np.sum((states[:, 1] - ends) ** 2, axis=1))))


@claim(
    "cubic-delay",
    "App. I, Fig. 9",
    "He_3 students are delayed near the singular strength",
    "supported",
)
def _cubic() -> Finding:
    near, far = (_exits("He3", s, 100_000)[0] for s in (0.3, 0.7))
    return decided(
        "supported",
        f"{near['exits']} of {_RUNS} runs exit at μ = 0.3, {far['exits']} of {_RUNS} at μ = 0.7, "
        "in the same steps",
        judged("μ = 0.3, near 0.3207: few exits", near, lambda runs: runs["exits"] < 0.1 * _RUNS),
        judged("μ = 0.7: nearly all exit", far, lambda runs: runs["exits"] > 0.9 * _RUNS),
    )
