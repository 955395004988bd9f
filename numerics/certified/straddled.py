"""Which singularities lie between the strengths of a grid: where a table or curve misleads."""

from collections.abc import Sequence
from fractions import Fraction

from derive.drift import AnyDrift
from numerics.certified.singularities import Singularity, find_singularities

_DIGITS = 8  # of the strengths


def straddled(drift: AnyDrift, strengths: Sequence[Fraction]) -> tuple[Singularity, ...]:
    """The strengths of infinite escape time between the least and the largest of a grid.

    A grid of one strength has none, nor has misaligned pre-training, where the escape goes on, or a
    drift that vanishes identically. Raises ``Undecided`` as ``find_singularities``. Certified.

    >>> from derive import drift_of
    >>> grid = [Fraction(1, 5), Fraction(2, 5)]
    >>> [s.mu.mid for s in straddled(drift_of("He3"), grid)], straddled(drift_of("He3"), grid[:1])
    (['0.32072435'], ())
    """
    low, high = min(strengths), max(strengths)
    if low == high or drift.misalignment != 0 or drift.is_zero:
        return ()
    found = find_singularities(drift, _DIGITS)
    return tuple(s for s in found if s.diverges and low <= Fraction(s.mu.mid) <= high)
