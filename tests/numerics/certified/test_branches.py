"""Preimages near and far from turns: solved, and enclosed on complex balls."""

import pytest
from flint import acb, arb, ctx, fmpq_poly

from numerics.certified.branches import Branch, Half, Turn, invariant_ball


@pytest.fixture(autouse=True)
def precise():
    with ctx.workprec(128):
        yield


def he3():
    """The outputs of x³ - 3x above its lower critical value, -2, where two of three inputs meet."""
    turns = [Turn(arb(-1), 2, 1), Turn(arb(1), 2, 0)]
    infinity = float("inf")
    branches = (
        Branch(None, turns[0], (-infinity, 1)),
        Branch(turns[0], turns[1], (1, 0)),
        Branch(turns[1], None, (0, infinity)),
    )
    return Half(fmpq_poly([0, -3, 0, 1]), arb(-2), 1, arb(2), 0, branches, False)


def test_branches_know_what_they_cover():
    half = he3()
    assert [branch.covers(0, 1) for branch in half.branches] == [True, True, True]
    assert [branch.covers(0, -1) for branch in half.branches] == [True, False, False]
    assert [branch.covers(1, 1) for branch in half.branches] == [False, False, True]
    assert (half.power, half.common) == (2, 0)


@pytest.mark.parametrize("s", ["1e-9", "0.01", "1", "1.4"])
def test_preimages_are_solutions(s):
    half = he3()
    (seen,) = half.preimages([arb(s)])
    for z, mass in seen:
        assert (z**3 - 3 * z).overlaps(half.output(arb(s)))
        assert mass > 0
        assert z.rad() < 1e-25
    assert seen[0][0] < -1 < seen[1][0] < 1 < seen[2][0]


def test_masses_are_the_density_over_the_slope():
    (seen,) = he3().preimages([arb(1)])  # y = -1, dy = 2 s ds
    for z, mass in seen:
        density = (-z * z / 2).exp() / (2 * arb.pi()).sqrt()
        assert mass.overlaps(density * 2 / abs(3 * z * z - 3))


def test_a_ball_around_the_turn_holds_what_is_there():
    half = he3()
    middle, radius = arb("0.01"), arb("0.01")
    balls = half.around(middle, radius)
    assert balls is not None
    for s in ("1e-6", "0.005", "0.0199"):
        (seen,) = half.preimages([arb(s)])
        for (ball, mass), (z, weight) in zip(balls, seen, strict=True):
            assert ball.contains(acb(z.mid()))
            assert mass.contains(acb(weight.mid()))


def test_a_ball_that_is_too_wide_is_not_taken():
    assert he3().around(arb(1), arb(1)) is None


def test_a_ball_lies_inside_a_branch_if_it_meets_neither_of_its_ends():
    left, middle, right = he3().branches
    assert [branch.holds(arb(x)) for branch, x in ((left, -2), (middle, 0), (right, 2))] == [
        True
    ] * 3
    for branch, others in ((left, (-1, 0, 2)), (middle, (-2, -1, 1, 2)), (right, (-2, 0, 1))):
        assert not any(branch.holds(arb(x, "1e-9")) for x in others)
        assert not any(branch.holds(arb(x)) for x in (-1, 1))


def newton(constant, centre):
    """Newton's step for x² - constant."""
    return lambda ball: centre - (centre**2 - constant) / (2 * ball)


@pytest.mark.parametrize("kind", [arb, acb])
def test_a_ball_that_newton_maps_to_its_inside_holds_the_zero(kind):
    found = invariant_ball(kind("1.414"), arb("0.001"), newton(2, kind("1.414")))
    assert found.real.overlaps(arb(2).sqrt())
    assert found.real.rad() < 0.001


@pytest.mark.parametrize(("constant", "centre", "size"), [(-1, 1, "0.001"), (1, 0, "2")])
def test_no_zero_or_two_are_not_proved_to_be_one(constant, centre, size):
    """x² + 1 has none, and x² - 1 has two in a ball around 0."""
    assert invariant_ball(arb(centre), arb(size), newton(constant, arb(centre))) is None
