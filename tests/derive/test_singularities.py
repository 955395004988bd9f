"""Exact isolation of singular strengths, held to the certified search and to counting."""

import pytest
from sympy import Poly, Rational, S, floor

from derive.drift import ClosedDrift, Drift
from derive.errors import InputError
from derive.polynomial_drift import LABELS, hermite_drift
from derive.singularities import singular_strengths
from derive.symbols import mu
from numerics.certified.singularities import find_singularities


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("n", [*range(1, 21), 50])
def test_same_zeros_and_fates_as_the_certified_search(n, labels):
    """Continued fractions with bisection, and Descartes' rule with secants: two methods."""
    drift = hermite_drift(n, labels)
    exact, certified = singular_strengths(drift, 15), find_singularities(drift, 30)
    assert [s.diverges for s in exact] == [s.diverges for s in certified]
    for ours, theirs in zip(exact, certified, strict=True):
        assert abs(float(theirs.mu) - float(ours.low)) < 2e-15


def test_a_rational_zero_a_shared_zero_and_a_positive_b():
    half = Poly(2 * mu - 1, mu, domain="QQ")
    one = Poly(1, mu, domain="QQ")
    (point,) = singular_strengths(Drift(half, one))
    assert (point.low, point.high, point.diverges) == (Rational(1, 2), Rational(1, 2), False)
    root = Poly(3 * mu**2 - 1, mu, domain="QQ")
    (shared,) = singular_strengths(Drift(root, root))
    assert shared.diverges
    assert shared.low**2 < Rational(1, 3) < shared.high**2


@pytest.mark.parametrize("digits", [1, 10])
@pytest.mark.parametrize("text", ["3/10", "1/5", "7/10", "299/1000", "3000000001/10000000000"])
def test_a_zero_that_is_or_is_next_to_a_decimal_is_found(text, digits):
    """The ends of a bisection never agree in the decimals of 3/10."""
    zero = Rational(text)
    a = Poly((mu - zero) * (7 * mu**2 - 6), mu, domain="QQ")
    found = singular_strengths(Drift(a, Poly(-1, mu, domain="QQ")), digits)[0]
    assert found.low <= zero <= found.high
    assert floor(found.low * 10**digits) == floor(found.high * 10**digits)


@pytest.mark.parametrize("beyond", [S.One, 2 * mu - 3, 2 * mu + 1])
def test_zeros_at_the_ends_and_beyond_them_do_not_count(beyond):
    drift = Drift(Poly(mu**2 * (1 - mu) * beyond, mu, domain="QQ"), Poly(-1, mu, domain="QQ"))
    assert singular_strengths(drift) == ()


def test_a_that_vanishes_is_refused():
    zero = Poly(0, mu, domain="QQ")
    with pytest.raises(InputError, match="vanishes at every strength"):
        singular_strengths(Drift(zero, zero))


def test_a_zero_that_b_has_elsewhere_decides_nothing_here():
    """b = 2 - 3μ shares the zero 2/3 of a; at the other, 1/3, it is positive."""
    found = singular_strengths(Drift((3 * mu - 1) * (3 * mu - 2), 2 - 3 * mu))
    assert [s.diverges for s in found] == [False, True]


@pytest.mark.parametrize("digits", [1, 2, 4, 10])
def test_the_fate_does_not_depend_on_the_digits(digits):
    """b changes its sign at 0.5773, next to the zero 1/√3 = 0.57735… of a."""
    a, b = 3 * mu**2 - 1, mu - Rational(5773, 10000)
    for coefficient, diverges in ((b, False), (-b, True)):
        (found,) = singular_strengths(Drift(a, coefficient), digits)
        assert found.diverges is diverges


@pytest.mark.parametrize(
    ("drift", "hint"),
    [
        (Drift(2 * mu - 1, -1, misalignment=1 - mu), "give no misalignment"),
        (ClosedDrift(2 * mu - 1, -1), "find_singularities finds its zeros"),
    ],
)
def test_what_is_not_isolated_here_is_refused(drift, hint):
    with pytest.raises(InputError, match=hint):
        singular_strengths(drift)


@pytest.mark.parametrize("digits", [0, 1, 3])
@pytest.mark.parametrize("power", [1, 3, 9])
def test_whether_it_diverges_is_the_sign_of_b_at_the_zero(digits, power):
    """At √½ of b that changes its sign beside it, however coarsely the zero is asked for."""
    for place in range(50, 100, 2):
        b = Poly(5 * (mu**power - Rational(place, 100) ** power), mu, domain="QQ")
        (found,) = singular_strengths(Drift(Poly(1 - 2 * mu**2, mu, domain="QQ"), b), digits)
        assert found.diverges is (place > 70.71)
        assert found.low**2 < Rational(1, 2) < found.high**2
