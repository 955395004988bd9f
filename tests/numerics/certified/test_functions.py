"""What is known of every function of ``FUNCTIONS``, asked of each alike."""

import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from flint import acb, arb, ctx, fmpq, fmpq_poly
from hypothesis import example, given
from hypothesis import strategies as st
from sympy import Abs, N, Rational, Symbol, asin, atan, erf, erfi, exp, log, pi, sqrt, tanh

from derive.angle import Angle
from derive.piecewise import analytic
from derive.softplus import Softplus
from derive.symbols import mu, z
from numerics.certified.expressions import ball_function
from numerics.certified.functions import FUNCTIONS, Majorant, bound_of, root_bound
from numerics.certified.majorants import majorant
from numerics.doubles.arrays import array_function
from numerics.doubles.compiled import compiled

X = Symbol("x", real=True)
# A function of one real argument in [-1, 1] for every entry.
SAMPLES = {
    **{known: known(2 * X) for known in FUNCTIONS if known is not Angle},
    Angle: Angle(X, 2 + X),
    asin: asin(X),
    log: log(1 + exp(3 * X)),
}
points = st.fractions(-1, 1, max_denominator=40)
everywhere = pytest.mark.parametrize("known", FUNCTIONS, ids=lambda known: known.__name__)


def _exact(number):
    return fmpq(number.numerator, number.denominator)


@everywhere
@given(points)
def test_the_enclosure_contains_the_value_narrowly(known, point):
    f = SAMPLES[known]
    with ctx.workprec(160):
        ball = ball_function(f, [X])(arb(_exact(point)))
        truth = arb(str(N(f.subs(X, Rational(str(point))), 60)))
        assert ball.overlaps(truth + arb(0, arb(10) ** -50))
        assert ball.rad() < arb(10) ** -40


@everywhere
@given(points, points)
def test_a_wide_ball_holds_every_value_in_it(known, centre, shift):
    function = ball_function(SAMPLES[known], [X])
    width = arb(_exact(abs(shift) / 2))
    centre = centre / 2
    wide = function(arb(_exact(centre)) + arb(0, width.upper()))
    with ctx.workprec(200):
        assert wide.overlaps(function(arb(_exact(centre + shift / 2))))


@pytest.mark.parametrize("known", [f for f in FUNCTIONS if f not in (Abs, Angle)])
def test_complex_balls_agree_with_real_ones_and_say_where_they_are_not_analytic(known):
    f = ball_function(SAMPLES[known], [X], acb)
    inside = f(acb(0.25, 0.125), analytic=True)
    assert inside.is_finite()
    assert f(acb(0.25), analytic=True).real.overlaps(ball_function(SAMPLES[known], [X])(arb(0.25)))
    # The mean over a circle is the value at its centre, and only for an analytic function.
    ring = [f(acb(0.25) + acb(0.25) * acb(0, 2 * math.pi * k / 64).exp()) for k in range(64)]
    assert abs(sum(ring, acb(0)) / 64 - f(acb(0.25))) < 1e-9


@pytest.mark.parametrize("f", [log(1 + exp(X)), Softplus(X)])
def test_a_logarithm_is_not_analytic_across_its_cut(f):
    """Next to 1 + e^(iπ) = 0: to integrate over such a ball would be wrong."""
    across = acb(arb(0, 1), arb(math.pi, 1))
    function = ball_function(f, [X], acb)
    assert not function(across, analytic=True).is_finite()
    assert function(acb(arb(0, 0.25), arb(0, 0.25)), analytic=True).is_finite()
    beyond = ball_function(log(X), [X], acb)  # crosses the negative axis, where log is finite
    assert beyond(acb(-2, arb(0, 1))).is_finite()
    assert not beyond(acb(-2, arb(0, 1)), analytic=True).is_finite()


@pytest.mark.parametrize("height", [arb(2, 0.1), arb(-1.5, 0.1), arb(1, 0.01), arb(9, 8)])
def test_an_arc_tangent_is_not_analytic_across_its_cuts(height):
    """On both sides of ±i and beyond it differs by π, which a finite ball would hide."""
    function = ball_function(atan(X), [X], acb)
    assert not function(acb(arb(0, 0.1), height), analytic=True).is_finite()
    beside = acb(arb(0.25, 0.1), arb(height.mid()))
    assert function(beside, analytic=True).is_finite()
    assert function(acb(arb(0, 0.1), height / 32), analytic=True).is_finite()
    sides = [function(acb(side, height.mid()), analytic=True).real for side in (-0.01, 0.01)]
    assert abs(sides[1] - sides[0]) > 1


@pytest.mark.parametrize(
    "ball", [arb(0, 1), arb(3, 10), arb(0, 200), acb(0, arb(0, 0.5)), acb(arb(9, 2), arb(0, 0.01))]
)
def test_wide_balls_of_a_softplus_stay_narrow(ball):
    """1 + e^y contains 0 there, softplus does not: its slope is a sigmoid, at most 1."""
    found = ball_function(Softplus(X), [X], type(ball))(ball)
    assert found.is_finite()
    radius = max(ball.real.rad(), ball.imag.rad())
    assert max(found.real.rad(), found.imag.rad()) < 2 * radius
    if isinstance(ball, acb):
        plain = ball_function(log(1 + exp(X)), [X], acb)(ball, analytic=True)
        assert not plain.real.rad() < found.real.rad() / 2


@given(points, points)
def test_an_angle_is_the_arcsine_beside_the_real_line_too(real, imaginary):
    place = mpmath.mpc(float(real), float(imaginary))
    found = ball_function(Angle(X, 2 + X), [X], acb)(acb(float(real), float(imaginary)))
    known = mpmath.asin(place / mpmath.sqrt(place**2 + place + 2))
    assert complex(found) == pytest.approx(complex(known), abs=1e-13)


@pytest.mark.parametrize("known", [f for f in FUNCTIONS if f not in (Angle, asin, erfi)])
@given(st.fractions(-30, 30, max_denominator=9))
def test_the_bound_holds(known, point):
    f = Abs(z) if known is Abs else SAMPLES[known].subs(X, z)
    bound, size = majorant(f), abs(point)
    assert abs(N(f.subs(z, Rational(str(point))), 30)) <= at(bound, size) * (1 + 1e-12)


@pytest.mark.parametrize(
    "exponent", [z * tanh(z) / 4, sqrt(1 + z**2), z * atan(z) / 5 - 3, 2 + z * erf(z), Abs(z)]
)
@given(st.fractions(-30, 30, max_denominator=9))
def test_the_bound_of_an_exponential_holds_whatever_the_exponent(exponent, point):
    value = abs(N(exp(exponent).subs(z, Rational(str(point))), 30))
    assert value <= at(majorant(exp(exponent)), abs(point)) * (1 + 1e-12)


@pytest.mark.parametrize(
    "inside", [1 + exp(z), 2 + exp(z), 5 + exp(z), 1 + exp(z) + 99 * z**4, 2 + exp(z) + exp(-z)]
)
@given(st.fractions(-30, 30, max_denominator=9))
def test_the_bound_of_a_logarithm_holds_whatever_the_sum(inside, point):
    """Only log(1 + e^y) is a softplus, at most 1 + |y|."""
    value = abs(N(log(inside).subs(z, Rational(str(point))), 30))
    assert value <= at(majorant(log(inside)), abs(point)) * (1 + 1e-12)


def at(bound, size):
    """The value of a majorant, from its definition."""
    with mpmath.workdps(30):
        s = mpmath.mpf(size.numerator) / size.denominator
        value = sum(
            mpmath.mpf(int(c.p)) / int(c.q) * s**k for k, c in enumerate(bound.polynomial.coeffs())
        )
        linear, quadratic = (
            mpmath.mpf(int(q.p)) / int(q.q) for q in (bound.linear, bound.quadratic)
        )
        return value * mpmath.exp(linear * s + quadratic * s * s)


rates = st.fractions(0, 2, max_denominator=5)
majorants = st.builds(
    lambda c, b, q: Majorant(fmpq_poly(c), _exact(b), _exact(q / 8)),
    st.lists(st.integers(0, 5), min_size=1, max_size=3),
    rates,
    rates,
)


@given(majorants, majorants, st.fractions(0, 9, max_denominator=4))
def test_majorants_add_and_multiply_as_bounds_do(left, right, size):
    """At least the sum, and exactly the product: rates add where functions are multiplied."""
    ours, theirs = at(left, size), at(right, size)
    assert at(left + right, size) >= (ours + theirs) * (1 - 1e-12)
    assert abs(at(left * right, size) - ours * theirs) <= ours * theirs * 1e-12


@given(majorants, st.fractions(0, 9, max_denominator=4))
@example(Majorant(fmpq_poly([0, 1])), Fraction(1))  # √|z| is above |z|, next to 0
def test_the_bound_of_a_root_grows_half_as_fast(bound, size):
    """No slower, as it bounds the root; and no faster."""
    root = root_bound(bound)
    for near in (size, size / 100):
        assert at(root, near) ** 2 >= at(bound, near) * (1 - 1e-12)
    assert (2 * root.linear, 2 * root.quadratic) == (bound.linear, bound.quadratic)
    assert 2 * root.polynomial.degree() <= max(bound.polynomial.degree(), 0) + 1


@given(majorants, *[st.fractions(-4, 4, max_denominator=4)] * 3)
def test_a_majorant_bounds_what_is_seen_from_elsewhere(bound, middle, deviation, h):
    seen = bound.seen_from(arb(_exact(middle)), arb(_exact(deviation)))
    assert at(seen, abs(h)) >= at(bound, abs(middle + deviation * h)) * (1 - 1e-12)


@pytest.mark.parametrize("known", [f for f in FUNCTIONS if f not in (Angle, erfi)])
def test_arrays_and_machine_code_agree_with_the_enclosure(known):
    """What SymPy's printers write for a function is that function."""
    f = SAMPLES[known]
    function = ball_function(f, [X])
    truth = [float(function(arb(x))) for x in (-0.875, -0.25, 0.5, 1.0)]
    grid = np.array([-0.875, -0.25, 0.5, 1.0])
    assert array_function(f, [X])(grid) == pytest.approx(truth, rel=1e-14, abs=1e-15)
    if known is not Abs:  # a kink has parts of its own
        machine = compiled(analytic(f.subs(X, z)))
        assert [machine(x) for x in grid] == pytest.approx(truth, rel=1e-14, abs=1e-15)


@given(st.fractions(-40, 40, max_denominator=9))
def test_a_softplus_is_its_logarithm(point):
    """The same value and slopes as log(1 + e^y), and y apart from its mirror image."""
    y, here = Symbol("y", real=True), Rational(str(Fraction(point)))
    plain = log(1 + exp(3 * y))
    for k in range(4):
        ours, theirs = (
            N(f.diff(y, k).subs(y, here), 20, maxn=400) for f in (Softplus(3 * y), plain)
        )
        assert abs(ours - theirs) < Rational(1, 10**15)
    mirrored = Softplus(3 * y) - Softplus(-3 * y) - 3 * y
    assert abs(N(mirrored.subs(y, here), 20, maxn=400)) < Rational(1, 10**15)


@pytest.mark.parametrize("start", [3, 5, 12])
@pytest.mark.parametrize("degree", [0, 1, 2, 4])
def test_the_tail_of_a_power_is_at_least_the_integral(degree, start):
    """Both tails, by mpmath's incomplete gamma function, and not far above them."""
    found = Majorant(fmpq_poly([0] * degree + [1])).tail(start)
    with mpmath.workdps(40):
        half = mpmath.mpf(degree + 1) / 2
        truth = mpmath.gammainc(half, mpmath.mpf(start) ** 2 / 2) * mpmath.mpf(2) ** (half - 1)
        truth *= 2 / mpmath.sqrt(2 * mpmath.pi)
        ours = mpmath.mpf(found.mid().str(30, radius=False))
    assert truth <= ours <= 2 * truth


def test_a_tail_is_bounded_where_the_integrand_falls_and_not_before():
    """z^n e^(-z²/2) falls beyond z = √n: not at it."""
    for root in (1, 2, 3):
        bound = Majorant(fmpq_poly([0] * root**2 + [1]))
        assert bound.tail(root) is None
        assert bound.tail(root + 1).is_finite()


@pytest.mark.parametrize(
    "coefficient",
    [1 + mu, 2 * mu - 3, mu**2 - mu - Rational(1, 3), sqrt(2) * mu + pi, -mu / 7, Rational(-5, 3)],
    ids=str,
)
def test_the_bound_of_a_coefficient_holds_at_every_strength(coefficient):
    """At both ends, where sums are largest, and between; and of a number it is the size."""
    bound = bound_of(coefficient)
    for strength in (0, Rational(1, 3), Rational(1, 2), 1):
        assert abs(coefficient.subs(mu, strength)) <= Rational(int(bound.p), int(bound.q))
    assert bound_of(-coefficient) == bound
