"""Means over the plane: against closed forms, another quadrature, and their limits."""

import math
from contextlib import nullcontext
from functools import reduce
from itertools import product
from operator import add

import mpmath
import pytest
from flint import arb, ctx
from scipy.integrate import quad
from scipy.stats import norm
from sympy import Rational, S, exp, sqrt
from thorough import only

from derive.errors import InputError
from derive.grammar import parse_activation
from derive.pair import Pair
from derive.pair_drift import closed_drift, drift_of
from derive.piecewise import analytic
from derive.plane import PlaneDrift, PlaneMean, plane_drift
from derive.symbols import mu, z
from numerics.certified.drift import ball_drift, enclosed
from numerics.certified.escape import escape_curve
from numerics.certified.plane import plane_function
from numerics.doubles.drift import fast_drift
from numerics.doubles.landscape import float_landscape


def _plane(pair):
    """The drift over the plane, whether there is a closed form or not."""
    return plane_drift(pair, drift_of(Pair(pair.teacher, pair.student)))


@pytest.mark.parametrize("strength", ["0.125", "0.96875"])
@pytest.mark.parametrize(
    ("teacher", "student", "misalignment"),
    [("relu", "relu", "linear"), ("abs", "relu", "spherical"), ("x**2", "abs", "linear")],
)
def test_means_over_the_plane_are_closed_forms_where_there_are_some(
    teacher, student, misalignment, strength
):
    """At strengths on either side of ν, where the other variable is the inner one."""
    pair = Pair(teacher, student, misalignment=misalignment)
    plane, closed = _plane(pair), closed_drift(pair)
    with ctx.workprec(80):
        for name in ("a", "b"):
            ball = enclosed(getattr(plane, name))(arb(strength))
            known = enclosed(getattr(closed, name))(arb(strength))
            assert ball.overlaps(known)
            assert ball.rad() < 1e-15


def test_what_is_steep_is_cut_where_its_tail_has_a_bound():
    """Of exp(6x) that is beyond 6, and the other factor has one sooner."""
    pair = Pair("exp(6*x)", "relu", misalignment="linear")
    with ctx.workprec(80):
        ball, known = (enclosed(of.b)(arb("0.125")) for of in (_plane(pair), closed_drift(pair)))
        assert ball.overlaps(known)
        assert ball.rel_accuracy_bits() > 60


@pytest.mark.parametrize(("loss", "strength"), [("square", 0.75), ("correlation", 0.25)])
def test_pieces_with_moving_breakpoints_are_those_of_another_quadrature(loss, strength):
    """Labels and student with breakpoints that meet, at a strength where z is inside and not."""
    pair = Pair("relu6(x + 1)", "elu(2*x - 1)", misalignment="linear", loss=loss)
    balls, other = ball_drift(pair), float_landscape(pair)
    assert isinstance(drift_of(pair), PlaneDrift)
    with ctx.workprec(60):
        found = balls.a(arb(strength)), balls.b(arb(strength))
    theirs = other.a(strength, (1 - strength) ** 2), other.b(strength, (1 - strength) ** 2)
    assert [float(ball.mid()) for ball in found] == pytest.approx(theirs, rel=1e-11)


@pytest.mark.parametrize(
    ("teacher", "student", "strength"),
    only([(0, 1, "0.75")], [(0, 1, "0.75"), (1, 0, "0.25")]),
)
def test_what_branches_beside_the_line_is_enclosed(teacher, student, strength):
    """Of either variable: the mean of f(z) given λ, or of g(λ) given z, is one of a Gaussian."""
    root, narrow = sqrt(z**2 + Rational(1, 16)) * exp(-3 * teacher * z**2), exp(-3 * teacher * z**2)
    ours = [analytic(function) for function in (root, narrow)]
    with ctx.workprec(80), mpmath.workdps(40):
        mean = PlaneMean(((S.One, ours[teacher], ours[student]),), sqrt(1 - mu**2))
        found = plane_function(mean)(arb(strength))
        other = 1 + 6 * teacher * (1 - mpmath.mpf(strength) ** 2)
        rate = 3 * teacher * (1 + mpmath.mpf(strength) ** 2 / other)
        known = mpmath.quad(
            lambda x: mpmath.sqrt(x * x + mpmath.mpf("0.0625")) * mpmath.exp(-rate * x * x)
            * mpmath.npdf(x), [-14, -3, -1, -0.3, 0, 0.3, 1, 3, 14],
        ) / mpmath.sqrt(other)  # fmt: skip
        assert found.overlaps(arb(str(known), 1e-30))
        assert found.rad() < 1e-20


def test_a_breakpoint_that_no_input_reaches_changes_nothing():
    """At 12, with a variance below 1."""
    pair = Pair("relu", "relu(x) + relu(x - 12)", misalignment="linear")
    near = closed_drift(Pair("relu", misalignment="linear"))
    with ctx.workprec(80):
        for name in ("a", "b"):
            ball, known = (enclosed(getattr(of, name))(arb("0.125")) for of in (_plane(pair), near))
            assert abs(ball - known) < 1e-15


def test_a_delta_alone_has_the_density_of_its_place():
    """Of |λ - 1|'', at a variance that is not 1: twice the density at 1."""
    kink = parse_activation("abs(x - 1)").value.derivative().derivative()
    mean = plane_function(PlaneMean(((S.One, analytic(S.One), kink),), 2 - mu))(arb("0.5"))
    assert float(mean.mid()) == pytest.approx(2 * norm.pdf(1, scale=math.sqrt(0.25 + 2.25)))


def test_what_is_odd_vanishes_exactly():
    pair = Pair("abs", "tanh", misalignment="linear", loss="correlation")
    assert isinstance(drift_of(pair), PlaneDrift)
    assert ball_drift(pair).a(arb(0.5)).is_zero()


def test_without_misalignment_at_the_end_the_pair_is_the_aligned_one():
    pair = Pair("relu(x - 1)", misalignment="spherical")
    ours, aligned = ball_drift(pair), ball_drift("relu(x - 1)")
    assert ours.b(arb(1)).overlaps(aligned.b(arb(1)))
    curve = escape_curve(pair, ["0.5", "1"])
    assert curve.tau[1] == float("inf")
    nu = 0.75**0.5
    rate = curve.rate[0]
    square = curve.a[0] ** 2 + (nu * curve.b[0]) ** 2
    assert rate * (rate - curve.b[0]) == pytest.approx(square, rel=1e-14)  # λ² - bλ = a² + ν²b²
    assert fast_drift(pair).tau([0.5]) == pytest.approx([curve.tau[0]], rel=1e-10)


@pytest.mark.parametrize("end", [0, 1])
def test_where_misalignment_ends_the_drift_is_the_aligned_one(end):
    """Also at strength 0, where neither variable is left."""
    ours, aligned = ball_drift(Pair("selu", misalignment=mu * (1 - mu))), ball_drift("selu")
    for name in ("a", "b"):
        found, known = (getattr(drift, name)(arb(end)) for drift in (ours, aligned))
        assert found.is_finite()
        assert (found.mid(), found.rad()) == (known.mid(), known.rad())


def test_independent_inputs_at_strength_0():
    """E y z times E σ'(νx), for a student that sees the misaligned direction alone."""
    balls = ball_drift(Pair("selu", misalignment=S.One))
    with ctx.workprec(60):
        slope = enclosed(plane_drift(Pair("selu", misalignment=S.One), drift_of("selu")).a)
        assert balls.a(arb(0)).overlaps(slope(arb(0)))
        near = slope(arb(2) ** -20)
    assert abs(float(near.mid()) - float(balls.a(arb(0)).mid())) < 1e-5


@pytest.mark.parametrize("spread", [S.Zero, Rational(1, 50), Rational(1, 4)])
def test_a_kink_that_no_deviation_places_gives_no_number(spread):
    """E |z| relu(ν x - 1) at μ = 0: 0 without ν, else small; the kink is at 1/ν."""
    one, other = (parse_activation(text).value for text in ("abs", "relu(x - 1)"))
    found = plane_function(PlaneMean(((S.One, one, other),), spread))(arb(0))
    assert found.is_finite() == (spread != 0)
    assert not found.is_finite() or abs(found) < 1e-5


def test_a_spread_that_may_be_nothing_gives_no_number_or_the_one_that_holds_without_any():
    """Where breakpoints meet is then anywhere: E relu(z - 1/2)² at ν = 0 is 0.2096."""
    kinked = parse_activation("relu(x - 1/2)").value
    found = plane_function(PlaneMean(((S.One, kinked, kinked),), 1 - mu))(arb(1, 1e-10))
    assert not found.is_finite() or abs(found - arb("0.20963926")) < 1e-8


@pytest.mark.parametrize(("farthest", "reached"), [(8, False), (9, True)])
def test_an_integral_reaches_as_far_as_the_limit_and_no_farther(farthest, reached, monkeypatch):
    """Of E |z|, what is beyond r is 2φ(r): below 2⁻⁵³ at 9 and not at 8."""
    monkeypatch.setattr("numerics.certified.plane._FARTHEST", farthest)
    size = parse_activation("abs").value
    mean = plane_function(PlaneMean(((S.One, size, size),), S.One))
    with nullcontext() if reached else pytest.raises(InputError, match="grows too fast"):
        assert abs(mean(arb(0)) - 2 / arb.pi()) < 1e-12


@pytest.mark.parametrize(("first", "centre"), [("relu(x - 1/2)", "0.7"), ("x", "0.2")])
def test_wide_strengths_enclose_every_strength_in_them(first, centre):
    """Of steps, of which breakpoints alone move with the strength, on either side of ν."""
    one, other = (parse_activation(f).value.derivative() for f in (first, "relu(x - 1/3)"))
    function = plane_function(PlaneMean(((S.One, one, other),), 1 - mu))
    wide = function(arb(centre) + arb(0, "0.001"))
    points = [function(arb(centre) + arb(shift)) for shift in ("-0.00099", "0", "0.00099")]
    assert all(wide.contains(point.mid()) for point in points)
    assert wide.rad() < 0.02


@pytest.mark.parametrize("strength", ["0.6", "0.3"])
def test_many_breakpoints_give_what_each_of_them_does(strength):
    """A sum of steps in both places: P(z > q, μz + νx > p), by SciPy, of all q and p."""
    fixed, moving = (-1.0, 0.25), (-0.25, 0.5, 1.0)
    f, g = (
        reduce(add, (parse_activation(f"relu(x - ({p}))").value.derivative() for p in each))
        for each in (fixed, moving)
    )
    found = plane_function(PlaneMean(((S.One, f, g),), 1 - mu))(arb(strength))
    m, n = float(strength), 1 - float(strength)
    known = sum(
        quad(lambda z, p=p: norm.pdf(z) * norm.cdf((m * z - p) / n), q, 12, epsabs=1e-13)[0]
        for q, p in product(fixed, moving)
    )
    assert float(found) == pytest.approx(known, abs=1e-10)
