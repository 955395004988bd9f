r"""Rest points of the gradient flow of polynomial pairs, exactly, and what each of them is.

Over (ρ, s) with :math:`\rho = \mu + um`, :math:`s = u^2(1-m^2)` and the slopes a, b of the loss
(``derive.landscape``) the flow (91) is

.. math:: \dot u = a\,m + b\,u(1-m^2), \qquad \dot m = (1-m^2)\,u\,(a - b\,um).

So it rests in four kinds of places: where u = m = 0, the search phase; where m² = 1 and
:math:`a(\rho, 0) = 0`, on the edge; where s > 0 and a = b = 0, inside; and, if :math:`a(\mu, 0) =
0`, on all of the line u = 0: a singularity. Those on the edge and inside do not move with μ over
(ρ, s), and neither does what they are: with :math:`\theta = \arccos m` the eigenvalues on the edge
are :math:`a'(\rho)` along u and :math:`b(\rho)(\rho-\mu)^2` along θ, and those inside have the
signs of the Hessian of -L over (ρ, s), by Sylvester's law. How fast is for
``numerics.certified.rest_points``.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise, product
from typing import Literal

from sympy import QQ, Expr, Poly, PolynomialError, Rational, S, Symbol, diff, expand
from sympy.polys.polyerrors import CoercionFailed

from derive.errors import InputError, Undecided, quoted
from derive.loss import population_loss
from derive.pair import Pair, PairLike
from derive.symbols import Q, residual, rho, z

Kind = Literal["edge", "inside"]
Stability = Literal["sink", "saddle", "source", "degenerate"]
_T = Symbol("t", real=True)
_SHEARS = range(1, 9)
_FINER = 2**12  # by which intervals shrink until a sign is seen, or they are disjoint


@dataclass(frozen=True)
class AlgebraicPoint:
    """A point (ρ, s) whose coordinates are polynomials in one algebraic number t.

    Fields: ``minimal``, the irreducible polynomial of t; ``low``, ``high``, rationals that isolate
    t from its other real roots, equal if t is rational; ``rho``, ``residual``, polynomials in t.
    Exact.
    """

    minimal: Poly
    low: Rational
    high: Rational
    rho: Poly
    residual: Poly

    def value(self, function: Expr) -> Poly:
        """A polynomial function of ``rho`` and ``residual`` there, as a polynomial in t."""
        total = Poly(0, _T, domain=QQ)
        for (i, j), c in Poly(function, rho, residual, domain=QQ).terms():
            total += c * self._power(self.rho, i) * self._power(self.residual, j)
        return total.rem(self.minimal)

    def _power(self, base: Poly, exponent: int) -> Poly:
        power = Poly(1, _T, domain=QQ)
        for _ in range(exponent):
            power = (power * base).rem(self.minimal)
        return power

    def within(self, width: Rational) -> tuple[Rational, Rational]:
        """Rationals between which t lies, at most so far apart."""
        if self.high - self.low <= width:
            return self.low, self.high
        low, high = self.minimal.refine_root(self.low, self.high, eps=width)
        return low, high

    def sign(self, element: Poly) -> int:
        """The sign of a polynomial in t: 0 if the minimal polynomial divides it. Exact."""
        element = element.rem(self.minimal)
        if element.is_zero:
            return 0
        most = max(abs(self.low), abs(self.high))
        steepest = sum((k * abs(c) * most ** (k - 1) for (k,), c in element.terms() if k), S.Zero)
        low, high = self.low, self.high
        while abs(value := element.eval(low)) <= steepest * (high - low):
            low, high = self.within((high - low) / _FINER)
        return 1 if value > 0 else -1


@dataclass(frozen=True)
class RestPoint:
    """A place over (ρ, s) in which the flow rests, whatever the strength μ.

    Fields: ``kind``, on the edge m² = 1, where s = 0, or inside; ``point``; ``signs`` of the two
    eigenvalues: on the edge along u and along θ, inside in increasing order. Exact.
    """

    kind: Kind
    point: AlgebraicPoint
    signs: tuple[int, int]

    @property
    def stability(self) -> Stability:
        """Sink, saddle or source; ``degenerate`` where an eigenvalue is 0."""
        kinds: dict[int, Stability] = {-2: "sink", 0: "saddle", 2: "source"}
        return "degenerate" if 0 in self.signs else kinds[sum(self.signs)]

    @cached_property
    def rational(self) -> tuple[Rational, Rational] | None:
        """ρ and s, if both are rational numbers."""
        coordinates = self.point.rho, self.point.residual
        if any(c.degree() > 0 for c in coordinates):
            return None
        first, second = (c.eval(0) for c in coordinates)
        return first, second


def rest_points(pair: PairLike) -> tuple[RestPoint, ...]:
    r"""All rest points: first those on the edge, by increasing ρ, then those inside.

    Arguments:
        pair: of polynomials with rational coefficients, whatever labels and loss; of its
            misalignment no use is made.

    .. math:: a(\rho, 0) = 0, \quad\text{or}\quad a(\rho, s) = b(\rho, s) = 0,\; s > 0

    Raises ``InputError`` for other pairs and where whole curves rest, ``Undecided`` if common zeros
    are not told apart. Source: (51), (91). Exact.

    >>> for found in rest_points("He2"):
    ...     print(found.kind, found.rational, found.stability)
    edge (-1, 0) sink
    edge (0, 0) source
    edge (1, 0) sink
    inside (0, 1/3) saddle
    """
    return rest_points_of(*loss_slopes(Pair.of(pair)))


@lru_cache(maxsize=64)  # the same for all strengths
def loss_slopes(pair: Pair) -> tuple[Expr, Expr]:
    r"""The slopes :math:`L_Q` and :math:`L_\rho` of the loss of a pair of polynomials.

    Raises ``InputError`` for other pairs. Source: (51). Exact.

    >>> loss_slopes(Pair("x"))
    (1/2, -1)
    """
    if (known := pair.polynomials) is None:
        raise InputError(
            f"the flow of {quoted(pair.student.text)} is not that of a loss over Q and ρ in "
            "polynomials: give polynomials with rational coefficients"
        )
    label, sigma = (f.as_expr() for f in known)
    loss = population_loss(label, sigma, z)
    chosen = loss.expression if pair.loss == "square" else -loss.correlation
    return diff(chosen, Q), diff(chosen, rho)


@lru_cache(maxsize=64)
def rest_points_of(by_variance: Expr, by_covariance: Expr) -> tuple[RestPoint, ...]:
    r"""The same from the slopes of a loss over (Q, ρ), polynomials with rational coefficients.

    Those inside are the common zeros of both slopes, by resultants; a is
    :math:`-(2\rho L_Q + L_\rho)` and b is :math:`-2L_Q`. Errors as of ``rest_points``. Exact.
    """
    try:
        first, second = (Poly(f, Q, rho, domain=QQ) for f in (by_variance, by_covariance))
    except (PolynomialError, CoercionFailed):
        raise InputError("coefficients that are not rational are not accepted: give fractions"
                         ) from None  # fmt: skip
    here = {Q: rho**2 + residual}
    b = expand((-2 * by_variance).subs(here))
    a = expand(rho * b - by_covariance.subs(here))
    edge = Poly(a.subs(residual, 0), rho, domain=QQ)
    if edge.is_zero:
        raise InputError("a vanishes at every ρ: the whole edge m² = 1 rests; give another pair")
    found = [_on_edge(point, a, b) for point in real_points(edge)]
    return (*found, *(_inside(p, a, b) for p in _common(first, second) if p.sign(p.residual) > 0))


# On the edge.


def real_points(polynomial: Poly) -> list[AlgebraicPoint]:
    """The real zeros of a polynomial in ρ, as points of s = 0, in increasing order."""
    found = [
        (low, high, Poly(factor.as_expr().subs(factor.gen, _T), _T, domain=QQ))
        for factor, _ in polynomial.factor_list()[1]
        for (low, high), _ in factor.intervals()
    ]
    zero, t = Poly(0, _T, domain=QQ), Poly(_T, _T, domain=QQ)
    points = [AlgebraicPoint(p, low, high, t.rem(p), zero) for low, high, p in found]
    return _in_order(points)


def _in_order(points: list[AlgebraicPoint]) -> list[AlgebraicPoint]:
    """Points by increasing t, all different: their intervals shrink until they are disjoint."""
    width = S.One
    while True:
        order = sorted(((*point.within(width), i) for i, point in enumerate(points)))
        if all(one[1] < other[0] for one, other in pairwise(order)):
            return [points[i] for _, _, i in order]
        width /= _FINER


def _on_edge(point: AlgebraicPoint, a: Expr, b: Expr) -> RestPoint:
    signs = tuple(point.sign(point.value(each)) for each in (diff(a, rho), b))
    return RestPoint("edge", point, signs)  # type: ignore[arg-type]


# Inside.


def _inside(point: AlgebraicPoint, a: Expr, b: Expr) -> RestPoint:
    first, mixed, second = (
        point.value(each) for each in (diff(a, rho), diff(a, residual), diff(b, residual) / 2)
    )
    determinant = point.sign(first * second - mixed**2)
    trace = point.sign(first + second)
    if determinant < 0:
        return RestPoint("inside", point, (-1, 1))
    low, high = (trace, trace) if determinant else sorted((0, trace))
    return RestPoint("inside", point, (low, high))


def _common(first: Poly, second: Poly) -> list[AlgebraicPoint]:
    """The real common zeros of two polynomials in Q and ρ, without a curve of them in Q > 0."""
    _insist_on_points(first.gcd(second))
    parts = [[f for f, _ in each.factor_list()[1]] for each in (first, second) if not each.is_zero]
    pairs = [(f, g) for f, g in product(*parts) if f != g] if len(parts) == 2 else []
    for shear in _SHEARS:
        found = [_crossings(f, g, shear) for f, g in pairs]
        if None not in found:
            return list(dict.fromkeys(point for each in found for point in each or ()))
    raise Undecided("common zeros of the slopes are not told apart: give another pair")


def _insist_on_points(shared: Poly) -> None:
    """Raise ``InputError`` unless a common factor of the slopes is a function of Q, never 0."""
    if not shared.is_zero and shared.degree(rho) == 0:
        alone = Poly(shared.as_expr(), Q, domain=QQ)
        if alone.count_roots(0) == 0:
            return
    raise InputError(
        "both slopes of the loss vanish along a curve: no rest point on it is isolated; give "
        "another pair"
    )


def _crossings(first: Poly, second: Poly, shear: int) -> list[AlgebraicPoint] | None:
    r"""The real common zeros of two irreducible polynomials, over t = Q + kρ with a shear k.

    The subresultant of degree 1 in ρ gives ρ as a function of t, the resultant the values of t;
    ``None`` if the shear does not tell common zeros apart.
    """
    turned = [
        Poly(f.as_expr().subs(Q, _T - shear * rho), rho, _T, domain=QQ) for f in (first, second)
    ]
    if any(f.degree(rho) != f.total_degree() for f in turned):
        return None
    turned.sort(key=lambda f: -f.degree(rho))
    return _over(turned, shear)


def _over(turned: list[Poly], shear: int) -> list[AlgebraicPoint] | None:
    """Common zeros of two polynomials in ρ and t, of constant leading terms in ρ."""
    *others, last = turned[0].subresultants(turned[1])
    resultant = Poly(last.as_expr(), _T, domain=QQ)
    linear = next((f for f in others if f.degree(rho) == 1), None)
    found = []
    for factor, _ in resultant.factor_list()[1]:
        intervals = factor.intervals()
        if not intervals:
            continue
        if linear is None:
            return None
        slope, rest = (Poly(linear.as_expr().coeff(rho, k), _T, domain=QQ) for k in (1, 0))
        if slope.rem(factor).is_zero:
            return None
        place = (-rest * slope.invert(factor)).rem(factor)
        variance = Poly(_T, _T, domain=QQ) - shear * place
        remaining = (variance - place**2).rem(factor)
        found += [AlgebraicPoint(factor, low, high, place, remaining)
                  for (low, high), _ in intervals]  # fmt: skip
    return found
