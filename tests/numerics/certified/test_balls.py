"""Enclosures contain what they claim to, at the accuracy they claim."""

from decimal import Decimal
from fractions import Fraction

import pytest
from flint import arb, ctx, fmpq
from hypothesis import given
from hypothesis import strategies as st
from strategies import polynomials, strengths
from sympy import Poly, Rational

from derive.errors import InputError, Undecided
from derive.symbols import z
from numerics.certified.balls import (
    Bounds,
    Enclosure,
    bits_for,
    bounds,
    enclosure,
    evaluate,
    flint_polynomial,
    fraction,
    nearest_double,
)

fractions = st.fractions(min_value=-(10**6), max_value=10**6, max_denominator=10**9)


@given(fractions, st.integers(1, 60))
def test_decimal_enclosure_contains_the_number_and_is_narrow(number, digits):
    with ctx.workprec(bits_for(digits) + 40):
        shown = enclosure(arb(fmpq(number.numerator, number.denominator)), digits)
    mid, radius = Fraction(shown.mid), Fraction(shown.radius)
    assert abs(mid - number) <= radius
    assert radius <= abs(number) * Fraction(10) ** (1 - digits)


@given(fractions.filter(bool), st.integers(1, 60), st.integers(-40, 40))
def test_a_number_known_to_its_digits_shows_them_all(number, digits, power):
    """Never fewer, never 0, and within one unit in the last place: at the least accuracy asked."""
    number *= Fraction(10) ** power
    with ctx.workprec(bits_for(digits) + 40):
        exact = arb(fmpq(number.numerator, number.denominator))
        shown = enclosure(exact * (1 + arb(0, arb(2) ** -bits_for(digits))), digits)
    parts = Decimal(shown.mid).as_tuple()
    assert len(parts.digits) == digits
    assert abs(Fraction(shown.mid) - number) <= Fraction(10) ** int(parts.exponent)
    assert Fraction(shown.mid) * number > 0


@given(fractions.filter(bool), st.integers(1, 30))
def test_ball_of_an_enclosure_contains_the_number(number, digits):
    with ctx.workprec(bits_for(digits) + 40):
        exact = arb(fmpq(number.numerator, number.denominator))
        ball = enclosure(exact, digits).ball()
    with ctx.workprec(2000):  # contains() rounds a rational to the working precision
        assert ball.contains(fmpq(number.numerator, number.denominator))


@given(strengths, st.integers(0, 300), st.integers(1, 10**6))
def test_the_nearest_double_survives_cancellation(point, shift, factor):
    """A function that cancels all but 2^-shift of itself: still float() of the exact value."""
    exact = Fraction(factor, 3) * point**2 / 2**shift

    def function(x):
        return (arb(fmpq(factor, 3)) * x * x / 2**shift + 1) - 1

    assert nearest_double(function, point) == float(exact)


def test_what_does_not_narrow_is_undecided_and_what_is_infinite_at_zero_is_refused():
    with pytest.raises(Undecided, match="the value at 1/3 is not enclosed at 4096 bits"):
        nearest_double(lambda x: x + arb(0, 1), Fraction(1, 3))
    with pytest.raises(InputError, match="give a strength"):
        nearest_double(lambda x: 1 / x, 0)
    assert nearest_double(lambda x: x * 0, Fraction(1, 3)) == 0


@given(fractions)
def test_rationals_are_the_same_on_both_sides(number):
    assert fraction(fmpq(number.numerator, number.denominator)) == number


def test_wide_balls_have_an_enclosure_and_unbounded_ones_none():
    wide = enclosure(arb(0, 1), 5)
    assert (wide.mid, float(wide.radius) >= 1) == ("0", True)
    with pytest.raises(InputError, match="unbounded"):
        enclosure(arb("inf"), 5)


@given(fractions, st.integers(1, 30))
def test_bounds_hold_the_number_and_are_near(number, digits):
    with ctx.workprec(bits_for(digits) + 40):
        found = bounds(arb(fmpq(number.numerator, number.denominator)), digits)
    low, high = Fraction(found.low), Fraction(found.high)
    assert low <= number <= high
    assert high - low <= 2 * abs(number) * Fraction(10) ** (1 - digits)


@pytest.mark.parametrize(
    ("low", "high", "sign"),
    [("1e-3", "1", 1), ("-1", "-1e-3", -1), ("-1", "1", 0), ("-1e-3", "1", 0), ("-1", "1e-3", 0)],
)
def test_bounds_of_wide_balls_keep_their_sign(low, high, sign):
    """An enclosure by midpoint and radius of these would contain 0."""
    found = bounds(arb(low).union(arb(high)))
    assert float(found.low) == pytest.approx(float(low), rel=1e-4)
    assert found.sign == sign


def test_unbounded_balls_have_no_bounds():
    with pytest.raises(InputError, match="unbounded"):
        bounds(arb("inf"))


def test_exact_numbers_have_no_radius():
    assert enclosure(arb(0.5), 5) == Enclosure("0.50000", "0")
    assert float(enclosure(arb(0), 5)) == 0.0


@given(polynomials, strengths)
def test_evaluation_contains_the_exact_value(p, strength):
    polynomial = Poly(p, z, domain="QQ")
    value = polynomial.eval(Rational(strength.numerator, strength.denominator))
    ball = evaluate(
        flint_polynomial(polynomial), arb(fmpq(strength.numerator, strength.denominator))
    )
    assert ball.rad() < 1e-9
    with ctx.workprec(2000):  # contains() rounds a rational to the working precision
        assert ball.contains(fmpq(int(value.p), int(value.q)))


@pytest.mark.parametrize("digits", [1, 30, 1000])
def test_bits_suffice_for_the_digits(digits):
    assert 2 ** (bits_for(digits) - 8) >= 10**digits


@pytest.mark.parametrize(("low", "high"), [("0", "1"), ("-1", "0"), ("0", "0")])
def test_bounds_that_touch_zero_have_no_sign(low, high):
    assert Bounds(low, high).sign == 0


@pytest.mark.parametrize("number", ["1/0", "a third", float("nan"), float("inf"), None])
def test_what_is_no_finite_number_is_not_compared(number):
    for compared in (lambda x: x < number, lambda x: x >= number, lambda x: number in x):
        with pytest.raises(InputError, match="give a finite rational number"):
            compared(Enclosure("0.5", "0"))


def test_comparisons_are_certain_up_to_the_very_ends():
    """Of [2/5, 3/5] with the ends themselves, and with what is just beyond them."""
    number, step = Enclosure("0.5", "0.1"), Fraction(1, 10**30)
    low, high = Fraction(2, 5), Fraction(3, 5)
    assert [low - step in number, low in number, high in number, high + step in number] == [
        False, True, True, False,
    ]  # fmt: skip
    assert (number < high + step) is (number <= high) is (number >= low) is True
    assert (number < low) is (number > high) is (number <= low - step) is False
    assert (number >= high + step) is False
    for open_one in (lambda: number < high, lambda: number <= low, lambda: number > low,
                     lambda: number >= high, lambda: number < number):  # fmt: skip
        with pytest.raises(Undecided, match="ask for more digits"):
            open_one()


def test_what_is_below_half_of_the_smallest_double_is_zero():
    ends = [
        nearest_double(lambda x, power=power: x * arb(2) ** power, 1) for power in (-1074, -1076)
    ]
    assert ends == [5e-324, 0.0]
    assert nearest_double(lambda x: arb(0, arb(2) ** -1076), 1) == 0
    for open_one in (arb(0, arb(2) ** -1074), arb(0, 3 * arb(2) ** -1076)):
        with pytest.raises(Undecided):
            nearest_double(lambda x, ball=open_one: ball, 1)
