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
     sin(x) * cos(y), tanh(x - y), (1 + x) ** Rational(-3, 2), exp(1) * x,
     Rational(2, 3) - 5 * pi * x / 7 + 11 * y],
)  # fmt: skip
def test_compiled_expressions_contain_the_value_narrowly(expression):
    """At one precision after another: nothing is kept from the first."""
    at = {x: Rational(3, 7), y: Rational(5, 11)}
    function = ball_function(expression, [x, y])
    truth = str(N(expression.subs(at), 80))
    for bits in (60, 200, 60):
        with ctx.workprec(bits):
            ball = function(*(arb(fmpq(v.p, v.q)) for v in at.values()))
            assert ball.overlaps(arb(truth) + arb(0, arb(10) ** -75))
            assert bits - 50 < ball.rel_accuracy_bits() <= bits


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


@pytest.mark.parametrize("expression", [sqrt(x), log(x), x + log(x) * x])
def test_what_has_to_be_analytic_is_not_finite_across_a_cut(expression):
    function, across = ball_function(expression, [x], acb), acb(-1, arb(0, 1))
    assert function(across).is_finite()
    assert function(acb(-1, arb(2, 1)), analytic=True).is_finite()
    assert not function(across, analytic=True).is_finite()


@pytest.mark.parametrize("middle", [0, fmpq(1, 3), -2])
@pytest.mark.parametrize("exponent", range(1, 6))
def test_powers_of_balls_around_0_are_finite(middle, exponent):
    """Real and complex ones, wherever the middle is; and no wider than they have to be."""
    ball, power = arb(middle) + arb(0, 3), x**exponent
    real, complex_ = ball_function(power, [x])(ball), ball_function(power, [x], acb)(acb(ball))
    for point in (ball.lower() * 0.999, arb(middle).mid(), arb(0), ball.upper() * 0.999):
        assert real.contains(point**exponent)
        assert complex_.contains(acb(point**exponent))
    assert abs(real).upper() <= abs(ball).upper() ** exponent * (1 + arb(2) ** -20)
    assert not ball_function(x**-exponent, [x])(ball).is_finite()
