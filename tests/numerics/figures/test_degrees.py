"""Singularities over the degree: what the caption says is in the data."""

import csv

import pytest

from numerics.figures.degrees import draw_degrees


@pytest.mark.parametrize("degrees", [(3, 9, 10, 100, 1001), (3, 9, 10, 100)])
def test_a_caption_says_of_which_degree_a_number_is(degrees):
    """Of odd degrees there is no first."""
    result = draw_degrees(degrees, "svg", "made so")
    rows = list(csv.DictReader(result.data.decode().splitlines()[1:]))
    for which in ("first", "last"):
        ends = {row["degree"]: float(row["scaled"]) for row in rows if row["which"] == which}
        degree = max(ends, key=int)
        assert f"of the {which}, ${ends[degree]:.4g}$ at $n={degree}$" in result.caption.text
