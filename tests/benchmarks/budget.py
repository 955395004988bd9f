"""Benchmarks of samples: expected losses and the rate of the fewest samples, against exact SGD."""

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from harness import Row, benchmark

from derive.tuned_rate import cost_at_full_strength
from numerics import Simulation
from numerics.certified.escape import escape_curve
from numerics.dynamics.best_rate import best_learning_rate
from numerics.dynamics.learning_curve import learning_curve
from numerics.dynamics.sgd import Learner, simulate_sgd
from numerics.dynamics.stability import stable_learning_rate

RUNS, DIMENSION = 1000, 1000
# Strengths, and numbers of samples in units of the median exit's.
POINTS = ((0.1, 1.5), (0.3, 0.8), (0.5, 2.5), (0.7, 1.2), (0.85, 1.8))
SCANNED = (("x", 0.5), ("x", 0.8), ("relu", 0.7), ("erf", 0.3), ("He2", 0.5))
SHARES = (0.2, 0.4, 0.6, 0.8, 0.95)
SCANS, FALL = 60, 100


@benchmark
def samples_and_expected_losses() -> Iterator[Row]:
    """Expected loss after so many samples at five strengths, of four activations; one at 1e4."""
    for text, dimension in (("x", DIMENSION), ("erf", DIMENSION), ("He2", DIMENSION),
                            ("relu", DIMENSION), ("He2", 10 * DIMENSION)):  # fmt: skip
        for mu, share in POINTS if dimension == DIMENSION else POINTS[-1:]:
            learner = Simulation(
                text, mu, dimension=dimension, learning_rate="best", batch=4, horizon=1
            ).learner
            curve = learning_curve(learner)
            steps = int(share * curve.law.steps(0.5))
            runs = simulate_sgd(learner, RUNS, 11, steps, [steps])
            losses = learner.flow.loss(runs.states[:, 0]) / curve.frozen
            mean, error = losses.mean(), losses.std() / RUNS**0.5
            found, told = (f(4 * steps) / curve.frozen for f in (curve.expected, curve.error))
            yield (
                f"{text}, mu = {mu}, d = {dimension:.0e}, {4 * steps} samples at the best rate: "
                f"loss over the frozen one by the law {found:.4f} ± {told:.4f}, of {RUNS} runs "
                f"{mean:.4f} ± {error:.4f}",
                f"{abs(found - mean):.4f}",
                "the law's error and 3 of the runs'",
                bool(abs(found - mean) < told + 3 * error),
            )


def samples_to_learn(text: str, mu: float, rate: float, most: float) -> float:
    """Median samples until the loss has fallen to a hundredth; a batch of 1."""
    learner = Learner(text, mu, DIMENSION, rate)
    steps = np.unique(np.linspace(0, most, 600).astype(int))
    runs = simulate_sgd(learner, SCANS, 5, int(steps[-1]), steps)
    losses = learner.flow.loss(runs.states)
    learnt = losses < losses[0, 0] / FALL
    return float(np.median(np.where(learnt.any(axis=1), steps[learnt.argmax(axis=1)], np.inf)))


@benchmark
def samples_at_best_rates() -> Iterator[Row]:
    """The rate of the fewest samples against a scan of shares of the stable rate."""
    for text, mu in SCANNED:
        stable = stable_learning_rate(text, mu, DIMENSION, 1)
        best = best_learning_rate(text, mu, DIMENSION)
        most = 6 * learning_curve(Learner(text, mu, DIMENSION, best)).samples(0.5)
        ours = samples_to_learn(text, mu, best, most)
        scan = {share: samples_to_learn(text, mu, share * stable, most * max(1, 0.6 / share))
                for share in SHARES}  # fmt: skip
        told = ", ".join(f"{share}: {n / DIMENSION:.1f}" for share, n in scan.items())
        yield (
            f"{text}, mu = {mu}: samples/d until the loss is a hundredth at shares of the stable "
            f"rate {told}; at best ({best / stable:.2f}): {ours / DIMENSION:.1f}",
            f"{ours / min(scan.values()):.2f}",
            "at most 1.2 of the least",
            ours <= 1.2 * min(scan.values()),
        )


@benchmark
def samples_that_strength_costs() -> Iterator[Row]:
    """How much strength costs in time at a common rate, and in samples at the best one."""
    for text, strong in (("x", 0.9), ("relu", 0.9), ("erf", 0.8)):
        found = []
        for mu in (0.1, strong):
            rate = best_learning_rate(text, mu, DIMENSION)
            law = learning_curve(Learner(text, mu, DIMENSION, rate)).law
            runs = simulate_sgd(Learner(text, mu, DIMENSION, rate), SCANS, 9,
                                law.steps(0.99) * 3, stop_at_exit=True)  # fmt: skip
            found.append(float(np.median(runs.exits)))
        weak, late = escape_curve(text, [Fraction(1, 10), Fraction(str(strong))]).tau
        yield (
            f"{text}, mu = {strong} against 0.1: τ is {late / weak:.0f} times as long, limit of "
            f"the cost {float(cost_at_full_strength(text)):.3g}; samples to leave at best rates",
            f"{found[1] / found[0]:.2f} times",
            "less than a tenth of τ's ratio",
            found[1] / found[0] < 0.1 * late / weak,
        )
