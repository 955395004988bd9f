"""All real roots of an integer polynomial in (0, 1): isolated exactly, refined in ball arithmetic.

Isolation is bisection with Descartes' rule of signs (Vincent-Collins-Akritas). A cell whose
Möbius-transformed polynomial has no sign variation holds no root, one with exactly one variation
holds exactly one; the cells cover (0, 1), so the list is complete. A cell with one root is halved
on until the polynomial is provably monotone there. All this is integer arithmetic. Refinement asks
for signs at dyadic points only, which are always decided, in the cell's own coordinate, where a
polynomial that cancels catastrophically in powers of μ is well conditioned.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from flint import arb, ctx, fmpq, fmpz, fmpz_poly
from sympy import Expr, Poly

from derive.errors import InputError, abridged
from derive.given import insist_on
from derive.hermite import checked_degree
from derive.symbols import exact, mu, polynomial_in
from numerics.certified.balls import flint_polynomial
from numerics.certified.bisection import bisected
from numerics.certified.effort import spent
from numerics.certified.precision import settled

_SHIFT = fmpz_poly([1, 1])  # x + 1
_GUARD_BITS = 32
_Cell = tuple[fmpz_poly, int, int]  # a polynomial, and its place: the c-th of 2^k parts
_Found = tuple[fmpq, fmpq, fmpz_poly]
_MARGIN = 4  # bits lost in rounding the ends of an interval outwards to a ball


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


def isolate_roots(polynomial: fmpz_poly | Poly | Expr) -> list[RealRoot]:
    """Isolate every real root of a polynomial in the open interval (0, 1).

    Arguments:
        polynomial: not zero, with rational coefficients, in any one symbol.

    The list is complete; each interval holds one root of the polynomial and no other. Raises
    ``InputError`` for the zero polynomial and for what is none. Exact.

    >>> root, = isolate_roots(fmpz_poly([-1, 0, 2]))  # 2x² - 1
    >>> root.lower, root.upper
    (1/2, 1)
    """
    if not isinstance(polynomial, fmpz_poly):
        given = polynomial if isinstance(polynomial, Poly) else exact(polynomial)
        if len(given.free_symbols) > 1:
            raise InputError(
                f"{abridged(given)} is not accepted: give a polynomial in one symbol alone"
            )
        polynomial = flint_polynomial(polynomial_in(polynomial, mu)).numer()
    if polynomial.is_zero():
        raise InputError("the zero polynomial is not accepted: every number is its root")
    _, factors = polynomial.factor_squarefree()
    radical = fmpz_poly([1])
    for factor, _ in factors:
        radical *= factor
    found = []
    for lower, upper, local in _isolating_intervals(radical):
        multiplicity = next(m for f, m in factors if _has_the_root(f, lower, upper))
        found.append(RealRoot(radical, lower, upper, multiplicity, local))
    return found


def _has_the_root(divisor: fmpz_poly, lower: fmpq, upper: fmpq) -> bool:
    """Whether a divisor of the isolated polynomial has the root of an isolating interval.

    That polynomial is monotone on the closed interval and zero inside, so no divisor vanishes at
    the ends, and one that vanishes inside does so once and changes sign.
    """
    if lower == upper:
        return divisor(lower) == 0
    return divisor(lower) * divisor(upper) < 0


def _isolating_intervals(squarefree: fmpz_poly) -> Iterator[_Found]:
    """Disjoint intervals with one root each, and the polynomial in their coordinates."""

    def decide(cell: _Cell) -> tuple[list[_Found], list[_Cell]]:
        # q is a positive multiple of the polynomial at (c + x)/2^k, for x in (0, 1).
        q, k, c = cell
        bound = most_roots(q)
        if bound == 0:
            return [], []
        left, right = halves(q)
        if bound == 1 and right[0] != 0 and _monotone(right):
            return [(fmpq(c, 2**k), fmpq(c + 1, 2**k), right)], []
        middle = fmpq(2 * c + 1, 2 ** (k + 1))
        met = [(middle, middle, right)] if right[0] == 0 else []
        return met, [(left, k + 1, 2 * c), (right, k + 1, 2 * c + 1)]

    return bisected((squarefree, 0, 0), decide)


def most_roots(q: fmpz_poly) -> int:
    """A bound on the number of roots in (0, 1), which is exact if it is 0 or 1.

    Descartes' rule: it is the number of sign variations of (1+t)^n q(1/(1+t)). Certified.

    >>> most_roots(fmpz_poly([-1, 0, 2]))
    1
    """
    return sign_variations(fmpz_poly(q.coeffs()[::-1])(_SHIFT).coeffs())


def halves(q: fmpz_poly) -> tuple[fmpz_poly, fmpz_poly]:
    """Positive multiples of q(x/2) and q((1+x)/2). Exact.

    >>> halves(fmpz_poly([-1, 2]))
    (2*x + (-2), 2*x)
    """
    n = q.degree()
    left = fmpz_poly([coefficient << (n - i) for i, coefficient in enumerate(q.coeffs())])
    return left, left(_SHIFT)


def _monotone(centred: fmpz_poly) -> bool:
    """Whether the slope provably keeps its sign on [-1, 1]: |f₁| > Σ k|f_k|, k ≥ 2."""
    slope = centred.derivative().coeffs()
    return abs(slope[0]) > sum(abs(c) for c in slope[1:])


def enclose_root(root: RealRoot, bits: int) -> arb:
    """Ball that contains the root, to a relative accuracy of ``bits`` bits.

    Arguments:
        root: as ``isolate_roots`` gives it.
        bits: of relative accuracy, ≥ 1.

    Raises ``InputError`` for other arguments. Certified: the factor changes sign between the ends
    of the ball. It always ends: a step that fails comes nearer to a bisection, which cannot fail.

    >>> root, = isolate_roots(fmpz_poly([-1, 0, 2]))
    >>> enclose_root(root, 40).str(10)
    '[0.7071067812 +/- 1.35e-11]'
    """
    insist_on(root, RealRoot, "a root that isolate_roots has found")
    bits = checked_degree(bits, "bits", least=1)
    middle, half_width = (root.lower + root.upper) / 2, (root.upper - root.lower) / 2
    left, right = fmpq(-1), fmpq(1)
    values = value_at(root.local, left), value_at(root.local, right)
    bracket, k = _Bracket((left, right), values), 4
    while True:
        lower, upper = (middle + half_width * end for end in bracket.ends)
        width = (upper - lower) * 2 ** (bits + _MARGIN)
        if width <= lower:
            break
        missing = (width / lower).ceil().bit_length() if lower else k
        bracket, found = _narrowed(root.local, bracket, min(k, missing))
        k = 2 * k if found else max(k // 2, 1)
    with ctx.workprec(bits + _GUARD_BITS):
        return arb(lower).union(arb(upper))


@dataclass(frozen=True)
class _Bracket:
    """An interval in [-1, 1] around the root: its dyadic ends, and the values there.

    The values have opposite signs, or the ends are both the root.
    """

    ends: tuple[fmpq, fmpq]
    values: tuple[arb, arb]

    def cut(self, point: fmpq, value: arb) -> "_Bracket":
        """The part on one side of a point inside that holds the root."""
        if value.is_zero():
            return _Bracket((point, point), (value, value))
        if (value > 0) == (self.values[0] > 0):
            return _Bracket((point, self.ends[1]), (value, self.values[1]))
        return _Bracket((self.ends[0], point), (self.values[0], value))


def _narrowed(f: fmpz_poly, bracket: _Bracket, k: int) -> tuple[_Bracket, bool]:
    """One step of quadratic interval refinement, and whether it left one of 2^k equal parts.

    The secant proposes the part, signs at its ends tell whether the root is there. A bisection,
    k = 1, cannot fail. Source: J. Abbott, Quadratic interval refinement, arXiv 1203.1227.
    """
    (lower, upper), (left, right) = bracket.ends, (v.mid().fmpq() for v in bracket.values)
    part = (upper - lower) / 2**k
    cut = lower + part * min(max((left / (left - right) * 2**k).round(), 1), 2**k - 1)
    bracket = bracket.cut(cut, value_at(f, cut))
    other = cut + part if bracket.ends[0] == cut else cut - part
    if bracket.ends[0] < other < bracket.ends[1]:
        bracket = bracket.cut(other, value_at(f, other))
    return bracket, bracket.ends[1] - bracket.ends[0] <= part


def value_at(f: fmpz_poly, point: fmpq) -> arb:
    """Value at a dyadic rational, as a ball that excludes 0 unless the value is 0, then exact.

    It always ends: with bits enough for all digits of the value, nothing is rounded.

    >>> value_at(fmpz_poly([-1, 4]), fmpq(1, 4)).is_zero()
    True
    """
    spent(bits=ctx.prec, evaluations=1)
    value, _ = settled(
        lambda _: f(arb(point)),
        lambda ball: ball.is_exact() or not ball.contains(0),
        first=_GUARD_BITS + 2 * int(point.height_bits()),
        most=None,
    )
    return value


def vanishes_at(f: fmpz_poly, root: RealRoot) -> bool:
    """Whether ``f`` is zero at the root. Exact: by common factors, not by digits.

    >>> root, = isolate_roots(fmpz_poly([-1, 0, 2]))
    >>> vanishes_at(fmpz_poly([-3, 0, 6]), root), vanishes_at(fmpz_poly([0, 1]), root)
    (True, False)
    """
    return _has_the_root(f.gcd(root.factor), root.lower, root.upper)
