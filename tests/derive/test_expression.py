"""Activations from SymPy expressions: the same functions as from text, and nothing that is none."""

import pytest
from sympy import (
    Abs,
    Float,
    Heaviside,
    Max,
    Min,
    Piecewise,
    Poly,
    Rational,
    Symbol,
    atan,
    erf,
    exp,
    log,
    oo,
    pi,
    sign,
    sqrt,
    tanh,
)
from sympy.abc import s, t

from derive.errors import InputError
from derive.grammar import LARGEST_DEGREE, parse_activation
from derive.hermite import hermite_polynomial
from derive.symbols import z

REAL = Symbol("t", real=True)
SAME = {
    Max(0, t): "relu",
    t * Heaviside(t): "relu",
    Piecewise((t, t > 0), (0, True)): "relu",
    Piecewise((0, t < 0), (t, True)): "relu",
    Max(t / 100, t): "leaky_relu",
    Abs(REAL): "abs",
    Max(0, t) ** 2: "squared_relu",
    -Min(0, -t): "relu",
    tanh(t): "tanh",
    t * (1 + erf(t / sqrt(2))) / 2: "gelu",
    exp(-(t**2) / 2): "gauss",
    log(1 + exp(t)): "softplus",
    Piecewise((t, t > 0), (exp(t) - 1, True)): "relu(x) + exp(-relu(-x)) - 1",
    Poly(t**3 - 3 * t, t): "He3",
    pi * t / pi: "x",
}


@pytest.mark.parametrize("expression", SAME, ids=str)
def test_an_expression_is_the_function_that_its_text_is(expression):
    found, known = parse_activation(expression), parse_activation(SAME[expression])
    for point in (Rational(-7, 3), Rational(-1, 5), Rational(1, 5), Rational(7, 3)):
        difference = found.expression.subs(z, point) - known.expression.subs(z, point)
        assert abs(difference.evalf(30)) < Rational(1, 10**25)
    kinks = found.value.kink.subs(z, 1) - known.value.kink.subs(z, 1)
    assert abs(kinks.evalf(30)) < Rational(1, 10**25)


@pytest.mark.parametrize(
    "given",
    [1 / t, log(t), sqrt(t), Max(0, t - 1), atan(t), exp(t**2), exp(t**2 / 4), exp(t**3), sign(t),
     t * s, Float(0.5) * t, oo, 1 / (1 + Abs(t)), log(t**2), t**t, 2**t, sqrt(Max(0, t)),
     None, True, [1], 0, -1, LARGEST_DEGREE + 1, 2.5],
    ids=str,
)  # fmt: skip
def test_what_is_no_activation_is_refused_in_one_line(given):
    with pytest.raises(InputError) as refused:
        parse_activation(given)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 300


def test_exponentials_are_taken_as_far_as_their_mean_is_finite():
    """E σ'⁴ is: below 1/4, as in text; at and above it is refused."""
    just_below = Rational(1, 4) - Rational(1, 10**9)
    assert parse_activation(exp(just_below * t**2)).value.smooth == exp(just_below * z**2)


def test_a_degree_is_its_hermite_polynomial():
    for n in (1, 2, 60, 61, 100):
        found = parse_activation(n)
        assert found.text == f"He{n}"
        assert found.value.smooth == hermite_polynomial(n, z)


def test_an_activation_is_returned_as_it_is():
    relu = parse_activation("relu")
    assert parse_activation(relu) is relu


@pytest.mark.parametrize("base", [1 + exp(t), 2 + t**2, 3 + exp(-(t**2)), 1 + Abs(REAL) ** 2])
@pytest.mark.parametrize("power", [-1, -2, -3])
def test_a_power_of_what_has_no_zero_is_taken_whatever_its_sign(base, power):
    """(-f)^n = (-1)^n f^n, also where f and -f are below 0 everywhere."""
    found, mirrored = parse_activation(base**power), parse_activation((-base).expand() ** power)
    for point in (Rational(-7, 3), Rational(1, 5)):
        ours, theirs = (f.value.smooth.subs(z, point) for f in (found, mirrored))
        assert abs((ours / theirs - Rational(-1) ** power).evalf(30)) < Rational(1, 10**25)
