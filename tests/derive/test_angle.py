"""The angle of the arcsine law: it is the arcsine, and keeps its digits next to ±1."""

import math

import mpmath
import pytest
from hypothesis import given
from strategies import rationals, variances
from sympy import (
    Float,
    N,
    Rational,
    S,
    Symbol,
    asin,
    atan2,
    diff,
    lambdify,
    latex,
    limit,
    pi,
    sqrt,
    sstr,
)

from derive.angle import Angle

C, D = Symbol("c", real=True), Symbol("D", positive=True)


@given(rationals, variances)
def test_it_is_the_arcsine(c, d):
    assert abs(N(Angle(C, D).subs({C: c, D: d}) - asin(c / sqrt(c**2 + d)), 30)) < 1e-25
    assert Angle(-c, d) == -Angle(c, d)
    assert N(Angle(C, D)) == Angle(C, D)
    assert abs(lambdify((C, D), Angle(C, D))(float(c), float(d)) - float(Angle(c, d))) < 1e-15


@pytest.mark.parametrize(
    ("c", "d", "value"),
    [(0, 0, 0), (1, 0, pi / 2), (-2, 0, -pi / 2), (1, 3, pi / 6), (0, 1, 0), (1, 1, pi / 4)],
)
def test_known_angles_are_exact(c, d, value):
    assert Angle(c, d) == value
    assert Angle(C, D).subs({C: c, D: d}) == value


@pytest.mark.parametrize("power", [10, 36, 60])
def test_no_digit_is_lost_next_to_one(power):
    """Against mpmath at 200 digits; SymPy's arcsine loses half of them here."""
    c = 10**power - 1
    angle = Angle(c, 10 ** (2 * power) - c**2)
    with mpmath.workdps(200):
        true = mpmath.asin(mpmath.mpf(c) / 10**power)
        assert abs(mpmath.mpf(str(N(angle, 50))) / true - 1) < mpmath.mpf(10) ** -48


def test_derivatives_have_the_poles_of_the_arcsine_and_no_others():
    assert (diff(Angle(C, D), C) - diff(asin(C / sqrt(C**2 + D)), C)).equals(0)
    assert (diff(Angle(C, D), D) - diff(asin(C / sqrt(C**2 + D)), D)).equals(0)
    assert diff(Angle(C, 1 - C**2), C) == 1 / sqrt(1 - C**2)
    assert limit(Angle(C, D).subs(C, 1), D, 0, "+") == pi / 2


def test_it_is_shown_as_the_arcsine():
    p, q = Symbol("p", positive=True), Symbol("q", positive=True)
    assert sstr(Angle(C, p * q - C**2)) == "asin(c/(sqrt(p)*sqrt(q)))"
    assert latex(Angle(C, D) ** 2) == latex(asin(C / sqrt(C**2 + D)) ** 2)


@pytest.mark.parametrize(("factor", "shown"), [
    (S.One, "c/sqrt(3*p)"), (S(2), "2*c/sqrt(3*p)"), (Rational(2, 3), "2*c/sqrt(27*p)"),
    (sqrt(2) / 2, "c/sqrt(6*p)"), (sqrt(3), "c/sqrt(p)"),
    (sqrt(2), "sqrt(2)*c/sqrt(3*p)"),
    (C, "c**2/sqrt(3*p)"),
])  # fmt: skip
def test_a_number_is_shown_below_its_radical(factor, shown):
    """x/√(3y), and the value that it stands for."""
    p = Symbol("p", positive=True)
    angle = Angle(factor * C, 3 * p - factor**2 * C**2)
    assert abs(N((angle.shown() - angle).subs({C: Rational(1, 3), p: 2}), 30)) < 1e-25
    assert sstr(angle) == f"asin({shown})"


def test_signs_and_rewriting():
    positive = Symbol("p", positive=True)
    assert Angle(positive, D).is_positive
    assert Angle(C, D).is_positive is None
    assert Angle(C, D).rewrite(atan2) == atan2(C, sqrt(D))
    assert Angle(S.One, Rational(1, 10**9)).func is Angle
    assert math.isclose(Angle(C, D).subs({C: 0.5, D: 0.75}), math.pi / 6)
    assert not Angle(Float("0.5"), Rational(3, 4)).has(Angle)


def test_an_angle_has_the_sign_of_its_covariance():
    positive, negative = Symbol("p", positive=True), Symbol("n", negative=True)
    for c, sign in ((positive, 1), (negative, -1), (-positive, -1)):
        assert Angle(c, D).is_positive is (sign > 0)
        assert Angle(c, D).is_negative is (sign < 0)
        assert Angle(c, 0) == sign * pi / 2
    assert Angle(C, D).is_negative is None


@pytest.mark.parametrize(("c", "d"), [(2, 5), (3, 7), (5, 11), (9, 19), (19, 39)])
def test_away_from_one_it_is_sympys_arcsine(c, d):
    """(c + 1)² = c² + D: where no digit is lost the arcsine of c/(c + 1) is written as such."""
    assert Angle(c, d) == asin(Rational(c, c + 1))
    assert Angle(-c, d) == asin(Rational(-c, c + 1))
