"""Sinks against the landscape, and fates against the flow in doubles."""

from fractions import Fraction

import pytest
from flint import arb, ctx, fmpq
from thorough import only

from derive.errors import InputError, Undecided
from derive.pair import Pair
from numerics.certified.basins import border, fate, least, sinks
from numerics.certified.flow import ball_flow, disc
from numerics.certified.integrator import advance
from numerics.dynamics.flow import flow_of, integrate


@pytest.mark.parametrize("degree", [3, 5, 7])
@pytest.mark.parametrize("strength", ["0.25", "0.6"])
def test_odd_students_have_the_teacher_and_the_null_student(degree, strength):
    found = [(sink.rho, sink.m) for sink in sinks(ball_flow(f"He{degree}", strength))]
    assert found == [(0, 1), (0, -1), (1, 1), (1, -1)]


def test_even_students_have_the_teacher_and_its_opposite():
    """He_2 sees no sign: ρ = ±1."""
    found = {int(sink.rho.p) for sink in sinks(ball_flow("He2", "0.5"))}
    assert found == {-1, 1}


def test_squared_labels_leave_an_odd_student_the_null_student_alone():
    found = sinks(ball_flow(Pair("He3", labels="squared"), "0.5"))
    assert {sink.rho for sink in found} == {fmpq(0)}


@pytest.mark.parametrize("pair", ["He3", "He4", Pair("He3", labels="squared")], ids=str)
def test_a_sink_is_at_rest(pair):
    flow = ball_flow(pair, "0.3")
    for sink in sinks(flow):
        by_u, by_angle = flow.velocity(arb(sink.u), arb(sink.m), arb(0))
        assert abs(by_u) < 1e-10
        assert by_angle == 0
        assert sink.rho == flow.mu + sink.u * sink.m


@pytest.mark.parametrize("strength", ["0.25", "0.4"])
@pytest.mark.parametrize(
    ("u", "m"), only([("0.2", "-0.2")], [("0.2", "0.2"), ("0.2", "-0.2"), ("-0.3", "0.8")])
)
def test_fates_are_where_the_flow_of_doubles_ends(strength, u, m):
    sink = fate(ball_flow("He3", strength), disc(u, m), 200)
    path = integrate(flow_of(Pair("He3"), float(strength)), [float(u), float(m)], 400.0)
    u_end, m_end = path.at(400.0)
    assert u_end * m_end + float(strength) == pytest.approx(float(sink.rho.p), abs=1e-5)
    assert m_end == pytest.approx(sink.m, abs=1e-5)
    assert 0 < sink.time <= 200


def test_no_fate_is_told_before_its_time():
    with pytest.raises(Undecided, match="no sink has captured"):
        fate(ball_flow("He3", "0.25"), disc("0.9", "0.3"), "0.001")


@pytest.mark.parametrize("start", [("0.2", "0.2"), ("0.5", "0.7")])
@pytest.mark.parametrize("pair", ["He3", "x**3-x/2"])
def test_the_loss_tells_what_discs_around_sinks_tell_later(pair, start, monkeypatch):
    flow = ball_flow(pair, "0.3")
    early = fate(flow, disc(*start), 100)
    monkeypatch.setattr("numerics.certified.basins._Trap.of", lambda _: None)
    late = fate(flow, disc(*start), 100)
    assert (early.rho, early.u, early.m) == (late.rho, late.u, late.m)
    assert early.time <= late.time


@pytest.mark.parametrize(
    ("pair", "mu", "start"),
    [
        ("x**3-x/2", "0.6", ("0.58", "0.87")),  # the loss rises on the way along m
        ("He5/8+He2+x", "0.6", ("0.53", "0.8")),
        ("He2", "0.1", ("0.45", "-0.24")),  # the saddle inside is below the search phase
        ("x**3-x/2", "0.1", ("0.26", "0.08")),
        ("x**4-x**2", "0.1", ("-0.08", "0.9")),  # -1 is a sink too, behind the nearest one
        ("x**4-x**2", "0.2", ("0.2", "-0.5")),
    ],
)
def test_the_loss_is_not_asked_too_early(pair, mu, start):
    """Starts at which a path, a saddle or a sink that is overlooked gives another end."""
    sink = fate(ball_flow(pair, mu), disc(*start), 100)
    state = integrate(flow_of(Pair(pair), float(mu)), [float(x) for x in start], 80.0).at(80.0)
    assert state == pytest.approx([float(arb(sink.u)), float(arb(sink.m))], abs=1e-3)


def test_the_loss_tells_where_a_flow_stalls():
    """Beside a singularity u is small for a long time, and so is what is left to fall."""
    for strength, rho in (("0.3207", 0), ("0.3208", 1)):
        assert fate(ball_flow("He3", strength), disc("0.03", "0.2"), 2).rho == rho


def test_what_rests_in_a_sink_stays_there():
    """Where a(ρ, 0) is 0 the loss does not tell which way the flow goes; the disc does."""
    sink = fate(ball_flow("He3", "0.25"), disc("0.75", 1), 200)
    assert (sink.rho, sink.m) == (1, 1)


def test_no_fate_is_told_of_a_disc_on_the_separatrix():
    with pytest.raises(Undecided):
        fate(ball_flow("He3", "0.325"), disc("0", "0", "0.01"), 100)


@pytest.mark.parametrize("radius", ["0", "0.003", "0.01", "0.02"])
def test_when_a_disc_is_captured_all_of_its_states_are(radius, monkeypatch):
    """By the discs around sinks alone: each state on its rim then lies in one that attracts."""
    monkeypatch.setattr("numerics.certified.basins._Trap.of", lambda _: None)
    flow, width = ball_flow("He2", "0.3"), fmpq(*Fraction(radius).as_integer_ratio())
    sink = fate(flow, disc("0.75", 1, radius), 5)
    for side in (1, -1):
        there = advance(flow, disc(fmpq(3, 4) + side * width * fmpq(999, 1000), 1), sink.time)
        away = (abs(there.u - arb(sink.u)) + abs(there.angle)).upper() + there.radius
        assert flow.rate(arb(sink.u) + arb(0, away), arb(0, away)) < 0


def test_the_border_parts_the_flows_of_doubles():
    """Just outside the enclosure the flow in doubles ends on either side."""
    pair, flow = Pair("He3"), ball_flow("He3", "0.325")
    found = border(flow, lambda m: disc("-0.15", m), ("0.5", "0.7"), 60, "0.001")
    assert 0 < found.high - found.low <= fmpq(1, 1000)
    for place, sink in zip((found.low, found.high), found.sinks, strict=True):
        u_end, m_end = integrate(flow_of(pair, 0.325), [-0.15, float(arb(place))], 60.0).at(60.0)
        assert 0.325 + u_end * m_end == pytest.approx(float(arb(sink.rho)), abs=1e-5)


def test_the_border_of_the_linear_squared_student_is_the_axis():
    """u' = -(u + μm), m' = -μ(1-m²)u: at m = 0 the sign of u decides the sign of m at the end."""
    flow = ball_flow(Pair("x", labels="squared"), "0.5")
    found = border(flow, lambda u: disc(u, 0), ("-0.1", "0.2"), 60)
    assert found.high - found.low <= fmpq(1, 2**10)
    assert found.low < 0 < found.high
    assert [sink.m for sink in found.sinks] == [1, -1]


def test_a_border_is_as_narrow_as_starts_are_decided():
    """The middle of this line is on the axis, and rests."""
    flow = ball_flow(Pair("x", labels="squared"), "0.5")
    found = border(flow, lambda u: disc(u, 0), ("-0.1", "0.1"), 20)
    assert (found.low, found.high) == (fmpq(-1, 10), fmpq(1, 10))


def test_ends_in_one_basin_have_no_border():
    flow = ball_flow("He3", "0.6")
    with pytest.raises(InputError, match="give ends in different basins"):
        border(flow, lambda m: disc("0.1", m), ("0.1", "0.2"), 60)


def test_the_least_level_is_told_apart_exactly():
    """Doubles take both for 1."""
    with ctx.workprec(128):
        assert least([1 + arb(2) ** -60, arb(1)]) == 1


def test_a_line_that_rests_is_not_waited_for():
    """He₃ at the strength 1, where a and with it the velocity on u = 0 vanish."""
    with pytest.raises(Undecided, match="the line u = 0"):
        fate(ball_flow("He3", 1), disc("0.01", "0.3"), 10**6)
