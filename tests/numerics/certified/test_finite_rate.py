"""The enclosed flow of a finite rate: against doubles, its Jacobian, constants by shooting."""

from fractions import Fraction

import numpy as np
import pytest
from flint import arb, fmpq

from derive.errors import InputError, Undecided
from derive.pair import Pair
from numerics.certified.finite_rate import FiniteRateFlow, finite_rate_flow
from numerics.certified.flow import Disc, ball_flow, flow_arithmetic
from numerics.certified.integrator import steps
from numerics.certified.unstable_manifold import exit_constant
from numerics.dynamics.exit_constant import Passage, shot
from numerics.dynamics.flow import flow_of

CASES = (("x", 0.5, 2.0, 0.5), ("He2", 0.4, 1.0, 0.0), ("He3", 0.6, 0.1, 0.25),
         (Pair("He2", labels="squared"), 0.5, 0.1, 0.0))  # fmt: skip


@pytest.mark.parametrize(("pair", "strength", "rate", "noise"), CASES, ids=str)
def test_velocities_hold_those_of_doubles(pair, strength, rate, noise):
    flow = finite_rate_flow(pair, str(strength), rate, noise)
    other = flow_of(pair, strength, scaled_rate=rate, label_noise=noise)
    assert isinstance(flow, FiniteRateFlow)
    for u, angle in ((0.3, 1.2), (-0.4, 2.0), (0.2, 0.9)):
        m, w = np.cos(angle), np.sin(angle)
        by_u, by_angle = flow.velocity(arb(u), arb(m), arb(w))
        expected = other.velocity(0.0, [u, m])
        assert float(by_u.mid()) == pytest.approx(expected[0], rel=1e-10)
        assert float((-arb(w) * by_angle).mid()) == pytest.approx(expected[1], rel=1e-9)


@pytest.mark.parametrize(("pair", "strength", "rate", "noise"), CASES, ids=str)
def test_the_hessian_is_minus_the_symmetric_part_of_the_jacobian(pair, strength, rate, noise):
    flow, step = finite_rate_flow(pair, str(strength), rate, noise), 1e-6

    def field(u, angle):
        found = flow.velocity(arb(u), arb(angle).cos(), arb(angle).sin())
        return np.array([float(part.mid()) for part in found])

    at = np.array([0.3, 1.2])
    jacobian = np.array([(field(*(at + e)) - field(*(at - e))) / (2 * step)
                         for e in step * np.eye(2)]).T  # fmt: skip
    assert abs(jacobian[0, 1] - jacobian[1, 0]) > 1e-3  # no gradient
    found = [float(x.mid()) for x in flow.hessian(arb(at[0]), arb(at[1]))]
    symmetric = -(jacobian + jacobian.T) / 2
    expected = [symmetric[0, 0], symmetric[0, 1], symmetric[1, 1]]
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_steps_stop_short_of_where_the_flow_ends():
    r"""At \|m\| = 1 it is not defined: a box that holds it proves nothing, and is no error."""
    flow = finite_rate_flow("He3", "0.3", 0.1)
    assert not flow.is_regular(arb(0).union(arb(1)))
    start = Disc(arb(1) / 2, arb(1) / 64, arb(1) / 64)
    with pytest.raises(Undecided, match="narrower start"):
        list(steps(flow, start, fmpq(1)))


@pytest.mark.parametrize(
    ("pair", "strength", "rate", "of"),
    [("x", "0.5", 2.0, "state"), ("x", "0.7", 1.0, "overlap"), ("He2", "0.4", 0.5, "overlap")],
)
def test_constants_are_those_of_shooting(pair, strength, rate, of):
    enclosed = exit_constant(finite_rate_flow(pair, strength, rate), "0.4", of)
    assert enclosed.rad() < 1e-10
    found = shot(flow_of(pair, float(Fraction(strength)), scaled_rate=rate), Passage(of, 0.4))
    assert abs(found.log_k - enclosed) < found.error
    still = exit_constant(ball_flow(pair, strength), "0.4", of)
    assert enclosed - still > 1e-3  # noise delays the exit


def test_the_unit_of_time_does_not_matter():
    flow = finite_rate_flow("x", "0.5", 1)
    assert exit_constant(flow).overlaps(exit_constant(flow.scaled(fmpq(7, 300))))


def test_without_a_rate_it_is_the_gradient_flow():
    assert finite_rate_flow("He2", "0.5", 0) == ball_flow("He2", "0.5")
    with flow_arithmetic():
        assert finite_rate_flow("He2", "0.5", 1).search_phase() == (
            ball_flow("He2", "0.5").search_phase()
        )
    with pytest.raises(InputError, match="give γd/B ≥ 0"):
        finite_rate_flow("x", "0.5", -1)
