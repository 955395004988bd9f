"""Ends of escapes by the argument on the loss: laws and limits; the flow itself is in numerics."""

import pytest
from sympy import Poly, Rational

from derive.ends import escape_end
from derive.errors import InputError
from derive.landscape import landscape_of
from derive.pair import Pair
from derive.rest import rest_points
from derive.singularities import singular_strengths
from derive.symbols import residual, rho


@pytest.mark.parametrize("degree", [3, 5, 7])
def test_the_end_changes_at_the_singularity_and_nowhere_else(degree):
    """At strengths as near as 10⁻⁹, where no flow is followed to its end."""
    (singular,) = singular_strengths(Pair(f"He{degree}"), 9)
    gap = Rational(1, 10**9)
    below, above = (escape_end(f"He{degree}", x)
                    for x in (singular.low - gap, singular.high + gap))  # fmt: skip
    assert below.rational == (0, 0)
    assert above.rational == (1, 0)


@pytest.mark.parametrize("pair", ["He2", "He3", "x**3-x/2", Pair("He3", labels="squared")], ids=str)
@pytest.mark.parametrize("percent", [15, 45, 80])
def test_the_loss_falls_on_the_edge_from_the_strength_to_the_end(pair, percent):
    mu, loss = Rational(percent, 100), landscape_of(pair).loss.subs(residual, 0)
    found = escape_end(pair, mu)
    if found is None:
        return
    end, _ = found.point.within(Rational(1, 10**9))
    end = found.point.rho.eval(end)
    values = [loss.subs(rho, mu + (end - mu) * k / 20) for k in range(20)]
    assert values == sorted(values, reverse=True)


@pytest.mark.parametrize("pair", [
    "(x**4-x**2)/100", Pair("(He3+x)/50", "He3/50"), "x**2+x**3/3",
], ids=str)  # fmt: skip
@pytest.mark.parametrize("percent", [5, 25, 40, 42, 60, 95])
def test_an_end_is_the_next_zero_of_a_on_the_edge_and_a_sink(pair, percent):
    """Others lie farther away, or inside; how large the outputs are does not matter."""
    mu, landscape = Rational(percent, 100), landscape_of(pair)
    end = escape_end(pair, mu)
    if end is None:
        return
    assert (end.kind, end.stability) == ("edge", "sink")
    way = 1 if landscape.derived[1].subs({rho: mu, residual: 0}) > 0 else -1
    a = Poly(landscape.derived[1].subs(residual, 0), rho)
    ends = end.point.within(Rational(1, 10**9)) if end.rational is None else end.rational[:1]
    assert all((place - mu) * way > 0 for place in ends)
    assert a.count_roots(*sorted((mu, max(ends) if way > 0 else min(ends)))) == 1


def test_nothing_is_said_where_the_argument_is_silent():
    """A saddle below ℓ(μ), a line that rests, a loss without a bound."""
    assert escape_end("He2", Rational(1, 5)) is None
    assert escape_end("He3", Rational(1)) is None
    assert escape_end(Pair("x", loss="correlation"), Rational(1, 2)) is None
    falling = Pair("x", "x**3 - 9/4*x", labels="-y", loss="correlation")
    assert {p.stability for p in rest_points(falling)} == {"source", "saddle", "sink"}
    assert escape_end(falling, Rational(1, 4)) is None


def test_a_loss_that_is_as_large_is_not_below():
    """Of half the labels, full strength is as wrong as none, where all vanishes to high order."""
    pair = Pair("x**3", labels="y/2")
    loss = landscape_of(pair).loss.subs(residual, 0)
    assert loss.subs(rho, 0) == loss.subs(rho, 1)
    end = escape_end(pair, 1)
    assert end.point.value(2 * rho**3 - 1).is_zero


def test_strengths_and_misalignment_are_refused():
    for strength in (Rational(0), 1 + Rational(1, 10**9)):
        with pytest.raises(InputError, match="give 0 < μ ≤ 1"):
            escape_end("He3", strength)
    with pytest.raises(InputError, match="no misalignment"):
        escape_end(Pair("He3", misalignment="linear"), Rational(1, 2))
