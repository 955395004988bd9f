"""Means between two points: what their ends, their parts and the whole of them say."""

import itertools

import pytest
from sympy import I, Integer, Rational, S, Symbol, diff, exp, oo, pi, sqrt

from derive.errors import InputError
from derive.gaussian import (
    NoClosedForm,
    constant,
    delta,
    error_function,
    exponential,
    power,
    sign,
)
from derive.truncated import truncated_mean

END = Symbol("q", real=True)
POINTS = (-Rational(4, 3), Rational(1, 5), Rational(3, 2))
TILTS = [(S.Zero, S.Zero), (Rational(1, 3), S.Zero), (S.Zero, Rational(-3, 4)),
         (Rational(-1, 5), Rational(2, 3)), (Rational(3, 2), Integer(-2))]  # fmt: skip
powers = pytest.mark.parametrize("k", [0, 1, 2, 5])
tilts = pytest.mark.parametrize("tilt", TILTS, ids=str)


def _close(one, two):
    return abs((one - two).evalf(30)) < Rational(1, 10**25)


@powers
@tilts
def test_the_slope_by_an_end_is_the_function_times_the_density(k, tilt):
    """The theorem of calculus, at either end; at equal ends nothing is left."""
    f = power(k) * exponential(*tilt) + constant(Rational(2, 7))
    quadratic, linear = tilt
    density = exp(-(END**2) / 2) / sqrt(2 * pi)
    known = (END**k * exp(-quadratic * END**2 + linear * END) + Rational(2, 7)) * density
    for other in (POINTS[1], -oo, oo):
        upper, lower = truncated_mean(f, other, END), truncated_mean(f, END, other)
        for place in POINTS:
            assert _close(diff(upper, END).subs(END, place), known.subs(END, place))
            assert _close(diff(lower, END).subs(END, place), -known.subs(END, place))
    assert _close(truncated_mean(f, END, POINTS[1]).subs(END, POINTS[1]), S.Zero)


@powers
@tilts
def test_parts_of_the_line_add_up_to_the_whole_mean(k, tilt):
    """That of the algebra, by other recursions."""
    f = power(k) * exponential(*tilt)
    ends = (-oo, *POINTS, oo)
    parts = [truncated_mean(f, *pair) for pair in itertools.pairwise(ends)]
    assert _close(sum(parts), f.mean())
    assert truncated_mean(f, -oo, oo) == f.mean()


@pytest.mark.parametrize(
    "f", [error_function(1), sign(), delta(), exponential(0, I), power(2) * error_function(3)]
)
def test_what_has_closed_forms_on_the_whole_line_alone_says_so(f):
    f = f + power(1)
    for ends in ((S.Zero, oo), (-oo, S.One), (S.Zero, S.One)):
        with pytest.raises(NoClosedForm, match="no closed form here"):
            truncated_mean(f, *ends)
    assert truncated_mean(f, -oo, oo) == f.mean()


@pytest.mark.parametrize("excess", [0, Rational(1, 9)])
def test_what_grows_as_a_gaussian_falls_is_refused(excess):
    growing = exponential(-S.Half - excess, 0)
    with pytest.raises(InputError, match="grows too fast"):
        truncated_mean(growing, S.Zero, oo)
    truncated_mean(exponential(-S.Half + Rational(1, 9), 0), S.Zero, oo)
