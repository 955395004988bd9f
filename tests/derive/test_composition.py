"""Functions put into one another and chosen between, against their values."""

import random
from itertools import pairwise

import numpy as np
import pytest
from functions import Dual, nested_text
from hypothesis import given
from hypothesis import strategies as st
from sympy import Rational, S, atan, erf, exp, expand, log, pi, sin, sqrt, tanh

from derive.composition import (
    MOST_BREAKS,
    NotFound,
    chosen,
    composed,
    insist_on_positive,
    inverse,
    largest,
    smallest,
    zeros,
)
from derive.errors import InputError
from derive.grammar import parse_activation
from derive.piecewise import PiecewiseAnalytic, analytic
from derive.softplus import Softplus
from derive.symbols import z
from numerics.doubles.arrays import piecewise

RELU = PiecewiseAnalytic((S.Zero, z), (S.Zero,))
CLIP = PiecewiseAnalytic((-S.One, z, S.One), (-S.One, S.One))
OUTER = [RELU, CLIP, analytic(tanh(z)), analytic(z**2 - z), PiecewiseAnalytic((-z, z), (S.Zero,))]
INNER = [*OUTER, analytic(2 * z - 1), analytic(z**2 - 2), analytic(exp(z) - 2),
         analytic(z * tanh(z) - 1 + z**2 - z * tanh(z)), analytic((z - 1) * exp(z))]  # fmt: skip
outers, inners = st.sampled_from(OUTER), st.sampled_from(INNER)
places = st.sampled_from([Rational(k, 7) for k in (-19, -10, -6, -1, 1, 2, 6, 8, 13, 22)])


def _close(one, two):
    return abs((one - two).evalf(30)) < Rational(1, 10**25)


@given(outers, inners, places)
def test_a_composition_has_the_values_of_a_composition(outer, inner, place):
    assert _close(composed(outer, inner).at(place), outer.at(inner.at(place)))


@given(inners, inners, places)
def test_the_larger_and_the_smaller_are_those(one, two, place):
    try:
        upper, lower = largest(one, two), smallest(one, two)
    except NotFound:  # said, and never guessed
        return
    values = sorted((one.at(place), two.at(place)), key=lambda value: value.evalf(30))
    assert _close(lower.at(place), values[0])
    assert _close(upper.at(place), values[1])


@given(inners, places)
def test_a_choice_follows_the_sign_of_its_judge(judge, place):
    value = judge.at(place).evalf(30)
    found = chosen(judge, analytic(S(2)), analytic(S(-2))).at(place)
    assert value == 0 or found == (2 if value > 0 else -2)


@pytest.mark.parametrize("odd", [erf(z) / 2 - z / 10, tanh(z) - z / 4, z / 2 - atan(z)], ids=str)
@pytest.mark.parametrize("side", [-1, 1])
def test_a_zero_at_0_is_the_only_one_of_what_is_monotone_up_to_there(odd, side):
    """Each falls from 2 on and has a zero there, in no closed form: it is said, not missed."""
    beyond, nearer = PiecewiseAnalytic((odd, z), (-S(2),)), analytic(S.Zero)
    if side > 0:
        beyond = beyond.reflected()
    with pytest.raises(NotFound, match="not found exactly"):
        largest(beyond, nearer)


@pytest.mark.parametrize("outer", ["hardtanh", "symlog", "huber"])
@pytest.mark.parametrize("inner", ["2*atan(x)", "softplus", "2*tanh(x)", "exp(x)", "x**2-2"])
def test_a_continuous_function_of_a_continuous_one_has_kinks_and_no_jumps(outer, inner):
    """Where the inner one takes the value of a breakpoint it does so exactly."""
    for shift in ("1/2", "1/3"):
        found = parse_activation(f"{outer}({inner} - {shift})").value
        assert found.breaks
        assert not any(found.jumps)
        assert found.derivative().derivative().breaks == found.breaks


def test_breakpoints_are_found_exactly_or_not_at_all():
    assert composed(RELU, analytic(exp(z) - 2)).breaks == (log(2),)
    assert composed(RELU, analytic(z**2 - 2)).breaks == (-sqrt(2), sqrt(2))
    for unknown in (sin(z), z**3 - z - 1, tanh(z) - z / 2, exp(z) - z - 2):
        with pytest.raises(NotFound, match=r"is 0 is not found|has a zero of degree"):
            composed(RELU, analytic(unknown))


@pytest.mark.parametrize("side", [1, -1])
def test_what_only_rises_or_only_falls_from_0_has_no_other_zero(side):
    """Also where its slope touches 0, as that of z + sin z."""
    found = composed(RELU, analytic(side * (z + sin(z))))
    assert found.breaks == (0,)
    assert [found.at(S(place)) == 0 for place in (-1, 1)] == [side > 0, side < 0]


@pytest.mark.parametrize("level", [Rational(1, 2), Rational(2, 3), Rational(9, 10)])
@pytest.mark.parametrize("rising", [exp, tanh, atan, Softplus], ids=str)
def test_what_rises_is_inverted(rising, level):
    """Also moved, turned and scaled; a level that is not taken has no breakpoint."""
    for inner in (z, 3 - 2 * z):
        (point,) = composed(RELU, analytic(5 * rising(inner) - 5 * level)).breaks
        assert _close(rising(inner.subs(z, point)), level)
    assert composed(RELU, analytic(rising(z) + 2)).breaks == ()


def test_a_function_has_at_most_forty_breakpoints():
    most, more = (
        PiecewiseAnalytic(tuple(S(1 + k % 2) for k in range(n + 1)), tuple(map(S, range(n))))
        for n in (40, 41)
    )
    assert len(composed(RELU, most).breaks) == MOST_BREAKS
    with pytest.raises(NotFound, match="more than 40 breakpoints are not accepted"):
        composed(RELU, more)


def test_inverses_and_roots_ask_for_a_proof():
    assert inverse(analytic(1 + z**2)).smooth == 1 / (1 + z**2)
    one_sided = PiecewiseAnalytic((1 - z, 1 + z), (S.Zero,))
    assert inverse(one_sided).pieces == (1 / (1 - z), 1 / (1 + z))
    for vanishing in (z, 1 - z**2, 1 + sin(z), exp(z)):
        with pytest.raises(NotFound, match="stay away from 0"):
            inverse(analytic(vanishing))
    with pytest.raises(NotFound, match="stay above 0"):
        insist_on_positive(analytic(-1 - z**2), "a root")


def test_random_functions_have_the_values_and_slopes_that_numpy_gives():
    """Whatever they are made of: kinks, choices, sums and products of one another, or refused."""
    stream, places, read = random.Random(5), np.linspace(-9.7, 9.9, 23), 0
    for _ in range(150):
        text, wanted = nested_text(stream)
        try:
            found = parse_activation(text).value
        except InputError:
            continue
        with np.errstate(all="ignore"):
            known = wanted(Dual(places, np.ones_like(places)))
            for ours, other in ((found, known.value), (found.derivative(), known.slope)):
                small = np.abs(other) < 1e9  # beyond, doubles of both are rough
                np.testing.assert_allclose(
                    piecewise(ours)(places)[small], np.broadcast_to(other, small.shape)[small],
                    rtol=1e-7, atol=1e-7, err_msg=text,
                )  # fmt: skip
        read += 1
    assert read > 50


@pytest.mark.parametrize("beside", [1 + z**2, 2 - z + z**2, z**4 + z + 2, z**4 - z + 1])
@pytest.mark.parametrize("zero", [S(-3), Rational(2, 5)])
def test_factors_without_zeros_are_no_obstacle(beside, zero):
    """Multiplied out, of whatever degree."""
    assert composed(RELU, analytic(expand((z - zero) * beside))).breaks == (zero,)


KINKED = [((2 * z + 1, 1 + z), 0), ((1 - z, 3 * z - 3), 1), ((z**2 - 2, -z), 1),
          ((4 - z, 2 * z**2 - 4 * z + 2), 2), ((exp(z) - 3, -2 + z), 0)]  # fmt: skip


@pytest.mark.parametrize(("pieces", "point"), KINKED, ids=str)
def test_zeros_of_pieces_count_only_on_their_pieces(pieces, point):
    """Each is one of the function, and between them it keeps its sign."""
    for f in (
        PiecewiseAnalytic(pieces, (S(point),)),
        PiecewiseAnalytic(pieces, (S(point),)).reflected(),
    ):
        found = zeros(f)
        assert all(_close(f.at(place), 0) for place in found)
        ends = [-S(9), *found, S(9)]
        for low, high in pairwise(ends):
            inside = [f.at(low + (high - low) * Rational(k, 12)).evalf(20) for k in range(1, 12)]
            assert min(inside) * max(inside) > 0


def test_zeros_of_high_degree_count_only_where_they_are_met():
    """x³ - x - 1 is 0 near 1.32."""
    cubic = z**3 - z - 1
    for low, high, found in ((-3, 1, True), (-3, 2, False)):
        inner = PiecewiseAnalytic((S(low), cubic * (z + 2), S(2)), (S(low), S(high)))
        if found:
            assert composed(RELU, inner).breaks[1] == -2
            continue
        with pytest.raises(NotFound, match="has a zero of degree 3"):
            composed(RELU, inner)
    for near in (z**3 + sqrt(2) * z + 1, z**2 - 2 * z + 1 - Rational(2, 10**30)):
        with pytest.raises(NotFound, match="is not found exactly"):
            composed(RELU, analytic(near))  # two zeros that are not told apart from a double one


@pytest.mark.parametrize("scale", [S.One, -pi, sqrt(2), Rational(1, 10**12)])
@pytest.mark.parametrize(
    "place", [S.Zero, Rational(1, 3), sqrt(2), -pi, sqrt(3) + sqrt(2)], ids=str
)
def test_what_touches_0_is_0_there(place, scale):
    """Multiplied out, so that SymPy finds no factor of irrational coefficients."""
    touching = analytic(expand(scale * (z - place) ** 2))
    (found,) = zeros(touching)
    assert _close(found, place)
    assert zeros(touching + analytic(scale)) == ()
    assert len(zeros(touching - analytic(scale))) == 2
    assert composed(RELU, touching).at(S(5)) == (touching.at(S(5)) if scale > 0 else 0)
