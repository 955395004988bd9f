"""All real roots of an integer polynomial in (0, 1): isolated exactly, refined in ball arithmetic.

Isolation is bisection with Descartes' rule of signs (Vincent-Collins-Akritas). A cell whose
Möbius-transformed polynomial has no sign variation holds no root, one with exactly one variation
holds exactly one; the cells cover (0, 1), so the list is complete. A cell with one root is halved
on until the polynomial is provably monotone there. All this is integer arithmetic. Refinement is
interval Newton in the cell's own coordinate, where a polynomial that cancels catastrophically in
powers of μ is well conditioned.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from flint import arb, ctx, fmpq, fmpz, fmpz_poly

from derive.errors import InputError

_SHIFT = fmpz_poly([1, 1])  # x + 1
_GUARD_BITS = 32


@dataclass(frozen=True)
class RealRoot:
    """The one root of ``factor`` in an open interval.

    Fields: ``factor``, a squarefree integer polynomial; ``lower``, ``upper``, dyadic rationals,
    equal if the root is that number; ``multiplicity`` in the polynomial that was isolated;
    ``local``, a positive multiple of the factor in the coordinate that runs from -1 at ``lower`` to
    1 at ``upper``, monotone in between.
    """

    factor: fmpz_poly
    lower: fmpq
    upper: fmpq
    multiplicity: int
    local: fmpz_poly


def sign_variations(coefficients: Sequence[fmpz]) -> int:
    """Number of sign changes in a sequence of numbers, zeros left out.

    >>> sign_variations([1, 0, -2, -3, 4])
    2
    """
    signs = [c > 0 for c in coefficients if c != 0]
    return sum(s != t for s, t in pairwise(signs))


def isolate_roots(polynomial: fmpz_poly) -> list[RealRoot]:
    """Isolate every real root of a polynomial in the open interval (0, 1).

    Arguments: ``polynomial``, not zero. The list is complete; each interval holds one root of the
    polynomial and no other. Raises ``InputError`` for the zero polynomial. Exact.

    >>> root, = isolate_roots(fmpz_poly([-1, 0, 2]))  # 2x² - 1
    >>> root.lower, root.upper
    (1/2, 1)
    """
    if polynomial.is_zero():
        raise InputError("the zero polynomial is not accepted: every number is its root")
    _, factors = polynomial.factor_squarefree()
    radical = fmpz_poly([1])
    for factor, _ in factors:
        radical *= factor
    return [
        RealRoot(radical, lower, upper, _multiplicity(factors, lower, upper), local)
        for lower, upper, local in _isolating_intervals(radical)
    ]


def _multiplicity(factors: list[tuple[fmpz_poly, int]], lower: fmpq, upper: fmpq) -> int:
    """Multiplicity of the one root in an isolating interval: that of the factor it belongs to."""
    return next(
        multiplicity for factor, multiplicity in factors if _has_the_root(factor, lower, upper)
    )


def _has_the_root(divisor: fmpz_poly, lower: fmpq, upper: fmpq) -> bool:
    """Whether a divisor of the isolated polynomial has the root of an isolating interval.

    That polynomial is monotone on the closed interval and zero inside, so no divisor vanishes at
    the ends, and one that vanishes inside does so once and changes sign.
    """
    if lower == upper:
        return divisor(lower) == 0
    return divisor(lower) * divisor(upper) < 0


def _isolating_intervals(squarefree: fmpz_poly) -> Iterator[tuple[fmpq, fmpq, fmpz_poly]]:
    """Disjoint intervals with one root each, and the polynomial in their coordinates."""
    cells = [(squarefree, 0, 0)]
    while cells:
        # q is a positive multiple of the polynomial at (c + x)/2^k, for x in (0, 1).
        q, k, c = cells.pop()
        # (1+t)^n q(1/(1+t)) has at least as many sign variations as q has roots in (0, 1), and
        # exactly as many if there are none or one.
        variations = sign_variations(fmpz_poly(q.coeffs()[::-1])(_SHIFT).coeffs())
        if variations == 0:
            continue
        left, right = _halves(q)
        middle = fmpq(2 * c + 1, 2 ** (k + 1))
        if right[0] == 0:
            yield middle, middle, right
        elif variations == 1 and _monotone(right):
            yield fmpq(c, 2**k), fmpq(c + 1, 2**k), right
            continue
        cells += [(left, k + 1, 2 * c), (right, k + 1, 2 * c + 1)]


def _halves(q: fmpz_poly) -> tuple[fmpz_poly, fmpz_poly]:
    """Positive multiples of q(x/2) and q((1+x)/2)."""
    n = q.degree()
    left = fmpz_poly([coefficient << (n - i) for i, coefficient in enumerate(q.coeffs())])
    return left, left(_SHIFT)


def _monotone(centred: fmpz_poly) -> bool:
    """Whether the slope provably keeps its sign on [-1, 1]: |f₁| > Σ k|f_k|, k ≥ 2."""
    slope = centred.derivative().coeffs()
    return abs(slope[0]) > sum(abs(c) for c in slope[1:])


def enclose_root(root: RealRoot, bits: int) -> arb:
    """Ball that contains the root, to a relative accuracy of ``bits`` bits.

    Arguments: ``root`` as isolated; ``bits`` ≥ 1. Raises nothing of its own. Certified: every step
    keeps the root, and the result is substituted back (the factor changes sign across it).

    >>> root, = isolate_roots(fmpz_poly([-1, 0, 2]))
    >>> enclose_root(root, 40).str(10)
    '[0.7071067812 +/- 1.35e-11]'
    """
    precision = bits + _GUARD_BITS
    while True:
        with ctx.workprec(precision):
            middle, half_width = (root.lower + root.upper) / 2, (root.upper - root.lower) / 2
            if half_width == 0:
                return arb(middle)
            coordinate = _newton(root.local)
            # Slack around the smallest ball lets the signs at its ends be told apart.
            coordinate += arb(0, arb(fmpq(1, 2 ** (precision - _GUARD_BITS // 2))).upper())
            ball = middle + half_width * coordinate
            if ball.rel_accuracy_bits() >= bits and _changes_sign(root.local, coordinate):
                return ball
        precision += bits + _GUARD_BITS


def enclose_roots(roots: Sequence[RealRoot], bits: int) -> list[tuple[arb, RealRoot]]:
    """Enclose distinct roots in pairwise disjoint balls, in increasing order. Certified.

    >>> roots = isolate_roots(fmpz_poly([2, -9, 9]))  # (3x - 1)(3x - 2)
    >>> [ball.str(5, radius=False) for ball, _ in enclose_roots(roots, 30)]
    ['0.33333', '0.66667']
    """
    while True:
        found = sorted(
            ((enclose_root(root, bits), root) for root in roots), key=lambda pair: pair[0].mid()
        )
        if all(left < right for (left, _), (right, _) in pairwise(found)):
            return found
        bits *= 2


def _newton(f: fmpz_poly) -> arb:
    """Interval Newton on [-1, 1], where ``f`` is monotone with one root, while it gains."""
    derivative, ball = f.derivative(), arb(0, 1)
    while not (slope := derivative(ball)).contains(0):
        middle = ball.mid()
        shrunk = ball.intersection(middle - f(middle) / slope)
        if not shrunk.rad() < ball.rad() / 2:
            return shrunk
        ball = shrunk
    return ball


def _changes_sign(f: fmpz_poly, ball: arb) -> bool:
    """Whether ``f`` provably has opposite signs at the ends of the ball."""
    left, right = f(ball.lower()), f(ball.upper())
    return (left < 0 and right > 0) or (left > 0 and right < 0)


def vanishes_at(f: fmpz_poly, root: RealRoot) -> bool:
    """Whether ``f`` is zero at the root. Exact: by common factors, not by digits.

    >>> root, = isolate_roots(fmpz_poly([-1, 0, 2]))
    >>> vanishes_at(fmpz_poly([-3, 0, 6]), root), vanishes_at(fmpz_poly([0, 1]), root)
    (True, False)
    """
    return _has_the_root(f.gcd(root.factor), root.lower, root.upper)
