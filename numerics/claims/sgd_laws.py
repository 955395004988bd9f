"""Laws of SGD that simulations support: its flow, its exit time, samples (Sec. 2.1, Prop. 1)."""

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.polynomial.chebyshev import chebfit, chebpts1, chebval

from derive.errors import Undecided
from derive.pair import Pair
from numerics.claims.delays import RUNS, SEED, Median, exits_at, median, runs_of, setting
from numerics.claims.ledger import Finding, claim, judged, ours, shown
from numerics.doubles.arrays import Doubles
from numerics.dynamics.flow import flow_of, integrate
from numerics.simulation.design import Simulation
from numerics.simulation.exits import LogFit, fit_log_dimension


@claim.supported(
    "Prop. 1, (9)",
    "SGD's exit time grows as ½ τ log d (x, μ = 0.5)",
    quote="Then the time at which the dynamics escapes the correlated search phase satisfies […]",
    reading="the lost formula (9) is t = ½ τ log d, up to a constant: the slope of the median "
    "against log d. γ is a tenth of the largest stable one at each d",
    falsifier="a slope that more runs and dimensions put elsewhere",
    units="time in 1/γ",
)
def _exit_time_simulated() -> Finding:
    dimensions, steps, times = (100, 300, 1000, 3000, 10_000), [], []
    for seed, d in enumerate(dimensions, SEED):  # the fit takes the medians as independent
        simulation = Simulation(
            "x", 0.5, dimension=d, seed=seed, horizon=10**6, records=0, replicas=2 * RUNS
        )
        times.append(runs_of(simulation).exit_times)
        steps.append(shown(f"d = {d}", median(times[-1]) | setting(simulation)))
    fit = fit_log_dimension(dimensions, times, flow_of(Pair("x"), 0.5).tau())
    if fit is None:
        raise Undecided("fewer than three dimensions have a median exit time")
    return Finding(
        f"medians against log d: slope {fit.slope:.2f} ± {fit.error:.2f}, ½ τ = {fit.half_tau:.2f}",
        *steps,
        judged("slope within 3 standard errors of ½ τ, confidence 0.997", fit, _agrees),
    )


def _agrees(fit: LogFit) -> bool:
    return abs(fit.slope - fit.half_tau) < 3 * fit.error < 0.3 * fit.half_tau


@claim.supported(
    "Sec. 2.1, App. C",
    "For small learning rates SGD concentrates on its gradient flow, at a distance of √γ (x, 0.5)",
    quote="for small enough learning rate […], this process concentrate on a deterministic limit "
    "given by gradient descent on the population loss",
    reading="distance of (u, m) to the flow from each run's own start, after the time 5; the rate "
    "√γ is ours",
    falsifier="distances that do not halve when γ is a quarter",
    units="time in 1/γ",
)
def _flow_limit() -> Finding:
    rates = (3.2e-3, 8e-4, 2e-4)
    gaps = tuple(_distance_to_flow(rate, among=len(rates)) for rate in rates)
    listed = ", ".join(f"{gap['median']:.2g}" for gap in gaps)
    return Finding(
        f"median distances {listed} at γ = 0.0032, 0.0008, 0.0002",
        judged("median distances at these γ, halved each time", gaps, _halved),
    )


_TIME, _WIDEST = 5.0, 0.2  # of the flow; the largest |m| of a start, over 6 standard deviations


def _halved(gaps: Sequence[Median]) -> bool:
    return all(x["low"] / y["high"] > 1.4 and x["high"] / y["low"] < 2.9 for x, y in pairwise(gaps))


def _distance_to_flow(rate: float, among: int) -> Median:
    """Distance of SGD to the flow from each run's own start."""
    last = round(_TIME / rate)
    how: dict[str, Any] = {"learning_rate": rate, "batch": 1, "signs": "aligned", "seed": SEED}
    simulation = Simulation("x", 0.5, horizon=last, records=(0, last), replicas=4 * RUNS, **how)
    starts, ends = np.moveaxis(runs_of(simulation).states, 1, 0)
    flown = chebval(2 * starts[:, 1] / _WIDEST - 1, _flow_map(float(starts[0, 0]))).T
    return median(np.linalg.norm(ends - flown, axis=1), among) | setting(simulation)


@cache
def _flow_map(u: float) -> Doubles:
    """Where the flow brings ``(u, m)``: a Chebyshev series in m, for all runs start at one u."""
    flow = flow_of(Pair("x"), 0.5)

    nodes = chebpts1(33)
    starts = [(u, m) for m in _WIDEST * (nodes + 1) / 2]
    ends = [integrate(flow, start, _TIME).at(_TIME) for start in starts]
    return np.asarray(chebfit(nodes, np.array(ends), len(nodes) - 1))


@ours.supported(
    "Sec. 2.1",
    "At one γ/B the exit takes as many samples whatever the batch (x, μ = 0.5, B = 5, 50, 500)",
    quote="sees one sample at a time with no repetition, implying that the convergence rate is "
    "equal to the sample complexity of the algorithm.",
    reading="what is compared in steps at one γ and batch is compared in fresh samples as well",
    falsifier="intervals of the medians that are disjoint",
    units="samples",
)
def _samples_at_one_ratio() -> Finding:
    ratio, found = 4e-4, []
    for seed, batch in enumerate((5, 50, 500), SEED):  # streams of their own
        how = {"batch": batch, "learning_rate": ratio * batch, "seed": seed}
        (steps,) = exits_at("x", (0.5,), 3, **how)
        samples = {end: steps[end] * batch for end in ("low", "median", "high")}
        found.append(steps | samples)
    listed = ", ".join(f"{each['median']:.0f}" for each in found)
    return Finding(
        f"medians {listed} samples of {RUNS} runs at d = 1000, γ/B = {ratio}",
        shown("γ/B", ratio),
        judged("medians in samples, intervals that meet", tuple(found), _meet),
    )


def _meet(medians: Sequence[Median]) -> bool:
    lowest, highest = min(each["high"] for each in medians), max(each["low"] for each in medians)
    return bool(highest < lowest < 1.5 * highest)
