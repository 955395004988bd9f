"""The bisection: every part is decided once, and none is lost."""

from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from numerics.certified.bisection import bisected


@given(st.sets(st.fractions(0, 1, max_denominator=50), max_size=6), st.integers(1, 12))
def test_the_parts_cover_the_start_and_hold_at_most_one_point_each(points, depth):
    """Halve until a part holds one point or is 2^-depth narrow: disjoint, nothing left out."""

    def decide(cell):
        lower, upper = cell
        inside = [p for p in points if lower <= p < upper]
        if len(inside) < 2 or upper - lower <= Fraction(1, 2**depth):
            return [(lower, upper, len(inside))], []
        middle = (lower + upper) / 2
        return [], [(lower, middle), (middle, upper)]

    found = sorted(bisected((Fraction(0), Fraction(2)), decide))
    assert (found[0][0], found[-1][1]) == (0, 2)
    assert all(left[1] == right[0] for left, right in pairwise(found))
    assert sum(count for *_, count in found) == len(points)
    assert all(count < 2 or upper - lower <= Fraction(1, 2**depth) for lower, upper, count in found)


def test_what_is_found_on_the_way_is_kept_and_its_parts_are_still_cut():
    found = bisected(8, lambda n: ([n], [n // 2, n // 4] if n > 3 else []))
    assert sorted(found) == [1, 2, 2, 4, 8]
