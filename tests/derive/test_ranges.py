"""Ranges hold every value, and are narrow where a proof leans on them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sympy import Rational, S, atan, cos, erf, exp, log, oo, sin, sqrt, tanh

from derive.ranges import keeps_sign, range_of
from derive.softplus import Softplus
from derive.symbols import z

EXPRESSIONS = [
    z**3 - 3 * z + 1, 1 / (1 + z**2), tanh(3 * z - 1) * exp(-(z**2)), sqrt(1 + z**2) - z / 2,
    log(2 + sin(z)), Softplus(z) - Softplus(-z), (1 + tanh(z)) * cos(z), exp(z) + exp(-z) - 2,
    erf(z) * atan(z), z**4 / 7 - z**2 + z, (2 + cos(z)) ** -2, z * exp(-z), (1 + exp(z)) ** -1,
    (z**2 - 2) ** 3, sqrt(3 + tanh(z)) ** 3, log(3 + sin(z) + 2 * cos(z)),
    # Sums of exponentials of which the rule for e^y + e^-y says nothing, or not 2.
    exp(z) - exp(-z), -exp(z) - 2 * exp(-z), exp(z) + exp(2 * z), 4 * exp(z) + exp(-z),
    exp(z) + exp(-2 * z) / 9 + exp(-z) / 9,
]  # fmt: skip
ENDS = [(-oo, oo), (S.Zero, oo), (-oo, S.One), (-S.One, Rational(3, 2)), (sqrt(2), S(3))]
shares = st.fractions(0, 1, max_denominator=30)


def _place(share, low, high):
    """A point of an interval."""
    share = Rational(share.numerator, share.denominator)
    if low == -oo and high == oo:
        return 40 * (share - S.Half)
    if low == -oo or high == oo:
        return high - 20 * share if low == -oo else low + 20 * share
    return low + share * (high - low)


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=str)
@given(st.sampled_from(ENDS), shares)
def test_every_value_lies_in_the_range(expression, ends, share):
    least, greatest = range_of(expression, *ends)
    value = expression.subs(z, _place(share, *ends)).evalf(30)
    assert least - Rational(1, 10**20) <= value <= greatest + Rational(1, 10**20)
    assert all(bound.is_Rational or bound.is_infinite for bound in (least, greatest))


@pytest.mark.parametrize("steep", [1, 10**20, 10**60])
def test_a_bound_holds_where_the_place_of_the_largest_value_is_not_near_enough(steep):
    """1 at ±√2, and far below next to there."""
    assert range_of(1 - steep * (z**2 - 2) ** 2, S.Zero, S(2))[1] >= 1


@pytest.mark.parametrize(
    ("expression", "ends", "found"),
    [
        (z**2, ENDS[0], (0, oo)),
        (z**2 - 2 * z, ENDS[0], (-1, oo)),
        (1 - tanh(50 * z) ** 2, ENDS[0], (0, 1)),
        (exp(z) + exp(-z), ENDS[0], (2, oo)),
        (1 / (1 + z), ENDS[1], (0, 1)),
        (1 / (1 - z), (-oo, S.Zero), (0, 1)),
        (exp(-z), ENDS[1], (0, 1)),
        (z**3, ENDS[3], (-1, Rational(27, 8))),
        (z**3, (-oo, S.One), (-oo, 1)),
        ((z + tanh(z)) ** 3, (-oo, S.Zero), (-oo, 0)),
        ((z + tanh(z)) ** 3, ENDS[0], (-oo, oo)),
        ((2 + cos(z)) ** 2, ENDS[0], (1, 9)),
        (sqrt(1 + z**2), ENDS[0], (1, oo)),
        (sqrt(1 + z * tanh(z)), ENDS[0], (-oo, oo)),  # what is not known is anything
        ((2 + cos(z)) ** Rational(1, 3), ENDS[0], (-oo, oo)),
        (sin(z) ** 2, ENDS[0], (0, 1)),
        (S(3), ENDS[0], (3, 3)),
        (1 / z, (S.Zero, S.One), (1, oo)),
        (1 / z, (-S.One, S.Zero), (-oo, oo)),
        (z**-2, (S.Zero, S(2)), (Rational(1, 4), oo)),
        (exp(z), (-oo, S(-1000)), (0, Rational(1, 2**20))),
    ],
)
def test_ranges_that_are_exact(expression, ends, found):
    assert range_of(expression, *ends) == found


@pytest.mark.parametrize(
    ("expression", "sign"),
    [(1 + z**2, 1), (-exp(z) - 1, -1), (z**2 - z + 1, 1), (z, 0), (exp(z), 0), (1 + sin(z), 0),
     (2 + sin(z), 1), (1 / z, 0), (z**4 - 4 * z**2 + 4, 0), (z**4 - 4 * z**2 + 5, 1)],
)  # fmt: skip
def test_a_sign_is_kept_away_from_zero_or_not_claimed(expression, sign):
    assert keeps_sign(expression) == sign


@pytest.mark.parametrize("expression", [z, -z, exp(-z), z**3, 1 + exp(z) + exp(-z), -2 - z**2])
def test_without_ends_it_is_of_the_whole_line(expression):
    assert range_of(expression) == range_of(expression, -oo, oo)
    assert keeps_sign(expression) == keeps_sign(expression, -oo, oo)
    assert oo in map(abs, range_of(expression))


@pytest.mark.parametrize("far", [1, 5, 17, 900])
@pytest.mark.parametrize("rising", [erf, tanh, exp, Softplus], ids=str)
def test_a_function_is_bounded_by_its_ends_however_far_out(rising, far):
    """The value may be nearer to 1 than SymPy tells apart."""
    for low, high in ((-S(far), S.Zero), (S.Zero, S(far)), (-S(far), S(far))):
        least, greatest = range_of(rising(z), low, high)
        assert least.is_Rational
        assert greatest.is_Rational
        for bound, value in ((least, rising(low)), (greatest, rising(high))):
            off = abs(value.evalf(50) - bound)
            assert off < Rational(1, 2**20) * max(1, bound)
        assert least <= rising(low).evalf(500)
        assert rising(high).evalf(500) <= greatest
