"""All zeros of a in (0, 1) for any pair: against the exact route, and planted zeros."""

import json
import time
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest
from flint import arb, ctx, fmpq
from sympy import Poly, Rational, exp

from derive.drift import ClosedDrift, Drift
from derive.errors import InputError, Undecided
from derive.grammar import parse_activation, parse_transform
from derive.pair import Pair
from derive.pair_drift import drift_of
from derive.polynomial_drift import hermite_drift
from derive.symbols import mu
from numerics.certified.drift import ball_drift
from numerics.certified.singularities import find_singularities
from numerics.certified.zeros import enclose_zero, isolate_zeros, sign_cells, sign_of, zero_cells


class Counted:
    """A function that counts its calls."""

    def __init__(self, function):
        self.function, self.calls = function, 0

    def __call__(self, x):
        self.calls += 1
        return self.function(x)


@pytest.mark.parametrize("labels", ["matched", "squared"])
@pytest.mark.parametrize("n", [1, 2, 3, 5, 6, 9, 10])
def test_enclosures_find_what_exact_isolation_finds(n, labels):
    """Two independent searches: Descartes on integers, and interval Newton on balls."""
    drift = hermite_drift(n, labels)
    exact = find_singularities(drift, digits=25)
    balls = ball_drift(drift)
    found = isolate_zeros(balls)
    assert len(found) == len(exact)
    for interval, s in zip(found, exact, strict=True):
        with ctx.workprec(120):
            assert enclose_zero(balls, interval, 80).overlaps(s.mu.ball())


@pytest.mark.parametrize(
    "text",
    ["x", "relu", "leaky_relu", "erf", "gelu", "sin", "cos", "exp", "gauss", "tanh", "sigmoid"],
)
def test_no_singularity_of_the_common_activations(text):
    activation = parse_activation(text)
    assert find_singularities(drift_of(Pair(activation, activation)), 10) == ()


@pytest.mark.parametrize("text", ["erf", "sin", "tanh", "erf(3*x)"])
def test_odd_activations_with_squared_labels_have_none(text):
    activation = parse_activation(text)
    drift = drift_of(Pair(activation, activation, parse_transform("squared")))
    assert find_singularities(drift, 10) == ()


def test_a_steep_sine_has_two():
    activation = parse_activation("sin(3*x)")
    found = find_singularities(drift_of(Pair(activation, activation)), 20)
    assert len(found) == 2
    assert all(s.diverges for s in found)
    low, high = (fmpq(*end.as_integer_ratio()) for end in found[0].interval)
    assert arb(low) <= found[0].mu.ball() <= arb(high)


def test_a_sign_around_0_is_asked_for_where_all_derivatives_vanish():
    first, *others = zero_cells(ball_drift("triangular(x - 2)/2"))
    assert (first.lower, "around 0" in first.reason) == (0, True)
    assert not any("around 0" in cell.reason for cell in others)


def test_planted_zeros_are_found_with_their_fate():
    """A closed form with zeros at 1/4 and 3/4, b negative at one and positive at the other."""
    a = (4 * mu - 1) * (4 * mu - 3) * exp(mu)
    first, second = find_singularities(ClosedDrift(a, mu - Rational(1, 2)), 30)
    for s, value in ((first, "1/4"), (second, "3/4")):
        with ctx.workprec(200):
            assert s.mu.ball().contains(arb(fmpq(*map(int, value.split("/")))))
    assert (first.diverges, second.diverges) == (True, False)
    constant = 0.25 / (8 * 2.718281828459045**0.25) ** 2  # -b/a'², a' = 4(4μ-3)e^μ
    assert float(first.constant) == pytest.approx(constant, rel=1e-12)


@pytest.mark.parametrize("helped", [True, False])
def test_a_zero_ends_at_the_working_precision(helped):
    """Signs that are known beyond what a ball can be narrowed to are no reason to go on."""

    def exact(ball):
        with ctx.workprec(2000):
            return 3 * ball**3 - 1

    balls = ball_drift(Drift(Poly(3 * mu**3 - 1, mu, domain="QQ"), Poly(-1, mu, domain="QQ")))
    slope = balls.slope if helped else lambda ball: arb(0, 1)
    ball = enclose_zero(replace(balls, a=exact, slope=slope), (fmpq(1, 2), fmpq(1)), 40)
    assert ball.rel_accuracy_bits() >= 40
    assert exact(ball).contains(0)


def test_double_zeros_are_left_undecided_not_missed():
    with pytest.raises(Undecided, match=r"turns near μ = 0\.33.* double zero"):
        find_singularities(ClosedDrift((3 * mu - 1) ** 2 * exp(mu), Rational(-1)), 10)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("height", [Rational(-1, 10**30), Rational(1, 10**30)])
def test_nearly_double_zeros_are_decided_where_a_turns(sign, height):
    """(3μ-1)² + h has two zeros, 2√-h/3 apart, or none; so has minus it."""
    drift = ClosedDrift(sign * ((3 * mu - 1) ** 2 + height) * exp(mu), Rational(-1))
    found = find_singularities(drift, 40)
    assert len(found) == (2 if height < 0 else 0)
    for s, side in zip(found, (-1, 1), strict=False):
        with ctx.workprec(200):
            assert s.mu.ball().overlaps((1 + side * arb(fmpq(1, 10**15))) / 3)


def test_a_triple_zero_is_undecided_in_few_cells():
    balls = ball_drift(ClosedDrift((3 * mu - 1) ** 3 * exp(mu), Rational(-1)))
    counted = Counted(balls.a)
    with pytest.raises(Undecided, match=r"near μ = 0\.33"):
        isolate_zeros(replace(balls, a=counted))
    assert counted.calls < 500


def test_a_search_that_would_take_minutes_says_where_it_stops():
    """Enclosures of a slope so wide that many thousand cells are needed, as a quadrature's may."""
    exact = ball_drift(ClosedDrift(exp(mu), Rational(-1)))
    blurred = replace(
        exact,
        a=lambda x: exact.a(x) + arb(0, 10) * (arb(x).rad() > 1e-12),
        slope=lambda x: arb(0, 10**4),
        curvature=None,
    )
    assert isolate_zeros(blurred) == []
    with pytest.raises(Undecided, match=r"between μ = 0\.\d+ and 0\.\d+, after \d+ parts"):
        isolate_zeros(replace(blurred, certainty="certified"))


def test_a_slope_that_is_never_told_from_0_is_undecided_at_the_zero():
    """The signs at the ends show the zero of 3μ - 1; that a is monotone there nothing does."""
    exact = ball_drift(ClosedDrift((3 * mu - 1) * exp(mu), Rational(-1)))
    blurred = replace(exact, slope=lambda x: arb(0, 10), curvature=lambda x: arb(1))
    assert sum(cell.zero for cell in zero_cells(blurred)) == 1
    with pytest.raises(Undecided, match=r"the slope of a at its zero near μ = 0\.333"):
        isolate_zeros(blurred)


@pytest.mark.parametrize("sign", [1, -1])
def test_points_and_the_curvature_tell_the_zeros_of_what_is_bent_one_way(sign):
    """Enclosures of a and of its slope that tell nothing but next to points."""
    exact = ball_drift(ClosedDrift(sign * (mu - Rational(3, 10)) * (mu - Rational(3, 5)), -exp(mu)))

    def blurred(function):
        return lambda x: function(x) + arb(0, 10) * (arb(x).rad() > 1e-12)

    drift = replace(exact, a=blurred(exact.a), slope=blurred(exact.slope))
    found = [cell for cell in zero_cells(drift) if cell.zero]
    assert [cell.lower < place < cell.upper for cell, place in
            zip(found, (Fraction(3, 10), Fraction(3, 5)), strict=True)] == [True, True]  # fmt: skip


def test_two_zeros_of_a_quadrature_that_are_nearly_one_are_found_soon():
    """Two zeros that are 1e-15 apart, as found where a turns."""
    text = "tanh(x-1)+(-3.07124012451959830273817341134)*He3"
    start = time.process_time()
    first, second = isolate_zeros(ball_drift(drift_of(Pair(text, "tanh(x-1)"))))
    assert first[1] <= second[0]
    assert time.process_time() - start < 20


def test_zeros_of_a_and_b_together_are_left_undecided():
    with pytest.raises(Undecided, match="sign of b"):
        find_singularities(ClosedDrift((3 * mu - 1) * exp(mu), (3 * mu - 1) * exp(-mu)), 10)


def test_a_high_order_zero_at_an_end_is_no_singularity():
    assert find_singularities(ClosedDrift(mu**3 * (1 - mu) ** 2 * exp(mu), Rational(-1)), 10) == ()


def test_nothing_to_isolate():
    with pytest.raises(InputError, match="identically"):
        find_singularities(ClosedDrift(mu - mu * exp(0), Rational(-1)), 10)


def test_signs_are_certified():
    assert sign_of(lambda x: x - fmpq(1, 3), fmpq(1, 2)) == 1
    with pytest.raises(Undecided):
        sign_of(lambda x: x - x, fmpq(1, 2))


# The command.

COMMAND = "numerics.singularities"


def test_activations_on_the_command_line(command):
    done = command(
        COMMAND, "--activation", "erf", "--activation", "He3 + He4", "--teacher", "relu",
        "--student", "tanh", "--labels", "y**2 - y", "--format", "json", "--digits", "12",
    )  # fmt: skip
    assert done.stderr == ""
    records = json.loads(done.stdout)
    assert [r["student"] for r in records] == ["erf", "He3 + He4", "tanh"]
    assert all(r["complete"] and r["normalization"] == "raw" for r in records)
    assert records[2]["teacher"] == "relu"
    line = records[0]["provenance"].split(" | ")[0]
    assert "--activation 'He3 + He4'" in line


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        (("--activation", "reul"), "did you mean 'relu'"),
        (("--activation", "step"), "square integrable"),
        (("--activation", "exp(x**2)"), "grows too fast"),
        (("--activation", "__import__('os')"), "not part of the grammar"),
        (("--teacher", "relu"), "go together"),
        (("--activation", "erf", "--normalization", "n*n!"), "pure Hermite"),
        (("--degree", "3", "--normalization", "n*n!", "--labels", "tanh(y)"), "squared labels"),
        (("--degree", "3", "--labels", "x**2"), "accepted"),
        (("--degree", "3", "--loss", "hinge"), "correlation"),
        ((), "no pair is chosen"),
    ],
)
def test_bad_usage_is_one_line(command, options, hint):
    done = command(COMMAND, *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert hint in done.stderr
    assert done.stderr.count("\n") == 1


def _ends(cells):
    """The ends of neighbouring cells, which must meet, from 0 to 1."""
    ends = [(Fraction(cell.lower), Fraction(cell.upper)) for cell in cells]
    assert (ends[0][0], ends[-1][1]) == (0, 1)
    assert all(left[1] == right[0] for left, right in pairwise(ends))
    return ends


@pytest.mark.parametrize("text", ["x", "erf", "gelu", "sin(3*x)", "He10", "tanh"])
def test_cells_cover_the_range_and_prove_the_list(text):
    activation = parse_activation(text)
    balls = ball_drift(drift_of(Pair(activation, activation)))
    cells = zero_cells(balls)
    for (lower, upper), cell in zip(_ends(cells), cells, strict=True):
        assert cell.bounds.sign != 0
        if cell.reason == "a keeps its sign":
            middle = (lower + upper) / 2
            value = balls.a(arb(fmpq(middle.numerator, middle.denominator)))
            assert Fraction(cell.bounds.low) <= Fraction(float(value)) <= Fraction(cell.bounds.high)
    assert sum(cell.zero for cell in cells) == len(isolate_zeros(balls))


@pytest.mark.parametrize("text", ["erf", "sin(3*x)", "He10"])
def test_nothing_is_asked_outside_the_range(text):
    """The mean value form is taken about a point of the cell on which the slope is enclosed."""
    balls = ball_drift(drift_of(Pair(text)))

    def inside(function):
        def asked(strength):
            assert 0 <= strength <= 1 or arb(0).union(arb(1)).contains(strength)
            return function(strength)

        return asked

    watched = replace(balls, a=inside(balls.a), slope=inside(balls.slope))
    assert zero_cells(watched) == zero_cells(balls)


def test_sign_cells_cover_the_range():
    cells = sign_cells(lambda x: (5 * x - 7).exp() - arb("0.0001"))
    _ends(cells)
    assert {cell.bounds.sign for cell in cells} == {1}


@pytest.mark.parametrize("zero", ["0", "0.3", "1"])
def test_a_planted_zero_has_no_sign_cells(zero):
    with pytest.raises(Undecided, match="sign"):
        sign_cells(lambda x: x - arb(zero))


@pytest.mark.parametrize("end", [0, 1])
def test_closed_forms_may_vanish_at_an_end_to_the_highest_order(end):
    """Up to 8 the zero at 1/2 is the only one inside; beyond, what is near the end is open."""
    x = mu if end == 0 else 1 - mu
    for order in (7, 8):
        drift = ClosedDrift(x**order * (mu - Rational(1, 2)) * exp(mu), -exp(mu))
        ((low, high),) = isolate_zeros(drift)
        assert low < fmpq(1, 2) < high
    with pytest.raises(Undecided, match="cannot be told from 0"):
        isolate_zeros(ClosedDrift(x**9 * (mu - Rational(1, 2)) * exp(mu), -exp(mu)))
