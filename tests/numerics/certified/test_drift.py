"""Enclosed drifts of every form, against mpmath and against each other."""

import math
from dataclasses import replace
from fractions import Fraction

import mpmath
import pytest
from flint import arb, ctx, fmpq
from hypothesis import given
from hypothesis import strategies as st
from sympy import (
    Poly,
    Rational,
    exp,
    lambdify,
)

from derive.drift import ClosedDrift, Drift, MeanDrift
from derive.errors import InputError
from derive.grammar import parse_activation
from derive.means import Mean
from derive.pair import Pair
from derive.pair_drift import drift_of, mean_drift
from derive.polynomial_drift import hermite_drift
from derive.symbols import mu, z
from numerics.certified.balls import nearest_double
from numerics.certified.drift import (
    ball_drift,
    enclosed,
    frozen_risk_function,
    growth_rate,
    student_mean_function,
)
from numerics.certified.expressions import ball_function


def test_the_slope_of_a_is_that_of_aligned_pretraining():
    balls = ball_drift(drift_of(Pair("tanh", misalignment="linear")))
    with pytest.raises(InputError, match="give no misalignment"):
        balls.slope(arb("0.5"))


ACTIVATIONS = ("erf", "gelu", "sin", "relu", "sigmoid", "tanh", "silu", "softplus", "relu + tanh")


@pytest.mark.parametrize("text", ACTIVATIONS)
def test_enclosures_contain_the_quadrature_and_are_narrow(text):
    activation = parse_activation(text)
    balls = ball_drift(drift_of(Pair(activation, activation)))
    value = activation.value
    first = value.derivative()
    second = first.derivative()
    folded = []
    for part in (value, first, second):
        sides = [lambdify(z, part.pieces[s], "mpmath") for s in (-1, 0)]
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


@pytest.mark.parametrize(
    "drift",
    [
        ClosedDrift(exp(mu) - 1 + Rational(1, 10**30) * (1 - mu), -1),
        ClosedDrift((exp(1 - mu) - 1) + Rational(1, 10**30), -1),
        drift_of(Pair("cos + x/10**20", "tanh")),
    ],
)
def test_an_end_value_that_merely_contains_zero_does_not_vanish(drift):
    """At 53 bits a is not told from 0 at an end; that is no proof that it is 0."""
    balls = ball_drift(drift)
    assert any(balls.a(arb(end)).contains(0) for end in (0, 1))
    assert (balls.at_zero, balls.at_one) == (None, None)
    with ctx.workprec(200):
        assert not any(balls.a(arb(end)).contains(0) for end in (0, 1))


def test_polynomials_are_exact_at_rationals():
    drift = hermite_drift(30)
    balls, third = ball_drift(drift), fmpq(1, 3)
    for name, function in (("a", balls.a), ("b", balls.b), ("a'", balls.slope)):
        f = drift.derivative("a") if name == "a'" else getattr(drift, name)
        exact = f.eval(Rational(1, 3))
        ours, theirs = function(third), arb(fmpq(int(exact.p), int(exact.q)))
        assert (ours.mid(), ours.rad()) == (theirs.mid(), theirs.rad())  # rounded once


@pytest.mark.parametrize("order", [1, 9, 12])
def test_zeros_of_polynomials_at_the_ends_are_known_to_any_order(order):
    balls = ball_drift(Drift(mu**order * (1 - mu) ** order, -1))
    assert not balls.at_zero(arb(0)).contains(0)
    assert not balls.at_one(arb(1)).contains(0)


@pytest.mark.parametrize(
    ("pair", "order"),
    [(("He3", "tanh"), 1), (("tanh(x) - x",), 2), (("tanh**3",), 2), (("tanh(3*x)*x**2",), 2),
     (("tanh", "tanh**2"), 3), (("atan(x) - x",), 2), (("hardtanh", "tanh**3"), 2),
     (("tanh", "relu(x - 1) + x**3"), 2), (("gelu", "mish"), 0)],
)  # fmt: skip
def test_zeros_at_zero_are_known_to_any_order_for_means_too(pair, order):
    """By the Taylor coefficients of the student: a ~ σ^(k+1)(0) E[φ z^(k+1)] μ^k/k! + ..."""
    balls = ball_drift(drift_of(Pair(*pair)))
    if order == 0:
        assert balls.at_zero is None
        return
    leading = balls.at_zero(arb(0))
    assert not leading.contains(0)
    small = arb(2) ** -20
    with ctx.workprec(200):
        assert abs(balls.a(small) / small**order * math.factorial(order) / leading - 1) < 1e-4


def test_a_drift_is_enclosed_once_and_an_equal_one_in_its_own_form():
    drift = drift_of("erf")
    apart = replace(drift, means=None)
    assert ball_drift(drift) is ball_drift(drift)
    assert apart == drift
    assert ball_drift(apart) is not ball_drift(drift)


def test_values_ask_for_no_derivative_of_the_integrand(monkeypatch):
    """Though a vanishes as μ³ at 0: derivatives of high orders are long."""
    drift = drift_of(Pair("tanh", "tanh**2"))
    monkeypatch.setattr(Mean, "derivative", None)
    balls = ball_drift(drift)
    assert all(ball.is_finite() for ball in balls.at(fmpq(9, 10)))
    assert balls.at(fmpq(0))[0].is_zero()


def test_means_that_vanish_without_a_known_order_have_no_derivative_at_zero():
    """A student that is constant around 0: a falls faster than any power."""
    for text in ("relu(x - 1)", "softshrink", "relu(x - 1)*tanh(x)"):
        drift = drift_of(text)
        assert ball_drift(drift).at_zero is None
        assert (drift if isinstance(drift, MeanDrift) else drift.means).is_flat


def test_values_at_the_ends_are_exact_where_a_vanishes_and_refused_where_b_is_infinite():
    """The rate is 0 where a is known to be; of cos and relu b is infinite at 0 alone."""
    gelu, kink = (ball_drift(drift_of(Pair(*p))) for p in (("gelu",), ("cos", "relu")))
    a, b, rate = gelu.at(fmpq(1))
    assert (a.is_zero(), b < 0, rate.is_zero()) == (True, True, True)
    assert gelu.at(fmpq(0))[0] > 0
    cosine = ball_drift(drift_of(Pair("cos")))
    assert cosine.at(fmpq(0))[0].is_zero()
    for inside in (gelu.at(fmpq(1, 3))[0], cosine.at(fmpq(1, 3))[0]):
        assert not inside.contains(0)
    with pytest.raises(InputError, match="finite at μ = 0"):
        kink.at(fmpq(0))
    assert kink.at(fmpq(1, 3))[1].is_finite()


def test_a_new_kind_of_coefficient_is_refused_until_it_is_registered():
    with pytest.raises(InputError, match="give a Poly"):
        enclosed("mu")


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


@pytest.mark.parametrize("misalignment", [1 - mu, Rational(1, 3), 2 * mu])
@pytest.mark.parametrize("strength", [fmpq(1, 5), fmpq(2, 3), fmpq(1)])
def test_the_rate_of_a_misaligned_pair_solves_its_equation(misalignment, strength):
    """λ² - bλ - (a² + ν²b²) = 0; and the misalignment is in no other of the numbers."""
    drift = Drift(mu * (1 - mu) * (2 - 3 * mu), -2 - mu**2, misalignment=misalignment)
    nu = enclosed(Poly(misalignment, mu, domain="QQ"))(strength)
    a, b, rate = ball_drift(drift).at(strength)
    assert (rate * rate - b * rate - a * a - nu * nu * b * b).contains(0)
    assert rate.rad() < 1e-12
    aligned = ball_drift(Drift(drift.a, drift.b)).at(strength)
    assert (a.mid(), b.mid()) == (aligned[0].mid(), aligned[1].mid())
    assert bool(rate > aligned[2]) == bool(nu > 0)


@pytest.mark.parametrize("text", ["x", "He3", "erf", "tanh", "sin(2*x)", "x*abs"])
def test_an_odd_student_has_no_mean_and_another_constant_adds_itself(text):
    half = arb(0.5)
    assert student_mean_function(text)(half).is_zero()
    assert student_mean_function(f"{text} + 2/3")(half).overlaps(arb(2) / 3)
