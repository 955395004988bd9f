"""Mehler's sums: those in closed form and those of dense sums over the plane, or none at all."""

import math

import numpy as np
import pytest

from derive.pair import Pair
from numerics.doubles.arrays import piecewise
from numerics.doubles.landscape import by_quadrature, float_landscape, float_noise
from numerics.doubles.mehler import series_of

# Covariance and residual variance: usual ones, full correlation of both signs, none, and no input.
POINTS = [(0.5, 0.3), (-0.4, 0.7), (0.3, 0.0), (-0.3, 1e-14), (0.0, 0.5), (0.0, 0.0), (1.2, 0.1)]


def by_dense_sums(pair, covariance, s, step=1 / 12):
    """Loss, a, b and noise by sums at equal distances over z and what is independent of it."""
    first = pair.student.value.derivative()
    y, f, d, dd = map(piecewise, (pair.label, pair.student.value, first, first.derivative()))
    z = np.arange(-13, 13 + step, step)
    mass = step * np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    x = covariance * z[:, None] + math.sqrt(s) * z
    slope, squared = d(x), pair.loss == "square"
    error, labels = y(z)[:, None] - squared * f(x), y(z)[:, None]
    means = (
        error**2 / 2 if squared else -labels * f(x),
        error * z[:, None] * slope,
        error * dd(x) - squared * slope**2,
        error**2 * slope**2,
    )
    return [mass @ each @ mass for each in means]


def by_dense_slope(pair, covariance, s):
    """The mean square of the student's slope."""
    g = np.arange(-13, 13, 1 / 16)
    slope = piecewise(pair.student.value.derivative())(math.sqrt(covariance**2 + s) * g)
    return slope**2 @ np.exp(-g * g / 2) / math.sqrt(2 * math.pi) / 16


@pytest.mark.parametrize("loss", ["square", "correlation"])
@pytest.mark.parametrize("pair", [("gelu",), ("cos(x)", "sin(3*x)"), ("erf", "erf", "squared")])
def test_sums_are_those_in_closed_form(pair, loss):
    pair = Pair(*pair, loss=loss)
    series, exact = series_of(pair), float_landscape(pair)
    for point in POINTS:
        found = series(*point)
        for name in ("loss", "a", "b"):
            if getattr(found, name) is not None:
                assert getattr(found, name) == pytest.approx(
                    getattr(exact, name)(*point), abs=2e-14
                )


@pytest.mark.parametrize("loss", ["square", "correlation"])
@pytest.mark.parametrize(
    "pair", [("tanh",), ("silu", "tanh(x-1)"), ("mish", "softplus", "squared")]
)
def test_sums_are_those_over_the_plane(pair, loss):
    pair = Pair(*pair, loss=loss)
    for point in POINTS:
        *found, slope_square = series_of(pair)(*point)
        told = by_dense_sums(pair, *point)
        wrong = [f - t for f, t in zip(found, told, strict=True) if f is not None]
        assert np.abs(wrong).max() < 1e-12
        assert len(wrong) >= 3
        assert slope_square == pytest.approx(by_dense_slope(pair, *point), abs=1e-13)


@pytest.mark.parametrize(
    ("texts", "why"),
    [
        (("relu",), "a kink"),
        (("tanh", "hardtanh"), "another"),
        (("relu", "tanh"), "one of the teacher"),
        (("He3",), "the rule of polynomials is exact"),
        (("tanh(5*x)",), "steep"),
        (("tanh", "exp(x/2)"), "what matters lies too far out"),
        (("exp(x**2/5)", "tanh"), "much too far"),
        (("x", "tanh(1000*x)"), "a jump between places, though the label has but one order"),
        (("sin(x)", "tanh(10*x)"), "nearly one"),
        (("tanh(10*x)", "sin(x)"), "nearly one of the label"),
        (("tanh(x) + sin(100*x)", "tanh"), "waves that fall in step with the places"),
    ],
)
def test_where_no_sum_converges_there_is_none(texts, why):
    assert series_of(Pair(*texts)) is None, why


@pytest.mark.parametrize("text", ["tanh", "sin(3*x)", "mish"])
def test_a_sum_is_as_good_as_it_says_or_none(text):
    """However wide the student's argument is, up to where the places are too few."""
    series, given = series_of(Pair(text)), 0
    for variance in (1.0, 2.0, 2.5, 3.0, 4.0):
        for correlation in (0.9, -1.0):
            point = correlation * math.sqrt(variance), (1 - correlation**2) * variance
            found = series(*point)
            if found is not None:
                given += 1
                told = by_dense_sums(Pair(text), *point)
                assert (found.a, found.b) == pytest.approx(told[1:3], abs=1e-11)
    assert given >= 4
    assert series(2.0, 0.0) is not None
    assert series(2.0, 1e-9) is None


def test_where_the_places_tell_too_little_of_the_student_there_is_no_sum():
    """Sums of sin have few orders: that they converge says nothing of how steep the student is."""
    pair = Pair("sin(x)", "tanh(3*x)")
    assert series_of(pair)(0.6, 0.64)[1:3] == pytest.approx(by_dense_sums(pair, 0.6, 0.64)[1:3])
    assert series_of(pair)(1.6, 1.44) is None


@pytest.mark.parametrize("size", [1e-60, 1e8])
def test_the_unit_of_outputs_changes_nothing_else(size):
    one, other = (series_of(Pair(text)) for text in ("tanh(x)", f"{size}*tanh(x)"))
    for point in POINTS:
        slopes = [np.array([means.a, means.b]) for means in (one(*point), other(*point))]
        assert slopes[1] == pytest.approx(slopes[0] * size**2, rel=1e-13)


def test_a_loss_that_is_small_keeps_its_digits():
    """Beside the teacher it is the square of the way there, and noise is what it is."""
    found, noise = by_quadrature(Pair("tanh")), float_noise(Pair("tanh"))
    for way in (1e-2, 1e-4, 1e-6, 1e-8):
        near = [of(1 - way, 0.0) / way**2 for of in (found.loss, noise)]
        nearer = [of(1 - way / 2, 0.0) / (way / 2) ** 2 for of in (found.loss, noise)]
        assert near == pytest.approx(nearer, rel=2 * way + 1e-7)
