"""The learning rate of the fewest samples: against a scan of exact SGD, its scaling, its limits."""

from functools import cache

import numpy as np
import pytest

from numerics import Simulation
from numerics.dynamics.best_rate import best_learning_rate
from numerics.dynamics.exit_constant import ExitConstant
from numerics.dynamics.exit_law import exit_law
from numerics.dynamics.learning_curve import learning_curve
from numerics.dynamics.sgd import Learner, simulate_sgd
from numerics.dynamics.stability import stable_learning_rate

RUNS, DIMENSION = 60, 1000


@cache
def samples_to_learn(text, mu, rate):
    """Median samples until the loss is a hundredth of the frozen one, of exact SGD."""
    learner = Learner(text, mu, DIMENSION, rate)
    steps = np.linspace(0, 40_000, 401).astype(int)
    runs = simulate_sgd(learner, RUNS, 1, int(steps[-1]), steps, threads=1)
    losses = learner.flow.loss(runs.states)
    learnt = losses < float(learner.flow.loss(np.zeros(2))) / 100
    return np.median(np.where(learnt.any(axis=1), steps[learnt.argmax(axis=1)], np.inf))


def test_no_other_rate_needs_clearly_fewer_samples():
    """The benchmarks scan more rates, of more pairs."""
    stable = stable_learning_rate("x", 0.5, DIMENSION, 1)
    best = samples_to_learn("x", 0.5, best_learning_rate("x", 0.5, DIMENSION))
    scan = {share: samples_to_learn("x", 0.5, share * stable) for share in (0.2, 0.4, 0.8, 1.0)}
    assert best < 1.15 * min(scan.values())
    assert min(scan[0.2], scan[1.0]) > 1.9 * best


@pytest.mark.parametrize("text", ["x", "relu", "erf", "He2", "He3", "sin"])
def test_it_is_a_share_of_the_stable_rate_that_grows_with_dimension(text):
    shares = [best_learning_rate(text, 0.6, d) / stable_learning_rate(text, 0.6, d, 1)
              for d in (10**3, 10**6, 10**9)]  # fmt: skip
    assert shares == sorted(shares)
    assert 0.5 < shares[0] < shares[-1] < 1


def test_it_scales_as_the_batch_over_the_dimension_and_with_strength():
    one = best_learning_rate("x", 0.5, 10**6)
    assert best_learning_rate("x", 0.5, 10**6, 8) == pytest.approx(8 * one, rel=1e-4)
    assert best_learning_rate("x", 0.5, 10**9) == pytest.approx(one / 1e3, rel=0.1)
    assert best_learning_rate("x", 0.95, 10**6) == pytest.approx(100 * one, rel=0.05)


def test_noisy_labels_bound_it_whatever_the_strength():
    """The stable rate grows without bound as μ → 1, this does not."""
    rates = [best_learning_rate("x", mu, 10**6, noise=0.3) for mu in (0.9, 0.99, 0.999)]
    assert max(rates) < 1.2 * min(rates)
    clean = [best_learning_rate("x", mu, 10**6) for mu in (0.9, 0.99)]
    assert clean[1] > 50 * clean[0]


@pytest.mark.parametrize(("text", "batch"), [("x", 1), ("x", 8), ("He2", 4)])
def test_there_it_slows_the_growth_at_the_exit_by_a_half(text, batch):
    """As the law of the exit time has it, which knows the noise by its own way."""
    rate = best_learning_rate(text, 0.98, 10**6, batch, 0.5)
    assert rate < 0.1 * best_learning_rate(text, 0.98, 10**6, batch)
    learner = Learner(text, 0.98, 10**6, rate, batch, noise=0.5)
    law = exit_law(learner, constant=ExitConstant(0.0, 0.0, "heuristic"))
    assert law.finite_rate == pytest.approx(0.5, rel=1e-9)


def test_where_nothing_leaves_it_is_the_best_of_the_descent():
    """Of 1 - (1 - γ/γ_s) (γ/γ_s) a step the least is at a half."""
    assert best_learning_rate("x", 1, 500, 3) == stable_learning_rate("x", 1, 500, 3) / 2


def test_larger_ones_leave_earlier_but_do_not_learn():
    """So it is not the one of the fewest samples to leave alone."""
    stable = stable_learning_rate("x", 0.5, DIMENSION, 1)
    best, above = (learning_curve(Learner("x", 0.5, DIMENSION, rate))
                   for rate in (best_learning_rate("x", 0.5, DIMENSION), 2 * stable))  # fmt: skip
    assert above.samples(0.5) < 0.5 * best.samples(0.5)
    assert above.expected(10**6) > 0.05 * above.frozen
    assert best.expected(10**6) < 1e-6


def test_it_is_an_option_and_a_setting(command):
    found = Simulation("x", 0.5, learning_rate="best", horizon=1).learning_rate
    assert found == best_learning_rate("x", 0.5, 1000, 16)
    half = Simulation("x", 0.5, learning_rate="0.5*best", horizon=1).learning_rate
    assert half == pytest.approx(found / 2)
    asked = ("--activation", "x", "--mu", "0.5", "--learning-rate", "best", "--format", "csv")
    assert f",{found}," in command("numerics.exit", *asked).stdout
