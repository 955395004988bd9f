"""Means over the strength: breakpoints that move, meet and jump, and their slopes."""

import mpmath
import pytest
from sympy import Rational, S, diff, exp, tanh

from derive.gaussian import NoClosedForm
from derive.means import Mean, mean_over_strengths, meeting_strengths
from derive.pair import Pair
from derive.pair_drift import drift_of, is_positive, mean_drift
from derive.piecewise import PiecewiseAnalytic, analytic
from derive.risk import frozen_risk
from derive.symbols import mu, z


def _close(one, two, strength):
    difference = (one - two).subs(mu, strength).evalf(30)
    return abs(difference) < Rational(1, 10**24)


PAIRS = [("relu(x - 1)",), ("hardtanh",), ("relu(x - 1)", "relu(x - 1/2)"), ("relu6", "hardswish"),
         ("huber", "softshrink"), ("elu(x - 1)", "triangular(2*x)"),
         ("x**2", "hardtanh(x/2)")]  # fmt: skip


@pytest.mark.parametrize("pair", PAIRS, ids=str)
@pytest.mark.parametrize("strength", [Rational(2, 7), Rational(5, 8)])
def test_slopes_of_closed_forms_are_closed_forms_of_slopes(pair, strength):
    """Two ways: differentiate the closed form, or the integrand with the places it jumps at."""
    means = mean_drift(Pair(*pair))
    assert _close(diff(means.a.closed(), mu), means.a.derivative().closed(), strength)
    assert _close(diff(means.a.closed(), mu), means.slope.closed(), strength)
    assert _close(diff(means.b.closed(), mu), means.b.derivative().closed(), strength)
    second = means.a.derivative().derivative().closed()
    assert _close(diff(means.a.closed(), mu, 2), second, strength)


@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_a_is_minus_the_slope_of_the_frozen_risk(pair):
    """Derived apart: the risk never saw the student's slope, nor a δ."""
    risk, drift = frozen_risk(Pair(*pair)), drift_of(Pair(*pair))
    for strength in (Rational(2, 7), Rational(5, 8)):
        assert _close(diff(risk, mu), -drift.expressions[0], strength)


@pytest.mark.parametrize("strength", [0.3, 0.7])
def test_b_is_a_mean_without_a_second_derivative(strength):
    """b = (a - E φ'σ')/μ by parts: of two ReLUs whose breakpoints meet at μ = 1/2."""
    a, b = drift_of(Pair("relu(x - 1)", "relu(x - 1/2)")).expressions
    m = mpmath.mpf(strength)
    start = max(1, 0.5 / m)  # φ' σ' is 1 beyond both
    mixed = mpmath.quad(mpmath.npdf, [start, 9, 30])
    found = (float(a.subs(mu, strength)) - mixed) / m
    assert abs(found - float(b.subs(mu, strength))) < 1e-12


def test_strengths_at_which_breakpoints_meet():
    ours, theirs = [S(-1), S.One, S(2)], [S.Zero, S(3), S(-2)]
    assert meeting_strengths(ours, theirs) == (Rational(1, 3), S.Half, Rational(2, 3))
    assert meeting_strengths([S.One], [S.One]) == ()


def test_what_is_left_at_zero_is_what_does_not_move_away():
    hardtanh = PiecewiseAnalytic((-S.One, z, S.One), (-S.One, S.One))
    relu = PiecewiseAnalytic((S.Zero, z), (S.Zero,))
    mean = mean_over_strengths(relu, hardtanh, lambda y, value: y * value)
    assert mean.central.pieces == (0, mu * z**2)
    assert mean.at(0, order=1) == PiecewiseAnalytic((S.Zero, z**2), (S.Zero,))


def test_breakpoints_that_meet_at_one_leave_nothing_between():
    drift = mean_drift(Pair("hardtanh*tanh"))
    assert drift.a.at(1).is_zero
    assert drift.vanishes(1)
    assert not drift.vanishes(1, 1)


@pytest.mark.parametrize("pair", [*PAIRS, ("abs(x + 1)",), ("abs(x - 1)", "huber")], ids=str)
@pytest.mark.parametrize("order", [0, 1])
def test_at_full_strength_a_mean_is_the_limit_of_its_closed_form(pair, order):
    """Breakpoints of student and labels have met there, each in the place of the other."""
    means = mean_drift(Pair(*pair))
    for mean in (means.a, means.b):
        integrand = mean.at(1, order)
        assert integrand.breaks == tuple(sorted(set(integrand.breaks)))
        assert not any(point.has(mu) for point in integrand.breaks)
        closed = mean.integrands[-1].mean()
        assert _close(integrand.mean(), diff(closed, mu, order), 1)


def test_means_without_closed_form_say_so():
    with pytest.raises(NoClosedForm):
        Mean((PiecewiseAnalytic((S.Zero, tanh(z)), (1 / mu,)),)).closed()
    terms = sum(z**k * exp(-(z**2) * mu**2 / 3 + mu * z) / (1 + k) for k in range(12))
    with pytest.raises(NoClosedForm, match="operations"):
        Mean((PiecewiseAnalytic((S.Zero, terms), (1 / mu,)),)).closed()
    assert Mean((analytic(z**2),)).closed() == 1


@pytest.mark.parametrize(
    ("text", "positive"),
    [("relu(x - 4)", True), ("elu(2*x - 1)", True), ("selu", True), ("hardtanh(x + 3)", True),
     ("tanh(50*x)", True), ("sigmoid(20*x)", True), ("softplus(10*x)/10", True), ("x**2", True),
     ("softsign(x - 2)", True), ("abs", True), ("gelu", False), ("hardswish", False),
     ("relu(x) - relu(x - 1)*2", False), ("3", False)],
)  # fmt: skip
def test_students_that_are_monotone_on_either_side_of_0_are_never_singular(text, positive):
    assert is_positive(Pair(text)) is positive
    if positive:
        assert not is_positive(Pair(text, labels="squared"))
        assert not is_positive(Pair(text, loss="correlation"))
        assert not is_positive(Pair(text, "tanh"))


def test_a_mean_is_zero_if_it_is_between_all_cuts():
    half = (Rational(1, 2),)
    assert Mean((analytic(z), analytic(z**3)), half).is_zero
    for odd, even in ((z, z**2), (z**2, z)):
        assert not Mean((analytic(odd), analytic(even)), half).is_zero


@pytest.mark.parametrize("fixed", [S.One, S(2), S(3)])
def test_whether_a_mean_is_zero_does_not_lean_on_where_breakpoints_meet(fixed):
    """1/μ and -1/μ lie beyond the labels' breakpoint or, at most strengths, within it."""
    beyond = (-1 / mu, -fixed, fixed, 1 / mu)
    odd = PiecewiseAnalytic((S.Zero, -S.One, z, S.One, S.Zero), beyond)
    one_sided = PiecewiseAnalytic((z, z, z**3, z), (-1 / mu, fixed, 1 / mu))
    assert Mean((odd,)).is_zero
    assert not Mean((one_sided,)).is_zero
    drift = mean_drift(Pair(f"x**2 + relu(x - {fixed})", "hardtanh"))
    _, b = drift.leading_terms(0)
    assert (b.coefficient, b.exponent) == (-1, 0)  # -E (σσ')' around 0
