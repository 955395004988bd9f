"""Three derivations of the drift coefficients against each other and against quadrature."""

from math import factorial

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import polynomials, strengths
from sympy import Matrix, Poly, Rational, Symbol, diff, expand, factor, lambdify, sqrt
from thorough import only

from derive import polynomial_drift as drift_module
from derive.errors import InputError
from derive.hermite import hermite_polynomial
from derive.loss import PopulationLoss, population_loss
from derive.polynomial_drift import (
    LABELS,
    drift_from_expectation,
    drift_from_loss,
    hermite_drift,
    hermite_power,
)
from derive.symbols import Q, mu, rho, z


def _teacher(n, labels):
    he = hermite_polynomial(n, z)
    return expand(he**2) if labels == "squared" else he


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("n", only(range(1, 8), range(1, 13)))
def test_closed_form_is_what_the_loss_gives(n, labels):
    teacher, student = _teacher(n, labels), hermite_polynomial(n, z)
    closed = hermite_drift(n, labels, "raw")
    assert closed == drift_from_loss(teacher, student, z)
    assert closed == drift_from_expectation(teacher, student, z)


@pytest.mark.parametrize("wrong", [Matrix([[-1, mu], [mu + 1, 0]]), Matrix([[-1, mu], [mu, 1]])])
def test_a_linearised_flow_of_another_form_is_no_drift(wrong, monkeypatch):
    """Planted faults: the overlap grows by itself, or not as u does."""
    monkeypatch.setattr(drift_module, "linearised_flow", lambda loss: wrong)
    with pytest.raises(ArithmeticError, match="does not have the form"):
        drift_from_loss(z, z, z)


@given(polynomials, polynomials)
def test_loss_and_expectation_agree_for_any_pair(teacher, student):
    assert drift_from_loss(teacher, student, z) == drift_from_expectation(teacher, student, z)


@given(polynomials, polynomials)
def test_a_is_minus_the_slope_of_the_frozen_risk(teacher, student):
    """a(μ) = -ℓ'(μ): the zeros of a are the stationary points of the frozen model's risk."""
    risk = population_loss(teacher, student, z).frozen_risk()
    a = drift_from_expectation(teacher, student, z).a
    assert expand(a.as_expr() + diff(risk, mu)) == 0


@pytest.mark.parametrize("n", range(26))
def test_power_equals_the_sum_over_rescaled_coefficients(n):
    """S(Q) = Σ_j n!²/((n-2j)! (j! 2^j)²) (Q-1)^(2j) Q^(n-2j), from (64)."""
    terms = (
        Rational(factorial(n) ** 2, factorial(n - 2 * j) * (factorial(j) * 2**j) ** 2)
        * (Q - 1) ** (2 * j)
        * Q ** (n - 2 * j)
        for j in range(n // 2 + 1)
    )
    assert hermite_power(n).as_expr() == expand(sum(terms))


def _mean(f):
    """Sums at equal distances h: of a polynomial they are off by exp(-2π²/h²) only."""
    return sum(f(mpmath.mpf(k) / 3) * mpmath.npdf(mpmath.mpf(k) / 3) for k in range(-54, 55)) / 3


@pytest.mark.parametrize("labels", LABELS)
@given(n=st.integers(1, 8), strength=strengths)
def test_quadrature_agrees_to_25_digits(n, labels, strength):
    sigma = hermite_polynomial(n, z)
    phi, s, s1, s2 = (
        lambdify(z, f, "mpmath")
        for f in (_teacher(n, labels), *(diff(sigma, z, k) for k in range(3)))
    )
    drift = hermite_drift(n, labels, "raw")
    with mpmath.workdps(45):
        x = mpmath.mpf(strength.numerator) / strength.denominator
        a = _mean(lambda g: (phi(g) - s(x * g)) * g * s1(x * g))
        b = _mean(lambda g: (phi(g) - s(x * g)) * s2(x * g) - s1(x * g) ** 2)
        size = _mean(lambda g: phi(g) ** 2 + s1(x * g) ** 2)  # what may cancel in a and b
        for exact, quadrature in ((drift.a, a), (drift.b, b)):
            value = exact.eval(Rational(strength.numerator, strength.denominator))
            assert abs(mpmath.mpf(value.p) / value.q - quadrature) < size * mpmath.mpf(10) ** -25


@pytest.mark.parametrize("n", range(1, 30))
def test_matched_drift_at_full_strength(n):
    """At μ = 1 the frozen student is perfect: a = 0; and b = -E σ'² = -n·n!."""
    drift = hermite_drift(n, normalization="n*n!")
    assert drift.a.eval(1) == 0
    assert drift.b.eval(1) == -1


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("n", [1, 2, 5, 8, 31])
def test_normalisations_differ_by_n_times_n_factorial(n, labels):
    raw, paper = hermite_drift(n, labels, "raw"), hermite_drift(n, labels, "n*n!")
    scale = n * factorial(n)
    assert (raw.a, raw.b) == (paper.a.mul_ground(scale), paper.b.mul_ground(scale))
    assert (raw.normalization, paper.normalization) == ("raw", "n*n!")


@pytest.mark.parametrize("n", range(1, 30, 2))
def test_odd_student_never_sees_squared_labels(n):
    """Parity removes the teacher: a = -½ d/dμ S(μ²), b = -S'(μ²), whatever the even teacher."""
    drift = hermite_drift(n, "squared", "raw")
    power = hermite_power(n).compose(Poly(Q**2, Q)).replace(Q, mu)
    assert drift.a == -power.diff(mu).quo_ground(2)
    assert drift.a == Poly(mu, mu) * drift.b
    if n <= 7:
        other = drift_from_expectation(z**4 + 3, hermite_polynomial(n, z), z)
        assert (other.a, other.b) == (drift.a, drift.b)


def test_linear_and_cubic_students():
    linear, cubic = (hermite_drift(n, normalization="n*n!") for n in (1, 3))
    assert (linear.a.as_expr(), linear.b.as_expr()) == (1 - mu, -1)
    assert cubic.a.rem(Poly(5 * mu**3 + 5 * mu**2 + mu - 1, mu)).is_zero  # theory of Prop. 2
    assert factor(cubic.a.as_expr()).subs(mu, 1) == 0


def _without_mean(loss):
    mean = loss.correlation.subs(rho, 0)
    return PopulationLoss(loss.teacher_power, loss.student_power, loss.correlation - mean)


def test_dropping_the_mean_of_the_student_is_noticed(monkeypatch):
    """The k = 0 term matters wherever the teacher has a mean and the student's moves with Q."""
    he, shifted = hermite_polynomial(2, z), hermite_polynomial(2, z) + 1
    right = drift_from_expectation(shifted, he, z)
    assert drift_from_loss(shifted, he, z) == right
    monkeypatch.setattr(
        drift_module, "population_loss", lambda *pair: _without_mean(population_loss(*pair))
    )
    assert drift_from_loss(shifted, he, z) != right


def test_floats_and_irrational_coefficients_are_refused_in_one_line():
    for student in (0.5 * z, sqrt(2) * z, Symbol("c") * z):
        with pytest.raises(InputError, match=r"give exact numbers|not rational"):
            drift_from_loss(z, student, z)


@pytest.mark.parametrize(
    "arguments", [(0,), (-3,), (2.5,), (3, "cubed"), (3, "matched", "n!"), ("three",)]
)
def test_bad_arguments_are_refused_in_one_line(arguments):
    with pytest.raises(InputError, match=r"give|choose") as refusal:
        hermite_drift(*arguments)
    assert "\n" not in str(refusal.value)
