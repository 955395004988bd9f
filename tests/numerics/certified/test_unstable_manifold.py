"""The constant of the exit time: two methods, an exact case, laws of the manifold."""

import mpmath
import pytest
from flint import arb, ctx, fmpq
from taylor import constant_by_taylor

from derive.errors import InputError, Undecided
from derive.pair import Pair
from numerics.certified import unstable_manifold
from numerics.certified.finite_rate import finite_rate_flow
from numerics.certified.flow import ball_flow, flow_arithmetic
from numerics.certified.integrator import advance
from numerics.certified.unstable_manifold import SearchPhase, exit_constant, leaving

DEAR = (
    ("He5", "0.8"),
    ("He6", "0.5"),
    ("He7", "0.5"),
    ("He8", "0.6"),
    ("He9", "0.9"),
    ("He10", "0.5"),
)
PAIRS = (("x", "0.5"), ("He2", "0.5"), ("He3", "0.6"), ("He4", "0.5"),
         (Pair("He2", labels="squared"), "0.4"),
         *(pytest.param(*each, marks=pytest.mark.thorough) for each in DEAR))  # fmt: skip


@pytest.mark.parametrize(("pair", "strength"), PAIRS, ids=str)
def test_series_and_shooting_agree(pair, strength):
    found = exit_constant(ball_flow(pair, strength))
    assert found.rad() < 5e-11 * abs(found.mid())
    assert abs(found - arb(mpmath.nstr(constant_by_taylor(pair, strength), 20))) < 1e-10


@pytest.mark.parametrize("radius", ["0.25", "0.5", "0.9"])
def test_a_case_that_is_solved_by_hand(radius):
    """x, correlation loss: u' = m, m' = (1 - m²) u, so that u² = -log(1 - m²) on the manifold."""
    found = exit_constant(ball_flow(Pair("x", loss="correlation"), "0.5"), radius)
    with mpmath.workdps(30):
        size = mpmath.mpf(radius)

        def scale(overlap):
            return mpmath.sqrt(-mpmath.log(1 - overlap**2))

        end = mpmath.findroot(
            lambda x: x**2 + scale(x) ** 2 - size**2, (size / 4, size), solver="anderson"
        )
        time = mpmath.quad(
            lambda x: 1 / ((1 - x * x) * scale(x)) - 1 / x, [mpmath.mpf(10) ** -12, end]
        )
        exact = time + mpmath.log(end) + mpmath.log(2) / 2
    assert abs(found - arb(mpmath.nstr(exact, 25))) < found.rad() + 1e-11


def test_the_unit_of_time_does_not_matter():
    flow = ball_flow("He3", "0.6")
    assert exit_constant(flow).overlaps(exit_constant(flow.scaled(fmpq(7, 300))))


@pytest.mark.parametrize(("pair", "strength"), [("He3", "0.6"), ("He4", "0.5"), ("x", "0.8")])
def test_the_flow_goes_along_the_curve(pair, strength):
    """From P(s) to P(s e^(λt)): both enclosures hold the same state."""
    phase = SearchPhase.of(ball_flow(pair, strength))
    with flow_arithmetic():
        curve, size, time = unstable_manifold.manifold_curve(phase), fmpq(1, 32), fmpq(1, 2)
        error = unstable_manifold.error_of(phase, curve, fmpq(1, 16))
        start = unstable_manifold.places_on(curve, arb(size), error)
        grown = unstable_manifold.places_on(curve, size * (phase.rate * time).exp(), error)
    assert error < 1e-9
    end = advance(phase.flow, start, time)
    with ctx.workprec(96):
        apart = (end.u - grown.u) ** 2 + (end.angle - grown.angle) ** 2
        assert apart.sqrt() < end.radius + grown.radius < 1e-8


def test_what_the_curve_cuts_off_is_of_its_order():
    """A quarter of the size: 4^18 to 4^19 times less, as the next order of an odd curve is."""
    phase = SearchPhase.of(ball_flow("He3", "0.6"))
    with flow_arithmetic():
        curve = unstable_manifold.manifold_curve(phase)
        one, four = (unstable_manifold.error_of(phase, curve, fmpq(1, n)) for n in (256, 64))
    assert 4**18 < float(four / one) < 4**20


def test_no_error_is_claimed_where_the_curve_may_leave_the_sphere():
    """At m² = 1 the flow of a finite rate has no velocity."""
    phase = SearchPhase.of(finite_rate_flow("x", "0.5", "0.1"))
    with flow_arithmetic():
        curve = unstable_manifold.manifold_curve(phase)
        assert unstable_manifold.error_of(phase, curve, fmpq(1, 256)) < 1e-9
        assert not unstable_manifold.error_of(phase, curve, fmpq(8)).is_finite()


def test_what_has_no_exit_is_refused():
    with pytest.raises(InputError, match="without escape there is no exit time"):
        exit_constant(ball_flow("x", 1))
    with pytest.raises(InputError, match=r"radius 1 is not accepted: give one in \(0, 1\)"):
        exit_constant(ball_flow("x", "0.5"), 1)
    for levels in (["0"], ["1"], ["0.3", "1.5"], ["0.5", "0.3"]):
        with pytest.raises(InputError, match=r"give overlaps in \(0, 1\), in increasing order"):
            next(leaving(ball_flow("x", "0.5"), levels))
    with pytest.raises(Undecided, match="is too large for λ to be followed"):
        exit_constant(ball_flow("x", "0.99"))
