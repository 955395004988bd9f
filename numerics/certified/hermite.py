r"""Zeros of ``a`` of pure Hermite students of any degree: no polynomial is expanded.

With Q = μ², the power of He_n is n! times the mean of X^n over an angle φ, where c = cos φ and
X = Q + (1-Q) c (claim ``power-as-mean``). So in units n n!

.. math:: b = -G_n(Q), \quad a = \mu^{n-1} - \mu\,G_n(Q), \quad G_n(Q) = E\,(1-c)\,X^{n-1}.

G_n is a binomial sum in the distance of Q from 0 or from 1, of which few terms count near a zero
of ``a``. How many zeros there are is proved for every degree (claims ``odd-singularity-single``,
``even-singularities``, ``squared-odd``): as many enclosed changes of sign are all of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import isqrt
from typing import TypeAlias

from flint import arb, ctx, fmpq

from derive.errors import Undecided
from derive.polynomial_drift import HermiteDrift
from numerics.certified.drift import BallDrift
from numerics.certified.effort import spent
from numerics.certified.zeros import sign_of

_NO_ZERO = (1, 2, 4, 6, 8)  # degrees whose a has no zero in (0, 1)
_HALVINGS = 8
_Mean: TypeAlias = Callable[[int, arb], tuple[arb, arb]]  # G_n and its slope, of n and Q


@dataclass(frozen=True)
class CountedZero:
    """A zero of ``a`` and an interval in which it is the only one.

    Fields: ``drift``, enclosed near the zero, its ``b`` right at the zero alone, where it is
    -μ^(n-2); ``interval``, at whose ends ``a`` has opposite signs. Certified.
    """

    drift: BallDrift
    interval: tuple[fmpq, fmpq]


def zeros_are_counted(drift: HermiteDrift) -> bool:
    """Whether the number of zeros of ``a`` is proved: for matched labels, or odd degrees."""
    return drift.labels == "matched" or drift.degree % 2 == 1


def counted_zeros(drift: HermiteDrift) -> list[CountedZero]:
    """All zeros of ``a`` in (0, 1), in increasing order, where their number is proved.

    Arguments:
        drift: one of which ``zeros_are_counted`` holds.

    Raises ``Undecided`` if a sign is not what it must be. Source: Prop. 2, Sec. 3.2 (c), 3.3.
    Certified.

    >>> from derive.polynomial_drift import hermite_drift
    >>> zero, = counted_zeros(hermite_drift(3))
    >>> zero.interval
    (491/1536, 659/2048)
    """
    n = drift.degree
    if drift.labels == "squared" or n in _NO_ZERO:
        return []
    ends = max(fmpq(1, 8 if n % 2 else 2), 1 - fmpq(8, n)), 1 - fmpq(1, n)
    found = [_counted(enclosed_near(drift, mean_about_one), *ends)]
    if n % 2 == 0:
        first = enclosed_near(drift, mean_about_zero)
        lower = upper = fmpq(1, isqrt(n) + 1)
        while upper < fmpq(1, 2) and sign_of(first.a, upper) > 0:
            upper = min(2 * upper, fmpq(1, 2))
        found.insert(0, _counted(first, lower, upper))
    return found


def _counted(drift: BallDrift, lower: fmpq, upper: fmpq) -> CountedZero:
    """The zero between two strengths, in an interval narrow enough for Newton's method."""
    sign = sign_of(drift.a, lower)
    if sign_of(drift.a, upper) == sign:
        raise Undecided(f"a does not change its sign between {lower} and {upper}")
    for _ in range(_HALVINGS):
        spent(cells=1)
        middle = (lower + upper) / 2
        lower, upper = (middle, upper) if sign_of(drift.a, middle) == sign else (lower, middle)
    return CountedZero(drift, (lower, upper))


def enclosed_near(drift: HermiteDrift, mean: _Mean) -> BallDrift:
    """The drift as balls; its ``b`` is that of a zero of ``a``, by a = μ^(n-1) + μ b."""
    n = drift.degree

    def unit() -> arb:
        return arb(1) if drift.normalization == "n*n!" else n * arb.fac_ui(n)

    def a(strength: arb) -> arb:
        value, _ = mean(n, strength**2)
        return unit() * (strength ** (n - 1) - strength * value)

    def slope(strength: arb) -> arb:
        value, growth = mean(n, strength**2)
        of_power = (n - 1) * strength ** (n - 2)
        return unit() * (of_power - value - 2 * strength**2 * growth)

    return BallDrift(a, lambda strength: -unit() * strength ** (n - 2), slope, None, None)


def mean_about_one(n: int, variance: arb) -> tuple[arb, arb]:
    """From the powers of (1-Q) c on: E (1-c) c^m is E c^m for even m and -E c^(m+1) for odd m."""
    gap = 1 - variance

    def ratio(k: int) -> arb:
        return -gap / variance * fmpq(n - 1 - k, 2 * (k // 2 + 1))

    total, weighted = weighted_sums(ratio, n - 1)
    slope = ((n - 1) * total - weighted) / variance - weighted / gap
    first = variance ** (n - 1)
    return first * total, first * slope


def mean_about_zero(n: int, variance: arb) -> tuple[arb, arb]:
    """The same terms from the other end, the powers of Q on, for even n."""
    gap = 1 - variance

    def ratio(k: int) -> arb:
        return -variance / gap * fmpq(2 * ((n - k) // 2), k + 1)

    total, weighted = weighted_sums(ratio, n - 1)
    slope = weighted / variance - ((n - 1) * total - weighted) / gap
    first = -(gap ** (n - 1)) * arb.bin_uiui(n, n // 2) / arb(2) ** n
    return first * total, first * slope


def weighted_sums(ratio: Callable[[int], arb], last: int) -> tuple[arb, arb]:
    """Σ t_k and Σ k t_k up to a last k, from t_0 = 1 and t_(k+1)/t_k, whose size must fall with k.

    Where that is below 1/4, all terms beyond t_k are at most (k+1) |t_k| in either sum.
    """
    spent(bits=ctx.prec, evaluations=1)
    term, total, weighted = arb(1), arb(1), arb(0)
    negligible = arb(2) ** -ctx.prec
    for k in range(1, last + 1):
        factor = ratio(k - 1)
        term *= factor
        total += term
        weighted += k * term
        beyond = (k + 1) * abs(term)
        if beyond < negligible and abs(factor) < 0.25:
            tail = arb(0, beyond.upper())
            return total + tail, weighted + tail
    return total, weighted
