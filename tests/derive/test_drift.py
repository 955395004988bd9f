"""One drift in three forms: what each answers of itself, against the others."""

import ast

import pytest
from sympy import Integer, Rational, Symbol, exp, log, sqrt

from derive.drift import NORMALIZATIONS, ClosedDrift, Drift
from derive.errors import InputError
from derive.escape import escape_limit
from derive.gaussian import NoClosedForm
from derive.leading import LeadingTerm
from derive.pair import Pair
from derive.pair_drift import closed_drift, drift_of, mean_drift
from derive.polynomial_drift import LABELS, HermiteDrift, hermite_drift
from derive.symbols import mu, z

FORMS = {
    "polynomial": lambda: Drift(mu**2 * (1 - mu), -1 - mu),
    "closed": lambda: ClosedDrift(mu**2 * log(2 - mu), -sqrt(1 + mu)),
    "means": lambda: drift_of(Pair("tanh")),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_unit_goes_there_and_back(form):
    """n·n! once divides everything, and is taken back whole."""
    raw = FORMS[form]()
    paper = raw.normalized("n*n!", 3)
    assert (raw.unit, paper.unit) == ("1/γ", "1/(γ n·n!)")
    assert paper.normalized("n*n!", 3) == paper
    assert paper.normalized("raw", 3) == raw
    for ours, theirs in zip(_values(paper), _values(raw), strict=True):
        assert (18 * ours - theirs).equals(0)


def _values(drift):
    """Every coefficient, and the slope of a, at one strength (and one z)."""
    found = (drift.a, drift.b, drift.derivative("a"))
    parts = [f.smooth if hasattr(f, "smooth") else f.as_expr() for f in found]
    return [f.subs({mu: Rational(1, 3), z: 2}) for f in parts]


@pytest.mark.parametrize("name", ["a", "b"])
@pytest.mark.parametrize("form", FORMS)
def test_a_derivative_is_the_first_unless_another_is_asked_for(form, name):
    drift = FORMS[form]()
    assert drift.derivative(name) == drift.derivative(name, 1) != getattr(drift, name)


@pytest.mark.parametrize("form", FORMS)
def test_other_units_and_degrees_are_refused(form):
    drift = FORMS[form]()
    with pytest.raises(InputError, match="choose from"):
        drift.normalized("n!", 3)
    with pytest.raises(InputError, match="give an integer ≥ 1"):
        drift.normalized("raw", 0)
    assert NORMALIZATIONS == ("n*n!", "raw")


@pytest.mark.parametrize("drift", [*(form() for form in FORMS.values()), hermite_drift(3)])
def test_a_drift_is_no_other_thing(drift):
    assert drift != "a drift"
    assert drift == drift


@pytest.mark.parametrize("labels", LABELS)
def test_a_drift_of_hermite_students_is_written_as_it_is_made(labels):
    drift = hermite_drift(3, labels)
    call = ast.parse(repr(drift), mode="eval").body
    assert call.func.id == "hermite_drift"
    assert hermite_drift(*map(ast.literal_eval, call.args)) == drift


@pytest.mark.parametrize("n", [1, 2, 3, 6])
@pytest.mark.parametrize(
    "spelling", ["matched", "y", "squared", "y**2", Symbol("t") ** 2, "y*y", "2*y**2 - y**2"]
)
def test_one_pair_has_one_drift_however_its_labels_are_spelt(n, spelling):
    """The same coefficients, form, certainty and unit, by either way to them."""
    pair = Pair(f"He{n}", labels=spelling)
    assert pair.labels.text in LABELS
    general, hermite = drift_of(pair), hermite_drift(n, pair.labels.text)
    assert general == hermite == drift_of(Pair(n, labels=spelling))
    assert (type(general), general.certainty, general.unit) == (Drift, "exact", "1/γ")
    assert (type(hermite), hermite.certainty, hermite.unit) == (HermiteDrift, "exact", "1/γ")
    if spelling in ("y", "y**2"):
        assert hermite_drift(n, spelling) == hermite


def test_a_hermite_pair_is_expanded_when_it_is_asked():
    """At any degree it has its name, unit and loss; only its polynomials have a limit."""
    pair = Pair(10**9, labels="squared")
    drift = drift_of(pair)
    assert (pair.degree, drift.unit, drift.is_zero) == (10**9, "1/γ", False)
    assert drift.normalized("n*n!", 10**9) == hermite_drift(10**9, "squared", "n*n!")
    for ask in (lambda: drift.a, lambda: pair.student.value, lambda: drift_of(Pair(2001, "x"))):
        with pytest.raises(InputError, match="at most 2000"):
            ask()
    other = hermite_drift(5).normalized("n*n!", 4)
    assert other.a == hermite_drift(5).a * Rational(1, 4 * 24)


def test_values_are_those_of_the_expressions():
    closed = FORMS["closed"]()
    assert closed.value(1) == (0, -sqrt(2))
    assert hermite_drift(2).value(Rational(1, 2)) == tuple(
        f.subs(mu, Rational(1, 2)) for f in hermite_drift(2).expressions
    )
    with pytest.raises(NoClosedForm):
        FORMS["means"]().value(1)


@pytest.mark.parametrize("order", range(5))
def test_orders_of_vanishing_agree_between_forms(order):
    """The same a as a polynomial and as an expression: a zero of an order at each end."""
    a = mu**order * (1 - mu) ** (4 - order) * (1 + mu)
    for end, of_zero in ((0, order), (1, 4 - order)):
        for drift in (Drift(a, -1), ClosedDrift(a, -1), ClosedDrift(-a, -1)):
            found = [drift.vanishes(end, k) for k in range(of_zero + 1)]
            assert found == [True] * of_zero + [False]
            assert drift.leading_terms(end)[0].exponent == of_zero


@pytest.mark.parametrize(
    ("text", "misalignment"),
    [("relu", "linear"), ("relu", "spherical"), ("squared_relu", "spherical")],
)
def test_leading_terms_of_kinks_that_are_misaligned(text, misalignment):
    """Against values near the end, where derivatives there are infinite or 0/0."""
    drift = drift_of(Pair(text, misalignment=misalignment))
    near = Rational(1, 10**10)
    for value, term in zip(drift.value(1 - near), drift.leading_terms(1), strict=True):
        ratio = (value / (term.coefficient * near**term.exponent)).evalf(20)
        assert abs(ratio - 1) < 1e-4


def test_means_vanish_only_where_it_is_proved():
    """a of tanh is a mean that is 0 at full strength, and is not at 0."""
    drift = mean_drift(Pair("tanh"))
    assert [drift.vanishes(end) for end in (0, 1)] == [False, True]
    assert not drift.is_zero
    assert mean_drift(Pair("cos", "tanh", loss="correlation")).is_zero
    assert mean_drift(Pair("He3", "x")).vanishes(0)  # E He3(z) z, of an integrand that is not odd


def test_a_is_flat_where_the_student_is_constant_around_0():
    drifts = [drift_of(Pair(name)) for name in ("He3", "erf", "tanh", "hardtanh", "softshrink")]
    assert [drift.is_flat for drift in drifts] == [False] * 4 + [True]
    with pytest.raises(NoClosedForm, match="faster than any power"):
        drifts[-1].leading_terms(0)


def test_a_value_that_is_told_from_0_spares_a_proof(monkeypatch):
    """Of sines and Gaussians it takes SymPy minutes; where a value is 0 it is asked for one."""
    drift = drift_of(Pair("sin(x + 1) - 2*gauss"))
    monkeypatch.setattr("derive.drift.simplify", None)
    assert not drift.is_zero
    monkeypatch.undo()
    assert ClosedDrift((exp(mu) - 1) ** 2 - exp(2 * mu) + 2 * exp(mu) - 1, Integer(-1)).is_zero
    assert not ClosedDrift(mu - Rational(1, 2), Integer(-1)).is_zero  # 0 at one strength alone
    assert ClosedDrift(Integer(0), Integer(-1)).is_zero
    assert ClosedDrift(mu + 1 / (1 + sqrt(2)) - sqrt(2) + 1, Integer(-1)).vanishes(0)


@pytest.mark.parametrize("end", [0, 1])
def test_the_highest_order_is_the_last_that_is_taken(end):
    """Below, at and above the limit; a polynomial knows none."""
    x = mu if end == 0 else 1 - mu
    for order in (7, 8):
        limit = escape_limit(ClosedDrift(x**order * exp(mu), Integer(-1)), end)
        assert limit.exponent == -2 * order
    with pytest.raises(InputError, match="above 8"):
        escape_limit(ClosedDrift(x**9 * exp(mu), Integer(-1)), end)
    beyond = escape_limit(Drift(x**9, -1), end)
    assert beyond.exponent == -18


@pytest.mark.parametrize("end", [0, 1])
def test_half_powers_are_found_below_the_seventh(end):
    """By series, where derivatives are infinite: at the limit, below and above."""
    x = mu if end == 0 else 1 - mu
    for power in (Rational(11, 2), Rational(13, 2)):
        found = escape_limit(ClosedDrift(x**power * exp(mu), Integer(-1)), end)
        assert found.exponent == -2 * power
    with pytest.raises(InputError, match="is not found"):
        escape_limit(ClosedDrift(x ** Rational(15, 2) * exp(mu), Integer(-1)), end)


@pytest.mark.parametrize("end", [0, 1])
def test_what_is_zero_everywhere_has_no_zero_at_an_end(end):
    """So whoever asks one derivative after the other comes to an end."""
    assert not Drift(0, -1).vanishes(end)
    line = Drift(mu * (1 - mu), -1)
    assert [line.vanishes(end, order) for order in range(5)] == [True] + [False] * 4


def test_closed_forms_are_differentiated_up_to_the_highest_order():
    """Of e^(2μ) every derivative is known: 2^k e^(2μ)."""
    drift = ClosedDrift(exp(2 * mu), -exp(2 * mu))
    for order in (1, 7, 8):
        assert drift.derivative("a", order) == 2**order * exp(2 * mu)
        assert drift.derivative("b", order) == -(2**order) * exp(2 * mu)
    with pytest.raises(NoClosedForm, match="8 times"):
        drift.derivative("a", 9)
    means = mean_drift(Pair("x**3"))
    assert means.derivative("a", 8) == means.derivative("a", 7).derivative()
    with pytest.raises(NoClosedForm, match="8 times"):
        means.derivative("a", 9)


@pytest.mark.parametrize("drift", [Drift(mu, -1), ClosedDrift(exp(mu), -exp(mu))])
def test_there_are_two_coefficients(drift):
    assert [drift.derivative(name, 0) == getattr(drift, name) for name in "ab"] == [True, True]
    with pytest.raises(InputError, match="give 'a' or 'b'"):
        drift.derivative("c", 1)


def test_a_drift_is_found_whatever_its_forms_look_like(monkeypatch):
    """Which way it takes does not hang on how closed forms are shown, which costs."""
    monkeypatch.setattr("derive.drift.written", None)
    assert closed_drift(Pair("erf")).derived_a.has(mu)
    assert (closed_drift(Pair("relu")).derived_a - (1 - mu) / 2).expand() == 0


@pytest.mark.parametrize("pair", [Pair("erf"), Pair("cos", "relu"), Pair("He2", "exp(x/2)")])
@pytest.mark.parametrize("name", ["a", "b"])
def test_the_mean_of_a_derivative_is_the_derivative_of_the_mean(pair, name):
    """Under the integral and outside of it; the δ of a kink, too, depends on the strength."""
    closed, means, here = drift_of(pair), mean_drift(pair), {mu: Rational(2, 5)}
    for order in (0, 1):
        ours = means.derivative(name, order).integrands[0].mean().subs(here)
        theirs = closed.derivative(name, order).as_expr().subs(here)
        assert abs((ours - theirs).evalf(30)) < Rational(1, 10**25)


@pytest.mark.parametrize("end", [0, 1])
def test_what_is_zero_everywhere_is_its_own_leading_term(end):
    """A linear student has no curvature, which b without its power is made of."""
    _, b = mean_drift(Pair("abs", "x", loss="correlation")).leading_terms(end)
    assert b == LeadingTerm(0)


@pytest.mark.parametrize("end", [0, 1])
def test_leading_terms_of_means_are_those_of_closed_forms(end):
    pair = Pair("erf")
    both = mean_drift(pair).leading_terms(end), drift_of(pair).leading_terms(end)
    for ours, theirs in zip(*both, strict=True):
        assert ours.exponent == theirs.exponent
        assert abs((ours.coefficient - theirs.coefficient).evalf(30)) < Rational(1, 10**25)


@pytest.mark.parametrize("highest", [1, 2, 3])
def test_a_leading_term_is_looked_for_up_to_the_highest_order_and_no_farther(highest, monkeypatch):
    """Of x³, σ'(μz) = 3μ²z²: a begins with 3μ² E z⁶."""
    monkeypatch.setattr("derive.drift.HIGHEST_ORDER", highest)
    drift = mean_drift(Pair("x**3"))
    if highest < 2:
        with pytest.raises(NoClosedForm, match=f"a vanishes at 0 to an order above {highest}"):
            drift.leading_terms(0)
    else:
        assert drift.leading_terms(0)[0] == LeadingTerm(Integer(45), Integer(2))
