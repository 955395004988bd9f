"""Rules of quadrature in doubles: exact for polynomials, and as fine as steep functions ask."""

import math

import numpy as np
import pytest
from sympy import Poly, Rational, factorial2, sqrt
from sympy.abc import g

from derive.activation import Activation
from derive.grammar import parse_activation
from derive.landscape import landscape_of
from derive.network import kernel, kernel_slopes
from derive.pair import Pair
from derive.symbols import residual, rho, z
from numerics.doubles.arrays import piecewise
from numerics.doubles.fibres import fibre_rule
from numerics.doubles.landscape import (
    by_quadrature,
    float_landscape,
    float_noise,
    kernel_by_quadrature,
)
from numerics.doubles.quadrature import fineness, gaussian_mean_of

PLACES = tuple((Rational(a, 10), Rational(b, 100)) for a, b in ((6, 64), (9, 1), (-3, 16), (12, 1)))
# With how far four times the usual nodes are off: a slope of 30 would ask for more.
STEEP = (("erf(10*x)", 1e-8), ("erf(30*x)", 1e-5), ("sin(6*x)", 1e-8))


def _mean(polynomial):
    """The mean of a polynomial in two independent standard normals: an exact number."""
    return sum(
        coefficient * factorial2(max(i - 1, 0)) * factorial2(max(j - 1, 0))
        for (i, j), coefficient in polynomial.terms()
        if i % 2 == j % 2 == 0
    )


def _at(polynomial, place):
    """A polynomial of a polynomial, by Horner's rule."""
    found = Poly(0, z, g, domain="QQ")
    for coefficient in polynomial.all_coeffs():
        found = found * place + coefficient
    return found


@pytest.mark.parametrize(
    "names", [("He5",), ("He6",), ("He14",), ("He2", "He9"), ("He9", "He2")], ids=str
)
def test_the_noise_of_polynomials_is_exact_whatever_their_degree(names):
    """Against rational arithmetic: y - σ vanishes at ρ = 1, near which sums of terms cancel."""
    pair = Pair(*names)
    found, (label, student) = float_noise(pair, 0.5), pair.polynomials
    y = _at(label, Poly(z, z, g, domain="QQ"))
    for covariance, s in PLACES:
        seen = Poly(covariance * z + sqrt(s) * g, z, g, domain="QQ")
        value, slope = _at(student, seen), _at(student.diff(z), seen)
        exact = _mean((y - value) ** 2 * slope**2) + Rational(1, 4) * _mean(slope**2)
        assert found(float(covariance), float(s)) == pytest.approx(float(exact), rel=1e-11)


@pytest.mark.parametrize("names", [("He15",), ("He8", "He10"), ("He10", "He7")], ids=str)
def test_the_loss_of_polynomials_does_not_cancel_whatever_their_degree(names):
    pair = Pair(*names)
    found, exact = float_landscape(pair), landscape_of(pair).derived
    for covariance, s in (*PLACES, (Rational(999, 1000), Rational(1, 1000))):
        for ours, known in zip((found.loss, found.a, found.b), exact, strict=True):
            known = float(known.subs({rho: covariance, residual: s}))
            assert ours(float(covariance), float(s)) == pytest.approx(known, rel=1e-11)


@pytest.mark.parametrize(("text", "off"), STEEP)
def test_a_landscape_is_as_fine_as_its_functions_are_steep(text, off):
    pair = Pair(text)
    found, exact = by_quadrature(pair), float_landscape(pair)
    for covariance, s in PLACES:
        at = float(covariance), float(s)
        for name in ("loss", "a", "b"):
            wanted = getattr(exact, name)(*at)
            assert getattr(found, name)(*at) == pytest.approx(wanted, rel=off, abs=off)


@pytest.mark.parametrize(("text", "off"), STEEP)
def test_a_kernel_is_as_fine_as_its_function_is_steep(text, off):
    student = parse_activation(text)
    found, exact = kernel_by_quadrature(student.value), kernel(student, student)
    by_first, _, by_cross = kernel_slopes(student, student)
    at = {exact.first: 0.5, exact.second: 0.8, exact.cross: 0.3}
    for ours, known in (
        (found.value, exact),
        (found.by_first, by_first),
        (found.by_cross, by_cross),
    ):
        wanted = float(known.expression.subs(at))
        assert ours(0.5, 0.8, 0.3) == pytest.approx(wanted, rel=off, abs=1e-12)


def test_rules_are_as_fine_whatever_the_size_of_functions():
    """Of a small function what is steep counts as much as its value."""
    place, factor, text = (0.5, 0.2), 1e-8, "erf(x) + sigmoid(40*x)"
    whole, small = (parse_activation(each) for each in (text, f"1e-8*({text})"))
    one, other = by_quadrature(Pair(whole)), by_quadrature(Pair(small))
    assert other.b(*place) / factor**2 == pytest.approx(one.b(*place), rel=1e-12)
    kernels = (kernel_by_quadrature(each.value) for each in (whole, small))
    slopes = [each.by_first(1.0, 1.0, 0.5) for each in kernels]
    assert slopes[1] / factor**2 == pytest.approx(slopes[0], rel=1e-12)


@pytest.mark.parametrize("place", [-8, -4, -1, 0, 1, 4, 8])
def test_means_on_a_line_are_cut_at_kinks_wherever_they_are(place):
    """Also at the ends of panels that are there anyway."""
    here = math.exp(-(place**2) / 2) / math.sqrt(2 * math.pi)
    above = math.erfc(place / math.sqrt(2)) / 2
    found = gaussian_mean_of(lambda x: np.maximum(x - place, 0), [place])
    assert found == pytest.approx(here - place * above, rel=1e-10)


def _squares_of_steep(slope):
    """The means of erf(k z)² and of the square of its derivative."""
    return (
        2 / math.pi * math.asin(2 * slope**2 / (1 + 2 * slope**2)),
        4 * slope**2 / math.pi / math.sqrt(1 + 4 * slope**2),
    )


@pytest.mark.parametrize("slope", [1, 10, 30, 1000])
def test_means_on_a_line_are_as_fine_as_what_is_steep(slope):
    steep = parse_activation(f"erf({slope}*x)")
    functions = [piecewise(each) for each in (steep.value, steep.value.derivative())]
    rules = fibre_rule(steep), fibre_rule(Activation.named("erf"), student=steep)
    for function, wanted in zip(functions, _squares_of_steep(slope), strict=True):
        assert gaussian_mean_of(lambda x, f=function: f(x) ** 2) == pytest.approx(wanted, rel=1e-8)
        for rule in rules:
            found = rule.mean(rule.given(function(rule.inputs) ** 2))
            assert found == pytest.approx(wanted, rel=1e-8)


def test_the_nodes_are_doubled_until_that_changes_nothing():
    asked = []

    def estimate(times):
        asked.append(times)
        return [1e-30, 1e-30 * (1 + 1e-3 / times**2)]

    assert fineness(lambda times: asked.append(times) or 1e-30) == 1
    assert asked == [1, 2]
    assert fineness(estimate) == 4  # the most that is tried
    assert asked == [1, 2, 1, 2, 4]
