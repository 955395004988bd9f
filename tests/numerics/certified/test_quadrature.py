"""A rule's sums hold the integral against every kernel of its envelope."""

import pytest
from flint import arb, ctx, fmpq
from sympy import Rational, S, erf, exp, sqrt, tanh

from derive.errors import InputError
from derive.piecewise import PiecewiseAnalytic, analytic
from derive.symbols import z
from numerics.certified.means import mean_function
from numerics.certified.quadrature import Envelope, rule_for

HALF = fmpq(1, 2)


def _against(rule, kernel):
    total = sum((w * kernel(x) for x, w in zip(rule.nodes, rule.weights, strict=True)), arb(0))
    return total + arb(0, rule.error.upper())


@pytest.mark.parametrize("bits", [30, 100])
def test_moments_of_powers_and_waves(bits):
    """exp(-x²/2 + ikx) has growth: cos(kx) is below exp(y²/2·(1+s)) times a constant."""
    with ctx.workprec(bits + 40):
        envelope = Envelope(HALF, fmpq(2))  # |cos(x)| ≤ e^|y| ≤ e^(1/6 + 3y²/2)
        rule = rule_for(analytic(z**2), envelope, bits)
        exact = (2 * arb.pi()).sqrt()
        assert _against(rule, lambda x: (-x * x / 2).exp()).contains(exact)
        wave = _against(rule, lambda x: (-x * x / 2).exp() * x.cos() * (-arb(1) / 6).exp())
        assert wave.contains(arb(0)) or abs(wave) < 2.0**-20  # E g² cos(g) = 0
        assert rule.error < arb(2) ** (8 - bits)


@pytest.mark.parametrize("shift", [0, Rational(3, 2), -2])
def test_kinks_and_poles_are_met_at_any_place(shift):
    """E |g - p| = 2φ(p) + p erf(p/√2); a steep tanh, by another quadrature."""
    p = S(shift)
    with ctx.workprec(120):
        kinked = rule_for(PiecewiseAnalytic((p - z, z - p), (p,)), Envelope(HALF, HALF), 80)
        density = lambda x: (-x * x / 2).exp() / (2 * arb.pi()).sqrt()  # noqa: E731
        q = arb(str(p.evalf(40)))
        exact = 2 * density(q) + q * (q / arb(2).sqrt()).erf()
        found = _against(kinked, density)
        assert found.overlaps(exact)
        assert found.rad() < 1e-22
        steep = analytic(tanh(20 * (z - p)))
        found = _against(rule_for(steep, Envelope(HALF, HALF), 80), density)
        assert found.overlaps(mean_function(steep)(arb(1)))
        assert found.rad() < 1e-22


@pytest.mark.parametrize("f", [S.One, z**2, exp(z)], ids=str)
def test_at_every_accuracy_the_sum_is_within_its_error(f):
    """Where little is asked for the cut is near, and what lies beyond is in the error."""
    exact = {S.One: arb(1), z**2: arb(1), exp(z): arb(0.5).exp()}[f]
    for bits in range(4, 40):
        with ctx.workprec(120):
            rule = rule_for(analytic(f), Envelope(HALF, HALF), bits)
            found = _against(rule, lambda x: (-x * x / 2).exp())
            assert found.contains(exact * (2 * arb.pi()).sqrt())


@pytest.mark.parametrize("digits", [4, 9, 12])
@pytest.mark.parametrize("side", [1, -1])
def test_an_end_that_is_barely_known_is_in_the_error(digits, side):
    """√(10²ⁿ + 1) - 10ⁿ, which is next to 0, loses 2n digits at the working precision."""
    p = side * (sqrt(S(10) ** (2 * digits) + 1) - 10**digits)
    steps = PiecewiseAnalytic((S(2), S(5)), (p,))
    with ctx.workprec(60):
        found = _against(rule_for(steps, Envelope(HALF, HALF), 40), lambda x: (-x * x / 2).exp())
    with ctx.workprec(300):
        place = arb(str(p.evalf(60)))
        exact = (arb.pi() / 2).sqrt() * (7 - 3 * (place / arb(2).sqrt()).erf())
        assert abs(found - exact).lower() <= 0
    assert found.rad() < arb(10) ** (digits - 15)


@pytest.mark.parametrize("weight", [1, 3, -1])
def test_a_delta_is_a_node_of_its_own(weight):
    """One without weight is none."""
    with ctx.workprec(90):
        f = PiecewiseAnalytic((S.Zero,) * 3, (S.One, S(2)), (S(weight), S.Zero))
        rule = rule_for(f, Envelope(HALF, HALF), 60)
        assert len(rule.nodes) == 1
        assert _against(rule, lambda x: (-x * x / 2).exp()).overlaps(weight * (-arb(1) / 2).exp())


def test_what_is_narrow_is_cut_and_what_is_large_takes_more_nodes():
    """One panel would do for entire functions, but where they are large off the line it is dear."""
    with ctx.workprec(400):
        narrow, large = (
            rule_for(analytic(f), Envelope(HALF, HALF), 60) for f in (exp(-100 * z**2), exp(20 * z))
        )
        assert len(narrow.nodes) < 200
        mean = _against(large, lambda x: (-x * x / 2).exp()) / (2 * arb.pi()).sqrt()
        assert mean.overlaps(arb(200).exp())
        assert mean.rel_accuracy_bits() > 300


def test_steep_functions_cost_panels_near_the_pole_alone():
    with ctx.workprec(90):
        gentle, steep = (
            rule_for(analytic(erf(z) * tanh(k * z)), Envelope(HALF, HALF), 60) for k in (1, 50)
        )
        assert len(steep.nodes) < 4 * len(gentle.nodes)


def test_what_grows_too_fast_is_refused():
    with pytest.raises(InputError, match="infinite"):
        rule_for(analytic(exp(z**2)), Envelope(HALF, HALF), 30)
