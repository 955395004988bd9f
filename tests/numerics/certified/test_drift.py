"""Compiled expressions, certified quadrature and the drift they enclose, against mpmath."""

from fractions import Fraction

import mpmath
import pytest
from flint import acb, arb, ctx, fmpq
from hypothesis import given
from hypothesis import strategies as st
from sympy import (
    Function,
    I,
    N,
    Rational,
    asin,
    cos,
    erf,
    exp,
    lambdify,
    log,
    pi,
    sin,
    sqrt,
    symbols,
    tanh,
)

from derive.errors import InputError
from derive.grammar import parse_activation
from derive.kinked import Kinked
from derive.pair import Pair
from derive.pair_drift import drift_of, mean_drift
from derive.polynomial_drift import hermite_drift
from derive.symbols import mu, z
from numerics.certified.balls import nearest_double
from numerics.certified.drift import (
    ball_drift,
    frozen_risk_function,
    growth_rate,
    student_mean_function,
)
from numerics.certified.expressions import ball_function
from numerics.certified.means import Majorant, majorant, mean_function

x, y = symbols("x y", positive=True)
ACTIVATIONS = ("erf", "gelu", "sin", "relu", "sigmoid", "tanh", "silu", "softplus", "relu + tanh")


@pytest.mark.parametrize(
    "expression",
    [x**2 - 3 * x / 8, sqrt(x + y) / x, exp(-x) * erf(y), asin(x / 3) ** 2, log(1 + exp(x)), pi * x,
     sin(x) * cos(y), tanh(x - y), (1 + x) ** Rational(-3, 2), exp(1) * x],
)  # fmt: skip
def test_compiled_expressions_contain_the_value_narrowly(expression):
    at = {x: Rational(3, 7), y: Rational(5, 11)}
    with ctx.workprec(200):
        ball = ball_function(expression, [x, y])(*(arb(fmpq(v.p, v.q)) for v in at.values()))
        truth = arb(str(N(expression.subs(at), 80))) + arb(0, arb(10) ** -75)
        assert ball.overlaps(truth)
        assert ball.rel_accuracy_bits() > 150


@given(st.fractions(0, 1, max_denominator=50), st.fractions(0, 1, max_denominator=50))
def test_wide_balls_contain_every_value(centre, shift):
    """Inclusion: the image of a ball contains the image of each of its points."""
    function = ball_function(exp(-x) * sin(3 * x) / (1 + x**2), [x])
    wide = function(arb(fmpq(centre.numerator, centre.denominator)) + arb(0, 1))
    point = function(arb(fmpq((centre + shift).numerator, (centre + shift).denominator)))
    assert wide.contains(point)


def test_unknown_functions_are_refused():
    with pytest.raises(InputError, match="not compiled"):
        ball_function(Function("f")(x), [x])
    with pytest.raises(InputError, match="not compiled"):
        ball_function(x ** Rational(1, 3), [x])
    with pytest.raises(InputError, match="not compiled"):
        ball_function(I * x, [x])
    assert ball_function(I * x, [x], acb)(acb(2)) == acb(0, 2)


@pytest.mark.parametrize(
    "f",
    [z**3 - 2 * z, z / (1 + exp(-mu * z)), tanh(z) * exp(mu * z), log(1 + exp(z)) ** 2,
     exp(-(z**2) / 3 + z), sin(3 * z) * z**2, exp(z**2 / 8)],
)  # fmt: skip
@given(st.fractions(-30, 30, max_denominator=7), st.fractions(0, 1, max_denominator=7))
def test_majorants_majorise(f, point, strength):
    bound = majorant(f)
    at = {z: Rational(point.numerator, point.denominator), mu: Rational(str(strength))}
    size = abs(point)
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
    with pytest.raises(InputError, match="grows too fast"):
        mean_function(Kinked(exp(z**2 / 2)))(arb(1))


@pytest.mark.parametrize("text", ACTIVATIONS)
def test_enclosures_contain_the_quadrature_and_are_narrow(text):
    activation = parse_activation(text)
    balls = ball_drift(drift_of(Pair(activation, activation)))
    value = activation.value
    first = value.derivative()
    second = first.derivative()
    folded = []
    for part in (value, first, second):
        sides = [lambdify(z, part.smooth + s * part.kink, "mpmath") for s in (1, -1)]
        folded.append(lambda t, p=sides: p[0](t) if t > 0 else p[1](t))
    s0, s1, s2 = folded
    with mpmath.workdps(40), ctx.workprec(110):
        m = mpmath.mpf(2) / 9
        points = [-22, -12, -6, -3, -1, 0, 1, 3, 6, 12, 22]
        a = mpmath.quad(lambda t: (s0(t) - s0(m * t)) * t * s1(m * t) * mpmath.npdf(t), points)
        b = mpmath.quad(
            lambda t: ((s0(t) - s0(m * t)) * s2(m * t) - s1(m * t) ** 2) * mpmath.npdf(t), points
        )
        strength = arb(fmpq(2, 9))
        for ball, truth in ((balls.a(strength), a), (balls.b(strength), b)):
            assert ball.overlaps(arb(mpmath.nstr(truth, 36)) + arb(0, 1e-28))
            assert ball.rad() < 1e-20
            assert abs(mpmath.mpf(ball.mid().str(35, radius=False)) - truth) < 1e-25


@pytest.mark.parametrize("text", ["erf", "sigmoid", "relu + tanh"])
def test_wide_strengths_enclose_every_strength_in_them(text):
    activation = parse_activation(text)
    balls = ball_drift(drift_of(Pair(activation, activation)))
    cell = arb(0.5, 0.1)
    for function in (balls.a, balls.b, balls.slope):
        wide = function(cell)
        for point in (0.4, 0.47, 0.6):
            assert wide.overlaps(function(arb(point)))
            assert wide.contains(function(arb(point)).mid())


@pytest.mark.parametrize("text", ["erf", "sigmoid", "He5", "tanh"])
def test_the_slope_is_the_derivative_of_a(text):
    activation = parse_activation(text)
    balls = ball_drift(drift_of(Pair(activation, activation)))
    with ctx.workprec(120):
        step = arb(2) ** -30
        centre = arb(fmpq(1, 3))
        quotient = (balls.a(centre + step) - balls.a(centre - step)) / (2 * step)
        assert abs(quotient - balls.slope(centre)) < arb(2) ** -45


def test_ends_where_a_vanishes_are_known():
    def ends(text, teacher=None):
        pair = Pair(parse_activation(teacher or text), parse_activation(text))
        drift = ball_drift(drift_of(pair))
        return drift.at_zero is not None, drift.at_one is not None

    assert ends("erf") == (False, True)
    assert ends("cos") == (True, True)
    assert ends("sigmoid") == (False, True)
    assert ends("tanh", "cos") == (True, False)
    assert ends("He4") == (True, True)


def test_closed_forms_and_polynomials_agree_as_balls():
    """One drift through two ways: exact polynomials and the compiled closed form."""
    balls = ball_drift(hermite_drift(6))
    closed = ball_function(hermite_drift(6).a.as_expr(), [mu])
    with ctx.workprec(100):
        assert balls.a(arb(fmpq(1, 3))).overlaps(closed(arb(fmpq(1, 3))))


@given(st.fractions(-3, 3, max_denominator=9), st.fractions(-3, 3, max_denominator=9))
def test_growth_rate_solves_its_equation(a, b):
    """λ² - bλ - a² = 0 with λ ≥ 0."""
    with ctx.workprec(100):
        a_, b_ = (arb(fmpq(v.numerator, v.denominator)) for v in (a, b))
        rate = growth_rate(b_, a_ * a_)
        assert (rate * rate - b_ * rate - a_ * a_).contains(0)
        assert rate >= 0 or rate.contains(0)


@pytest.mark.parametrize(
    ("teacher", "student"),
    [
        ("cos", "relu"),
        ("erf", "gelu"),
        ("He2", "abs + sin"),
        ("exp", "erf"),
        ("x", "sin*exp(x/2)"),
    ],
)
def test_quadrature_and_closed_form_agree_where_both_exist(teacher, student):
    """Two ways to one drift, also where the student's kink meets a label that is not 0 there."""
    pair = Pair(parse_activation(teacher), parse_activation(student))
    closed, means = ball_drift(drift_of(pair)), ball_drift(mean_drift(pair))
    with ctx.workprec(100):
        strength = arb(fmpq(3, 11))
        for name in ("a", "b", "slope"):
            ours, theirs = getattr(closed, name)(strength), getattr(means, name)(strength)
            assert ours.overlaps(theirs)
            assert max(ours.rad(), theirs.rad()) < 1e-20


@pytest.mark.parametrize("text", ["He4", "relu", "erf", "gelu", "sin(2*x)", "tanh", "softplus"])
def test_frozen_risk_and_mean_against_mpmath(text):
    activation = parse_activation(text)
    sigma = lambdify(z, activation.expression, "mpmath")
    strength = mpmath.mpf(3) / 7

    def mean(function):
        return mpmath.quad(lambda g: function(g) * mpmath.npdf(g), [-20, -5, 0, 5, 20])

    with mpmath.workdps(30):
        risk = mean(lambda g: (sigma(g) - sigma(strength * g)) ** 2) / 2
        first = mean(lambda g: sigma(strength * g))
    for function, truth in (
        (frozen_risk_function(Pair(activation, activation)), risk),
        (student_mean_function(activation), first),
    ):
        assert nearest_double(function, Fraction(3, 7)) == pytest.approx(float(truth), rel=1e-15)
