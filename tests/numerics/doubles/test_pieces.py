"""Means of labels in pieces over one variable: those in closed form, and those over the plane."""

import math

import numpy as np
import pytest
from scipy.integrate import quad

from derive.pair import Pair
from numerics.doubles.arrays import piecewise
from numerics.doubles.landscape import by_quadrature, float_landscape
from numerics.doubles.pieces import pieces_of
from numerics.doubles.quadrature import plane_of

# Covariance and residual variance: usual ones, full correlation of both signs, nearly so, and none.
POINTS = [(0.5, 0.3), (-0.4, 0.7), (1.0, 0.0), (-0.3, 1e-14), (0.8, 1e-7), (0.0, 0.5), (1.5, 2.0)]


@pytest.mark.parametrize("loss", ["square", "correlation"])
@pytest.mark.parametrize(
    "texts", [("relu",), ("abs(x)", "relu"), ("relu", "relu", "y**2 - y"), ("leaky_relu", "erf")]
)
def test_means_are_those_in_closed_form(texts, loss):
    pair = Pair(*texts, loss=loss)
    means, exact = pieces_of(pair), float_landscape(pair)
    for point in POINTS:
        found = means(*point)
        for name in ("loss", "a", "b"):
            if getattr(found, name) is not None:
                expected = getattr(exact, name)(*point)
                assert getattr(found, name) == pytest.approx(expected, rel=1e-13, abs=1e-13)


@pytest.mark.parametrize("loss", ["square", "correlation"])
@pytest.mark.parametrize(
    "texts",
    [("hardtanh",), ("relu(x-1/2)", "clip(x,-1,2)", "squared"), ("where(x<1,x,x**3)", "elu(2*x-1)"),
     ("relu6", "tanh")],
)  # fmt: skip
def test_means_are_those_over_the_plane(texts, loss):
    pair = Pair(*texts, loss=loss)
    means, of, squared = pieces_of(pair), plane_of(pair), loss == "square"

    def error(z, x):
        return of.label(z) - squared * of.value(x)

    over = {
        "loss": lambda z, x: error(z, x) ** 2 / 2 if squared else -of.label(z) * of.value(x),
        "a": lambda z, x: error(z, x) * z * of.slope(x),
        "noise": lambda z, x: (error(z, x) * of.slope(x)) ** 2,
        "slope_square": lambda z, x: of.slope(x) ** 2 + 0 * z,
    }
    for point in POINTS[:-1]:
        found = means(*point)
        for name, integrand in over.items():
            if getattr(found, name) is not None:
                expected = of.mean(integrand, *point)
                assert getattr(found, name) == pytest.approx(expected, rel=1e-11, abs=1e-11)


@pytest.mark.parametrize("loss", ["square", "correlation"])
@pytest.mark.parametrize("texts", [("hardtanh",), ("relu(x-1/2)", "clip(x,-1,2)", "squared")])
def test_b_is_a_slope_of_the_loss(texts, loss):
    """Kinks of the student have their part of it."""
    means, step = pieces_of(Pair(*texts, loss=loss)), 1e-4
    for covariance, s in ((0.5, 0.3), (-0.4, 0.7), (0.0, 0.5)):
        up, down = (means(covariance, s + side * step).loss for side in (1, -1))
        slope = (up - down) / (2 * step)
        assert means(covariance, s).b == pytest.approx(-2 * slope, abs=1e-7)


@pytest.mark.parametrize(
    ("texts", "why"),
    [
        (("tanh", "hardtanh"), "no polynomial"),
        (("elu", "relu"), "not in all pieces"),
        (("where(x<1,x,x**5)", "tanh"), "of high degree"),
        (("He2", "He3"), "the rule of polynomials is exact"),
    ],
)
def test_other_labels_have_none(texts, why):
    assert pieces_of(Pair(*texts)) is None, why


def test_labels_of_the_highest_degree_are_taken():
    assert pieces_of(Pair("where(x<1,x,x**4)", "tanh")) is not None


@pytest.mark.parametrize("variance", [4.0, 5.0, 1e2, 1e4])
@pytest.mark.parametrize("text", ["tanh(3*x-2)", "elu(x)", "gelu"])
def test_a_wide_input_is_cut_where_the_student_bends(text, variance):
    """Its slope differs from those far out within a few units alone, which quad is told."""
    slope = piecewise(Pair(text).student.value.derivative())

    def curved(x):
        flat = slope(np.array([np.copysign(60.0, x)]))
        return (slope(np.array([x])) ** 2 - flat**2)[0] * math.exp(-x * x / variance / 2)

    ends = slope(np.array([-60.0, 60.0])) ** 2
    rest = quad(curved, -60, 60, points=[0, 2 / 3], limit=200)[0] / math.sqrt(
        2 * math.pi * variance
    )
    found = pieces_of(Pair("relu", text))(0.5, variance - 0.25)
    assert found.slope_square == pytest.approx(ends.mean() + rest, rel=1e-10)


def test_where_the_input_hardly_varies_there_are_none():
    """A kink at 0 has infinite b there; nodes take over, and the loss does not jump."""
    pair = Pair("hardtanh", "max(x,0) + clip(x,-1,1)")
    means, found = pieces_of(pair), by_quadrature(pair)
    assert means(1e-4, 0.0) is not None
    assert means(0.9e-4, 0.0) is None
    assert found.loss(1e-4, 0.0) == pytest.approx(found.loss(0.9e-4, 0.0), rel=1e-4)


@pytest.mark.filterwarnings("error")
def test_what_leaves_doubles_far_out_is_no_warning():
    found = by_quadrature(Pair("relu(x-1)", "exp(30*x)"))
    assert (found.loss(1.0, 0.1), found.b(1.0, 0.1)) == pytest.approx((np.inf, -np.inf))
