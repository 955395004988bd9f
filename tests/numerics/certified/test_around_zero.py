"""The sign of a where the student is constant around 0, against a itself at small strengths."""

import time
from dataclasses import replace
from fractions import Fraction

import pytest
from flint import arb, ctx, fmpq
from sympy import Rational

from derive.pair import Pair
from derive.pair_drift import drift_of, mean_drift
from numerics.certified.around_zero import sign_around_zero
from numerics.certified.drift import ball_drift
from numerics.certified.singularities import find_singularities
from numerics.certified.zeros import isolate_zeros

PAIRS = [("relu(x - 1)",), ("relu(x - sqrt(2))",), ("triangular(x - 2)",), ("softshrink",),
         ("relu", "relu(x - 1)"),
         ("-x", "relu(x - 1)"), ("tanh", "softshrink"), ("gelu", "relu(x - 1)**2"),
         ("x**2", "relu(abs(x) - 2)"), ("1 - x**2", "relu(abs(x) - 2)"),
         ("relu(x - 1)", "relu(-x - 1)"), ("exp(x/2)", "relu(x - 1)*tanh(x)")]  # fmt: skip


@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_the_sign_is_that_of_a(pair):
    drift = drift_of(Pair(*pair))
    sign = sign_around_zero(getattr(drift, "means", None) or drift)
    shown = next(k for k in range(1, 9) if sign(fmpq(1, 2**k)) is not None)
    balls = ball_drift(drift)
    for k in (shown, shown + 1):
        with ctx.workprec(100 + 4 * 4**k):
            value = balls.a(arb(fmpq(1, 2**k)))
        assert not value.contains(0)
        assert (value > 0) == (sign(fmpq(1, 2**k)) > 0)


@pytest.mark.parametrize(
    ("label", "student"),
    [("x - 1", "relu(abs(x) - 1)"), ("-1 - x", "relu(abs(x) - 1)"),
     ("x", "relu(x - 1) - 3*relu(x - 9/8)"), ("x", "relu(x - 1) - 40*relu(x - 17/16)"),
     ("x/9 - 2", "relu(x - 1) + 2*relu(-x - 3/2)")],
)  # fmt: skip
def test_no_other_sign_is_shown(label, student):
    """Both sides pull against each other, or the student turns soon behind its breakpoint."""
    drift = drift_of(Pair(label, student))
    sign, balls = sign_around_zero(getattr(drift, "means", None) or drift), ball_drift(drift)
    for k in range(6):
        shown, strength = sign(fmpq(1, 2**k)), fmpq(1, 2**k)
        with ctx.workprec(100 + 4 * 4**k):
            assert shown is None or (shown > 0) == (balls.a(arb(strength)) > 0)


def test_means_whose_functions_are_not_known_have_the_same_zeros():
    drift = mean_drift(Pair("He3"))
    alone = replace(drift, label=None, student=None)
    assert sign_around_zero(alone)(fmpq(1, 8)) is None
    (ours,), (theirs,) = find_singularities(alone, 8), find_singularities(drift, 8)
    assert (ours.mu, ours.b) == (theirs.mu, theirs.b)


@pytest.mark.parametrize("text", ["relu(x - 1)", "softshrink", "triangular(x - 2)",
                                  "relu(x - 1)**2 + relu(-x - 2)"])  # fmt: skip
@pytest.mark.parametrize("factor", [3, Rational(1, 4)])
def test_what_is_shown_is_of_the_second_order_in_the_student(text, factor):
    """Labels and student times c give c² times a, and c² times what bounds it."""
    alone, scaled = (sign_around_zero(drift_of(Pair(each)).means)
                     for each in (text, f"({text})*{factor}"))  # fmt: skip
    for k in (3, 4):
        one, other = alone(fmpq(1, 2**k)), scaled(fmpq(1, 2**k))
        assert other.overlaps(one * fmpq(*Fraction(str(factor**2)).as_integer_ratio()))


def test_nothing_is_shown_of_a_student_that_does_not_move():
    assert sign_around_zero(mean_drift(Pair("tanh", "1")))(fmpq(1, 8)) is None


def test_a_window_that_reaches_too_far_shows_nothing():
    """Whoever asks at once for all strengths is told nothing, as there may be a zero."""
    drift = drift_of("triangular(x - 2)/2")
    sign, (only,) = sign_around_zero(drift.means), isolate_zeros(ball_drift(drift))
    assert sign(fmpq(1, 8)) < 0 < ball_drift(drift).a(arb("0.9"))
    assert sign(only[1]) is None


@pytest.mark.parametrize(
    ("pair", "zeros"),
    [
        (("triangular(x - 2)/2",), ["0.3779105054"]),
        (("relu(x - 1)",), []),
        (("relu(x - 4)",), []),
        (("softplus(10*x)/10",), []),
        (("sigmoid(20*x)",), []),
        (("tanh(50*x)",), []),
        (("x*sigmoid(1.702*x)", "gelu"), ["0.9968473738"]),
        (("tanh", "softshrink"), ["0.9535385496"]),
        (("He3", "tanh"), []),
        (("mish",), []),
        (("gelu_tanh",), []),
    ],
    ids=str,
)
def test_steep_and_shifted_functions_are_quick(pair, zeros):
    start = time.process_time()
    found = find_singularities(drift_of(Pair(*pair)), digits=10)
    assert [each.mu.mid for each in found] == zeros
    assert time.process_time() - start < 5


def test_a_constant_student_is_recognised():
    assert drift_of(Pair("tanh", "1")).is_zero
