"""Singular pre-training strengths of polynomial pairs, isolated exactly by continued fractions.

``numerics.singularities`` finds those of every pair, faster; this exact list needs no balls, prints
in the tables of ``derive`` and is the oracle that the tests hold the other to.
"""

from dataclasses import dataclass

from sympy import Poly, Rational, floor

from derive.drift import Drift
from derive.errors import InputError
from derive.hermite import checked_degree
from derive.pair_drift import DriftLike, drift_of
from derive.symbols import mu


@dataclass(frozen=True)
class SingularStrength:
    """A zero of ``a`` in (0, 1), between the rationals ``low`` and ``high``. Exact.

    ``diverges`` says whether the escape time is infinite there, that is whether ``b`` ≤ 0.
    """

    low: Rational
    high: Rational
    diverges: bool


def singular_strengths(drift: DriftLike, digits: int = 10) -> tuple[SingularStrength, ...]:
    r"""All zeros of ``a`` in the open interval (0, 1), in increasing order.

    Arguments:
        drift: of a polynomial pair, or what ``drift_of`` takes.
        digits: after the point, that both ends of each isolating interval share.

    .. math:: a(\mu^\star) = 0, \qquad \tau = \infty \iff b(\mu^\star) \le 0

    Raises ``InputError`` for a drift that is no polynomial, if ``a`` vanishes identically and for
    misaligned pre-training.
    Source: Prop. 2, Remark 1, (59). Exact.

    >>> from derive.polynomial_drift import hermite_drift
    >>> [(s.low, s.high, s.diverges) for s in singular_strengths(hermite_drift(3), 2)]
    [(41/128, 21/64, True)]
    """
    drift, digits = drift_of(drift), checked_degree(digits, "digits")
    if not isinstance(drift, Drift):
        raise InputError("a is no polynomial here: numerics.find_singularities finds its zeros")
    if drift.a.is_zero:
        raise InputError("a vanishes at every strength: no zero of it is isolated")
    if drift.misalignment != 0:
        raise InputError("singularities are those of aligned pre-training: give no misalignment")
    inner = drift.a.sqf_part()
    for end in (mu, 1 - mu):
        factor = Poly(end, mu, domain=inner.domain)
        inner = inner.exquo(factor) if inner.rem(factor).is_zero else inner
    steepest = sum(k * abs(c) for (k,), c in drift.b.terms())  # bounds |b'| on [0, 1]
    common = inner.gcd(drift.b)
    found = []
    for (low, high), _ in inner.intervals(inf=0, sup=1):
        shared = bool(common.degree() > 0 and common.intervals(inf=low, sup=high))
        # Cut until both ends agree in their decimals and b cannot change its sign between them.
        while low < high and not (
            floor(low * 10**digits) == floor(high * 10**digits)
            and (shared or abs(drift.b.eval(low)) > steepest * (high - low))
        ):
            low, high = _part(inner, low, high, 10**digits)
        found.append(SingularStrength(low, high, bool(shared or drift.b.eval(low) <= 0)))
    return tuple(found)


def _part(a: Poly, low: Rational, high: Rational, unit: int) -> tuple[Rational, Rational]:
    """The part of an isolating interval that holds the zero.

    It is cut in the middle, or at the last decimal in it if there is no other: bisection alone
    would close in for ever on a zero that is a decimal itself.
    """
    decimal = Rational(floor(high * unit), unit)
    cut = decimal if low < decimal < high < low + Rational(1, unit) else (low + high) / 2
    value = a.eval(cut)
    if value == 0:
        return cut, cut
    return (cut, high) if value * a.eval(low) > 0 else (low, cut)
