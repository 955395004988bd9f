"""Preimages and means given the output, exact: against explicit preimages and simple pairs."""

import pytest
from sympy import N, Rational, S, acos, cos, diff, exp, pi

from derive.activation import Activation
from derive.catalogue import CATALOGUE
from derive.conditional import conditional_gram, conditional_means, folding_of, preimages
from derive.errors import InputError
from derive.grammar import parse_activation
from derive.pair import Pair
from derive.symbols import mu, z

ONE, MIRRORED, ROOTS = "one", "mirrored", "roots"
UNKNOWN = ("gelu", "gelu_tanh", "silu", "swish", "squareplus")  # the last one rises, unproved


@pytest.mark.parametrize(("text", "folding"), [
    ("x**3 + x", ONE), ("relu", ONE), ("hardtanh", ONE), ("tanh", ONE), ("-exp(x)", ONE),
    ("gauss", MIRRORED), ("abs", MIRRORED), ("x**2 - 1", MIRRORED), ("triangular", MIRRORED),
    ("He3", ROOTS), ("He4", ROOTS), ("x**2 + x", ROOTS), ("(x - 1)**2", ROOTS),
])  # fmt: skip
def test_foldings_are_known(text, folding):
    assert folding_of(parse_activation(text)) == folding


@pytest.mark.parametrize("text", ["sin", "cos", "gelu", "silu", "x*exp(-x**2/2)"])
def test_others_are_refused(text):
    with pytest.raises(InputError, match="preimages"):
        folding_of(parse_activation(text))


@pytest.mark.parametrize(("text", "y", "count"), [
    ("He3", 0, 3), ("He3", 1, 3), ("He3", 5, 1), ("He4", 1, 4), ("He2", -2, 0), ("abs", 3, 2),
    ("relu", 2, 1), ("tanh", Rational(1, 2), 1), ("leaky_relu", -1, 1),
])  # fmt: skip
def test_preimages_are_all_inputs_of_an_output(text, y, count):
    teacher = parse_activation(text)
    found = preimages(teacher, y)
    assert len(found) == count
    assert all(abs(N(teacher.value.at(point) - y, 30)) < 1e-20 for point in found)


def test_a_stretch_of_inputs_has_no_list():
    with pytest.raises(InputError, match="stretch"):
        preimages(Activation.named("relu"), 0)


@pytest.mark.parametrize("y", [S.Zero, S.One, Rational(-3, 2)])
def test_means_of_he3_are_those_of_its_trigonometric_preimages(y):
    """2 cos(θ + 2πk/3) with 2 cos 3θ = y: 2 T_3(x/2) = x³ - 3x."""
    angle = (y / 2).evalf(40)
    points = [(2 * cos((acos(angle) + 2 * pi * k) / 3)).evalf(40) for k in range(3)]
    weights = [exp(-(p**2) / 2) / abs(3 * p**2 - 3) for p in points]
    slope, curvature = 3 * (mu * z) ** 2 - 3, 6 * mu * z
    a, b = conditional_means("He3", y)
    for found, f in ((a, z * slope), (b, curvature)):
        wanted = sum(w * f.subs(z, p) for w, p in zip(weights, points, strict=True)) / sum(weights)
        assert abs(N((found - wanted).subs(mu, Rational(1, 3)), 30)) < 1e-25


def test_a_monotone_teacher_knows_its_input():
    a, b = conditional_means(Pair("x**3 + x", "tanh"), 2)  # of z = 1
    tanh = Activation.named("tanh").value.smooth
    assert (a - diff(tanh, z).subs(z, mu)).simplify() == 0
    assert (b - diff(tanh, z, 2).subs(z, mu)).simplify() == 0


def test_an_even_teacher_leaves_the_even_part():
    """At z = ±2: z σ' is odd for an even student's slope, and even for an odd one's."""
    assert conditional_means(Pair("x**2", "x**3"), 4)[0] == 0
    assert conditional_means("x**2", 4) == (8 * mu, 2)


@pytest.mark.parametrize("y", [2, -2])
def test_critical_values_have_none(y):
    with pytest.raises(InputError, match="slope"):
        conditional_means("He3", y)


def test_students_with_kinks_are_refused():
    for name in ("relu", "abs", "hardtanh"):
        with pytest.raises(InputError, match="kinks"):
            conditional_gram(name)


@pytest.mark.parametrize("name", [n for n in CATALOGUE if n not in ("sin", "cos", "mish")])
def test_every_activation_is_judged_or_told_why(name):
    kinked = any(Activation.named(name).value.derivative().derivative().deltas)
    if kinked or name in UNKNOWN:
        with pytest.raises(InputError, match="kinks" if kinked else "preimages"):
            conditional_gram(name)
    else:
        assert len(conditional_gram(name).products) == 3


def test_flat_stretches_have_their_probability():
    flats = conditional_gram(Pair("hardtanh", "x**2")).flats
    assert [flat.probability.evalf(8) for flat in flats] == [pytest.approx(0.15865525)] * 2
    assert conditional_gram(Pair("relu", "x")).flats[0].probability == Rational(1, 2)
