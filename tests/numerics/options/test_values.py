"""Values of options at the ends of what is accepted: below, at and above."""

from argparse import ArgumentTypeError

import pytest

from numerics.options.values import Dimensions, Probabilities, Seeds, Strengths, dimension


@pytest.mark.parametrize("text", ["3", "03", "1e1", "1e15"])
def test_a_dimension_is_the_integer_that_is_written(text):
    assert dimension(text) == float(text)
    assert isinstance(dimension(text), int)


@pytest.mark.parametrize(
    "text", ["2", "0", "", "-3", "1.5e3", "3e", "1e16", "0e15", str(10**15 + 1), "٣"]
)
def test_other_dimensions_are_refused(text):
    with pytest.raises(ArgumentTypeError, match="from 3 to 1e15"):
        dimension(text)


def test_lists_keep_their_order_and_each_entry_once():
    assert list(Dimensions("1e3,50,1000,7")) == [1000, 50, 7]
    assert list(Seeds("3,0,3")) == [3, 0]
    assert str(Seeds("3,0,3")) == "3,0,3"


def test_seeds_have_nine_digits_at_most():
    assert list(Seeds(f"0,{10**9 - 1}")) == [0, 10**9 - 1]
    for text in (f"{10**9}", "-1", "0,", "1.0"):
        with pytest.raises(ArgumentTypeError, match="from 0 to 999999999"):
            Seeds(text)


def test_a_strength_may_be_one_but_not_zero_nor_more():
    assert list(Strengths("1")) == [1]
    for text in ("0", "0.0", "1.000000000001", "0.5,0", "-0.5"):
        with pytest.raises(ArgumentTypeError):
            Strengths(text)


def test_probabilities_lie_between_zero_and_one():
    assert list(Probabilities(".000000000001,0.999999999999")) == [1e-12, 1 - 1e-12]
    for text in ("0", ".0", "0.5,0.0", "1", "1.0", ".0000000000001", "5e-1", ""):
        with pytest.raises(ArgumentTypeError, match="give decimals between 0 and 1"):
            Probabilities(text)
