"""Learning curves against SGD that is exact in law, their limits and invariances."""

from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from derive.errors import InputError, Undecided
from derive.pair import Pair
from numerics import Simulation
from numerics.dynamics.exit_constant import exit_constant_of
from numerics.dynamics.flow import flow_of
from numerics.dynamics.fluctuations import Fluctuations
from numerics.dynamics.learning_curve import Descent, LearningCurve, learning_curve, unstable_orbit
from numerics.dynamics.sgd import Learner, simulate_sgd
from numerics.dynamics.stability import stable_learning_rate

RUNS = 200
CASES = {
    "x": Simulation("x", 0.5, learning_rate="best", batch=1, horizon=1, records=0),
    "erf": Simulation("erf", 0.2, learning_rate="best", batch=4, horizon=1, records=0),
    "He2": Simulation("He2", 0.5, learning_rate="0.3*stable", batch=4, horizon=1, records=0),
    "noisy labels": Simulation("x", 0.5, learning_rate="best", batch=4, noise=0.5, horizon=1,
                               records=0),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_expected_losses_are_those_of_sgd(name):
    """At five numbers of samples, from the search to the descent."""
    learner = CASES[name].learner
    curve = learning_curve(learner)
    steps = [int(share * curve.law.steps(0.5)) for share in (0.5, 1, 1.5, 2.5, 4)]
    runs = simulate_sgd(learner, RUNS, 7, steps[-1], steps, threads=1)
    losses = learner.flow.loss(runs.states)
    for place, step in enumerate(steps):
        samples = step * learner.batch
        error = 4 * losses[:, place].std() / RUNS**0.5
        found = curve.expected(samples)
        assert found == pytest.approx(losses[:, place].mean(), abs=error + 0.02 * curve.frozen)
        for q, loss in zip((0.1, 0.9), curve.quantiles(samples, (0.1, 0.9)), strict=True):
            around = np.quantile(losses[:, place], [max(q - 0.08, 0), min(q + 0.08, 1)])
            room = 0.03 * curve.frozen
            assert around[0] - room < loss < around[1] + room


@pytest.mark.parametrize("name", ["x", "He2"])
def test_where_the_limit_is_far_off_its_error_says_so(name):
    """At d = 1000 and a strong start 2000 runs tell the limit from themselves; not its error."""
    simulation = Simulation(name, 0.85, learning_rate="best", batch=4, horizon=1, records=0)
    learner = simulation.learner
    curve = learning_curve(learner)
    steps = int(1.8 * curve.law.steps(0.5))
    losses = learner.flow.loss(simulate_sgd(learner, 2000, 12, steps, [steps]).states[:, 0])
    chance, samples = 3 * losses.std() / 2000**0.5, steps * learner.batch
    off = abs(curve.expected(samples) - losses.mean())
    assert chance < off < curve.error(samples) + chance


def test_the_error_is_of_the_order_of_one_over_the_dimension():
    """At as many times of the search, its phase as far as the median's."""
    for text, mu in (("erf", 0.7), ("x", 0.85)):
        off = []
        for d in (10**4, 10**7):
            curve = learning_curve(Learner(text, mu, d, 10 / d))
            off.append(curve.error(curve.law.samples(0.5)) / np.log(d))
        assert 300 < off[0] / off[1] < 3000
    assert learning_curve(Learner("x", 1.0, 1000, 1e-3)).error(10**6) == 0.0


def test_the_noise_of_samples_counts_in_the_descent():
    """Near the stable rate the descent of small steps would be far too fast, and K too small."""
    learner = CASES["He2"].learner
    fast = replace(learner, learning_rate=3 * learner.learning_rate)
    curve, slow = learning_curve(fast), learning_curve(learner)
    later = [c.expected(4 * c.law.samples(0.5)) for c in (curve, slow)]
    assert later[0] > 1.5 * later[1]
    stable = stable_learning_rate(fast.pair, fast.mu, fast.dimension, fast.batch)
    above = learning_curve(replace(fast, learning_rate=1.5 * stable))
    assert above.expected(10**8) > 0.01 * above.frozen  # no longer near the teacher


def test_it_begins_at_the_frozen_loss_and_falls():
    curve = learning_curve(CASES["x"].learner)
    losses = [curve.expected(n) for n in np.linspace(0, 20_000, 30)]
    assert losses[0] == pytest.approx(curve.frozen, rel=0.02)
    assert curve.frozen == pytest.approx((1 - 0.5) ** 2 / 2)
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 1e-5


def test_dimension_shifts_it_by_half_its_logarithm():
    small = Learner("erf", 0.5, 10**3, 1e-3)
    large = replace(small, dimension=10**6, learning_rate=1e-6)
    one, other = learning_curve(small), learning_curve(large)
    time = one.law.quantile(0.7)
    later = time + np.log(1e3) / 2 / one.law.rate
    first, second = one.expected(time / 1e-3), other.expected(later / 1e-6)
    assert first == pytest.approx(second, rel=1e-3)


@pytest.mark.parametrize(("text", "mu"), [("x", "0.5"), ("He3", "0.6"), ("He2", "0.4")])
def test_its_orbit_passes_the_exit_where_the_certified_one_does(text, mu):
    curve = learning_curve(Learner(text, float(mu), 1000, 1e-12))
    enclosed = exit_constant_of(Pair(text), Fraction(mu))
    assert enclosed.certainty == "certified"
    assert curve.law.constant.log_k == pytest.approx(enclosed.log_k, abs=curve.law.constant.error)


def test_where_nothing_leaves_it_stays():
    singular = learning_curve(Learner("x", 1.0, 1000, 1e-3))
    assert (singular.expected(10**9), singular.still_searching(10**9)) == (0.0, 1.0)
    with pytest.raises(InputError, match="without escape there is no way out"):
        unstable_orbit(flow_of("x", 1.0))
    plateau = learning_curve(Learner("He8", 0.3, 1000, 1e-12))
    assert plateau.still_searching(1e15) == pytest.approx(1)
    assert plateau.samples(0.5) == np.inf
    with pytest.raises(Undecided, match="not seen to reach"):
        plateau.descent.exit_constant(0.5)


def test_networks_and_a_loss_without_a_least_value_are_refused():
    network = Simulation("x", 0.5, neurons=2, horizon=1, records=0).learner
    correlated = Learner(Pair("x", loss="correlation"), 0.5, 1000, 1e-3)
    for learner, cause in ((network, "of one neuron"), (correlated, "correlation loss has no")):
        with pytest.raises(InputError, match=cause):
            learning_curve(learner)


def test_between_known_phases_a_loss_falls_as_an_exponential_and_before_them_it_has_not_begun():
    """What it lacks of the frozen one is of the order of e^2θ, before the first; after the last
    it stays."""
    phases, states = np.array([-1.0, 0.0, 2.0]), np.outer(np.exp([-1.0, 0.0, 2.0]), [0.6, 0.8])
    descent = Descent(phases, np.array([0.9, 0.5, 0.05]), states, 1.0)
    assert descent.at(phases) == pytest.approx([0.9, 0.5, 0.05])
    assert descent.at(np.array([-2.0, -4.0])) == pytest.approx(1 - 0.1 * np.exp([-2.0, -6.0]))
    assert descent.at(np.array([-0.5, 1.0, 9.0])) == pytest.approx([0.45**0.5, 0.025**0.5, 0.05])
    heated = descent.heated(np.array([0.25, 0.125, 0.5]))
    assert heated.frozen == 1.25
    assert heated.at(phases) == pytest.approx([1.15, 0.625, 0.55])
    assert heated.at(np.array([-2.0])) == pytest.approx(1.25 - 0.1 * np.exp(-2))
    for radius in (0.37, 0.5, 1.0, 3.0, np.exp(2.0) * (1 - 1e-12)):  # sizes are e^θ
        assert descent.exit_constant(radius).log_k == pytest.approx(np.log(radius))
    assert descent.exit_constant(descent.sizes[-1]).log_k == pytest.approx(2)
    assert descent.exit_constant(0.01).log_k == -1  # outside from the first on
    with pytest.raises(Undecided):
        descent.exit_constant(np.exp(2.0) * (1 + 1e-12))


def test_a_run_is_as_far_as_its_time_less_half_of_log_d_and_the_error_is_twice_the_first_terms():
    """|X| near 3, and a loss of e^-θ at the phase θ: 3 e^λt/√d is how far a run has come."""
    phases = np.linspace(-20.0, 20.0, 9)
    descent = Descent(phases, np.exp(-phases), np.outer(np.exp(phases), [0.6, 0.8]), np.exp(21.0))
    law = SimpleNamespace(mean=-3.0, spread=0.15, rate=0.5, dimension=10**4, learning_rate=0.25,
                          batch=4)  # fmt: skip
    curve = LearningCurve(None, descent.frozen, law, descent, Fluctuations(1.5, np.zeros(9)))
    for steps in (0, 10, 16):
        come = {g: 3 * np.exp(g * 0.5 * 0.25 * steps) / 100 for g in (1.0, 1.5)}
        for samples in (4 * steps, 4 * steps + 3):  # a batch that is begun does not count
            assert curve.expected(samples) == pytest.approx(1 / come[1.0], rel=0.02)
            off = 2 * (1 / come[1.0] - 1 / come[1.5])
            assert curve.error(samples) == pytest.approx(off, rel=0.02, abs=1e-9)
    flat = replace(descent, losses=np.full(9, 0.5), frozen=0.5)
    warm = replace(curve, descent=flat, fluctuating=Fluctuations(1.5, np.full(9, 0.125)))
    assert (warm.expected(40), warm.error(40)) == pytest.approx((0.5, 0.25))
