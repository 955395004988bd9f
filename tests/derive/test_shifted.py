"""Means under shifted Gaussians: translation, known closed forms, and quadrature."""

import numpy as np
import pytest
from hypothesis import given
from scipy.integrate import trapezoid
from strategies import polynomials, rationals, variances
from sympy import Rational, S, expand, lambdify, simplify, sqrt

from derive.errors import InputError
from derive.gaussian import NoClosedForm
from derive.grammar import parse_function, parse_number, parse_variance
from derive.hermite import gaussian_mean
from derive.piecewise import analytic
from derive.shifted import expectation, moved
from derive.symbols import z


def _quadrature(f, center, variance):
    """In doubles, by many points."""
    x = np.linspace(-12, 12, 240001)
    there = float(center) + float(variance) ** 0.5 * x
    values = lambdify(z, f.expression, ["scipy", "numpy"])(there)
    return trapezoid(values * np.exp(-x * x / 2), x) / np.sqrt(2 * np.pi)


@pytest.mark.parametrize("text", ["gelu", "relu(x - 1)", "elu", "erf(2*x + 1)", "sin(2*x)",
                                  "gauss", "hardtanh", "x*erf(x - 1)",
                                  "where(x < 1, 1, 0)"])  # fmt: skip
@pytest.mark.parametrize(("center", "variance"), [(1, 1), (Rational(-1, 2), 2)])
def test_closed_forms_are_what_quadrature_gives(text, center, variance):
    f = parse_function(text)[1]
    found = expectation(f, S(center), S(variance))
    assert found.is_real
    assert float(found) == pytest.approx(_quadrature(f, center, variance), abs=1e-4)


@given(polynomials, rationals, variances)
def test_polynomials_are_those_of_the_moved_variable(expression, center, variance):
    found = expectation(analytic(expression), center, variance)
    there = gaussian_mean(expand(expression.subs(z, z + center)), z, variance)
    assert expand(found - there) == 0


@pytest.mark.parametrize("text", ["gelu", "relu", "abs", "sin", "exp(x/3)", "erf"])
def test_moving_the_function_is_moving_the_gaussian(text):
    f = parse_function(text)[1]
    there = expectation(moved(f, S(2)), S(-1), S(3))
    assert simplify(there - expectation(f, S(1), S(3))) == 0


def test_the_normal_distribution_function_is_averaged_to_itself():
    """E Φ(a + bg) = Φ(a/√(1 + b²))."""
    phi = parse_function("phi")[1]
    for a, b in ((S(1), S(2)), (Rational(-3, 2), Rational(1, 3))):
        found = expectation(phi, a, b**2)
        assert simplify(found - phi.smooth.subs(z, a / sqrt(1 + b**2))) == 0


@pytest.mark.parametrize("text", [
    "erf(2*x + 1)**2", "tanh(x + 1)", "erf(x)*erf(x - 1)", "erf(x**2)", "erf(exp(x))",
])  # fmt: skip
def test_what_has_no_closed_form_says_so(text):
    with pytest.raises(NoClosedForm):
        expectation(parse_function(text)[1])


@pytest.mark.parametrize("given_", ["x", "relu", "1/0", "", "sqrt(-1)", 0.5, None, "2 3", z])
def test_what_is_no_number_is_refused_in_one_line(given_):
    with pytest.raises(InputError) as refused:
        parse_number(given_, "center")
    assert "center" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("given_", ["0", "-1", "1 - sqrt(2)"])
def test_a_variance_is_positive(given_):
    with pytest.raises(InputError, match="give a positive number"):
        parse_variance(given_)
