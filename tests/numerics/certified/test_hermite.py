"""Zeros of Hermite students of any degree against isolated polynomials, and laws beyond these."""

import time
from dataclasses import fields
from fractions import Fraction

import pytest
from flint import arb, ctx, fmpq

from derive.errors import InputError, Undecided
from derive.polynomial_drift import hermite_drift
from numerics.certified import hermite
from numerics.certified.balls import Enclosure
from numerics.certified.drift import ball_drift
from numerics.certified.singularities import find_singularities
from numerics.certified.zeros import sign_of

SAMPLED = [*range(1, 24), 31, 50, 77, 100, 201, 250]


def _assert_the_same(drift, digits):
    counted = find_singularities(drift, digits)
    isolated = find_singularities(drift.expanded, digits)
    assert len(counted) == len(isolated)
    with ctx.workprec(4 * digits + 50):
        for one, other in zip(counted, isolated, strict=True):
            for name in ("mu", "b", "constant"):
                ours, theirs = getattr(one, name).ball(), getattr(other, name).ball()
                assert ours.overlaps(theirs)
                assert abs(ours - theirs) <= 2 * abs(theirs) * arb(10) ** (1 - digits)
            assert (one.diverges, one.multiplicity, one.unit) == (True, 1, other.unit)
            assert one.interval[0] < Fraction(one.mu.mid) < one.interval[1]


@pytest.mark.parametrize("n", SAMPLED)
@pytest.mark.parametrize("unit", ["raw", "n*n!"])
def test_zeros_are_those_of_the_polynomial(n, unit):
    """Matched labels: the count, 20 digits of each number, whatever the unit."""
    _assert_the_same(hermite_drift(n, "matched", unit), 20)


@pytest.mark.parametrize("n", [1, 3, 5, 51, 101])
def test_squared_labels_of_odd_degrees_have_none(n):
    _assert_the_same(hermite_drift(n, "squared"), 20)


@pytest.mark.parametrize("labels", ["matched", "squared"])
def test_zeros_are_those_of_the_polynomial_of_degree_501(labels):
    _assert_the_same(hermite_drift(501, labels, "n*n!"), 30)


def test_squared_labels_of_even_degrees_are_isolated():
    """Their number is not the one of matched labels: the polynomial decides."""
    assert not hermite.zeros_are_counted(hermite_drift(10, "squared"))
    assert len(find_singularities(hermite_drift(10, "squared"))) == 4


@pytest.mark.parametrize("n", [10, 12, 37, 64])
def test_both_sums_enclose_the_drift_and_its_slope(n):
    """Anywhere in (0, 1), not only near a zero, and on balls: against exact polynomials."""
    drift = hermite_drift(n, normalization="n*n!")
    exact = ball_drift(drift.expanded)
    for mean in (hermite.mean_about_one, *([] if n % 2 else [hermite.mean_about_zero])):
        near = hermite.enclosed_near(drift, mean)
        for k in range(1, 12):
            with ctx.workprec(300):
                point = arb(fmpq(k, 12))
                for ours, theirs in ((near.a, exact.a), (near.slope, exact.slope)):
                    assert ours(point).overlaps(theirs(point))
                    assert ours(point).rad() < 1e-60
                    assert ours(point + arb(0, 1e-9)).contains(theirs(point))


@pytest.mark.parametrize("n", [10**3, 10**3 + 1, 10**6, 10**6 + 1, 10**9, 10**9 - 1])
def test_huge_degrees_are_quick(n):
    start = time.process_time()
    found = find_singularities(hermite_drift(n, normalization="n*n!"), 12)
    assert time.process_time() - start < 3
    assert len(found) == 1 + (n % 2 == 0)
    for s in found:
        with ctx.workprec(200):
            assert s.b.ball() < 0
            assert s.mu.ball().rel_accuracy_bits() > 35


@pytest.mark.parametrize("n", [2001, 3000])
def test_zeros_of_high_degrees_against_the_legendre_recurrence(n):
    """p_n = S_n/n! obeys k p_k = (2k-1) Q p_(k-1) - (k-1)(2Q-1) p_(k-2); a changes its sign."""
    drift = hermite_drift(n, normalization="n*n!")

    def a(strength):
        variance = arb(strength) ** 2
        before, here = arb(1), variance
        for k in range(2, n + 1):
            after = ((2 * k - 1) * variance * here - (k - 1) * (2 * variance - 1) * before) / k
            before, here = here, after
        b = (here - before) / (1 - variance)
        return strength ** (n - 1) + strength * b

    for s in find_singularities(drift, 15):
        with ctx.workprec(4 * n):
            strength, step = arb(s.mu.mid), arb(s.mu.radius)
            assert (a(strength - step) > 0) != (a(strength + step) > 0)


@pytest.mark.parametrize("power", [3, 4, 7])
def test_a_sum_that_is_cut_off_holds_the_whole(power):
    """A geometric one, whose partial sums are exact: without its tail 1/(1-q) is missed."""
    for bits in (60, 64, 200):
        with ctx.workprec(bits):
            q = arb(2) ** -power
            total, weighted = hermite.weighted_sums(lambda k, q=q: q, 10**9)
            whole = fmpq(2**power, 2**power - 1)
            assert total.contains(whole)
            assert weighted.contains(whole * whole / 2**power)
            assert total.rel_accuracy_bits() > bits - 8


@pytest.mark.parametrize(
    ("ratio", "cut"), [("249/1000", True), ("251/1000", False), ("-1/4", False), ("-6/25", True)]
)
def test_a_sum_is_cut_off_only_where_its_terms_fall_fast_enough(ratio, cut):
    """Below a quarter; else what is left may be more than the bound: all terms are added."""
    asked, exact = [], arb(fmpq(*Fraction(ratio).as_integer_ratio()))
    hermite.weighted_sums(lambda k: asked.append(k) or exact, 300)
    assert (len(asked) < 300) == cut


def test_no_polynomial_is_expanded(monkeypatch):
    monkeypatch.setattr("derive.polynomial_drift.hermite_power", lambda n: pytest.fail("expanded"))
    drift = hermite_drift(60)
    assert len(find_singularities(drift)) == 2
    with pytest.raises(InputError, match="not written out"):
        _ = hermite_drift(2001).a


def test_an_interval_holds_a_change_of_sign():
    for n in (3, 10, 999, 1000):
        for zero in hermite.counted_zeros(hermite_drift(n)):
            low, high = (sign_of(zero.drift.a, end) for end in zero.interval)
            assert low * high == -1


def test_records_have_the_fields_of_other_singularities():
    (s,) = find_singularities(hermite_drift(10**5 + 1), 10)
    kinds = {f.name: type(getattr(s, f.name)) for f in fields(s)}
    assert kinds["mu"] is kinds["b"] is kinds["constant"] is Enclosure
    assert kinds["interval"] is tuple
    assert s.bits > 0


def test_a_count_that_the_signs_do_not_bear_out_is_an_error(monkeypatch):
    """With a mean of 0 the drift is a power of μ and has no zero where one is counted."""
    monkeypatch.setattr(hermite, "mean_about_one", lambda n, square: (arb(0), arb(0)))
    with pytest.raises(Undecided, match="does not change its sign between"):
        hermite.counted_zeros(hermite_drift(3))
