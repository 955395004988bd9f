"""The cost of samples at a tuned rate: its limit, its optimum, LoRA's scaling; exact identities."""

import mpmath
import pytest
from sympy import Rational, S, diff, limit, oo, simplify, sqrt, symbols

from derive.errors import InputError
from derive.escape import eigenvalues
from derive.pair import Pair
from derive.pair_drift import drift_of
from derive.symbols import mu
from derive.tuned_rate import (
    best_share,
    cost_at_full_strength,
    growth_with_scaling,
    slope_moment,
    stable_scaled_rate,
)
from numerics.dynamics.stability import stable_learning_rate

EXACT = ("x", "relu", "erf", "He2", "He3", "abs", "sin", "cos", "exp")


def cost(text):
    rate = eigenvalues(*drift_of(text).expressions)[0]
    return 1 / (rate * stable_scaled_rate(text))


@pytest.mark.parametrize("text", EXACT)
def test_the_cost_tends_to_its_limit_as_escape_times_diverge(text):
    near = 1 - Rational(1, 10**6)
    found = cost(text).subs(mu, near).evalf(40)
    assert abs(found / cost_at_full_strength(text).evalf(30) - 1) < 1e-4
    assert 1 / eigenvalues(*drift_of(text).expressions)[0].subs(mu, near).evalf(40) > 1e9


@pytest.mark.parametrize("text", EXACT)
def test_the_drift_at_full_strength_is_moments_of_the_slope(text):
    """So that the limit holds for every matched pair, whatever the activation."""
    a, b = drift_of(text).expressions
    student = Pair(text).student
    assert abs(diff(a, mu).subs(mu, 1).evalf(20) + slope_moment(student, 2, 2).evalf(20)) < 1e-15
    assert abs(b.subs(mu, 1).evalf(20) + slope_moment(student, 2).evalf(20)) < 1e-15


def test_numbers_that_are_known():
    assert cost_at_full_strength("erf") == Rational(125, 6)
    assert [cost_at_full_strength(n) for n in ("x", "relu", "He2")] == [S.Half, 1, Rational(1, 6)]


def test_of_x_and_relu_it_never_rises_and_falls_by_the_golden_ratio():
    golden = (1 + sqrt(5)) / 2
    for text in ("x", "relu", "abs"):
        least = cost_at_full_strength(text)
        ratio = simplify(cost(text) / least)
        assert simplify(limit(ratio, mu, 0) - golden) == 0
        values = [ratio.subs(mu, Rational(k, 20)).evalf() for k in range(1, 20)]
        assert values == sorted(values, reverse=True)


def test_at_a_singularity_it_diverges_while_the_rate_stays():
    root = mpmath.findroot(lambda t: 5 * t**3 + 5 * t**2 + t - 1, 0.32)
    near = [cost("He3").subs(mu, Rational(str(root)) + Rational(1, 10**k)).evalf(30)
            for k in (3, 4, 5)]  # fmt: skip
    assert near[0] * 50 < near[1] < near[2] / 50
    assert stable_scaled_rate("He3").subs(mu, Rational(str(root))) < 1


@pytest.mark.parametrize("text", ["x", "erf", "He2"])
def test_the_stable_rate_is_the_limit_of_that_of_finite_dimension(text):
    exact = float(stable_scaled_rate(text).subs(mu, S.Half))
    for batch in (1, 16):
        found = stable_learning_rate(text, 0.5, 10**9, batch) * 10**9 / batch
        assert found == pytest.approx(exact, rel=1e-6)


def test_the_best_share_is_the_minimum_of_search_and_descent():
    r, c = symbols("r c", positive=True)
    samples = (1 + r / (1 - c)) / c
    assert simplify(diff(samples, c).subs(c, best_share(r))) == 0
    assert simplify(diff(samples, c, 2).subs({c: best_share(1), r: 1})) > 0
    assert (limit(best_share(r), r, 0), limit(best_share(r), r, oo)) == (1, S.Half)


def test_a_scaling_helps_up_to_a_bound_and_not_at_a_singularity():
    alpha, a = symbols("alpha a", positive=True)
    growth = growth_with_scaling(a, -1, alpha)
    assert simplify(growth.subs(alpha, 1) - eigenvalues(a, S(-1))[0]) == 0
    assert limit(growth.subs(a, Rational(1, 3)), alpha, oo) == Rational(1, 9)
    slope = diff(growth, alpha)
    assert all(slope.subs({a: 1, alpha: Rational(k, 4)}) > 0 for k in range(1, 20))
    assert growth_with_scaling(0, -3, 7) == 0


def test_what_is_refused():
    for ask in (lambda: best_share(0.5), lambda: growth_with_scaling(1.0, -1, 1),
                lambda: cost_at_full_strength(Pair("x", labels="squared"))):  # fmt: skip
        with pytest.raises(InputError):
            ask()
