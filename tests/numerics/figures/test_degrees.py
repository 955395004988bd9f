"""Singularities over the degree: what the caption says is in the data."""

import csv

import pytest

from numerics.figures.degrees import draw_degrees


@pytest.mark.parametrize("degrees", [(3, 9, 10, 100, 1001), (3, 9, 10, 100)])
def test_a_caption_says_of_which_degree_a_number_is(printed, degrees):
    """Of odd degrees there is no first. Their scales are those in which they tend to constants."""
    result = draw_degrees(degrees, "svg", "made so")
    rows = list(csv.DictReader(result.data.decode().splitlines()[1:]))
    for which in ("first", "last"):
        ends = {row["degree"]: float(row["scaled"]) for row in rows if row["which"] == which}
        degree = max(ends, key=int)
        assert f"of the {which}, ${ends[degree]:.4g}$ at $n={degree}$" in result.caption.text
        limit, off = {"first": (1, 4 / int(degree)), "last": (5.0363, 10 / int(degree))}[which]
        assert ends[degree] == pytest.approx(limit, abs=off)
    both, *alone = printed.figures[0].axes
    drawn = [dict(zip(*map(list, line.get_data()), strict=True)) for line in both.lines]
    for line, axis, which in zip(drawn, alone, ("first", "last"), strict=True):
        own = [row for row in rows if row["which"] == which]
        assert line == {int(row["degree"]): float(row["mu"]) for row in own}
        (scaled,) = axis.lines
        assert list(scaled.get_ydata()) == [float(row["scaled"]) for row in own]
        assert f"the {which}, scaled" in axis.get_title(loc="left")
    assert all(axis.get_xscale() == "log" for axis in (both, *alone))
