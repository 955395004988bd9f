"""Rest points in place, against the flow in doubles, which shares no line with resultants."""

import numpy as np
import pytest
from flint import fmpq
from scipy.optimize import root

from derive.pair import Pair
from derive.rest import rest_points
from numerics.certified.flow import ball_flow
from numerics.certified.rest_points import placed, singular_lines
from numerics.dynamics.flow import flow_of

CASES = [("He3", "0.25"), ("He2", "0.5"), ("He5/8+He2+x", "0.3"), ("x**3-x/2", "0.6")]


def _field(flow):
    """The flow in (u, θ) by the velocity in (u, m)."""

    def field(state):
        u, angle = state
        by_u, by_m = flow.velocity(0.0, (u, np.cos(angle)))
        return np.array([by_u, -by_m / np.sin(angle)])

    return field


def _inner(found):
    """A state beside the edge, where m/√(1-m²) is not 0/0."""
    return np.array([float(found.u.mid()), max(float(found.angle.mid()), 1e-5)])


@pytest.mark.parametrize(("pair", "mu"), CASES)
def test_the_flow_of_doubles_rests_there_at_these_rates(pair, mu):
    field = _field(flow_of(Pair(pair), float(mu)))
    for found in placed(ball_flow(pair, mu)):
        here, step = _inner(found), 1e-6
        assert field(here) == pytest.approx([0, 0], abs=2e-3)
        jacobian = np.array([(field(here + d) - field(here - d)) / (2 * step)
                             for d in step * np.eye(2)]).T  # fmt: skip
        for rate, direction in zip(found.eigenvalues, found.directions, strict=True):
            vector = np.array([float(x.mid()) for x in direction])
            assert jacobian @ vector == pytest.approx(float(rate.mid()) * vector, abs=2e-3)
        signs = sorted(float(rate.mid()) > 0 for rate in found.eigenvalues)
        assert {(0, 0): "sink", (0, 1): "saddle", (1, 1): "source"}[tuple(signs)] == found.stability


@pytest.mark.parametrize(("pair", "mu"), CASES)
def test_searching_from_everywhere_finds_no_other(pair, mu):
    flow = flow_of(Pair(pair), float(mu))
    known = [np.array([float(f.rho.mid()), float(f.residual.mid())])
             for f in placed(ball_flow(pair, mu)) if f.where == "inside"]  # fmt: skip

    def slopes(place):
        return [flow.landscape.a(*place), flow.landscape.b(*place)]

    for start in np.random.default_rng(5).uniform((-1.5, 0), (1.5, 2), (40, 2)):
        end = root(slopes, start, tol=1e-12)
        if end.success and end.x[1] > 1e-6 and np.abs(slopes(end.x)).max() < 1e-9:
            assert min((np.abs(end.x - place).max() for place in known), default=1) < 1e-6


@pytest.mark.parametrize(("pair", "mu"), [*CASES, ("He3 + x", "0.2")])
@pytest.mark.parametrize("unit", [fmpq(1, 5000), fmpq(1, 40), fmpq(30)])
def test_the_unit_of_time_changes_rates_alone(pair, mu, unit):
    """Directions are of length 1, at right angles inside, and as narrow in any unit."""
    flow = ball_flow(pair, mu)
    for one, other in zip(placed(flow), placed(flow.scaled(unit)), strict=True):
        for first, second in zip(one.directions, other.directions, strict=True):
            assert all(x.overlaps(y) for x, y in zip(first, second, strict=True))
            assert all(part.rad() < 1e-20 for part in second)
            assert (second[0] * second[0] + second[1] * second[1]).contains(1)
        for first, second in zip(one.eigenvalues, other.eigenvalues, strict=True):
            assert (first * unit).overlaps(second)
        (a, b), (c, d) = other.directions
        assert other.where == "search" or (a * c + b * d).contains(0)


def test_they_move_with_the_strength_but_not_over_rho():
    here, there = (placed(ball_flow("x**2+x**3/3", mu))[1:] for mu in ("0.2", "0.9"))
    for one, other in zip(here, there, strict=True):
        assert one.rho.overlaps(other.rho)
        assert one.residual.overlaps(other.residual)
        assert (one.u - other.u).mid() != 0
        assert one.stability == other.stability


def test_places_are_consistent_and_narrow():
    for pair, mu in CASES:
        flow = ball_flow(pair, mu)
        for found in placed(flow):
            assert found.angle.cos().overlaps(found.m)
            assert 0 <= float(found.angle) <= np.pi
            assert all(part.rad() < 1e-20 for vector in found.directions for part in vector)
        for found in placed(flow)[1:]:
            variance, covariance = flow.place(found.u, found.m)
            assert covariance.overlaps(found.rho)
            assert (variance - covariance * covariance).overlaps(found.residual)
            assert found.u.rad() < 1e-20


@pytest.mark.parametrize("pair", ["He3", "He10"])
def test_all_states_without_u_rest_at_a_singularity(pair):
    """And across the line they attract up to the overlap that is told, in doubles."""
    for line in singular_lines(ball_flow(pair, "0.5")):
        field = _field(flow_of(Pair(pair), float(line.rho.mid())))
        scale = abs(float(line.b.mid()))
        turn = float(line.turn.mid()) if line.turn is not None else 2.0
        for m in (0.01, 0.3, 0.5, 0.9):
            state = np.array([0.0, np.arccos(m)])
            assert field(state) / scale == pytest.approx([0, 0], abs=1e-9)
            aside = np.array([1e-7, 0])
            across = (field(state + aside)[0] - field(state - aside)[0]) / 2e-7
            assert (across < 0) == (m < turn)


def test_singularities_are_the_zeros_on_the_edge():
    places = [p for p in rest_points("He10") if p.kind == "edge" and p.point.rho.degree() > 0]
    assert len(singular_lines(ball_flow("He10", "0.5"))) == len(places) / 2


def test_a_line_may_attract_beyond_an_overlap_too():
    """Of a = 9μ(1/2 - μ) and b = 6(1 - μ): a falls through 0 at 1/2, where b is positive."""
    pair = Pair("3 - x - 3/8*(x**2 - 1)", "x**2 + x**3", loss="correlation")
    (line,) = singular_lines(ball_flow(pair, "0.25"))
    assert [float(x) for x in (line.rho, line.slope, line.b)] == pytest.approx([0.5, -4.5, 3])
    assert float(line.turn) == pytest.approx((3 / 7.5) ** 0.5)
    field, aside = _field(flow_of(pair, 0.5)), np.array([1e-7, 0])
    for m, attracts in ((0.5, False), (0.62, False), (0.64, True), (0.9, True)):
        state = np.array([0.0, np.arccos(m)])
        assert ((field(state + aside)[0] - field(state - aside)[0]) < 0) == attracts


@pytest.mark.parametrize(("strength", "kind"), [("0.9", "sink"), ("1", "degenerate")])
def test_what_rests_on_the_edge_is_degenerate_where_nothing_is_left_to_learn(strength, kind):
    kinds = [found.stability for found in placed(ball_flow("He3", strength))
             if found.where == "edge" and found.rho == 1]  # fmt: skip
    assert kinds == [kind]
