"""The law of the exit time against SGD that is exact in law, its limits and invariances."""

from dataclasses import replace
from functools import cache
from math import log

import numpy as np
import pytest
from numbers_read import numbers_alone, to_digits

from derive.errors import InputError
from derive.pair import Pair
from numerics.dynamics.exit_constant import ExitConstant
from numerics.dynamics.exit_law import exit_law
from numerics.dynamics.sgd import Learner, Stage, simulate_sgd
from numerics.simulation.exits import ks_distance, quantile

RUNS, BOUND = 1000, 0.06  # 1.95/√1000: by chance once in 1000
# γd/B is 1 where nothing else is said, and the dimension 1000.
X = Learner(Pair("x"), 0.5, 1000, 8e-3, batch=8)
CASES = {
    "x": (X, 0.5, "state"),
    "noisy labels": (replace(X, noise=1.0, scale=0.2), 0.5, "state"),
    "u from 0": (replace(X, scale_u=0.0), 0.5, "state"),
    "from one state": (replace(X, starts=((0.01, -0.05),)), 0.5, "state"),
    "its overlap": (X, 0.4, "overlap"),
    "as far as μ": (Learner(Pair("He2"), 0.4, 1000, 2e-3, batch=8, scale_u=0.0), 0.05, "strength"),
    "He3": (Learner(Pair("He3"), 0.6, 1000, 1.6e-4, batch=16), 0.5, "state"),
    "He2, where noise delays it": (
        Learner(Pair("He2"), 0.7, 10**4, 3.2e-3, batch=32),
        0.5,
        "state",
    ),
    "misaligned": (
        Learner(Pair("relu", misalignment="spherical"), 0.5, 1000, 8e-3, batch=8),
        0.5,
        "state",
    ),
}


@cache
def simulated(name):
    learner, radius, exit_by = CASES[name]
    horizon = exit_law(*CASES[name]).steps(0.99)
    runs = simulate_sgd(learner, RUNS, seed=3, horizon=horizon, radius=radius, stop_at_exit=True,
                        exit_by=exit_by)  # fmt: skip
    return runs.exit_times, horizon * learner.learning_rate


def distance(name, law):
    times, horizon = simulated(name)
    return ks_distance(times, lambda t: 1 - law.searching(t), horizon)


@pytest.mark.parametrize("name", CASES)
def test_exit_times_of_sgd_have_this_law(name):
    law, (times, _) = exit_law(*CASES[name]), simulated(name)
    assert distance(name, law) < BOUND
    for p in (0.1, 0.5, 0.9):
        error = (p * (1 - p) / RUNS) ** 0.5
        low, high = (quantile(times, p + side * 4 * error) for side in (-1, 1))
        assert low * 0.98 < law.quantile(p) < high * 1.02


@pytest.mark.parametrize("name", CASES)
def test_each_part_of_the_law_is_needed(name):
    """With another log K, and with the parts along u and m exchanged, it is far from the runs."""
    law = exit_law(*CASES[name])
    delayed = replace(law, constant=replace(law.constant, log_k=law.constant.log_k + 0.6))
    exchanged = replace(law, mean=law.spread, spread=abs(law.mean) + 0.01)
    for wrong in (delayed, exchanged):
        assert distance(name, wrong) > 1.5 * BOUND


def test_the_noise_of_samples_is_needed_once():
    """Where it is most of the spread, neither none of it nor twice as much is right."""
    learner, *_ = CASES["noisy labels"]
    for factor in (0.0, 2.0):
        other = replace(learner, noise=learner.noise * factor**0.5)
        assert distance("noisy labels", exit_law(other)) > 1.5 * BOUND


def test_the_constant_is_that_of_the_finite_rate():
    """With the constant of small steps it is far from the runs."""
    name = "He2, where noise delays it"
    learner, *_ = CASES[name]
    law, still = exit_law(learner), exit_law(replace(learner, learning_rate=1e-12))
    assert law.finite_rate > 0.2
    assert distance(name, replace(law, constant=still.constant)) > 1.5 * BOUND


def test_numbers_that_were_checked_before():
    """10, 50 and 90 % by exact-in-law SGD agreed with these, at γd = 0.1 and a batch of 1."""
    for pair, mu, d, rate, expected in (
        ("x", 0.5, 1e3, 0.1, (11.4, 15.7, 23.8)),
        ("x", 0.5, 1e4, 0.1, (17.0, 21.2, 29.3)),
        ("relu", 0.1, 1e4, 0.1, (8.42, 11.7, 18.0)),
        ("He3", 0.6, 1e4, 0.01, (0.709, 0.896, 1.27)),
    ):
        law = exit_law(Learner(Pair(pair), mu, int(d), rate / d))
        for p, value in zip((0.1, 0.5, 0.9), expected, strict=True):
            assert law.quantile(p) == pytest.approx(value, rel=5e-3)


def test_dimension_enters_as_half_its_logarithm():
    """At a fixed γd exactly; so the leading order is ½ τ log d."""
    small, large = (exit_law(Learner(Pair("erf"), 0.5, d, 0.1 / d)) for d in (10**3, 10**9))
    for p in (0.1, 0.9):
        apart = large.quantile(p) - small.quantile(p)
        assert apart == pytest.approx(log(10**6) / 2 / small.rate, rel=1e-9)
    far = exit_law(Learner(Pair("erf"), 0.5, 10**15, 1e-16))
    assert far.quantile(0.5) * 2 * far.rate / log(1e15) == pytest.approx(1, abs=0.05)


def test_that_dimension_enters_so_is_exact_in_the_limit():
    """With much noise at the exit runs are far from the law at 100, and within chance at 10^4."""
    found = []
    for d, batch in ((100, 1), (1000, 8), (10**4, 32)):
        learner = Learner(Pair("He3"), 0.7, d, 0.1 * batch / d, batch=batch)
        law = exit_law(learner)
        times = simulate_sgd(learner, 600, 2, law.steps(0.999), stop_at_exit=True).exit_times
        found.append(ks_distance(times, lambda t, law=law: 1 - law.searching(t)))
    assert 0.15 < found[0] > 1.8 * found[1] > 1.8 * 1.3 * found[2]
    assert found[2] < 1.36 / 600**0.5


def test_shares_and_quantiles_are_inverse():
    law = exit_law(Learner(Pair("relu"), 0.3, 10**4, 1e-5, batch=4))
    for p in (1e-6, 0.1, 0.5, 0.99, 1 - 1e-9):
        assert law.searching(law.quantile(p)) == pytest.approx(1 - p, rel=1e-6)
        assert law.still_searching(law.samples(p)) <= 1 - p < law.still_searching(
            law.samples(p) - 2 * law.batch
        )  # fmt: skip
    assert law.searching(0.0) == pytest.approx(1, abs=1e-12)
    times = [law.quantile(p) for p in np.linspace(0.01, 0.99, 30)]
    assert times == sorted(times)


def test_only_the_rate_by_the_batch_enters_and_units_do_not():
    one = exit_law(Learner(Pair("relu"), 0.3, 10**4, 1e-5))
    batch = exit_law(Learner(Pair("relu"), 0.3, 10**4, 4e-5, batch=4))
    assert batch.quantile(0.3) == pytest.approx(one.quantile(0.3), rel=1e-12)
    assert batch.samples(0.3) == pytest.approx(one.samples(0.3), abs=8)
    tripled = exit_law(Learner(Pair("3*relu(x)"), 0.3, 10**4, 1e-5 / 9))
    assert tripled.quantile(0.3) == pytest.approx(one.quantile(0.3) / 9, rel=1e-4)


def test_other_learners_are_refused():
    for other in (replace(X, signs="aligned"), replace(X, stage=Stage("squared", 0.3))):
        with pytest.raises(InputError, match="has this law for one stage and random signs"):
            exit_law(other)
    with pytest.raises(InputError, match="there is no escape at μ = 1"):
        exit_law(replace(X, mu=1.0))
    for probability in (0, 1):
        with pytest.raises(InputError, match=f"probability {probability} is not accepted"):
            exit_law(X).quantile(probability)
    assert exit_law(replace(X, starts=((0.1, 0.0),))).mean != 0  # a fifth of the exit's size
    for starts in (((0.1001, 0.0),), ((0.0, 0.01), (0.01, 0.0))):
        with pytest.raises(InputError, match="the law is of one start that is at most"):
            exit_law(replace(X, starts=starts))
    with pytest.raises(InputError, match="by the teacher has no law"):
        exit_law(X, 0.5, "teacher")
    for radius, exit_by in ((0.5, "strength"), (0.0, "state"), (1.0, "overlap")):
        with pytest.raises(InputError, match="below μ if it is the distance"):
            exit_law(X, radius, exit_by)


def test_a_start_counts_by_its_part_along_the_growing_direction():
    learner = Learner(Pair("relu", misalignment="spherical"), 0.4, 1000, 1e-3)
    start = np.array([0.01, -0.02, 0.03])
    along = start @ np.linalg.eigh(learner.flow.linearisation())[1][:, -1]
    law = exit_law(replace(learner, starts=(start,)), constant=ExitConstant(0.0, 0.0, "heuristic"))
    assert abs(law.mean) == pytest.approx(1000**0.5 * abs(along), rel=1e-9)


def test_what_starts_far_out_has_left_at_the_start():
    """Its typical |X| is beyond the exit: the time of the law is negative, that of runs is 0."""
    for mean in (1e4, -1e4):
        law = replace(exit_law(X), mean=mean)
        assert [law.quantile(p) for p in (0.1, 0.9)] == [0, 0]
        assert (law.steps(0.5), law.samples(0.5)) == (0, 0)


def test_it_is_shown_and_drawn_as_it_is():
    law = exit_law(X)
    exact = (law.quantile(0.5), law.samples(0.5))
    assert numbers_alone(repr(law)) == [*to_digits(exact, 4), 1000]
    (line,) = law.plot().lines
    times, shares = line.get_data()
    assert (times[0], times[-1]) == (0, law.quantile(0.99))
    np.testing.assert_array_equal(shares, law.searching(times))
