"""Curves over the strength: what dashes say of a pair."""

import pytest

from derive.pair import Pair
from derive.pair_drift import drift_of
from derive.polynomial_drift import hermite_drift
from numerics.figures.curves import draw_on
from numerics.figures.style import looks_of


def _dashes(members, quantity="tau"):
    """How the curves of pairs are drawn, without the lines at singularities."""
    drawn = draw_on(None, members, quantity)
    return [line.get_linestyle() for line in drawn.get_lines() if len(line.get_xdata()) > 2]


@pytest.mark.parametrize(
    ("degrees", "found"),
    [((2, 3, 4, 5), ["--", "-", "--", "-"]), ((3, 5, 9), ["-"] * 3), ((2, 6), ["-"] * 2)],
)
def test_even_degrees_are_dashed_among_odd_ones(degrees, found):
    assert (
        _dashes([(Pair(f"He{n}"), hermite_drift(n, normalization="n*n!")) for n in degrees])
        == found
    )


def test_dashes_tell_activations_where_one_line_is_drawn_of_each_and_else_the_coefficients():
    names = ("relu", "erf")
    members = [(Pair(name), drift_of(Pair(name))) for name in names]
    own = ["-" if look.dash == "-" else "--" for look in looks_of(names)]
    assert _dashes(members) == own != ["-", "-"]
    assert _dashes(members, "drift") == ["-", "--"] * 2
