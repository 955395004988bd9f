"""Strengths: exactly what was given, in order, or refused."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sympy import Rational, Symbol, pi

from derive.errors import InputError
from numerics.certified.strengths import correlations_of, parse_strengths, strengths_of


@given(st.lists(st.floats(0, 1), min_size=1, max_size=9))
def test_floats_are_the_fractions_that_they_are(values):
    for written in (values, tuple(values), np.array(values), np.array(values).reshape(1, -1)):
        assert strengths_of(written) == tuple(map(Fraction, values))


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (1, 1),
        (0, 0),
        (Fraction(1, 3), Fraction(1, 3)),
        (Rational(2, 3), Fraction(2, 3)),
        (0.1, Fraction(0.1)),
        (np.float32(0.1), Fraction(float(np.float32(0.1)))),
        ("0.1", Fraction(1, 10)),
        (["0.1"], Fraction(1, 10)),
    ],
)
def test_numbers_of_every_kind(given, found):
    assert strengths_of(given) == (found,)


def test_correlations_go_to_the_ends_on_both_sides():
    assert correlations_of("-1:1:2") == correlations_of([-1, 1]) == (-1, 1)
    for beyond in ("-1.01", "1.01", -1 - 1e-9, 1 + 1e-9):
        with pytest.raises(InputError, match=r"-1 ≤ ρ ≤ 1|\[-1, 1\]"):
            correlations_of(beyond)


def test_a_decimal_has_at_most_thirty_places():
    for text in ("0." + "1" * 30, "." + "1" * 30):
        assert strengths_of(text) == (Fraction(text),)
        with pytest.raises(InputError):
            strengths_of(text + "1")


def test_text_is_the_grid_that_the_commands_take():
    assert strengths_of("0.1:0.9:9") == tuple(Fraction(k, 10) for k in range(1, 10))


@pytest.mark.parametrize(
    "given",
    [-1e-9, 1 + 1e-9, float("nan"), float("inf"), "0", "1.1", "a", "", None, pi, Symbol("mu"),
     [0.5, None], ["0.5", "a"], ["0.1,0.2"], [[0.1], [0.2, 0.3]], True,
     [np.zeros((2, 2)), np.zeros((2, 3))], 0.5j, {"mu": 0.5},
     "0.1:0.1:3", "0.1:0.2:1"],
    ids=str,
)  # fmt: skip
def test_all_else_is_refused_in_one_line(given):
    with pytest.raises(InputError) as refused:
        strengths_of(given)
    assert "\n" not in str(refused.value)


def test_a_text_holds_so_many_and_no_more():
    assert len(parse_strengths("0.1:0.2:10000")) == 10_000
    assert len(parse_strengths(",".join(["0.5"] * 10_000))) == 10_000
    for text in ("0.1:0.2:10001", ",".join(["0.5"] * 10_001)):
        with pytest.raises(InputError, match="give at most 10000"):
            parse_strengths(text)


def test_full_strength_is_taken_from_text_and_nothing_beyond():
    assert parse_strengths("1") == parse_strengths("1.") == (1,)
    assert parse_strengths(".5:1:2") == (Fraction(1, 2), 1)
    for text in (f"1.{'0' * 29}1", "0.5:1.1:2"):
        with pytest.raises(InputError, match="leaves the range"):
            parse_strengths(text)


@pytest.mark.parametrize("before", ["0", ""])
def test_decimals_have_thirty_places_and_no_more(before):
    for places in (29, 30):
        assert parse_strengths(f"{before}.{'3' * places}") == (
            Fraction(10**places // 3, 10**places),
        )
    with pytest.raises(InputError, match="not accepted"):
        parse_strengths(f"{before}.{'3' * 31}")


@pytest.mark.parametrize("text", ["٠.٥", "0.٥", "0.1:0.5:٣", "0.5\n", " 0.5", "+0.5", "5e-1"])
def test_text_is_in_plain_digits(text):
    with pytest.raises(InputError, match="not accepted"):
        parse_strengths(text)
