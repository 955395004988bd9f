"""Means under any Gaussian: exact ones are enclosed, others are what scipy's quadrature gives."""

import numpy as np
import pytest
from flint import arb, ctx
from functions import FUNCTIONS, Dual
from scipy.integrate import trapezoid
from sympy import Rational, S, erf, sqrt

from derive.errors import InputError
from derive.grammar import parse_activation
from numerics import expectation

X = np.linspace(-14, 14, 140001)
DENSITY = np.exp(-X * X / 2) / np.sqrt(2 * np.pi)


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "silu", "softplus", "hardtanh",
                                  "softsign", "relu", "cos", "erf", "gelu_tanh"])  # fmt: skip
@pytest.mark.parametrize(("center", "variance"), [("1", "2"), ("-1/2", "1/3")])
def test_means_are_what_the_trapezoidal_rule_gives(name, center, variance):
    there = float(Rational(center)) + float(Rational(variance)) ** 0.5 * X
    known = trapezoid(FUNCTIONS[name](Dual(there, np.ones_like(X))).value * DENSITY, X)
    found = expectation(name, center=center, variance=variance, digits=15)
    assert float(found) == pytest.approx(known, abs=1e-8)
    assert found.certainty == ("certified" if found.expression is None else "exact")


@pytest.mark.parametrize("text", ["gelu", "relu(x - 1)", "erf(2*x + 1)", "sin(3*x)", "hardtanh"])
def test_digits_are_those_of_the_exact_value(text):
    found = expectation(text, center="1/3", variance="sqrt(2)", digits=40)
    with ctx.workprec(300):
        exact = arb(str(found.expression.evalf(60)))
        assert abs(exact - arb(found.value.mid)) <= arb(found.value.radius) + arb(10) ** -55
        assert arb(found.value.radius) <= abs(exact) * arb(10) ** -38


def test_symmetry_gives_exact_values_where_nothing_else_does():
    assert expectation("sigmoid", variance=7).expression == S.Half
    assert expectation("tanh").expression == 0
    assert expectation("tanh", center=1).expression is None


def test_what_is_known_at_once():
    assert expectation("erf(2*x + 1)").expression == erf(Rational(1, 3))
    assert expectation("where(x < 1, 1, 0)").expression == S.Half + erf(sqrt(2) / 2) / 2
    two = expectation("erf(2*x + 1)**2", digits=15)
    assert (two.certainty, two.value.mid) == ("certified", "0.729483519969243")
    assert expectation(parse_activation("x**2"), center=3, variance=4).expression == 13


@pytest.mark.parametrize(("center", "variance"), [("1", 2), ("1/3", 1), ("sqrt(2)", 1)])
def test_moving_the_gaussian_is_moving_the_function(center, variance):
    """Wherever a kink comes to lie, a double zero there included."""
    for text in ("tanh({})*{}", "silu({})", "softsign({})", "tanh({})*relu({})**2"):
        there = expectation(text.replace("{}", "x"), center=center, variance=variance, digits=20)
        here = expectation(text.replace("{}", f"(x + {center})"), variance=variance, digits=20)
        assert there.value.ball().overlaps(here.value.ball())


def test_a_narrow_gaussian_sees_the_value_and_a_far_bump_is_not_lost():
    near = expectation("tanh", center=2, variance="1e-12")
    assert float(near) == pytest.approx(np.tanh(2), abs=1e-10)
    far = expectation("exp(-400*(x - 9)**2)*(2 + sin(x))", digits=12)
    known = (2 + np.sin(9)) * np.exp(-81 / 2 * 800 / 801) / np.sqrt(801)
    assert float(far) == pytest.approx(known, rel=0.02)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"variance": 0}, "positive"),
        ({"variance": "x"}, "real number"),
        ({"center": 0.5}, "float"),
        ({"function": "exp(x**2)"}, "mean is infinite"),
        ({"function": "exp(0.3*x**2)", "variance": 2}, "mean is infinite"),
        ({"function": "sign(x)"}, "jumps"),
        ({"function": "1/x"}, "stay away from 0"),
        ({"function": ""}, "not accepted"),
        ({"digits": 0}, "digits"),
    ],
    ids=str,
)
def test_what_is_not_accepted_is_one_line(how, said):
    with pytest.raises(InputError, match=said) as refused:
        expectation(**({"function": "tanh"} | how))
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 300
