"""Eigenvalues, escape time and its exact limits: by definition, by series, for every degree."""

import pytest
from hypothesis import given
from strategies import rationals
from sympy import (
    Integer,
    N,
    Poly,
    Rational,
    Symbol,
    expand,
    factorial2,
    gammasimp,
    limit,
    log,
    oo,
    simplify,
    sqrt,
    symbols,
)

from derive.drift import Drift
from derive.errors import InputError
from derive.escape import (
    LeadingTerm,
    eigenvalues,
    escape_limit,
    escape_time,
    exit_time,
    hermite_drift_limit,
    hermite_escape_limit,
    leading_escape_time,
    local_law,
)
from derive.grammar import parse_activation
from derive.pair import Pair
from derive.pair_drift import drift_of
from derive.polynomial_drift import hermite_drift
from derive.symbols import mu

p = Symbol("p", integer=True, positive=True)
n = Symbol("n", integer=True, positive=True)


def test_eigenvalues_are_those_of_the_linearised_flow():
    a, b, x = symbols("a b x", real=True)
    plus, minus = eigenvalues(a, b)
    assert expand((x - plus) * (x - minus) - (x**2 - b * x - a**2)) == 0


@given(rationals, rationals)
def test_escape_time_is_the_inverse_of_a_positive_rate(a, b):
    tau = escape_time(a, b)
    if a == 0 and b <= 0:
        assert tau == oo
    else:
        assert tau > 0
        assert simplify(1 / tau - eigenvalues(a, b)[0]) == 0
        assert simplify(exit_time(a, b, 7) - tau * log(7) / 2) == 0


@pytest.mark.parametrize("alpha", [Rational(-2, 3), Integer(2)])
@pytest.mark.parametrize("beta", [Integer(-3), Rational(1, 2), Integer(0)])
@pytest.mark.parametrize(("p_", "q_"), [(0, 1), (1, 1), (1, 0), (2, 1), (3, 0), (0, 0)])
def test_leading_behaviour_is_the_limit(alpha, beta, p_, q_):
    """τ divided by its leading term tends to 1, by SymPy's own limits."""
    x = Symbol("x", positive=True)
    a, b = alpha * x**p_ * (1 + x), beta * x**q_ * (1 - x)
    term = leading_escape_time(
        LeadingTerm(alpha, Integer(p_)), LeadingTerm(beta, Integer(q_) if beta else Integer(0))
    )
    rate = eigenvalues(a, b)[0] * term.coefficient * x**term.exponent
    assert simplify(limit(rate, x, 0, "+")) == 1


def test_without_any_drift_there_is_no_escape():
    zero, negative = LeadingTerm(Integer(0)), LeadingTerm(Integer(-1))
    assert leading_escape_time(zero, zero).coefficient == oo
    assert leading_escape_time(zero, negative).coefficient == oo
    assert leading_escape_time(zero, LeadingTerm(Integer(2))) == LeadingTerm(Rational(1, 2))


def test_unknown_sign_is_not_guessed():
    c = Symbol("c", real=True)
    with pytest.raises(InputError, match="undecided"):
        leading_escape_time(LeadingTerm(c, Integer(1)), LeadingTerm(Integer(-1)))
    with pytest.raises(InputError, match="undecided"):
        escape_time(0, c)
    assert escape_time((sqrt(2) + sqrt(3)) ** 2 - 5 - 2 * sqrt(6), -1) == oo
    with pytest.raises(InputError, match="undecided"):
        leading_escape_time(LeadingTerm(Integer(1), Integer(1)), LeadingTerm(Symbol("c")))
    p, q = Symbol("p", positive=True), Symbol("q", positive=True)
    with pytest.raises(InputError, match="undecided"):  # whether p is q is not known
        leading_escape_time(LeadingTerm(Integer(1), p), LeadingTerm(Integer(-1), q))


def _same(left, right):
    return gammasimp((left / right).rewrite("gamma")) == 1


def test_proposition_3_for_every_degree():
    """The derived limits are the paper's, as identities in a symbolic degree."""
    even, odd = hermite_escape_limit(2 * p, 0), hermite_escape_limit(2 * p + 1, 0)
    assert even.exponent == 0
    assert _same(even.coefficient, factorial2(2 * p) / factorial2(2 * p - 1))
    assert odd.exponent == -2
    assert _same(odd.coefficient, factorial2(2 * p) / factorial2(2 * p - 1))
    strong = hermite_escape_limit(n, 1)
    assert strong == LeadingTerm(1 / (2 * n - 1) ** 2, Integer(-2))


@pytest.mark.parametrize("degree", range(1, 61))
def test_proposition_3_degree_by_degree(degree):
    """The series of the drift polynomials of each degree gives the general law."""
    drift = hermite_drift(degree, normalization="n*n!")
    assert escape_limit(drift, 1) == LeadingTerm(Rational(1, (2 * degree - 1) ** 2), Integer(-2))
    if degree > 1:
        general = hermite_escape_limit(2 * p + degree % 2, 0)
        expected = LeadingTerm(general.coefficient.subs(p, degree // 2), general.exponent)
        assert escape_limit(drift, 0) == expected


@pytest.mark.parametrize("text", ["relu", "erf", "gelu", "sin", "cos", "exp", "gauss"])
@pytest.mark.parametrize("end", [0, 1])
def test_limits_of_closed_forms_are_limits(text, end):
    """τ next to the end, at 60 digits, over its leading term is 1."""
    activation = parse_activation(text)
    drift = drift_of(Pair(activation, activation))
    term = escape_limit(drift, end)
    step = Rational(1, 10**9)
    a, b = (N(f.subs(mu, abs(end - step)), 60) for f in (drift.a, drift.b))
    assert abs(escape_time_of(a, b) / N(term.coefficient * step**term.exponent, 60) - 1) < 1e-6


def escape_time_of(a, b):
    return 2 / (b + (b**2 + 4 * a**2) ** Rational(1, 2))


def test_limits_of_misaligned_pairs_are_refused():
    x = parse_activation("relu")
    with pytest.raises(InputError, match="aligned"):
        escape_limit(drift_of(Pair(x, x, misalignment=1 - mu)), 1)


def test_the_normalisation_scales_the_limits():
    raw, paper = (escape_limit(hermite_drift(4, "matched", name), 0) for name in ("raw", "n*n!"))
    assert raw.coefficient * 96 == paper.coefficient


@pytest.mark.parametrize("degree", range(3, 62, 2))
def test_proposition_2(degree):
    """Odd degrees: a is negative near 0 and positive near 1, so it vanishes in between."""
    a = hermite_drift(degree, normalization="n*n!").a
    near_zero, near_one = Rational(1, 1000), Rational(999, 1000)
    assert a.eval(near_zero) < 0 < a.eval(near_one)


def test_proposition_2_for_every_odd_degree():
    """The leading terms of a differ in sign; the zero between them has b = -μ^(n-2) < 0."""
    at_zero, at_one = (hermite_drift_limit(2 * p + 1, end)[0].coefficient for end in (0, 1))
    assert at_zero.is_negative
    assert at_one.is_positive
    assert not hermite_drift_limit(2 * p, 0)[0].coefficient.is_negative


@pytest.mark.parametrize("degree", range(2, 61))
def test_leading_terms_of_the_drift_degree_by_degree(degree):
    drift = hermite_drift(degree, normalization="n*n!")
    for name, general in zip(("a", "b"), hermite_drift_limit(2 * p + degree % 2, 0), strict=True):
        (exponent,), coefficient = getattr(drift, name).terms()[-1]
        expected = general.coefficient.subs(p, degree // 2)
        assert (expected, general.exponent) == (coefficient, exponent)
    a, b = hermite_drift_limit(n, 1)
    assert (drift.a.eval(1), -drift.a.diff(mu).eval(1)) == (0, a.coefficient.subs(n, degree))
    assert drift.b.eval(1) == b.coefficient


@given(rationals.filter(lambda r: 0 < r < 1))
def test_local_law_at_a_rational_singularity(star):
    """τ·(μ-μ*)² tends to the constant of the local law."""
    drift = Drift(Poly(3 * (mu - star) * (mu + 1), mu), Poly(-1 - mu, mu))
    numerator, root = local_law(drift)
    constant = numerator.eval(star) / root.eval(star) ** 2
    step = Rational(1, 10**6)
    tau = escape_time(drift.a.eval(star + step), drift.b.eval(star + step))
    assert abs(tau * step**2 / constant - 1) < Rational(1, 10**4)


@pytest.mark.parametrize("multiplicity", [1, 2, 3])
def test_local_law_divides_by_the_factorial(multiplicity):
    drift = Drift(Poly((2 * mu - 1) ** multiplicity, mu), Poly(-5, mu))
    numerator, root = local_law(drift, multiplicity)
    assert (numerator.as_expr(), root.as_expr()) == (5, 2**multiplicity)


@pytest.mark.parametrize(
    ("degree", "end"), [(n, 0), (1, 0), (n, 2), (2 * p, "1"), (-3, 1), (0, 1), (Rational(1, 2), 1)]
)
def test_limits_that_are_not_derived_are_refused(degree, end):
    with pytest.raises(InputError, match="not accepted"):
        hermite_escape_limit(degree, end)
    with pytest.raises(InputError, match="give 0 or 1"):
        escape_limit(hermite_drift(2), "1")


@pytest.mark.parametrize("end", [-1, 2, Rational(1, 2), "0", None])
def test_the_range_has_two_ends(end):
    with pytest.raises(InputError, match="give 0 or 1"):
        escape_limit(hermite_drift(3), end)


@pytest.mark.parametrize("multiplicity", [1, 2, 5])
def test_the_local_law_is_that_of_a_zero_of_its_multiplicity_and_of_no_other(multiplicity):
    """τ (μ - μ*)^2k tends to C at a k-fold zero, by the leading terms there."""
    place = Rational(1, 3)
    drift = Drift((mu - place) ** multiplicity * (2 - mu), -1 - mu)
    minus_b, root = (f.eval(place) for f in local_law(drift, multiplicity))
    law = leading_escape_time(
        LeadingTerm(2 - place, Integer(multiplicity)), LeadingTerm(-1 - place)
    )
    assert law == LeadingTerm(minus_b / root**2, Integer(-2 * multiplicity))
    with pytest.raises(InputError, match="multiplicity"):
        local_law(drift, 0)
