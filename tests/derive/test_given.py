"""What people give: read as a number where it is one, refused in one line where it is not."""

from fractions import Fraction
from math import nan

import numpy as np
import pytest
from sympy import Rational

from derive.errors import InputError
from derive.given import insist_on, real, whole


@pytest.mark.parametrize(
    "given", ["0.5", "1/2", 0.5, Fraction(1, 2), Rational(1, 2), np.float32(0.5)]
)
def test_numbers_of_any_kind_are_read(given):
    assert real(given, "noise") == 0.5


@pytest.mark.parametrize("given", [None, "x", "1/0", "1/x", [1, 2], 1j, 10**400, True, "nan", nan])
def test_what_is_no_number_is_refused_by_its_name(given):
    with pytest.raises(InputError, match=r"^noise .* is not accepted: give a number$"):
        real(given, "noise")


@pytest.mark.parametrize(("given", "read"), [(3, 3), (1e6, 10**6), (np.int64(7), 7)])
def test_integers_may_be_floats_that_are_whole(given, read):
    assert whole(given, "seed") == read
    assert type(whole(given, "seed")) is int


@pytest.mark.parametrize("given", [None, "3", 0.5, -1, float("inf")])
def test_what_is_no_whole_number_is_refused(given):
    with pytest.raises(InputError, match=r"^seed .* give an integer"):
        whole(given, "seed")


def test_a_kind_is_a_type_or_what_tells_it():
    for fits, kind, other in ((3, int, "3"), ("3", (int, str), 0.5), (len, callable, 3)):
        insist_on(fits, kind, "another")
        with pytest.raises(InputError, match="give another"):
            insist_on(other, kind, "another")


@pytest.mark.parametrize("given", ["3", 2, 2.0])
def test_the_least_integer_is_named(given):
    assert whole(3, "dimension", 3) == 3
    with pytest.raises(InputError, match=r"^dimension .* give an integer ≥ 3$"):
        whole(given, "dimension", 3)


def test_a_kind_is_asked_for_in_one_short_line():
    with pytest.raises(InputError, match="give a flow") as error:
        insist_on("\n" * 10**4, int, "a flow")
    assert len(str(error.value)) < 120
    assert "\n" not in str(error.value)
