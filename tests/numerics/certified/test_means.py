"""Majorants bound, and certified means contain what quadrature gives."""

from fractions import Fraction

import mpmath
import pytest
from flint import arb, fmpq
from hypothesis import given
from hypothesis import strategies as st
from sympy import (
    N,
    Rational,
    S,
    cos,
    erf,
    exp,
    factorial2,
    log,
    oo,
    pi,
    sin,
    sqrt,
    tanh,
)

from derive.errors import InputError
from derive.means import Mean
from derive.piecewise import PiecewiseAnalytic, analytic
from derive.softplus import Softplus
from derive.symbols import mu, z
from numerics.certified.functions import Majorant
from numerics.certified.majorants import majorant
from numerics.certified.means import by_strength, mean_function


def _halves(left, right):
    return PiecewiseAnalytic((left, right), (S.Zero,))


@pytest.mark.parametrize(
    "f",
    [z**3 - 2 * z, z / (1 + exp(-mu * z)), tanh(z) * exp(mu * z), log(1 + exp(z)) ** 2,
     exp(-(z**2) / 3 + z), sin(3 * z) * z**2, exp(z**2 / 8), exp(z) * (1 + exp(z / 2)),
     exp(z**2 / 16) * (1 + exp(z**2 / 16)), (1 + exp(z / 3)) ** 3, Softplus(-2 * z) * exp(mu * z),
     z / (1 + exp(3 * z)) ** 2, log(z**2 + Rational(1, 10**4))],
)  # fmt: skip
@given(st.fractions(-30, 30, max_denominator=7), st.fractions(0, 1, max_denominator=7))
def test_majorants_majorise(f, point, strength):
    at = {z: Rational(point.numerator, point.denominator), mu: Rational(str(strength))}
    _assert_below(f, at, majorant(f))


def _assert_below(f, at, bound):
    size = abs(Fraction(int(at[z].p), int(at[z].q)))
    polynomial = Fraction(0)
    for k, c in enumerate(bound.polynomial.coeffs()):
        polynomial += Fraction(int(c.p), int(c.q)) * size**k
    with mpmath.workdps(30):
        linear, quadratic = (
            mpmath.mpf(int(q.p)) / int(q.q) for q in (bound.linear, bound.quadratic)
        )
        s = mpmath.mpf(size.numerator) / size.denominator
        value = mpmath.mpf(polynomial.numerator) / polynomial.denominator
        value *= mpmath.exp(linear * s + quadratic * s**2)
        assert abs(mpmath.mpf(str(N(f.subs(at), 30)))) <= value * (1 + mpmath.mpf(10) ** -20)


# Functions of z on pieces whose ends are fixed, or move as p/μ.
PIECES = [
    (z / mu**2, 2 / mu, oo),
    (1 / mu**3, -oo, -1 / (3 * mu)),
    (exp(z), -oo, 2 / mu),
    (exp(-z), -3 / mu, oo),
    (exp(z), -oo, -2 / mu),
    (exp(-mu * z), S(2), oo),
    (exp(mu * z), -oo, S(-1)),
    (exp(mu * z), S(-4), 1 / mu),
    (1 / (2 + mu * z), -1 / mu, oo),
    (1 / (1 + mu * z), S(3), oo),
    (1 / (2 - mu * z), -oo, S(-1)),
]


@pytest.mark.parametrize(("f", "low", "high"), PIECES, ids=str)
def test_majorants_majorise_on_their_pieces(f, low, high):
    """Next to an end, in the middle and far out, at strong and at weak pre-training."""
    bound = majorant(f, low, high)
    for strength in (Rational(1, 50), Rational(1, 3), Rational(1)):
        ends = [end.subs(mu, strength) for end in (low, high)]
        left, right = (ends[0] if ends[0] != -oo else ends[1] - 40,
                       ends[1] if ends[1] != oo else ends[0] + 40)  # fmt: skip
        for share in (0, Rational(1, 100), S.Half, 1):
            _assert_below(f, {z: left + share * (right - left), mu: strength}, bound)


@pytest.mark.parametrize("at", ["0.45", "0.5", "0.55"])
@pytest.mark.parametrize("radius", ["0", "0.02", "0.2"])
def test_a_ball_across_a_cut_is_taken_apart_there(at, radius):
    """100 μ up to 1/2 and μ beyond: what the parts of the ball give, and no more."""
    ball = arb(at) + arb(0, radius)
    found = by_strength([lambda s: 100 * s, lambda s: s], [lambda: arb(0.5)])(ball)
    low, high = float(ball.lower()), float(ball.upper())
    parts = [*([100 * low, 100 * min(high, 0.5)] if low <= 0.5 else []),
             *([max(low, 0.5), high] if high >= 0.5 else [])]  # fmt: skip
    assert float(found.lower()) == pytest.approx(min(parts), rel=1e-6)
    assert float(found.upper()) == pytest.approx(max(parts), rel=1e-6)


def test_a_rational_strength_is_a_ball_of_its_own():
    steps = by_strength([lambda s: 100 * s, lambda s: s], [lambda: arb(0.5)])
    assert (steps(fmpq(1, 4)), steps(fmpq(3, 4))) == (25, 0.75)


def test_the_mean_of_what_is_odd_is_0_and_no_ball_around_it():
    kinked = _halves(-erf(z), erf(z)) * analytic(z * cos(mu * z))
    for odd in (kinked, analytic(tanh(mu * z))):
        assert mean_function(Mean((odd,)))(arb(0.3)).is_zero()


@pytest.mark.parametrize(
    "f", [z**3 - z, tanh(z) * z, sin(z) ** 2, Softplus(mu * z), 1 / (1 + exp(z))]
)
def test_what_grows_like_a_polynomial_has_no_exponential_in_its_bound(f):
    """Else tails would be cut later than they need be, or not at all."""
    bound = majorant(f)
    assert (bound.linear, bound.quadratic) == (0, 0)


@pytest.mark.parametrize("start", [4, 8, 20])
def test_tails_are_bounded(start):
    bound = Majorant(majorant(z**4).polynomial, fmpq(1), fmpq(1, 8))
    with mpmath.workdps(30):
        density = lambda t: t**4 * mpmath.exp(t + t**2 / 8) * mpmath.npdf(t)  # noqa: E731
        tail = 2 * mpmath.quad(density, [start, start + 5, start + 20, start + 60])
        ours = mpmath.mpf(bound.tail(start).mid().str(20, radius=False))
        assert tail < ours < 2 * tail
    assert bound.tail(1) is None


def test_functions_without_a_known_bound_are_refused():
    with pytest.raises(InputError, match="no bound is known"):
        majorant(1 / z)
    for other in (1 / (1 + exp(z) - 2 * z), 1 / (exp(z) - 1), 1 / (1 - exp(z)), 1 / mu,
                  log(1 + exp(z) - 3 * z), log(1 - exp(-(z**2))), 1 / (1 + tanh(z)),
                  exp(exp(z)), exp(exp(z**2 / 8)), exp(z**3), exp(z * exp(-z))):  # fmt: skip
        with pytest.raises(InputError, match="no bound is known"):
            majorant(z * other)
    with pytest.raises(InputError, match="grows too fast"):
        mean_function(analytic(exp(z**2 / 2)))(arb(1))


@pytest.mark.parametrize(
    "f",
    [
        analytic(1 / (1 + exp(-z))),
        _halves(tanh(mu * z) ** 2 - sin(z), tanh(mu * z) ** 2 + sin(z)),
        _halves(Softplus(mu * z) - tanh(2 * z), Softplus(mu * z) + tanh(2 * z)),
        _halves(z**2 - z**3 + z * tanh(z), z**2 + z**3 - z * tanh(z)),
        _halves(sin(z), sin(z) + z),
    ],
    ids=str,
)
def test_means_obey_steins_identity_with_the_jump_of_the_slope(f):
    """E f' = E z f and E f'' = E (z² - 1) f, to which a kink at 0 gives the mean of a δ."""
    slope = f.derivative()
    at = arb("0.75")
    for ours, theirs in ((slope, f * z), (slope.derivative(), f * (z**2 - 1))):
        left, right = mean_function(ours)(at), mean_function(theirs)(at)
        assert left.overlaps(right)
        assert max(left.rad(), right.rad()) < 1e-12


@pytest.mark.parametrize("side", [z**8, exp(3 * z / 2) * z, Softplus(z) * z**6])
def test_means_do_not_tell_left_from_right(side):
    """A function on one side of 0 has a tail there alone; its mirror image has the same mean."""
    right, left = _halves(S.Zero, side), _halves(side.subs(z, -z), S.Zero)
    ours, theirs = (mean_function(f)(arb(1)) for f in (right, left))
    assert ours.overlaps(theirs)
    assert max(ours.rad(), theirs.rad()) < abs(ours) * 1e-12


@pytest.mark.parametrize("place", [2, -2, Rational(9, 10), -Rational(1, 4), Rational(1, 4)])
def test_breakpoints_that_move_are_where_the_strength_puts_them(place):
    """Within reach and beyond it, on either side: against closed forms; on balls of strengths."""
    mean = Mean((PiecewiseAnalytic((z**2, z + 2), (place / mu,)),))
    closed, function = mean.closed(), mean_function(mean)
    for strength in (Rational(1, 1000), Rational(1, 40), Rational(1, 8), Rational(1)):
        here = arb(fmpq(int(strength.p), int(strength.q)))
        exact = arb(str(closed.subs(mu, strength).evalf(30, chop=True)))
        assert abs(function(here) - exact) < 1e-13
        wide = function(here * (1 - arb(1) / 16 + arb(0, 1) / 16))
        assert wide.contains(exact.mid())
        assert wide.contains(function(here * arb(fmpq(15, 16))).mid())
    for middle, radius in (("0.5", "0.499"), ("0.5", "0.5")):  # places within reach and beyond
        wide = function(arb(middle) + arb(0, radius))
        for strength in ("0.001", "0.05", "0.1", "0.2", "0.4", "0.9", "0.998"):
            assert wide.contains(function(arb(strength)).mid())
            assert wide.is_finite()


@pytest.mark.parametrize("n", range(0, 9, 2))
def test_means_of_powers_are_the_double_factorials(n):
    assert mean_function(analytic(z**n))(arb(1)).overlaps(arb(int(factorial2(n - 1))))


@pytest.mark.parametrize("size", [sqrt(2), pi, exp(1), -sqrt(3)])
def test_bounds_of_irrational_numbers_are_at_least_these(size):
    bound = majorant(size * z).polynomial
    assert bound.degree() == 1
    assert Rational(int(bound[1].p), int(bound[1].q)) >= abs(size)
