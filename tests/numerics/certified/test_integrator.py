"""The validated integrator: exact solutions, high precision, laws of flows, planted faults."""

from functools import cache

import mpmath
import numpy as np
import pytest
from flint import arb, ctx, fmpq
from sympy import Rational, diff, lambdify

from derive.errors import InputError, Undecided
from derive.loss import population_loss
from derive.pair import Pair
from derive.symbols import Q, m, mu, rho, u, z
from numerics.certified import integrator
from numerics.certified.finite_rate import finite_rate_flow
from numerics.certified.flow import ball_flow, disc
from numerics.certified.integrator import advance, first_time, passage, steps
from numerics.dynamics.flow import flow_of, integrate

SQUARED = Pair("He3", labels="squared")
CASES = (
    ("x", "0.3", ("0.1", "0.2"), 3),
    ("He3", "0.325", ("0.3", "0.5"), 0.5),
    ("He4", "0.5", ("-0.2", "0.6"), 0.125),
    (SQUARED, "0.325", ("0.3", "0.3"), 0.5),
)


@cache
def truth(pair, strength, start, time):
    """u and m at a time to 20 digits: Taylor's method of mpmath on derive's gradient, in (u, m)."""
    pair = Pair.of(pair)
    found = population_loss(pair.label.smooth, pair.student.polynomial.as_expr(), z).expression
    loss = found.subs({Q: mu**2 + u**2 + 2 * mu * u * m, rho: mu + u * m})
    loss = loss.subs(mu, Rational(strength))
    field = lambdify((u, m), [-diff(loss, u), -(1 - m**2) * diff(loss, m)], "mpmath")
    with mpmath.workdps(30):
        begin = [mpmath.mpf(x) for x in start]
        end = mpmath.odefun(lambda t, y: field(*y), 0, begin, tol=mpmath.mpf(10) ** -22)(time)
        return tuple(arb(mpmath.nstr(x, 30)) for x in end)


def holds(end, exact):
    """Whether a disc holds u and m, known to 1e-18."""
    with ctx.workprec(110):
        place, overlap = end.box[0], end.overlap
        exact_u, exact_m = (arb(x) + arb(0, 1e-18) for x in exact)
        return bool(place.contains(exact_u) and overlap.contains(exact_m))


@pytest.mark.parametrize(("pair", "strength", "start", "time"), CASES, ids=str)
def test_the_enclosure_holds_the_solution_and_is_narrow(pair, strength, start, time):
    end = advance(ball_flow(pair, strength), disc(*start), time)
    with ctx.workprec(110):
        assert holds(end, truth(pair, strength, start, time))
    assert end.radius < 1e-11


@pytest.mark.parametrize(("pair", "strength", "start", "time"), CASES, ids=str)
def test_the_remainder_is_needed(pair, strength, start, time, monkeypatch):
    """Without what the polynomials cut off the enclosures do not hold the solution."""
    monkeypatch.setattr(integrator, "remainder", lambda *_: (arb(0), arb(0)))
    end = advance(ball_flow(pair, strength), disc(*start), time)
    assert not holds(end, truth(pair, strength, start, time))


@pytest.mark.parametrize(("overlap", "time"), [("0.5", 1), ("-0.9", fmpq(7, 3)), (1, 5)])
def test_the_linear_student_at_full_strength(overlap, time):
    """At μ = 1 u falls as e^(-t) and m stays."""
    end = advance(ball_flow("x", 1), disc("2", overlap), time)
    with ctx.workprec(110):
        assert end.box[0].contains(2 * (-arb(time)).exp())
        assert end.overlap.contains(arb(overlap))


@pytest.mark.parametrize(("pair", "strength", "start", "time"), CASES[1:], ids=str)
def test_the_flow_of_the_opposite_state_is_opposite(pair, strength, start, time):
    """The loss is a function of u·m and u²: (u, m) → (-u, -m) is a symmetry of every pair."""
    flow = ball_flow(pair, strength)
    here, there = (advance(flow, disc(s * arb_text(start[0]), s * arb_text(start[1])), time)
                   for s in (1, -1))  # fmt: skip
    assert abs(here.u + there.u) < here.radius + there.radius
    assert (here.overlap + there.overlap).contains(0)


def arb_text(text):
    """A decimal exactly."""
    return fmpq(*[int(x) for x in str(Rational(text)).split("/")])


def test_a_student_that_learns_nothing_rests():
    """A constant one: nothing parts, so that one step is as long as is asked."""
    flow, start = ball_flow(Pair("He2", "1"), "0.5"), disc("0.1", "0.3")
    (step,) = steps(flow, start, 100)
    end = step.at(step.length)
    assert end.box[0].contains(start.u)
    assert end.overlap.overlaps(start.overlap)
    assert end.radius < 1e-12


def test_two_steps_make_one():
    """The flow for s + t is the flow for t after that for s."""
    flow, start = ball_flow("He3", "0.325"), disc("0.3", "-0.2")
    at_once = advance(flow, start, 3)
    in_turn = advance(flow, advance(flow, start, "1.7"), "1.3")
    with ctx.workprec(110):
        apart = abs(at_once.u - in_turn.u) + abs(at_once.angle - in_turn.angle)
        assert apart < at_once.radius + in_turn.radius
    assert in_turn.radius < 1e-10


@pytest.mark.parametrize("radius", [1e-2, 1e-6])
def test_a_disc_of_starts_is_moved_as_a_whole(radius):
    """What starts on its rim ends in what it becomes."""
    flow = ball_flow("He3", "0.325")
    end = advance(flow, disc("0.3", "0.5", radius), "0.05")
    theta = float(arb("0.5").acos().mid())
    for turn in np.linspace(0, 2 * np.pi, 7):
        place = 0.3 + 0.999 * radius * np.cos(turn)
        overlap = np.cos(theta + 0.999 * radius * np.sin(turn))
        path = integrate(flow_of(Pair("He3"), 0.325), [place, overlap], 0.05)
        u_end, m_end = path.at(0.05)
        away = np.hypot(u_end - float(end.u), np.arccos(m_end) - float(end.angle))
        assert away < float(end.radius)
    assert end.radius < 5 * radius


def test_every_step_holds_the_flow_of_doubles_all_along():
    """Boxes hold whole steps, and discs of times what is there."""
    path = integrate(flow_of(Pair("He3"), 0.325), [0.3, -0.2], 4.0)
    for step in steps(ball_flow("He3", "0.325"), disc("0.3", "-0.2"), 4):
        for part in (0.0, 0.4, 1.0):
            time = float(arb(step.begin) + part * arb(step.length))
            place, overlap = (float(x) for x in path.at(time))
            inside = (place, float(arb(overlap).acos()))
            for ball, value in zip(step.box, inside, strict=True):
                assert ball.lower() - 1e-8 < value < ball.upper() + 1e-8
            there = step.at(arb(part) * step.length)
            assert abs(there.u - place) < 1e-8
            assert abs(there.overlap - overlap) < 1e-8


@pytest.mark.parametrize("bits", [10, 20, 34, 45, 60])
def test_every_step_holds_its_discs_all_along(bits):
    """Of starts that are wider and narrower than what polynomials cut off: none leaves the box."""
    for step in steps(ball_flow("He3", "0.325"), disc("0.3", "0.5", fmpq(1, 2**bits)), "0.01"):
        for part in (0, fmpq(1, 3), fmpq(7, 8), 1):
            states = step.at(part * step.length).box
            assert all(box.contains(ball) for box, ball in zip(step.box, states, strict=True))


def test_a_passage_is_where_the_overlap_reaches_its_level():
    """Before it |m| is below, after it above, by the integrator itself."""
    flow, start = ball_flow("He3", "0.6"), disc("0.05", "0.05")
    time, there = passage(flow, start, "0.5", 40)
    with ctx.workprec(110):
        assert there.overlap.contains(arb("0.5"))
    moment = time.mid().fmpq()
    before, after = (advance(flow, start, moment + sign * fmpq(1, 10**6)) for sign in (-1, 1))
    assert abs(before.overlap) < 0.5 < abs(after.overlap)
    assert time.rad() < 1e-9


def test_a_level_that_is_not_reached_is_undecided():
    flow = ball_flow(Pair("He3", labels="squared"), "0.3")
    with pytest.raises(Undecided, match="is not seen to grow through"):
        passage(flow, disc("0.05", "0.05"), "0.5", 1)


def test_a_level_that_is_kept_but_not_passed_is_undecided():
    """What is read is the level itself, exactly; a little more passes it at once."""
    flow, start = ball_flow("x", "0.5"), disc("0.1", "0.1")
    with pytest.raises(Undecided, match="is not passed"):
        first_time(flow, start, lambda at: arb(1), 1, 5)
    time, _ = first_time(flow, start, lambda at: arb(1) + arb(2) ** -60, 1, 5)
    assert time.contains(0)
    assert time.rad() < 1e-11


def test_a_start_above_the_level_is_refused():
    with pytest.raises(InputError, match="a start at or above"):
        passage(ball_flow("x", "0.5"), disc("0.1", "0.5"), "0.5", 1)


@pytest.mark.parametrize("time", [0, -1, "-1/2"])
def test_times_that_are_not_positive_are_refused(time):
    with pytest.raises(InputError, match="give a positive one"):
        advance(ball_flow("x", "0.5"), disc("0.1", "0.1"), time)


def test_an_enclosure_that_blows_up_is_undecided():
    """A wide disc across the separatrix says nothing after a while, and says so."""
    with pytest.raises(Undecided, match="enclosed only up to time"):
        advance(ball_flow("He3", "0.325"), disc("0.0", "0.0", "0.1"), 50)


def test_a_start_where_the_flow_is_not_defined_is_undecided():
    """At a finite rate that is |m| = 1."""
    with pytest.raises(Undecided, match="enclosed only up to time 0:"):
        advance(finite_rate_flow("He3", "0.25", 0.01), disc("0.5", 1), "0.01")


def test_the_settings_of_flint_are_left_as_they_were():
    before = ctx.prec, ctx.cap
    walk = steps(ball_flow("x", "0.5"), disc("0.1", "0.1"), 1)
    next(walk)
    assert (ctx.prec, ctx.cap) == before


@pytest.mark.parametrize("unit", [fmpq(10**16), fmpq(1, 10**16)], ids=["fast", "slow"])
def test_the_unit_of_time_does_not_matter(unit):
    """Where a flow of other units is, and when it passes: the same states, times in that unit."""
    flow, start = ball_flow("He3", "0.6"), disc("0.05", "0.05")
    time, there = passage(flow, start, "0.1", 40)
    scaled, scaled_there = passage(flow.scaled(unit), start, "0.1", 40 / unit)
    with ctx.workprec(110):
        assert (scaled * unit).overlaps(time)
        assert scaled_there.overlap.overlaps(there.overlap)
        assert scaled.rad() < 1e-9 * scaled
