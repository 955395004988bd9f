"""Isolation and enclosure of real roots: known roots, and two other root finders."""

from fractions import Fraction
from itertools import pairwise
from math import lcm

import pytest
from flint import arb, ctx, fmpq, fmpz_poly
from hypothesis import assume, given
from hypothesis import strategies as st
from sympy import Poly, Symbol

from derive.errors import InputError
from numerics.certified import roots as roots_module
from numerics.certified.roots import (
    enclose_root,
    isolate_roots,
    sign_variations,
    vanishes_at,
)

x = Symbol("x")
fractions = st.fractions(min_value=-1, max_value=2, max_denominator=64)


def _holds(ball, number):
    """Whether the ball contains a rational, which ``contains`` rounds to the working precision."""
    with ctx.workprec(2000):
        return ball.contains(fmpq(number.numerator, number.denominator))


def enclose_roots(roots, bits):
    """Every root with its ball, in increasing order."""
    return sorted(((enclose_root(root, bits), root) for root in roots), key=lambda p: p[0].mid())


def _with_roots(factors):
    polynomial = fmpz_poly([1])
    for root, multiplicity in factors:
        polynomial *= fmpz_poly([-root.numerator, root.denominator]) ** multiplicity
    return polynomial


@given(st.dictionaries(fractions, st.integers(1, 3), min_size=1, max_size=6))
def test_rational_roots_are_all_found_with_their_multiplicity(known):
    """Also roots at cell boundaries (dyadic) and, left out, at and beyond the ends."""
    polynomial = _with_roots(known.items()) * fmpz_poly([1, 0, 1])
    inside = sorted((root, k) for root, k in known.items() if 0 < root < 1)
    found = enclose_roots(isolate_roots(polynomial), 100)
    assert [root.multiplicity for _, root in found] == [k for _, k in inside]
    for (ball, root), (exact, _) in zip(found, inside, strict=True):
        assert _holds(ball, exact)
        assert ball.rel_accuracy_bits() >= 100
        assert root.lower <= fmpq(exact.numerator, exact.denominator) <= root.upper


@given(st.lists(st.integers(-20, 20), min_size=2, max_size=12).filter(any))
def test_the_count_agrees_with_sturm(coefficients):
    """SymPy counts distinct roots in a closed interval by another method (Sturm sequences)."""
    polynomial = Poly.from_list(coefficients[::-1], x)
    at_ends = sum(polynomial.eval(end) == 0 for end in (0, 1))
    expected = polynomial.count_roots(0, 1) - at_ends if polynomial.degree() > 0 else 0
    assert len(isolate_roots(fmpz_poly(coefficients))) == expected


@given(st.lists(st.integers(-9, 9), min_size=3, max_size=9).filter(lambda c: any(c[1:])))
def test_the_places_agree_with_sympys_isolation(coefficients):
    polynomial = Poly.from_list(coefficients[::-1], x)
    intervals = [
        (Fraction(str(low)), Fraction(str(high)))
        for (low, high), _ in polynomial.intervals(eps=Fraction(1, 2**30), inf=0, sup=1)
        if high not in (0,) and low != 1 and not (low == high and low in (0, 1))
    ]
    found = enclose_roots(isolate_roots(fmpz_poly(coefficients)), 60)
    assert len(found) == len(intervals)
    for (ball, _), (low, high) in zip(found, intervals, strict=True):
        bracket = arb(fmpq(low.numerator, low.denominator)).union(
            arb(fmpq(high.numerator, high.denominator))
        )
        assert ball.overlaps(bracket)


def test_close_roots_are_told_apart():
    """Mignotte's polynomial has two roots 10^-26 apart near 1/1000."""
    mignotte = fmpz_poly([2, -4000, 2000000] + [0] * 14 + [-1])
    found = enclose_roots(isolate_roots(mignotte), 40)
    assert len(found) == 2
    with ctx.workprec(300):
        (left, _), (right, _) = enclose_roots([root for _, root in found], 200)
        assert 0 < right - left < arb(10) ** -22


@pytest.mark.parametrize("n", [5, 20, 60])
def test_wilkinsons_roots(n):
    """The roots 1/(n+1), ..., n/(n+1), which floating point loses."""
    known = [Fraction(k, n + 1) for k in range(1, n + 1)]
    found = enclose_roots(isolate_roots(_with_roots((root, 1) for root in known)), 80)
    assert len(found) == n
    for (ball, _), root in zip(found, known, strict=True):
        assert _holds(ball, root)


def test_a_tiny_root_keeps_its_relative_accuracy():
    (root,) = isolate_roots(fmpz_poly([-1, 3 * 10**60]))
    ball = enclose_root(root, 150)
    assert _holds(ball, Fraction(1, 3 * 10**60))
    assert ball.rel_accuracy_bits() >= 150


@pytest.mark.parametrize("bits", [10, 53, 1000])
def test_an_irrational_root_squares_back(bits):
    (root,) = isolate_roots(fmpz_poly([-1, 0, 2]))
    with ctx.workprec(2 * bits + 64):
        ball = enclose_root(root, bits)
        assert (2 * ball**2).contains(1)
        assert ball.rel_accuracy_bits() >= bits


def test_constants_have_no_roots_and_zero_is_refused():
    assert isolate_roots(fmpz_poly([7])) == []
    with pytest.raises(InputError, match="zero polynomial"):
        isolate_roots(fmpz_poly([]))


def test_intervals_hold_one_root_of_the_whole_polynomial():
    """Also next to a root of another multiplicity: 1/√2 twice, and 5/7."""
    polynomial = fmpz_poly([-1, 0, 2]) ** 2 * fmpz_poly([-5, 7])
    (double, single) = [root for _, root in enclose_roots(isolate_roots(polynomial), 50)]
    assert (double.multiplicity, single.multiplicity) == (2, 1)
    assert double.upper <= single.lower
    assert double.lower**2 * 2 < 1 < double.upper**2 * 2
    assert single.lower * 7 < 5 < single.upper * 7


dyadic = st.builds(
    lambda k, n: Fraction(2 * k + 1, 2 ** (n + 1)) % 1, st.integers(0, 2**40), st.integers(0, 40)
)
anywhere = dyadic | st.fractions(0, 1, max_denominator=10**6).filter(lambda p: 0 < p < 1)


@given(anywhere, st.integers(2, 100), st.integers(1, 2**12), st.sampled_from([-1, 1]))
def test_near_double_pairs_at_any_place_are_refined(place, depth, width, side):
    """Two roots width/2^12 · 2^-depth apart, one of them at a dyadic end or anywhere."""
    other = place + side * Fraction(width, 2 ** (depth + 12))
    assume(0 < other < 1)
    curved = fmpz_poly([3, -1, 2])  # no real root
    found = enclose_roots(isolate_roots(_with_roots([(place, 1), (other, 1)]) * curved), 80)
    for (ball, _), root in zip(found, sorted((place, other)), strict=True):
        assert _holds(ball, root)
        assert ball.rel_accuracy_bits() >= 80


@given(anywhere, st.integers(2, 100), st.integers(1, 2**8))
def test_near_double_irrational_pairs_are_refined(place, depth, gap):
    """The roots of (x - p)² = 2·gap·4^-depth give the right side back."""
    epsilon = Fraction(2 * gap, 2**8 * 4**depth)
    square = [place**2 - epsilon, -2 * place, Fraction(1)]
    scale = lcm(*(c.denominator for c in square))
    for ball, _ in enclose_roots(isolate_roots(fmpz_poly([int(c * scale) for c in square])), 300):
        assert ball.rel_accuracy_bits() >= 300
        with ctx.workprec(2000):
            assert _holds((ball - fmpq(place.numerator, place.denominator)) ** 2, epsilon)


@pytest.mark.parametrize("end", [Fraction(3, 4), Fraction(1, 2), Fraction(5, 8)])
@pytest.mark.parametrize("apart", [3, 16, 100])
@pytest.mark.parametrize("flatness", [10, 40, 200])
def test_flat_beside_the_end_of_a_cell(end, apart, flatness):
    """A pair about a point just beside a dyadic one, where the slope is almost 0 and not quite."""
    half = Fraction(1, 2**apart)
    centre = end + half / 2**flatness
    roots = [centre - half, centre + half]
    found = enclose_roots(isolate_roots(_with_roots((root, 1) for root in roots)), 60)
    for (ball, _), root in zip(found, roots, strict=True):
        assert _holds(ball, root)
        assert ball.rel_accuracy_bits() >= 60


def test_a_wrong_guess_costs_time_never_truth(monkeypatch):
    """Planted fault: secants that always point to the far end; then every second step bisects."""
    (root,) = isolate_roots(fmpz_poly([-1, 0, 2]))
    exact, calls = roots_module.value_at, []

    def distorted(f, point):
        calls.append(point)
        value = exact(f, point)
        return value * 2**200 if value > 0 else value

    monkeypatch.setattr(roots_module, "value_at", distorted)
    ball = enclose_root(root, 60)
    with ctx.workprec(200):
        assert (2 * ball**2).contains(1)
    assert 60 < len(calls) < 4 * 80


def test_twice_the_bits_cost_one_more_step(monkeypatch):
    """Two values each: convergence is quadratic."""
    exact, calls = roots_module.value_at, []
    monkeypatch.setattr(roots_module, "value_at", lambda f, x: calls.append(x) or exact(f, x))
    costs = []
    for bits in (100, 1000, 2000, 4000):
        (root,) = isolate_roots(fmpz_poly([-1, 0, 2]))
        calls.clear()
        enclose_root(root, bits)
        costs.append(len(calls))
    assert costs[0] < 40
    assert all(0 < more - less <= 4 for less, more in pairwise(costs[1:]))


def test_vanishing_is_decided_exactly():
    square_root, other = fmpz_poly([-1, 0, 2]), fmpz_poly([-1, 0, 3])
    (root,) = isolate_roots(square_root)
    assert vanishes_at(square_root * other, root)
    assert not vanishes_at(other, root)
    assert not vanishes_at(square_root * 10**40 + fmpz_poly([1]), root)  # close is not zero
    for half in isolate_roots(fmpz_poly([-1, 2])):
        assert vanishes_at(fmpz_poly([-1, 2]) * other, half)
        assert not vanishes_at(other, half)
    # The common factor vanishes in (0, 1), but at the other root.
    third, two_thirds = enclose_roots(isolate_roots(fmpz_poly([2, -9, 9])), 20)
    assert vanishes_at(fmpz_poly([-1, 3]), third[1])
    assert not vanishes_at(fmpz_poly([-1, 3]), two_thirds[1])


@given(st.lists(st.integers(-5, 5)))
def test_descartes_bound_is_symmetric(coefficients):
    """Reversing or negating a sequence does not change its sign variations."""
    variations = sign_variations(coefficients)
    assert variations == sign_variations(coefficients[::-1])
    assert variations == sign_variations([-c for c in coefficients])


def test_a_miscounted_cell_is_noticed(monkeypatch):
    """Planted fault: a rule of signs that loses a variation loses roots of Wilkinson's kind."""
    polynomial = _with_roots((Fraction(k, 8), 1) for k in range(1, 8))
    monkeypatch.setattr(roots_module, "sign_variations", lambda c: max(sign_variations(c) - 1, 0))
    assert len(isolate_roots(polynomial)) < 7
