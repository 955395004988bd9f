"""The algebra of functions that are analytic between breakpoints, against their values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sympy import Rational, S, Symbol, cos, erf, exp, expand, log, pi, sin, sqrt, tanh

from derive.errors import InputError
from derive.gaussian import NoClosedForm
from derive.piecewise import PiecewiseAnalytic, analytic, in_common, in_order
from derive.softplus import Softplus
from derive.symbols import mu, z

PARTS = (z, z**2 - 1, sin(z), S.Zero, 2 * z / 3, exp(z) - 1)
BREAKS = ((S.Zero,), (S.One,), (-S.Half, S.One), (S.Zero, sqrt(2)))
parts = st.sampled_from(PARTS)
functions = st.sampled_from(BREAKS).flatmap(
    lambda breaks: st.builds(
        lambda *pieces: PiecewiseAnalytic(pieces, breaks), *[parts] * (len(breaks) + 1)
    )
)
places = st.sampled_from([Rational(-3, 2), Rational(-1, 7), Rational(1, 3), Rational(6, 5), S(2)])
DELTA = PiecewiseAnalytic((S.Zero, S.Zero), (S.Zero,), (S.One,))


@given(functions, functions, places)
def test_the_algebra_is_that_of_values(f, g, place):
    ours, theirs = f.at(place), g.at(place)
    for found, truth in (
        (f + g, ours + theirs),
        (f - g, ours - theirs),
        (-f, -ours),
        (f * g, ours * theirs),
        (f * S(3), 3 * ours),
        (f**3, ours**3),
        (f**0, 1),
        (f.mapped(lambda piece: piece**2 + 1), ours**2 + 1),
        (f.joined(), ours),
        (f.scaled(S(2)).scaled(S.Half), ours),
        (f.reflected().reflected(), ours),
    ):
        assert expand(found.at(place) - truth) == 0


@given(functions, places)
def test_other_arguments_are_other_places(f, place):
    assert f.scaled(S(3)).at(place / 3) == f.at(place)
    assert f.reflected().at(-place) == f.at(place)


def test_what_is_no_function_has_no_powers():
    for forbidden in (lambda: DELTA**2, lambda: DELTA * DELTA, lambda: DELTA.derivative()):
        with pytest.raises(NoClosedForm):
            forbidden()
    assert (DELTA - DELTA).joined().is_zero


def test_no_product_with_a_delta_is_formed_from_either_side():
    for forbidden in (lambda: DELTA * analytic(z), lambda: analytic(z) * DELTA):
        with pytest.raises(NoClosedForm):
            forbidden()
    assert DELTA * Rational(2) == DELTA + DELTA


@pytest.mark.parametrize("point", [S.Zero, S.One, -sqrt(2)])
def test_of_a_weight_that_depends_on_the_place_the_value_at_the_break_counts(point):
    weight = 2 + z + cos(z)
    f = PiecewiseAnalytic((z**2, z**2), (point,), (weight,))
    density = exp(-(point**2) / 2) / sqrt(2 * pi)
    assert (f.mean() - 1 - weight.subs(z, point) * density).equals(0)
    assert (f * S(3)).deltas == (3 * weight.subs(z, point),)


def _halves(left, right):
    return PiecewiseAnalytic((left, right), (S.Zero,))


@pytest.mark.parametrize(
    ("function", "odd"),
    [
        (analytic(z), True),
        (_halves(-(z**2), z**2), True),
        (_halves(-z, z), False),
        (analytic(z**2), False),
        (analytic(tanh(z) + 1 / (1 + exp(-z)) - S.Half), True),
        (analytic(1 / (1 + exp(-z))), False),
        (analytic(Softplus(z) - Softplus(-z)), True),
        (analytic(Softplus(z) - z / 2 - log(2)), False),
        (analytic(log(1 + exp(z)) - z / 2), False),
        (analytic(sin(z) * cos(3 * z)), True),
        (analytic(sin(z) * erf(z)), False),
        (analytic(sin(z) + Rational(1, 10**40)), False),
        (PiecewiseAnalytic((-S.One, z, S.One), (-S.One, S.One)), True),
        (PiecewiseAnalytic((-S.One, z, S(2)), (-S.One, S(2))), False),
        (PiecewiseAnalytic((z, z), (S.Zero,), (S.One,)), False),
    ],
)
def test_only_what_is_proved_to_be_odd_is_odd(function, odd):
    assert function.is_odd is odd


def test_parameters_are_put_in_everywhere():
    c = Symbol("c", positive=True)
    f = PiecewiseAnalytic((c * z, c**2 * z), (c,), (c**3,))
    assert f.subs(c, 2) == PiecewiseAnalytic((2 * z, 4 * z), (S(2),), (S(8),))


SMOOTH = [z, sin(2 * z), cos(z), exp(z - 1), erf(z), exp(z - z**2 / 3)]


@pytest.mark.parametrize("smooth", SMOOTH, ids=str)
@pytest.mark.parametrize("kink", [S.Zero, S.One, sin(z) + 2, z**2 - z])
def test_the_algebra_of_means_has_the_same_slopes_and_scales(smooth, kink):
    """Two ways each: formed here and then taken into the algebra, or the other way about."""
    f, factor = _halves(smooth - kink, smooth + kink), Rational(3, 2)
    assert f.derivative().gaussian() == f.gaussian().derivative()
    jumping = f.derivative()
    assert jumping.scaled(factor).gaussian() == jumping.gaussian().scaled(factor)


POLYNOMIALS = [
    PiecewiseAnalytic((S.Zero, z - 1), (S.One,)),
    PiecewiseAnalytic((-S.One, z, S.One), (-S.One, S.One)),
    PiecewiseAnalytic((exp(z) - 1, z, z**3 - 2 * z**2 + 2 * z), (S.Zero, S.One)),
    PiecewiseAnalytic((S.Zero, z**2 * exp(-(z**2)), exp(z - 2) * 4 * exp(-4)), (S.Zero, S(2))),
]


@pytest.mark.parametrize("f", POLYNOMIALS, ids=str)
def test_closed_means_obey_steins_identity_with_what_jumps(f):
    """E f' = E z f and E f'' = E (z² - 1) f, deltas included, wherever they are."""
    first = f.derivative()
    second = first.derivative()
    for ours, theirs in ((first, f * z), (second, f * (z**2 - 1))):
        assert abs((ours.mean() - theirs.mean()).evalf(30)) < Rational(1, 10**25)


def test_a_derivative_has_a_delta_wherever_the_function_jumps():
    hardtanh = PiecewiseAnalytic((-S.One, z, S.One), (-S.One, S.One))
    assert hardtanh.derivative().pieces == (0, 1, 0)
    assert hardtanh.derivative().derivative().deltas == (1, -1)


def test_breakpoints_are_put_in_order_where_they_stand():
    """1/μ and 2 change order at μ = 1/2."""
    assert in_order([1 / mu, S(2)], Rational(1, 3)) == (2, 1 / mu)
    assert in_order([1 / mu, S(2)], Rational(2, 3)) == (1 / mu, 2)
    assert in_order([sqrt(2), S.One, S.One, S(-3)]) == (-3, 1, sqrt(2))
    with pytest.raises(InputError, match="breakpoint 1/mu moves with μ"):
        in_order([S(2), 1 / mu])
    with pytest.raises(InputError, match="cannot be told apart"):
        in_order([sqrt(2) + sqrt(3), sqrt(5 + 2 * sqrt(6))])


def test_functions_are_cut_alike():
    one, two = (PiecewiseAnalytic((S.Zero, z), (p,)) for p in (S.Zero, S.One))
    ours, theirs = in_common(one, two)
    assert ours.breaks == theirs.breaks == (0, 1)
    assert (ours.joined(), theirs.joined()) == (one, two)
    with pytest.raises(InputError, match="one piece more"):
        PiecewiseAnalytic((z,), (S.Zero,))


@pytest.mark.parametrize(
    ("f", "monotone"),
    [
        (analytic(tanh(50 * z)), True),
        (analytic(z**2), True),
        (analytic(Softplus(z)), True),
        (PiecewiseAnalytic((S.Zero, z - 4), (S(4),)), True),
        (PiecewiseAnalytic((z + 1, S.Zero, 1 - z), (-S.One, S.One)), True),
        (analytic(S(3)), False),
        (analytic(sin(z)), False),
        (analytic((z - 1) ** 2), False),
        (analytic(z * (1 + tanh(z)) / 2), False),
    ],
    ids=str,
)
def test_what_is_monotone_on_either_side_of_0(f, monotone):
    assert f.rises_or_falls_outwards() is monotone


def test_what_is_equal_is_so_however_it_is_written():
    """Two forms of one piece break nowhere; a jump of 0 is 0."""
    assert PiecewiseAnalytic((z * (z + 1), z**2 + z), (S.One,)).joined().breaks == ()
    hinge = PiecewiseAnalytic((S.Zero, z - 1 / (1 + sqrt(2))), (sqrt(2) - 1,))
    assert hinge.jumps == (0,)
