"""The algebra of functions with a kink at 0, against their values on either side."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sympy import Rational, S, Symbol, cos, erf, exp, expand, log, sin, tanh

from derive.gaussian import NoClosedForm
from derive.kinked import Kinked, tidied
from derive.softplus import Softplus
from derive.symbols import z

PARTS = (z, z**2 - 1, sin(z), S.Zero, 2 * z / 3, exp(z) - 1)
functions = st.builds(Kinked, st.sampled_from(PARTS), st.sampled_from(PARTS))
places = st.sampled_from([Rational(-3, 2), Rational(-1, 7), Rational(1, 3), Rational(2)])


def _at(function, place):
    return function.sides()[0 if place > 0 else 1].subs(z, place)


@given(functions, functions, places)
def test_the_algebra_is_that_of_values(f, g, place):
    ours, theirs = _at(f, place), _at(g, place)
    for found, truth in (
        (f + g, ours + theirs),
        (f - g, ours - theirs),
        (-f, -ours),
        (f * g, ours * theirs),
        (f * S(3), 3 * ours),
        (f**3, ours**3),
        (f**0, 1),
        (f.on_sides(lambda side: side**2 + 1), ours**2 + 1),
    ):
        assert expand(_at(found, place) - truth) == 0


@given(functions)
def test_powers_are_repeated_products(f):
    square, product = f**2, f * f
    for ours, theirs in zip(square.sides(), product.sides(), strict=True):
        assert expand(ours - theirs) == 0


def test_what_is_no_function_has_no_powers():
    delta = Kinked(S.Zero, S.Zero, S.One)
    for forbidden in (lambda: delta**2, lambda: delta * delta, lambda: delta.derivative()):
        with pytest.raises(NoClosedForm):
            forbidden()
    assert (delta - delta) == Kinked(S.Zero)


@pytest.mark.parametrize(
    ("function", "odd"),
    [
        (Kinked(z), True),
        (Kinked(S.Zero, z**2), True),
        (Kinked(S.Zero, z), False),
        (Kinked(z**2), False),
        (Kinked(tanh(z) + 1 / (1 + exp(-z)) - S.Half), True),
        (Kinked(1 / (1 + exp(-z))), False),
        (Kinked(Softplus(z) - Softplus(-z)), True),
        (Kinked(Softplus(z) - z / 2 - log(2)), False),
        (Kinked(log(1 + exp(z)) - z / 2), False),
        (Kinked(sin(z) * cos(3 * z)), True),
        (Kinked(sin(z) * erf(z)), False),
        (Kinked(sin(z) + Rational(1, 10**40)), False),
        (Kinked(z, S.Zero, S.One), False),
    ],
)
def test_only_what_is_proved_to_be_odd_is_odd(function, odd):
    assert function.is_odd is odd


def test_parameters_are_put_in_everywhere():
    c = Symbol("c", positive=True)
    f = Kinked(c * z, c**2 * z, c**3)
    assert f.subs(c, 2) == Kinked(2 * z, 4 * z, S(8))
    assert f.diff(c) == Kinked(z, 2 * c * z, 3 * c**2)


@pytest.mark.parametrize(
    ("given", "simple"),
    [
        (Softplus(z) - Softplus(-z), z),
        (log(1 + exp(2 * z)) - log(1 + exp(-2 * z)), 2 * z),
        ((1 + tanh(z / 2)) / 2 + (1 - tanh(z / 2)) / 2, 1),
        (tanh(z) * (1 + exp(-2 * z)) / (1 - exp(-2 * z)), 1),
        (Softplus(z), Softplus(z)),
    ],
)
def test_sums_that_are_polynomials_become_those(given, simple):
    assert expand(tidied(given) - simple) == 0


SMOOTH = [z, sin(2 * z), cos(z), exp(z - 1), erf(z), exp(z - z**2 / 3)]


@pytest.mark.parametrize("smooth", SMOOTH, ids=str)
@pytest.mark.parametrize("kink", [S.Zero, S.One, sin(z) + 2, z**2 - z])
def test_the_algebra_of_means_has_the_same_slopes_and_scales(smooth, kink):
    """Two ways each: formed here and then taken into the algebra, or the other way about."""
    f, factor = Kinked(smooth, kink), Rational(3, 2)
    assert f.derivative().gaussian() == f.gaussian().derivative()
    jumping = f.derivative()
    assert jumping.scaled(factor).gaussian() == jumping.gaussian().scaled(factor)


C = Rational(2, 3)


@pytest.mark.parametrize(
    ("even", "odd", "mean"),
    [
        (cos(C * z), sin(C * z), exp(-(C**2) / 2)),
        ((exp(C * z) + exp(-C * z)) / 2, (exp(C * z) - exp(-C * z)) / 2, exp(C**2 / 2)),
    ],
    ids=["circle", "hyperbola"],
)
def test_functions_of_one_exponential_are_taken_in_with_their_signs(even, odd, mean):
    """E cos cz = e^(-c²/2), E cosh cz = e^(c²/2), and E z·odd = c E even by Stein."""
    assert Kinked(even).gaussian().mean().equals(mean)
    assert Kinked(z * odd).gaussian().mean().equals(C * mean)


def test_no_product_with_a_delta_is_formed_from_either_side():
    delta, f = Kinked(S.Zero, S.Zero, S.One), Kinked(z)
    for forbidden in (lambda: delta * f, lambda: f * delta):
        with pytest.raises(NoClosedForm):
            forbidden()
    assert delta * Rational(2) == delta + delta
