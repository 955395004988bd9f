"""Float landscape: closed forms against the polar quadrature and mpmath, and its edge."""

import mpmath
import numpy as np
import pytest
from sympy import lambdify

from derive.gaussian import NoClosedForm
from derive.grammar import parse_activation
from derive.network import kernel, kernel_slopes
from derive.pair import Pair
from derive.pair_drift import drift_of
from derive.symbols import z
from numerics.doubles import landscape
from numerics.doubles.drift import fast_drift
from numerics.doubles.landscape import (
    by_quadrature,
    float_landscape,
    float_noise,
    kernel_by_quadrature,
)

POINTS = [(0.5, 0.3), (-0.4, 0.7), (0.8, 1e-8), (0.3, 0.0), (-0.3, 1e-14), (1.2, 0.1)]


@pytest.mark.parametrize("loss", ["square", "correlation"])
@pytest.mark.parametrize("labels", ["y", "y**2"])
@pytest.mark.parametrize(
    "text", ["x", "He3", "relu", "erf", "exp(x/2) sin", "gelu", "squared_relu"]
)
def test_closed_form_against_quadrature(text, labels, loss):
    """One activation, or two, as exp taught to sin, whose closed form has imaginary parts."""
    pair = Pair(*text.split(), labels=labels, loss=loss)
    ours, other = float_landscape(pair), by_quadrature(pair)
    for point in POINTS:
        for name in ("loss", "a", "b"):
            expected = getattr(other, name)(*point)
            assert getattr(ours, name)(*point) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(("teacher", "student"), [("tanh", "tanh"), ("relu", "softplus")])
def test_quadrature_against_mpmath(teacher, student):
    pair = Pair(parse_activation(teacher), parse_activation(student))
    y, sigma = (lambdify(z, f.expression, "mpmath") for f in (pair.teacher, pair.student))
    rho, s = mpmath.mpf("0.6"), mpmath.mpf("0.2")
    normal = [(mpmath.sqrt(s) * g, mpmath.npdf(g) / 4) for g in mpmath.arange(-9, 9, 0.25)]

    def inner(t):
        """The sum at equal distances, which is exponentially close for an analytic student."""
        return sum(weight * (y(t) - sigma(rho * t + g)) ** 2 for g, weight in normal)

    truth = mpmath.quad(lambda t: inner(t) * mpmath.npdf(t), [-8, 0, 8]) / 2
    assert float_landscape(pair).loss(0.6, 0.2) == pytest.approx(float(truth), rel=1e-11)


@pytest.mark.parametrize("texts", [("tanh", "tanh"), ("relu", "hardtanh")])
def test_values_do_not_depend_on_what_was_asked_before(texts):
    """Slopes and noise share places and values while a point stays the same."""
    pair = Pair(*texts)
    found = by_quadrature(pair)
    questions = [(of, at) for of in (found.b, float_noise(pair, 0.5), found.a) for at in POINTS[:3]]
    once = {(of, at): of(*at) for of, at in questions}
    for of, at in sorted(questions, key=lambda asked: asked[1]):
        assert of(*map(np.array, at)) == once[of, at]
    assert len({*once.values()}) == len(questions)


@pytest.mark.parametrize("text", ["He4", "relu", "erf", "tanh", "sigmoid"])
def test_edge_is_the_search_phase(text):
    activation = parse_activation(text)
    pair = Pair(activation, activation)
    fast, found = fast_drift(drift_of(pair)), float_landscape(pair)
    for mu in (0.2, 0.7):
        assert found.a(mu, 0.0) == pytest.approx(float(fast.a(mu)), rel=1e-11)
        assert found.b(mu, 0.0) == pytest.approx(float(fast.b(mu)), rel=1e-11)


@pytest.mark.parametrize(
    ("text", "state"),
    [("erf", (1e200, 1.0)), ("exp", (40.0, 1.0)), ("exp(x**2/10)", (0.0, 2.6)),
     ("exp(x**2/10)", (2.0, 0.5))],
)  # fmt: skip
def test_a_loss_that_is_infinite_or_leaves_doubles_is_no_number_and_no_error(text, state):
    """E exp(x²/5) is infinite from a variance of 5/2 on."""
    ours = float_landscape(Pair(text))
    assert not np.isfinite([getattr(ours, name)(*state) for name in ("loss", "a", "b")]).any()


def test_arrays_of_losses():
    x = parse_activation("x")
    rho, s = np.array([[0.2], [0.5]]), np.array([0.0, 0.1, 0.4])
    found = float_landscape(Pair(x, x)).losses(rho, s)
    np.testing.assert_allclose(found, ((1 - rho) ** 2 + s) / 2, rtol=1e-14)
    assert float_landscape("x").losses(np.zeros((2, 0)), 0.0).shape == (2, 0)


@pytest.mark.parametrize(
    "pair",
    [("hardtanh",), ("relu(x - 1)",), ("relu(x - 1)", "relu(x - 1/2)"), ("tanh", "softshrink"),
     ("triangular(x - 1)", "elu(x + 1)")],
    ids=str,
)  # fmt: skip
def test_breakpoints_away_from_0_are_lines_that_the_quadrature_cuts_at(pair):
    """At s = 0 the slopes are the drift, certified apart; elsewhere those of the loss."""
    pair = Pair(*pair)
    ours, drift = float_landscape(pair), fast_drift(drift_of(pair))
    for strength in (0.3, 0.6, 0.95):
        for found, known in ((ours.a, drift.a), (ours.b, drift.b)):
            assert found(strength, 0.0) == pytest.approx(float(known([strength])[0]), abs=1e-13)
    step, rho, s = 1e-4, 0.6, 0.3
    by_rho = (ours.loss(rho + step, s) - ours.loss(rho - step, s)) / (2 * step)
    by_s = (ours.loss(rho, s + step) - ours.loss(rho, s - step)) / (2 * step)
    assert ours.a(rho, s) == pytest.approx(-by_rho, abs=1e-7)
    assert ours.b(rho, s) == pytest.approx(-2 * by_s, abs=1e-7)


def test_how_fine_a_rule_is_to_be_is_asked_once_a_pair(monkeypatch):
    """And not at every kink of every slope: exit laws ask for thousands."""
    slopes = float_landscape(Pair("hardtanh"))
    monkeypatch.setattr("numerics.doubles.quadrature.fineness", None)
    assert slopes.b(0.5, 0.3) < 0


@pytest.mark.parametrize("text", ["relu", "gelu", "He3 + x"])
def test_kernels_by_quadrature_are_those_in_closed_form(text):
    student = parse_activation(text)
    found, exact = kernel_by_quadrature(student.value), kernel(student, student)
    at = {exact.first: 0.5, exact.second: 0.8, exact.cross: 0.3}
    by_first, _, by_cross = kernel_slopes(student, student)
    for ours, known in (
        (found.value, exact),
        (found.by_first, by_first),
        (found.by_cross, by_cross),
    ):
        assert ours(0.5, 0.8, 0.3) == pytest.approx(float(known.expression.subs(at)), rel=1e-12)
    step = 1e-4
    difference = (found.power(0.7 + step) - found.power(0.7 - step)) / (2 * step)
    assert found.slope(0.7) == pytest.approx(float(difference), rel=1e-6)


@pytest.mark.parametrize("loss", ["square", "correlation"])
@pytest.mark.parametrize("text", ["x", "He3", "relu", "erf", "sin"])
def test_the_noise_in_closed_form_against_quadrature(monkeypatch, text, loss):
    def fails(*_):
        raise NoClosedForm("as if there were none")

    pair = Pair(text, loss=loss)
    ours = float_noise(pair, 0.5)
    monkeypatch.setattr(landscape, "noise_landscape", fails)
    other = float_noise(pair, 0.5)
    for point in POINTS:
        assert ours(*point) == pytest.approx(other(*point), rel=1e-9, abs=1e-9)


def test_the_noise_of_high_degrees_does_not_cancel():
    """It is 0 where the student is the teacher."""
    assert float_noise("He8")(1.0, 0.0) < 1e-12
