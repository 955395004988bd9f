"""Certified Hermite coefficients: closed forms, another quadrature, Parseval, three conventions."""

import numpy as np
import pytest
from flint import arb, ctx
from functions import FUNCTIONS, Dual
from scipy.integrate import trapezoid
from sympy import Rational, S, factorial, sqrt

from derive.conventions import CONVENTIONS
from derive.errors import InputError
from derive.grammar import parse_activation
from numerics import hermite_expansion, study
from numerics.certified.expansion import HermiteSeries
from numerics.certified.quadrature import Rule

NAMES = ("tanh", "sigmoid", "silu", "mish", "softplus", "gelu_tanh", "softsign", "symlog", "elu",
         "selu", "hardtanh", "relu6", "hardswish", "atan", "squareplus", "relu", "gelu",
         "sin")  # fmt: skip
X = np.linspace(-14, 14, 140001)
DENSITY = np.exp(-X * X / 2) / np.sqrt(2 * np.pi)


def _orthonormal(order):
    """h_0 to h_order on the grid."""
    found = [np.ones_like(X), X]
    for k in range(1, order):
        found.append((X * found[k] - np.sqrt(k) * found[k - 1]) / np.sqrt(k + 1))
    return found[: order + 1]


@pytest.mark.parametrize("name", NAMES)
def test_coefficients_are_what_the_trapezoidal_rule_gives(name):
    """In doubles, by numpy's and scipy's functions."""
    variance = Rational(5, 2)
    values = FUNCTIONS[name](Dual(X * float(variance) ** 0.5, np.ones_like(X))).value
    found = hermite_expansion(name, 12, variance=variance, convention="orthonormal", digits=12)
    known = [trapezoid(values * h * DENSITY, X) for h in _orthonormal(12)]
    np.testing.assert_allclose([float(c) for c in found.coefficients], known, atol=3e-9)
    rest = trapezoid(values**2 * DENSITY, X) - sum(c**2 for c in known)
    assert float(found.truncation) == pytest.approx(rest, abs=1e-7)


@pytest.mark.parametrize("text", ["gelu", "erf", "exp(x/2)", "exp(20*x)", "He3/sqrt(6) + x**4",
                                  "relu(x - 1)", "cos(2*x)", "elu"])  # fmt: skip
@pytest.mark.parametrize("convention", CONVENTIONS)
def test_balls_contain_the_closed_forms(text, convention):
    f, variance = parse_activation(text), S(2)
    found = hermite_expansion(f, 9, variance=variance, convention=convention, digits=25)
    for k, c in enumerate(found.coefficients):
        exact = f.hermite_coefficient(k, variance, convention)
        _contains(c, exact)
        assert float(c.radius) <= 1e-24 * abs(float(c.mid)) or float(c.radius) < 1e-50
    _contains(found.truncation, f.truncation_error(9, variance))


def _contains(found, exact):
    with ctx.workprec(300):
        here = arb(str(exact.evalf(80, chop=True)))
        assert abs(here - arb(found.mid)) <= arb(found.radius) + arb(10) ** -70


@pytest.mark.parametrize("text", ["tanh", "hardtanh(x - 1/3)"])
def test_conventions_differ_by_the_stated_factors(text):
    he, h, orthonormal = (
        hermite_expansion(text, 7, variance="1/3", convention=name, digits=20)
        for name in CONVENTIONS
    )
    assert he.truncation == h.truncation == orthonormal.truncation
    for k in range(8):
        numbers = [e.coefficients[k].ball() for e in (he, h, orthonormal)]
        with ctx.workprec(100):  # (Q/2)^(k/2), and (Q^k/k!)^(1/2)
            assert numbers[1].overlaps(numbers[0] / arb(6).sqrt() ** k)
            assert numbers[2].overlaps(numbers[0] / (arb(3) ** k * arb(k).fac()).sqrt())


@pytest.mark.parametrize("text", ["tanh", "sigmoid(3*x)", "softsign"])
def test_each_order_loses_its_square(text):
    """Parseval, step by step; and orders agree with each other."""
    longer = hermite_expansion(text, 9, convention="orthonormal", digits=20)
    for order in range(9):
        here = hermite_expansion(text, order, convention="orthonormal", digits=20)
        assert here.coefficients == longer.coefficients[: order + 1]
        missing = sum((c.ball() ** 2 for c in longer.coefficients[order + 1 :]), arb(0))
        assert (here.truncation.ball() - longer.truncation.ball()).overlaps(missing)


def test_a_derivative_has_the_next_coefficients():
    """c_k(σ') = c_{k+1}(σ): softplus and its slope, the sigmoid."""
    up = hermite_expansion("softplus", 20, variance=2, digits=20).coefficients
    down = hermite_expansion("sigmoid", 19, variance=2, digits=20).coefficients
    for here, there in zip(up[1:], down, strict=True):
        assert here.ball().overlaps(there.ball())
    assert up[3].mid == "0"
    assert up[3].radius == "0"  # an odd part that is a polynomial has no more, exactly


def test_coefficients_at_another_variance_scale_the_argument():
    there = hermite_expansion("tanh", 9, variance=9, convention="orthonormal", digits=20)
    scaled = hermite_expansion("tanh(3*x)", 9, convention="orthonormal", digits=20)
    for one, two in zip(there.coefficients, scaled.coefficients, strict=True):
        assert one.ball().overlaps(two.ball())


def test_high_orders_keep_their_digits():
    """Where the sum of the series is half of -1, 0 and 1: orders agree with a higher precision."""
    found = hermite_expansion("tanh", 201, digits=20)
    finer = hermite_expansion("tanh", 201, digits=30)
    assert found.coefficients[200].mid == "0"
    assert found.coefficients[201].mid == "8.9729250453470051436e+178"
    for one, two in zip(found.coefficients, finer.coefficients, strict=True):
        assert one.ball().overlaps(two.ball())
        assert float(one.radius) <= 1e-19 * abs(float(one.mid))


def test_balls_hold_at_every_accuracy():
    """What is asked for coarsely contains what is asked for finely."""
    for text in ("softsign", "sigmoid(20*x)"):
        series, finest = HermiteSeries(parse_activation(text), S.One), None
        for bits in (160, 80, 30):
            with ctx.workprec(bits + series.guard(40)):
                found, rest = series.enclosed(40, bits)
                widest = max(float(d.rad()) for d in found)
                assert widest < 2.0 ** (4 - bits)
            finest = finest or (found, rest)
            assert all(d.contains(e) for d, e in zip(found, finest[0], strict=True))
            assert rest.contains(finest[1])


@pytest.mark.parametrize("order", [0, 1, 2, 5, 24, 41])
def test_rules_are_asked_to_hold_all_hermite_functions(order, monkeypatch):
    """|h_k(z) exp(-z²/2)| is below its envelope at complex z, times what errors are multiplied by.

    The latter is read off a rule that misses 1.
    """
    asked = []

    def recorded(f, envelope, bits):
        asked.append(envelope)
        return Rule((), (), arb(1))

    monkeypatch.setattr("numerics.certified.expansion.rule_for", recorded)
    series = HermiteSeries(parse_activation("relu(x - 1)"), S.One)
    found, _ = series.enclosed(order, 30)
    x, y = np.meshgrid(np.linspace(0, 12, 97), np.linspace(0, 3, 31))
    at, values = x + 1j * y, [np.ones_like(x + 1j * y), x + 1j * y]
    for k in range(1, order):
        values.append((at * values[k] - np.sqrt(k) * values[k - 1]) / np.sqrt(k + 1))
    for k in range(order + 1):
        loss = float(found[k].rad()) * (np.pi / 2) ** 0.5
        decay, growth = (float(arb(q)) for q in (asked[k % 2].decay, asked[k % 2].growth))
        size = np.abs(values[k] * np.exp(-(at**2) / 2))
        assert np.all(size <= loss * np.exp(growth * y**2 - decay * x**2) * (1 + 1e-9))


def test_the_front_door_has_both():
    erf = study("erf")
    exact = erf.hermite(3, Rational(1, 2), "orthonormal")
    found = erf.expansion(3, variance=Rational(1, 2), convention="orthonormal", digits=15)
    assert [float(c) for c in exact] == pytest.approx([float(c) for c in found.coefficients])
    assert exact[1] / erf.hermite(1, Rational(1, 2))[1] == sqrt(S.Half) / sqrt(factorial(1))


@pytest.mark.parametrize(
    "how",
    [
        {"order": -1},
        {"order": 2.5},
        {"variance": 0},
        {"variance": "-1"},
        {"variance": 0.5},
        {"convention": "hermite"},
        {"digits": 0},
        {"activation": "sign(x)"},
        {"activation": "exp(0.2*x**2)", "variance": 2},
        {"activation": "where(x < 0, 0, 1)"},
    ],
    ids=str,
)
def test_what_is_not_accepted_is_one_line(how):
    given = {"activation": "tanh", "order": 3, "variance": 1} | how
    with pytest.raises(InputError) as refused:
        hermite_expansion(**given)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 300
