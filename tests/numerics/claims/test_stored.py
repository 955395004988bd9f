"""Numbers of the authors' code: each can be what it is said to be, and what they are held to."""

from itertools import pairwise

import pytest
from scipy.stats import binom

from derive.pair import Pair
from numerics.claims import stored
from numerics.claims.stored import EXIT_RUNS, EXIT_SHARES, EXITS, StoredCurve
from numerics.claims.stored_runs import ranges_of_quantiles

CURVES = [
    each
    for value in vars(stored).values()
    for each in (value if isinstance(value, tuple) else (value,))
    if isinstance(each, StoredCurve)
]


@pytest.mark.parametrize("curve", CURVES, ids=lambda c: f"{c.activation} {c.labels} {c.place}")
def test_a_stored_curve_is_of_strengths_between_the_ends_and_of_times(curve):
    """Read in increasing order; sums end below the degrees at which the authors' code stops."""
    assert isinstance(curve.pair, Pair)
    assert curve.pair.labels.text == curve.labels
    for read in (curve.times, curve.ratios):
        strengths = [float(mu) for mu, _ in read]
        assert all(0 < mu < 1 for mu in strengths)
        assert strengths == sorted(set(strengths))
        assert all(value > 1 for _, value in read)
    assert 0 <= curve.gap < 0.01
    assert (curve.gap > 0) != bool(curve.times)  # read off the figure, or only noted
    assert curve.highest == (10 if curve.labels == "squared" else 16)
    assert (curve.normalization == "raw") == (not curve.activation.startswith("He"))


def test_their_runs_are_of_strengths_between_the_ends_and_leave_in_order():
    for each in EXITS:
        assert 0 < each.mu < 1
        assert 0 < each.learning_rate < 0.1
        assert all(1 < low < high for low, high in pairwise(each.steps))
        assert each.scale_u in (1, stored.EXIT_SETTING["dimension"] ** -1.5)
    same = [each for each in EXITS if (each.activation, each.mu) == ("x", 0.5)]
    assert len({each.scale_u for each in same}) == len(same) == 2
    assert all(0 < share < 1 for share in EXIT_SHARES)
    for ratios in (stored.DOTS_RELU_OVER_X, [stored.DOT_OVER_TAU]):
        assert all(0 < float(mu) < 1 < ratio for mu, ratio in ratios)


@pytest.mark.parametrize("tail", [0.1, 0.0014])
def test_ranges_of_quantiles_leave_out_a_tail_on_each_side(tail):
    """A run is below a share p with the probability p: their number is binomial."""
    for share, (low, high) in zip(EXIT_SHARES, ranges_of_quantiles(tail), strict=True):
        k = round(share * EXIT_RUNS)
        assert binom.sf(k - 1, EXIT_RUNS, low) == pytest.approx(tail)
        assert binom.cdf(k, EXIT_RUNS, high) == pytest.approx(tail)
        assert low < share < high
