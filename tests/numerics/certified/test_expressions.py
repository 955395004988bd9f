"""Compiled expressions contain their values, narrowly."""

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
    log,
    pi,
    sin,
    sqrt,
    symbols,
    tanh,
)

from derive.errors import InputError
from numerics.certified.expressions import ball_function

x, y = symbols("x y", positive=True)


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
