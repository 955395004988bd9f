"""Preimages and means given the output, exact: against explicit preimages and simple pairs."""

import pytest
from sympy import N, Rational, S, acos, cos, diff, exp, pi, simplify, sqrt

from derive.activation import Activation
from derive.catalogue import CATALOGUE
from derive.conditional import (
    circle_of,
    conditional_gram,
    conditional_means,
    folding_of,
    kinks_are_free,
    preimages,
)
from derive.errors import InputError
from derive.grammar import parse_activation
from derive.pair import Pair
from derive.symbols import mu, z

ONE, MIRRORED, ROOTS = "one", "mirrored", "roots"
UNKNOWN = ("gelu", "gelu_tanh", "silu", "swish", "sin", "cos", "hardswish", "squareplus")
# the last one rises, unproved


@pytest.mark.parametrize(("text", "folding"), [
    ("x**3 + x", ONE), ("relu", ONE), ("hardtanh", ONE), ("tanh", ONE), ("-exp(x)", ONE),
    ("gauss", MIRRORED), ("abs", MIRRORED), ("x**2 - 1", MIRRORED), ("triangular", MIRRORED),
    ("He3", ROOTS), ("He4", ROOTS), ("x**2 + x", ROOTS), ("(x - 1)**2", ROOTS),
])  # fmt: skip
def test_foldings_are_known(text, folding):
    assert folding_of(parse_activation(text)) == folding


@pytest.mark.parametrize("text", [
    "gelu", "silu", "x*exp(-x**2/2)", "sin(x**2)", "x + 2*sin(x)", "abs(abs(x) - 1)",
])  # fmt: skip
def test_others_are_told_apart(text):
    assert folding_of(parse_activation(text)) == "other"


@pytest.mark.parametrize("text", ["sin", "cos", "3*sin(2*x + 1) - 1", "cos(-x/2)"])
def test_waves_repeat_and_are_monotone_on_half_a_period(text):
    teacher = parse_activation(text)
    middle, half, period = circle_of(teacher)
    f = teacher.value.smooth
    assert folding_of(teacher) == "repeated"
    for at in (f, f.diff(z)):
        assert simplify(at.subs(z, z + period) - at) == 0
    for end in (middle - half, middle + half):
        assert f.diff(z).subs(z, end) == 0
        assert simplify(f.subs(z, 2 * end - z) - f) == 0
    assert f.diff(z).subs(z, middle) != 0


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


@pytest.mark.parametrize("name", [name for name in CATALOGUE if name != "mish"])  # which is dear
def test_every_activation_has_its_means_or_other_preimages(name):
    if name in UNKNOWN:
        with pytest.raises(InputError, match="no integrals"):
            conditional_gram(name)
    else:
        assert len(conditional_gram(name).products) == 3


def test_a_kink_of_the_slope_that_moves_with_the_strength_has_no_one_formula():
    """At 0 it stays where it is."""
    with pytest.raises(InputError, match="breakpoints move"):
        conditional_means(Pair("x", "huber"), 2)
    assert conditional_means(Pair("x", "squared_relu"), 2) == (8 * mu, 2)


def test_no_conditional_mean_is_a_function_where_the_student_has_kinks():
    with pytest.raises(InputError, match="kinks"):
        conditional_means("abs", 1)


@pytest.mark.parametrize(("teacher", "student", "strength", "free"), [
    ("abs", "abs", "1/2", True), ("relu", "relu", "1/2", True),
    ("hardtanh", "hardtanh", "1/2", False),
    ("hardtanh", "hardtanh", "1", True), ("softshrink", "softshrink", "9/10", True),
    ("triangular", "relu(x - 1)", "1/2", False), ("abs", "relu(x + 1) - relu(x - 1)", "1/2", False),
    ("abs", "tanh", "1/2", False), ("x", "relu", "1/2", True),
])  # fmt: skip
def test_kinks_are_free_unless_a_stretch_holds_them_or_they_cancel(
    teacher, student, strength, free
):
    assert kinks_are_free(Pair(teacher, student), Rational(strength)) is free


def test_a_kink_in_a_flat_stretch_counts_there():
    """hardtanh at μ = 1/2: σ'' of the stretch z > 1 is the kink at z = 2, -2 p(2)."""
    flat = conditional_gram("hardtanh").flats[1]
    found = flat.second.closed().subs(mu, S.Half)
    assert abs(N(found + 2 * exp(-2) / sqrt(2 * pi), 20)) < 1e-18


def test_flat_stretches_have_their_probability():
    flats = conditional_gram(Pair("hardtanh", "x**2")).flats
    assert [flat.probability.evalf(8) for flat in flats] == [pytest.approx(0.15865525)] * 2
    assert conditional_gram(Pair("relu", "x")).flats[0].probability == Rational(1, 2)
