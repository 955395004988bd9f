"""The three conventions say the same of one function, each by its own polynomials."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from strategies import polynomials, variances
from sympy import S, expand, factorial, hermite, hermite_prob, simplify, sqrt

from derive.conventions import CONVENTIONS
from derive.errors import InputError
from derive.gaussian import NoClosedForm
from derive.grammar import parse_activation
from derive.hermite import hermite_coefficients
from derive.symbols import Q, z

# As textbooks and SymPy have them, at x and variance q.
POLYNOMIALS = {
    "he": lambda k, q: expand(sqrt(q) ** k * hermite_prob(k, z / sqrt(q))) / factorial(k),
    "h": lambda k, q: expand(hermite(k, z / sqrt(2 * q))) / factorial(k),
    "orthonormal": lambda k, q: expand(hermite_prob(k, z / sqrt(q))) / sqrt(factorial(k)),
}


@pytest.mark.parametrize("name", CONVENTIONS)
@settings(max_examples=10)
@given(polynomials, variances)
def test_the_series_gives_the_function_back(name, expression, variance):
    found = hermite_coefficients(expression, z, variance, name)
    total = sum((c * POLYNOMIALS[name](k, variance) for k, c in enumerate(found)), S.Zero)
    assert expand(total - expression) == 0


@given(polynomials, variances)
def test_squares_of_orthonormal_coefficients_add_up(expression, variance):
    """Parseval; and with the weights of the others."""
    square = hermite_coefficients(expression**2, z, variance)[0]
    orthonormal = hermite_coefficients(expression, z, variance, "orthonormal")
    assert expand(sum(c**2 for c in orthonormal) - square) == 0
    he = hermite_coefficients(expression, z, variance)
    assert expand(sum(c**2 * variance**k / factorial(k) for k, c in enumerate(he)) - square) == 0
    h = hermite_coefficients(expression, z, variance, "h")
    assert expand(sum(c**2 * 2**k / factorial(k) for k, c in enumerate(h)) - square) == 0


@pytest.mark.parametrize("text", ["relu", "gelu", "erf", "cos", "relu(x - 1)", "exp(x/2)"])
@pytest.mark.parametrize("k", [0, 1, 2, 5])
def test_activations_are_told_as_polynomials_are(text, k):
    f = parse_activation(text)
    he, h, orthonormal = (f.hermite_coefficient(k, Q, name) for name in CONVENTIONS)
    assert simplify(h - he * (Q / 2) ** (S(k) / 2)) == 0
    assert simplify(orthonormal - he * Q ** (S(k) / 2) / sqrt(factorial(k))) == 0


@pytest.mark.parametrize("text", ["relu", "gelu", "erf", "sin", "He3 + x**2", "relu(x - 1)"])
def test_truncation_falls_to_nothing_and_loses_a_square_at_each_order(text):
    f = parse_activation(text)
    errors = [f.truncation_error(order, S(3) / 2) for order in range(6)]
    for k, (before, after) in enumerate(pairwise(errors), 1):
        square = f.hermite_coefficient(k, S(3) / 2, "orthonormal") ** 2
        assert (before - after - square).evalf(30, chop=True) == pytest.approx(0, abs=1e-25)
    assert 0 <= float(errors[-1]) < float(errors[0])


@pytest.mark.parametrize("text", ["x**3 - x + 1/3", "He4/sqrt(24) + x", "7"])
def test_a_polynomial_is_its_expansion_from_its_degree_on(text):
    f = parse_activation(text)
    assert expand(f.truncation_error(4, Q)) == expand(f.truncation_error(6, Q)) == 0


def test_other_conventions_are_refused_in_one_line():
    with pytest.raises(InputError, match="choose from he, h, orthonormal"):
        hermite_coefficients(z, z, S.One, "physicists")
    for degree in (-1, S.Half):
        with pytest.raises(InputError, match="give an integer ≥ 0"):
            CONVENTIONS["he"].coefficient(S.One, degree, S.One)
    with pytest.raises(NoClosedForm):
        parse_activation("tanh").truncation_error(3)
