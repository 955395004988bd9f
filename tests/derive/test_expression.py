"""Activations from SymPy expressions: the same functions as from text, and nothing that is none."""

import pytest
from sympy import (
    Abs,
    Float,
    Heaviside,
    Max,
    Min,
    Ne,
    Piecewise,
    Poly,
    Rational,
    Symbol,
    Xor,
    atan,
    cosh,
    erf,
    erfc,
    exp,
    log,
    oo,
    pi,
    sign,
    sin,
    sinh,
    sqrt,
    tan,
    tanh,
)
from sympy.abc import s, t

from derive.errors import InputError
from derive.grammar import parse_activation
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
    Max(0, t - 1): "relu(x - 1)",
    Max(-1, Min(1, t)): "hardtanh",
    Piecewise((-1, t < -1), (1, t > 1), (t, True)): "hardtanh",
    Piecewise((t, (t > -1) & (t < 1)), (1, t > 0), (-1, True)): "hardtanh",
    Piecewise((1, t > 1), (-1, (t < -1) | (t < -2)), (t, True)): "hardtanh",
    (t - 2) * Heaviside(t - 2): "relu(x - 2)",
    t * Max(0, Min(6, t + 3)) / 6: "hardswish",
    Abs(t - 1) + Abs(t + 1): "abs(x - 1) + abs(x + 1)",
    t / (1 + Abs(t)): "softsign",
    tanh(Max(0, t)): "tanh(relu(x))",
    exp(-Abs(REAL)): "exp(-abs(x))",
    atan(t): "atan",
    1 / cosh(t): "1/cosh",
    sinh(t / 5): "(exp(x/5) - exp(-x/5))/2",
    sinh(t) / cosh(t): "tanh",
    erfc(t): "1 - erf",
    sqrt(1 + t**2): "sqrt(1 + x**2)",
    t * sign(t): "abs",
    t * sign(Max(0, t)): "relu",
    t * Heaviside(Max(0, t), 1): "x",
    t * Heaviside(Max(0, t)): "where(x < 0, x/2, x)",
    Piecewise((t, Max(0, REAL) <= 0), (0, True)).subs(REAL, t): "-relu(-x)",
    Piecewise((t, Max(0, REAL) > 0), (0, True)).subs(REAL, t): "relu",
    pi * t / pi: "x",
}


@pytest.mark.parametrize("expression", SAME, ids=str)
def test_an_expression_is_the_function_that_its_text_is(expression):
    found, known = parse_activation(expression), parse_activation(SAME[expression])
    for point in (Rational(-7, 3), Rational(-1, 5), Rational(1, 5), Rational(7, 3)):
        difference = found.value.at(point) - known.value.at(point)
        assert abs(difference.evalf(30)) < Rational(1, 10**25)
    assert found.value.breaks == known.value.breaks


@pytest.mark.parametrize(
    "given",
    [1 / t, log(t), sqrt(t), tan(t), exp(t**2), exp(t**2 / 4), exp(t**3), sign(t),
     Max(0, sin(t)), Heaviside(t - 1), Piecewise((t, t > 0)), Piecewise((t, t > 0), (1, True)),
     Piecewise((t, Ne(t, 1)), (0, True)), Piecewise((t, Xor(t > 0, t > 1)), (0, True)),
     t * s, Float(0.5) * t, oo, 1 / (1 - Abs(t)), log(t**2), t**t, 2**t, sqrt(Max(0, t)),
     None, True, [1], 0, -1, 10**9 + 1, 2.5],
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
        ours, theirs = (f.value.at(point) for f in (found, mirrored))
        assert abs((ours / theirs - Rational(-1) ** power).evalf(30)) < Rational(1, 10**25)
