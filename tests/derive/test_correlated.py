"""Means of two correlated Gaussians: limiting cases, Price's theorem, quadrature."""

import math
from itertools import combinations_with_replacement, product

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import members, variances
from sympy import Abs, Integer, Rational, Symbol, diff, erf, exp, lambdify, nan, oo, sqrt, zoo
from thorough import only

from derive import correlated
from derive.correlated import Covariance, correlated_mean
from derive.errors import InputError
from derive.gaussian import (
    NoClosedForm,
    constant,
    delta,
    error_function,
    exponential,
    power,
    sign,
)
from derive.symbols import z

CROSS, DETERMINANT = Symbol("c", real=True), Symbol("D", positive=True)
centred = members(1, tilted=False)
correlations = st.fractions(min_value=-1, max_value=1, max_denominator=8).map(
    lambda f: Rational(f.numerator, f.denominator)
)
KINKED = (
    sign() * power(1),
    sign() * power(2) + power(1),
    sign() * power(3) * exponential(Rational(1, 4), 0),
    sign(),
    error_function(2) * power(1),
    error_function(1) + sign() * power(1),
    exponential(Rational(1, 3), Rational(1, 2)) * power(2),
)  # fmt: skip
# In one order: that the other gives the same is a law below.
PAIRS = only([*combinations_with_replacement(KINKED, 2)], product(KINKED, repeat=2))


def _mean(left, right, first, second, cross):
    covariance = Covariance(first, second, cross, first * second - cross**2)
    try:
        return correlated_mean(left, right, covariance)
    except NoClosedForm:  # more than two error functions
        assume(False)


def _close(left, right):
    return abs((left - right).evalf(30)) < 1e-20


@given(centred, centred, variances, variances)
def test_independent_gaussians_have_the_product_of_the_means(f, g, p, q):
    (left, _), (right, _) = f, g
    apart = left.scaled(sqrt(p)).mean() * right.scaled(sqrt(q)).mean()
    assert _close(_mean(left, right, p, q, Integer(0)), apart)


@given(centred, centred, variances, st.sampled_from([1, -1]))
def test_gaussians_that_coincide_are_one(f, g, q, side):
    """What is put in where y = ±x is the mean of f(x) g(±x), not 0/0."""
    (left, _), (right, _) = f, g
    product = left * right.scaled(side)
    assert _close(_mean(left, right, q, q, side * q), product.scaled(sqrt(q)).mean())


@pytest.mark.parametrize(("left", "right"), PAIRS)
def test_closed_forms_hold_where_the_gaussians_coincide(left, right):
    """The form in symbols, at the edge of its domain and a little inside."""
    p = Symbol("p", positive=True)
    general = correlated_mean(left, right, Covariance(p, p, CROSS, DETERMINANT))
    for side in (1, -1):
        edge = general.subs({CROSS: side * p, DETERMINANT: 0}).subs(p, Rational(3, 2))
        one = (left * right.scaled(side)).scaled(sqrt(Rational(3, 2))).mean()
        assert not edge.has(nan, zoo, oo)
        assert _close(edge, one)
        cross = side * (Rational(3, 2) - Rational(1, 10**40))
        near = general.subs(DETERMINANT, p**2 - CROSS**2).subs({CROSS: cross, p: Rational(3, 2)})
        assert abs((near - one).evalf(30)) < 1e-19  # as √D at worst


@given(centred, centred, variances, variances, correlations)
def test_exchanging_the_gaussians_exchanges_the_functions(f, g, p, q, share):
    (left, _), (right, _) = f, g
    cross = share * sqrt(p * q)
    assert _close(_mean(left, right, p, q, cross), _mean(right, left, q, p, cross))


@pytest.mark.parametrize(("left", "right"), PAIRS)
def test_price(left, right):
    """The derivative by the covariance is the mean of the derivatives."""
    p, q = Rational(3, 2), Rational(2, 3)
    cross, rest = Rational(2, 5), p * q - CROSS**2
    slope = diff(correlated_mean(left, right, Covariance(p, q, CROSS, rest)), CROSS)
    covariance = Covariance(p, q, cross, rest.subs(CROSS, cross))
    try:
        expected = correlated_mean(left.derivative(), right.derivative(), covariance)
    except NoClosedForm:  # the derivative of a δ
        pytest.skip("not in the algebra")
    assert _close(slope.subs(CROSS, cross), expected)


@pytest.mark.parametrize(
    ("left", "right", "f", "g"),
    [
        (KINKED[0], KINKED[4], Abs(z), erf(2 * z) * z),
        (KINKED[2], KINKED[0], Abs(z) ** 3 * exp(-(z**2) / 4), Abs(z)),
        (KINKED[6], KINKED[3] * power(1), exp(-(z**2) / 3 + z / 2) * z**2, Abs(z)),
        (error_function(1), error_function(3), erf(z), erf(3 * z)),
    ],
)
def test_means_agree_with_quadrature(left, right, f, g):
    """An oracle that knows neither Stein nor the angle: y = cx/p + √(D/p) g, nested quadrature."""
    p, q, cross = Rational(3, 2), Rational(4, 3), Rational(-3, 4)
    first, second = (lambdify(z, h, ["scipy", "numpy"]) for h in (f, g))
    nodes, weights = np.polynomial.legendre.leggauss(120)
    reach, spread = 10.0, math.sqrt(q - cross**2 / p)

    def panels(kink):
        """Nodes and weights of N(0, 1) on both sides of a kink, one row for each."""
        rows = []
        for low, high in ((np.full_like(kink, -reach), kink), (kink, np.full_like(kink, reach))):
            half = (high - low)[:, None] / 2
            x = low[:, None] + half * (1 + nodes)
            rows.append((x, half * weights * np.exp(-x * x / 2) / math.sqrt(2 * math.pi)))
        return [np.concatenate(part, axis=1) for part in zip(*rows, strict=True)]

    (x,), (outer,) = panels(np.zeros(1))
    x = math.sqrt(p) * x
    centre = float(cross / p) * x
    w, inner = panels(np.clip(-centre / spread, -reach, reach))
    whole = outer @ (first(x) * (inner * second(centre[:, None] + spread * w)).sum(1))
    assert abs(whole - float(_mean(left, right, p, q, cross))) < 1e-12


def test_exponentials_have_the_moment_generating_function():
    p, q = Symbol("p", positive=True), Symbol("q", positive=True)
    left, right = exponential(0, Rational(1, 2)), exponential(0, -3)
    found = correlated_mean(left, right, Covariance(p, q, CROSS, DETERMINANT))
    assert (found - exp(p / 8 - 3 * CROSS / 2 + 9 * q / 2)).equals(0)


def test_two_deltas_are_infinite_only_where_the_gaussians_coincide():
    found = correlated_mean(delta(), delta(), Covariance(1, 1, CROSS, DETERMINANT))
    assert found.subs(DETERMINANT, 4) == 1 / (4 * correlated.pi)


def test_what_has_no_mean_says_so():
    unit = Covariance(1, 1, Rational(1, 2), Rational(3, 4))
    with pytest.raises(InputError, match="grow too fast"):
        correlated_mean(exponential(Rational(-1, 2), 0), constant(1), unit)
    with pytest.raises(NoClosedForm, match="error functions"):
        correlated_mean(error_function(1) ** 2, error_function(1) ** 2, unit)


def test_a_wrong_angle_is_noticed(monkeypatch):
    """Planted fault: the sine in place of the angle makes the case of one Gaussian fail."""
    monkeypatch.setattr(correlated, "Angle", lambda c, d: c / sqrt(c**2 + d))
    monkeypatch.setattr(correlated, "monomial_mean", correlated.monomial_mean.__wrapped__)  # afresh
    one = Covariance(1, 1, 1, 0)
    assert not _close(correlated_mean(error_function(1), error_function(1), one),
                      (error_function(1) ** 2).mean())  # fmt: skip
