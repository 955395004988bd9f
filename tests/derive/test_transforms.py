"""The drift is affine in the transform: against the drift of the labels themselves."""

import pytest
from sympy import Poly, Rational, exp, pi, sqrt, symbols

from derive.errors import InputError
from derive.hermite import normal_moment
from derive.pair import Pair
from derive.pair_drift import drift_of
from derive.symbols import mu
from derive.transforms import gram_matrix, none_has_positive_a, transform_means

y = symbols("y")
PAIRS = [("He3", "He3"), ("He4", "He4"), ("x", "He3"), ("x**2 + x", "x**3 - x/2")]


def drift(means, coefficients):
    a, b = (
        sum(c * part[k].as_expr() for k, c in enumerate(coefficients))
        for part in (means.first, means.second)
    )
    power = means.power.as_expr()
    return (a - mu * power).expand(), (b - power).expand()


@pytest.mark.parametrize("coefficients", [(0, 1), (0, 0, 1), (1, -2, Rational(1, 3), 5)])
@pytest.mark.parametrize("functions", PAIRS)
def test_a_and_b_are_those_of_the_labels(functions, coefficients):
    means = transform_means(Pair(*functions), 3)
    labels = Poly(coefficients[::-1], y)
    known = drift_of(Pair(*functions, labels=labels))
    assert drift(means, coefficients) == (known.a.as_expr(), known.b.as_expr())


@pytest.mark.parametrize("functions", PAIRS)
def test_labels_that_are_0_lose_the_student_s_own_power(functions):
    """a = -μP and b = -P: the square loss without what the correlation loss has."""
    means = transform_means(Pair(*functions), 1)
    square, correlation = (drift_of(Pair(*functions, loss=loss))
                           for loss in ("square", "correlation"))  # fmt: skip
    power = means.power.as_expr()
    assert ((correlation.b - square.b).as_expr() - power).expand() == 0
    assert ((correlation.a - square.a).as_expr() - mu * power).expand() == 0


def test_others_have_the_same_as_means():
    for text in ("erf", "exp", "squared_relu"):
        means, known = transform_means(text, 2), drift_of(Pair(text, labels="squared"))
        at = {mu: Rational(1, 3)}
        power = means.power.closed()
        a = (means.first[2].closed() - mu * power).subs(at).evalf(20)
        assert abs(a - known.value(Rational(1, 3))[0].evalf(20)) < 1e-15


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_the_gram_matrix_is_of_moments_and_positive(degree):
    matrix = gram_matrix(transform_means("He3", degree))
    assert matrix.is_positive_definite
    assert matrix == matrix.T
    x = gram_matrix(transform_means("x", degree))
    assert all(x[j, k] == (normal_moment(j + k) if (j + k) % 2 == 0 else 0)
               for j in range(degree + 1) for k in range(degree + 1))  # fmt: skip


@pytest.mark.parametrize("text", ["He3", "erf"])
@pytest.mark.parametrize("degree", [1, 3])
def test_there_are_moments_for_each_pair_of_powers(text, degree):
    means = transform_means(text, degree)
    assert len(means.moments) == 2 * degree + 1
    assert len(means.first) == len(means.second) == degree + 1


def test_transforms_have_a_degree_of_at_most_twelve():
    assert [transform_means("x", degree).degree for degree in (1, 12)] == [1, 12]


@pytest.mark.parametrize("given", [
    ("He3", 13), ("He3", 0), (Pair("He3", misalignment="linear"), 2),
])  # fmt: skip
def test_what_is_not_judged_is_refused(given):
    with pytest.raises(InputError):
        transform_means(*given)
    with pytest.raises(InputError, match="no exact matrix"):
        gram_matrix(transform_means("erf", 1))


@pytest.mark.parametrize(("text", "power", "strength", "none"), [
    ("x", 1, 1, True), ("relu", 1, 1, True), ("abs", 1, 1, True), ("x**3", 1, 1, True),
    ("squared_relu", 1, 1, True), ("x", 2, 1, False), ("x", 1, "99/100", False),
    ("x**3 + x", 1, 1, False), ("tanh", 1, 1, False), ("He3", 1, 1, False),
    ("relu", 1, "1/2", False), (Pair("x", "relu"), 1, 1, False), ("hardtanh", 1, 1, False),
    (Pair("hardtanh", "hardtanh(x, -1/2, 1/2)"), 1, "3/4", False),
])  # fmt: skip
def test_where_the_output_is_all_that_a_sees_no_labels_have_a_above_0(text, power, strength, none):
    """At μ = 1 the raw labels have a = 0; zσ' is a multiple of σ for powers, on either side."""
    assert none_has_positive_a(text, power, Rational(strength)) is none


def test_a_kink_weighs_its_jump_of_slope_over_the_strength():
    """hardtanh at μ = 2/3: E y σ'' is that of the kinks at z = ±3/2, of outputs ±1."""
    found = transform_means("hardtanh", 1).second[1].closed().subs(mu, Rational(2, 3))
    known = -2 * exp(-Rational(9, 8)) / sqrt(2 * pi) * Rational(3, 2)
    assert abs((found - known).evalf(20)) < 1e-18


@pytest.mark.parametrize("text", ["relu", "abs", "hardtanh", "softshrink"])
def test_kinks_count_in_powers_of_the_output(text):
    means, known = transform_means(text, 2), drift_of(Pair(text, labels="squared"))
    at = {mu: Rational(2, 3)}
    power = means.power.closed()
    b = (means.second[2].closed() - power).subs(at).evalf(20)
    assert abs(b - known.value(Rational(2, 3))[1].evalf(20)) < 1e-15
