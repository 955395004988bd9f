"""The field of the flow against derive's gradient, and the arithmetic of discs."""

import mpmath
import numpy as np
import pytest
from flint import arb, ctx, fmpq
from sympy import Matrix, Rational, Symbol, cos, diff, lambdify

from derive.errors import InputError, Undecided
from derive.loss import population_loss
from derive.pair import Pair
from derive.symbols import Q, m, mu, rho, u, z
from numerics.certified.flow import ball_flow, disc

PAIRS = (
    Pair("He3"),
    Pair("He4"),
    Pair("He3", labels="squared"),
    Pair("x", "He3 + x"),
    Pair("He5", loss="correlation"),
)
STATES = (("0.3", "0.4"), ("-0.7", "0.9"), ("0.2", "-0.1"))


def loss_of(pair):
    """The loss in u and θ, from derive, at a symbolic strength."""
    label = pair.label.smooth
    found = population_loss(label, pair.student.polynomial.as_expr(), z)
    loss = found.expression if pair.loss == "square" else -found.correlation
    return loss.subs({Q: mu**2 + u**2 + 2 * mu * u * m, rho: mu + u * m})


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: str(pair.texts))
@pytest.mark.parametrize("state", STATES)
def test_velocity_and_hessian_are_derivatives_of_the_loss(pair, state):
    """In (u, θ): minus the gradient, and the second derivatives, by SymPy."""
    theta = Symbol("theta")
    loss = loss_of(pair).subs({m: cos(theta), mu: Rational("0.325")})
    gradient = Matrix([diff(loss, u), diff(loss, theta)])
    second = gradient.jacobian([u, theta])
    exact = lambdify((u, theta), [-gradient[0], -gradient[1], second[0], second[1], second[3]],
                     "mpmath")  # fmt: skip
    flow = ball_flow(pair, "0.325")
    with ctx.workprec(120), mpmath.workprec(120):
        place, angle = arb(state[0]), arb(state[1]).acos()
        found = (*flow.velocity(place, angle.cos(), angle.sin()), *flow.hessian(place, angle))
        wanted = exact(mpmath.mpf(state[0]), mpmath.acos(mpmath.mpf(state[1])))
        for ball, value in zip(found, wanted, strict=True):
            assert abs(ball - arb(mpmath.nstr(value, 34))) < 1e-25


@pytest.mark.parametrize("sizes", [(0.1, 0.2), (1e-9, 0.0)])
def test_no_point_of_a_box_parts_faster_than_its_rate(sizes):
    """-λ_min at sampled points of a box, by NumPy, is below the rate of the box."""
    flow, rng = ball_flow("He3", "0.325"), np.random.default_rng(5)
    centre = (0.2, 1.0)
    rate = flow.rate(*(arb(c, s) for c, s in zip(centre, sizes, strict=True)))
    found = []
    for _ in range(50):
        at = [arb(c + s * rng.uniform(-1, 1)) for c, s in zip(centre, sizes, strict=True)]
        uu, mixed, other = (float(x.mid()) for x in flow.hessian(*at))
        found.append(-np.linalg.eigvalsh([[uu, mixed], [mixed, other]])[0])
    assert max(found) <= float(rate) + 1e-9
    assert float(rate) < max(found) + 150 * max(sizes) + 1e-6


def test_a_disc_holds_what_is_given_and_its_flip():
    """A decimal is no double: the disc of 0.1 holds 1/10."""
    start = disc("0.1", "-0.2", radius=0.01)
    with ctx.workprec(100):
        assert start.box[0].contains(arb(fmpq(1, 10)))
        assert start.overlap.contains(arb(fmpq(-1, 5)))
        flipped = start.aligned()
        assert flipped.box[0].contains(arb(fmpq(-1, 10)))
        assert flipped.aligned() is flipped
    assert disc(1, 1).angle == 0
    with pytest.raises(Undecided, match="the sign of u·m is open"):
        disc(0, "0.5").aligned()


@pytest.mark.parametrize("given", [("0.1", "1.000001"), ("0.1", "-1.000001"),
                                   ("0.1", "0", "0.250001"), ("0.1", 0, "-0.000001")])  # fmt: skip
def test_starts_outside_are_refused(given):
    """|m| ≤ 1, and a radius from 0 to 1/4."""
    assert [disc("0.1", m, radius="1/4").overlap.contains(m) for m in (1, -1)] == [True] * 2
    with pytest.raises(InputError, match="is not accepted: give"):
        disc(*given)


@pytest.mark.parametrize("number", ["inf", "nan", "one", float("inf"), "1/0"])
def test_what_is_no_finite_number_is_refused(number):
    with pytest.raises(InputError, match="give a finite number"):
        disc(number, 0)


@pytest.mark.parametrize(
    ("pair", "strength", "message"),
    [
        ("relu", "0.5", "give polynomials with rational coefficients"),
        (Pair("x", misalignment="linear"), "0.5", "give none"),
        ("x", "0.1,0.5", "give one"),
    ],
)
def test_flows_that_are_not_enclosed_are_refused(pair, strength, message):
    with pytest.raises(InputError, match=message):
        ball_flow(pair, strength)
