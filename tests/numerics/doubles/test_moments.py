"""Gaussian moments beyond doubles: against closed forms, and what is said of them."""

import math
import re

import pytest
from mpmath import mp, mpf
from sympy import factorial2

from derive.errors import InputError
from derive.grammar import parse_activation, parse_transform
from derive.pair import Pair
from numerics.doubles.moments import beyond_doubles, insist_on_doubles, moment
from numerics.dynamics.stability import stable_learning_rate


def value(text):
    return parse_activation(text).value


@pytest.mark.parametrize("degree", [1, 3, 20, 42, 60])
def test_moments_of_powers_are_double_factorials(degree):
    for exponent, power in ((2, 0), (4, 0), (4, 4)):
        expected = mpf(int(factorial2(degree * exponent + power - 1)))
        found = moment(value(f"x**{degree}"), exponent, power)
        assert mp.almosteq(found, expected, rel_eps=1e-5)


@pytest.mark.parametrize("rate", [1, 2, 5, 20, 40])
def test_moments_of_exponentials_are_exponentials(rate):
    """E exp(n·c·z) = exp(n²c²/2), which leaves the doubles at nc = 38."""
    for exponent in (2, 4):
        found = moment(value(f"exp({rate}*x)"), exponent)
        assert mp.almosteq(found, mp.exp(mpf(exponent * rate) ** 2 / 2), rel_eps=1e-5)


def test_moments_of_squares_in_the_exponent_are_infinite_from_a_half_on():
    """E exp(4cz²) = 1/√(1-8c), finite below c = 1/8."""
    assert moment(value("exp(x**2/10)"), 4) == pytest.approx(1 / math.sqrt(1 - 0.8), rel=1e-4)
    assert moment(value("exp(x**2/5)"), 4) == mp.inf


def test_small_functions_keep_their_size():
    tiny = ".000000000000000000000000000001"  # 10^-30
    found = moment(value(f"{tiny}**5*x"), 4)
    assert mp.almosteq(found, 3 * mpf(10) ** -600, rel_eps=1e-9)


@pytest.mark.parametrize(
    ("teacher", "labels", "named"),
    [
        ("exp(20*x)", "matched", "the mean square of the teacher 'exp(20*x)' is about 10^347"),
        ("tanh(x)*exp(20*x)", "matched", "is about 10^347"),
        ("x**60", "y**60", "of labels of the teacher 'x**60' is about 10^12323"),
    ],
)
def test_what_leaves_the_doubles_is_named_with_its_size(teacher, labels, named):
    pair = Pair(parse_activation(teacher), parse_activation("x"), parse_transform(labels))
    with pytest.raises(InputError) as refused:
        insist_on_doubles(pair)
    assert named in str(refused.value)
    assert len(str(refused.value)) < 300


def test_the_stable_learning_rate_of_steep_students_is_right_or_refused():
    """At μ = 1, N/D is q₀(d-1)... without offset: γ < 2p₂/(q₄/B + (1-1/B)p₂²) for B → ∞: 2/p₂."""
    for text in ("x**30", "exp(4*x)"):
        student = parse_activation(text)
        second = float(moment(student.value.derivative(), 2, 2))
        fourth = float(moment(student.value.derivative(), 4, 4))
        batch = 10**8
        expected = 2 * second / (fourth / batch + (1 - 1 / batch) * second**2)
        found = stable_learning_rate(Pair(student, student), 1.0, 1000, batch)
        assert found == pytest.approx(expected, rel=1e-6)
    for text, size in (("exp(x**2/5)", "infinite"), ("exp(10*x)", r"about 10\^35")):
        steep = parse_activation(text)
        with pytest.raises(InputError, match=f"no stable learning rate: .* is {size}"):
            stable_learning_rate(Pair(steep, steep), 0.5, 1000, 1)


@pytest.mark.parametrize(
    ("value", "said"),
    [(mp.inf, "is infinite, its square out of the range of doubles: give a smaller argument"),
     (mpf(10) ** 400, r"is about 10\^400, .*: give a smaller argument or factor"),
     (mpf(10) ** -401, r"is about 10\^-401, .*: give a larger factor")],
)  # fmt: skip
def test_what_is_too_large_is_to_be_smaller_and_what_is_too_small_larger(value, said):
    assert re.search(f"^E x {said}", str(beyond_doubles("E x", value)))
