r"""Gauss's rule for analytic functions, with a proved error.

A function that is at most M on the ellipse with foci ±1 and half-axes :math:`(r \pm 1/r)/2` has a
Chebyshev series that leaves out at most :math:`2M r^{1-2n}/(r-1)` from the degree 2n on. The rule
of n nodes is exact below it, and both it and the integral over [-1, 1] have mass 2. So the rule
misses at most :math:`8M r^{1-2n}/(r-1)`.
"""

from dataclasses import dataclass
from functools import lru_cache

from flint import acb, arb, ctx, fmpq

_COUNTS = range(8, 73, 8)


@dataclass(frozen=True)
class Ellipse:
    """An ellipse with foci ±1. Fields: ``sum`` r of its half-axes, an integer above 1."""

    sum: int

    def box(self, middle: arb, radius: arb) -> acb:
        """A rectangle around the ellipse, scaled to an interval."""
        wide, high = (radius * (self.sum + sign * fmpq(1, self.sum)) / 2 for sign in (1, -1))
        return acb(middle + arb(0, wide.upper()), arb(0, high.upper()))

    def error(self, count: int) -> arb:
        """What the rule of so many nodes misses at most of a function that is at most 1 on it.

        >>> ELLIPSE.error(8) < 1e-6
        True
        """
        return 8 * arb(self.sum) ** (1 - 2 * count) / (self.sum - 1)


ELLIPSE = Ellipse(3)


def nodes_for(bound: arb, error: arb) -> int | None:
    """How many nodes miss at most an error of what is bounded on the ellipse, ``None`` if too many.

    >>> nodes_for(arb(1), arb("1e-20"))
    24
    """
    return next((n for n in _COUNTS if bound * ELLIPSE.error(n) < error), None)


def rule(count: int) -> tuple[list[arb], list[arb]]:
    """Nodes and weights on [-1, 1] at the working precision. Certified."""
    return _rule(count, ctx.prec)


@lru_cache(maxsize=256)
def _rule(count: int, bits: int) -> tuple[list[arb], list[arb]]:
    found = [arb.legendre_p_root(count, k, True) for k in range(count)]
    return [place for place, _ in found], [weight for _, weight in found]
