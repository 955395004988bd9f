"""Potentials: a curve a strength, explained by a legend if they are few and else by a bar."""

import numpy as np
import pytest

from derive.errors import InputError
from derive.pair import Pair
from derive.pair_drift import drift_of
from derive.polynomial_drift import hermite_drift
from numerics.figures.potentials import draw_potentials
from numerics.figures.style import MOST_IN_LEGEND, strength_colour


@pytest.mark.parametrize("count", [MOST_IN_LEGEND, MOST_IN_LEGEND + 1])
def test_few_strengths_have_a_legend_and_many_a_bar(printed, count):
    """V = -(1-μ)² log cosh g, for x, on both sides of the top alike."""
    strengths = [k / 10 for k in range(1, count + 1)]
    result = draw_potentials([(Pair("x"), drift_of("x"))], strengths, "svg", "made so")
    axis, *bars = printed.figures[0].axes
    assert (axis.get_legend() is None, len(bars)) == (count > MOST_IN_LEGEND,) * 2
    for line, mu in zip(axis.lines, strengths, strict=True):
        g, potential = line.get_data()
        np.testing.assert_allclose(potential, -((1 - mu) ** 2) * np.log(np.cosh(g)), atol=1e-15)
        np.testing.assert_allclose(g, -g[::-1])
        assert (g[0], line.get_color()) == (-3, strength_colour(mu))
    assert not axis.get_title(loc="left").startswith("(")
    assert "Potential $V(g)" in result.caption.text


def test_a_potential_beyond_doubles_is_refused():
    pair = Pair("1e90*x")
    with pytest.raises(InputError, match="leaves the range of doubles"):
        draw_potentials([(pair, drift_of(pair))], [0.5], "svg", "made so")


def test_units_are_said_of_degrees_alone(printed):
    pairs = [(Pair(3), hermite_drift(3, normalization="n*n!")), (Pair("He3"), drift_of("He3"))]
    draw_potentials(pairs, [0.5], "svg", "made so")
    degree, named = printed.figures[0].axes
    assert "units of" in degree.get_ylabel()
    assert "units of" not in named.get_ylabel()
    assert [axis.get_title(loc="left")[:3] for axis in (degree, named)] == ["(a)", "(b)"]
    assert degree.lines[0].get_ydata()[0] * 18**2 == pytest.approx(named.lines[0].get_ydata()[0])
