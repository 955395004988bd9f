"""The catalogue: coefficients by formula and by mean, parity, derivatives, what is refused."""

import pytest
from sympy import (
    Abs,
    Integer,
    Piecewise,
    Rational,
    S,
    Symbol,
    diff,
    exp,
    expand,
    log,
    oo,
    simplify,
    tanh,
)

from derive.activation import CATALOGUE, LEAK, Activation, Kinked, catalogued
from derive.errors import InputError
from derive.gaussian import NoClosedForm
from derive.hermite import hermite_coefficients, hermite_polynomial
from derive.symbols import Q, z

OUTSIDE = ("sigmoid", "tanh", "silu", "softplus")
EVEN, ODD = ("abs", "cos", "gauss"), ("identity", "erf", "sin", "tanh")
x = Symbol("x", real=True)


@pytest.mark.parametrize(
    ("name", "usual"),
    [
        ("relu", Piecewise((z, z > 0), (0, True))),
        ("leaky_relu", Piecewise((z, z > 0), (LEAK * z, True))),
        ("abs", Abs(z)),
        ("squared_relu", Piecewise((z**2, z > 0), (0, True))),
        ("sigmoid", 1 / (1 + exp(-z))),
        ("silu", z / (1 + exp(-z))),
        ("softplus", log(1 + exp(z))),
        ("tanh", (exp(z) - exp(-z)) / (exp(z) + exp(-z))),
        ("gauss", exp(-(z**2) / 2)),
    ],
)
def test_the_catalogue_means_what_everyone_means(name, usual):
    ours = Activation.named(name).expression
    for point in (Rational(-7, 3), Rational(-1, 5), Rational(1, 9), Integer(2)):
        assert abs((ours - usual).subs(z, point).evalf(30)) < 1e-25


@pytest.mark.parametrize("name", [n for n, entry in CATALOGUE.items() if entry.coefficient])
@pytest.mark.parametrize("k", range(8))
def test_the_formula_in_k_is_the_mean(name, k):
    """Two oracles: the stated formula, and E He_k(g) σ(√Q g) from the algebra, for symbolic Q."""
    formula = CATALOGUE[name].coefficient(Integer(k), Q)
    assert simplify(formula - Activation.named(name).hermite_coefficient(k, Q)) == 0


@pytest.mark.parametrize("name", [n for n, entry in CATALOGUE.items() if n not in OUTSIDE])
def test_coefficients_solve_the_heat_equation(name):
    activation = Activation.named(name)
    c = [activation.hermite_coefficient(k, Q) for k in range(5)]
    for k in range(3):
        assert simplify(diff(c[k], Q) - c[k + 2] / 2) == 0


@pytest.mark.parametrize("name", CATALOGUE)
def test_parity(name):
    expected = 1 if name in EVEN else -1 if name in ODD else 0
    activation = Activation.named(name)
    assert activation.parity == expected
    if expected and name not in OUTSIDE:  # coefficients of the other parity vanish
        for k in range(1 if expected == 1 else 0, 6, 2):
            assert activation.hermite_coefficient(k, S.One) == 0


def test_information_exponents():
    assert Activation.named("cos").information_exponent() == 2
    assert Activation.named("relu").information_exponent() == 1
    assert Activation("He7", Kinked(hermite_polynomial(7, z))).information_exponent() == 7
    assert Activation("constant", Kinked(Integer(3))).information_exponent() == oo


@pytest.mark.parametrize("n", range(6))
def test_polynomials_agree_with_the_hermite_calculus(n):
    p = z**n - 3 * z + 1
    activation = Activation("p", Kinked(p))
    assert activation.polynomial.as_expr() == expand(p)
    for k, c in enumerate(hermite_coefficients(p, z, Q)):
        assert simplify(activation.hermite_coefficient(k, Q) - c) == 0


@pytest.mark.parametrize("name", CATALOGUE)
def test_derivatives_integrate_back(name):
    """Away from the kink the derivative is the usual one; at it, half the jump of the slope."""
    value = Activation.named(name).value
    for side in (1, -1):
        usual = diff(value.smooth + side * value.kink, z)
        ours = value.derivative()
        assert simplify(usual - ours.smooth - side * ours.kink) == 0
    assert value.derivative().jump == 0
    assert value.derivative().derivative().jump == 2 * value.derivative().kink.subs(z, 0)


@pytest.mark.parametrize("name", [n for n in CATALOGUE if n not in OUTSIDE])
def test_scaling_by_the_argument_is_scaling_by_the_variance(name):
    """c_k of σ(2x) at variance Q is 2^k c_k of σ at variance 4Q."""
    wide = Activation(name, catalogued(name, 2 * z))
    for k in range(3):
        left = wide.hermite_coefficient(k, Q)
        right = 2**k * Activation.named(name).hermite_coefficient(k, 4 * Q)
        assert simplify(left - right) == 0


def test_mirrored_arguments_keep_their_kinks():
    mirrored = Activation("relu(-x)", catalogued("relu", -z))
    assert mirrored.expression.subs(z, -3) == 3
    assert mirrored.expression.subs(z, 3) == 0


def test_jumps_and_unknown_names_are_refused():
    with pytest.raises(InputError, match="square integrable"):
        Activation("step", Kinked(Rational(1, 2), Rational(1, 2)))
    with pytest.raises(InputError, match="choose from"):
        Activation.named("swish")


@pytest.mark.parametrize("name", OUTSIDE)
def test_what_has_no_closed_form_says_so(name):
    with pytest.raises(NoClosedForm):
        Activation.named(name).hermite_coefficient(1, S.One)


def test_products_with_kinks():
    relu = Activation.named("relu").value
    assert (relu * relu) == Activation.named("squared_relu").value
    assert Kinked(tanh(z)).derivative().smooth == 1 - tanh(z) ** 2
