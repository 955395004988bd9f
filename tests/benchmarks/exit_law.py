"""Benchmarks of the law of the exit time: against exact SGD, and its constant by two methods."""

import time
from collections.abc import Iterator
from fractions import Fraction

from harness import Row, benchmark

from derive.pair import Pair
from numerics.dynamics.exit_constant import exit_constant_of, shot
from numerics.dynamics.exit_law import exit_law
from numerics.dynamics.flow import flow_of
from numerics.dynamics.sgd import Learner, simulate_sgd
from numerics.simulation.exits import ks_distance

RUNS, DIMENSION = 4000, 10**4
# Pairs, two strengths each, and γd: about an hour on two cores.
CASES = (
    ("x", (0.3, 0.7), 0.1),
    ("relu", (0.1, 0.5), 0.1),
    ("erf", (0.3, 0.5), 0.1),
    ("He2", (0.4, 0.7), 0.01),
    ("He3", (0.5, 0.7), 0.003),
    ("sin", (0.3, 0.5), 0.1),
)
HERMITE = ((1, "0.5"), (2, "0.5"), (3, "0.6"), (4, "0.5"), (5, "0.8"), (6, "0.5"), (7, "0.5"),
           (8, "0.6"), (9, "0.9"), (10, "0.5"))  # fmt: skip


@benchmark
def exit_times_of_sgd() -> Iterator[Row]:
    """Distance of the law from runs, and how much faster it is."""
    for text, strengths, rate in CASES:
        for mu in strengths:
            learner = Learner(Pair(text), mu, DIMENSION, rate / DIMENSION)
            begin = time.perf_counter()
            law = exit_law(learner)
            law.quantile(0.5)
            ours = time.perf_counter() - begin
            horizon = law.steps(0.999)
            begin = time.perf_counter()
            runs = simulate_sgd(learner, RUNS, 1, horizon, stop_at_exit=True)
            theirs = time.perf_counter() - begin
            distance = ks_distance(
                runs.exit_times, lambda t, law=law: 1 - law.searching(t), horizon * rate / DIMENSION
            )
            yield (
                f"{text}, mu = {mu}, d = 1e4, γd = {rate}: distance of {RUNS} runs from the law "
                f"({theirs / ours:.0f} times its time)",
                f"{distance:.3f}",
                "at most 0.03",
                distance <= 0.03,
            )


@benchmark
def constants_of_hermite_pairs() -> Iterator[Row]:
    """The constant of the exit time, enclosed and by shooting."""
    for degree, mu in HERMITE:
        pair, strength = Pair(f"He{degree}"), Fraction(mu)
        enclosed, found = exit_constant_of(pair, strength), shot(flow_of(pair, float(mu)))
        apart = abs(enclosed.log_k - found.log_k)
        met = enclosed.certainty == "certified" and enclosed.error < 1e-10 and apart < found.error
        yield f"He{degree}, mu = {mu}: log K = {enclosed.log_k:.10f}", f"{apart:.0e}", "1e-8", met
