"""Numbers in a unit of the simulation's own: read exactly as floats are, or refused."""

from math import inf, nan

import pytest

from derive.errors import InputError
from numerics.simulation.multiple import RATES, TIMES, multiple, policy_of


@pytest.mark.parametrize("unit", ["", *RATES])
@pytest.mark.parametrize(
    "number", ["1", "5.", ".5", "0.25", "1e3", "2.5e-7", "1e99", "9" * 15, "0." + "1" * 15]
)
def test_a_number_is_the_float_of_its_text_whatever_the_unit(number, unit):
    found = multiple(number + unit, RATES)
    assert (found.value, found.unit, str(found)) == (float(number), unit, number + unit)
    assert multiple(found) is found


@pytest.mark.parametrize(
    "given",
    ["", "0", "0.0", "0/d", "-1", ".", "/d", "1e", "1e+3", "1e100", "9" * 16, "0." + "1" * 16,
     "1 ", "٣", "nan", "inf", "1/d/d", "2*tau", 0, 0.0, -1.0, inf, nan],
)  # fmt: skip
def test_what_is_no_positive_number_is_refused_with_what_is_accepted(given):
    with pytest.raises(InputError, match=r"a positive number, 0\.5/d, 0\.5\*stable"):
        multiple(given, RATES)


def test_only_the_units_that_are_asked_for_are_known():
    assert multiple("2*tau", TIMES).unit == "*tau"
    with pytest.raises(InputError, match=r"give a positive number$"):
        multiple("2*tau")
    assert multiple(5e-324).value > 0


@pytest.mark.parametrize(
    ("rate", "policy"),
    [
        ("best", "each strength's own rate of the fewest samples"),
        ("0.5*best", "0.5 times each strength's own rate of the fewest samples"),
        ("1*stable", "each strength's own largest stable rate"),
        ("2*stable", "2 times each strength's own largest stable rate"),
        ("5/d", "one for all strengths, 5/d"),
        ("1", "one for all strengths, 1"),
    ],
)
def test_what_a_rate_means_over_strengths_is_said_in_words(rate, policy):
    assert policy_of(multiple(rate, RATES)) == policy
