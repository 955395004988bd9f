r"""Certified means of two correlated Gaussians, of functions without a closed form.

:math:`E f(z) g(\mu z + \nu x)` is one integral inside another, in ball arithmetic. The inner one
runs over the variable with the larger factor, piece by piece: the breakpoints of g stand at
:math:`(p - \nu x)/\mu` there, or :math:`(p - \mu z)/\nu`, and move little as the outer variable
does. The outer integral is cut where they meet other breakpoints, and is analytic in between. A δ
of g leaves the mean of f given that breakpoint. The tails are bounded by majorants.
"""

from collections.abc import Callable, Sequence
from functools import reduce
from itertools import pairwise
from operator import add
from typing import Any, NamedTuple

from flint import acb, arb, ctx, fmpq, fmpq_poly

from derive.errors import InputError
from derive.piecewise import PiecewiseAnalytic
from derive.plane import PlaneMean
from derive.symbols import mu, z
from numerics.certified.expressions import ball_function
from numerics.certified.functions import Majorant
from numerics.certified.majorants import majorant
from numerics.certified.means import integral

_FARTHEST = 200
_EFFORT = 2000  # evaluations of inner integrals for many outer values at once
Integrand = Callable[[acb, bool], acb]


def plane_function(mean: PlaneMean) -> Callable[[arb], arb]:
    """A mean over the plane as a function of the strength, where ν is not 0.

    Raises ``InputError`` if no tail bound is known. Certified at the working precision.

    >>> from derive.pair import Pair
    >>> from derive.pair_drift import drift_of
    >>> from derive.plane import plane_drift
    >>> pair = Pair("x", misalignment="linear")
    >>> plane_function(plane_drift(pair, drift_of("x")).a)(arb(1) / 4).contains(arb(3) / 4)
    True
    """
    spread = ball_function(mean.spread, [mu])
    terms = [(ball_function(c, [mu]), _Product(f, g)) for c, f, g in mean.terms]

    def value(strength: arb) -> arb:
        nu = spread(strength)
        parts = (factor(strength) * product.mean(strength, nu) for factor, product in terms)
        total: arb = reduce(add, parts)
        return total

    return value


class _Function:
    """A piecewise analytic function without its δ, compiled, with a bound."""

    def __init__(self, f: PiecewiseAnalytic) -> None:
        self.pieces = [ball_function(piece, [z], acb) for piece in f.pieces]
        self.breaks = [ball_function(point, []) for point in f.breaks]
        self.bound = reduce(add, (majorant(*part) for part in f.intervals()))


class _Product:
    """The mean of a product f(z) g(λ)."""

    def __init__(self, f: PiecewiseAnalytic, g: PiecewiseAnalytic) -> None:
        self._f, self._g = _Function(f), _Function(g)
        self._alone = f.pieces == (1,)
        self._deltas = [
            (ball_function(weight.subs(z, p), []), ball_function(p, []))
            for weight, p in zip(g.deltas, g.breaks, strict=True)
            if weight != 0
        ]
        self._vanishes = any(
            one.is_odd and (other - other.reflected()).is_zero for one, other in ((f, g), (g, f))
        )

    def mean(self, strength: arb, spread: arb) -> arb:
        """The mean, at a strength μ and a spread ν."""
        if self._vanishes:
            return arb(0)
        variance = strength * strength + spread * spread
        total = arb(0)
        for weight, point in self._deltas:
            p, deviation = point(), variance.sqrt()
            density = (-p * p / variance / 2).exp() / (2 * arb.pi()).sqrt() / deviation
            given = (strength * p / variance, spread / deviation)
            total += weight() * density * (arb(1) if self._alone else _on_line(self._f, *given))
        if self._alone:
            return total + _on_line(self._g, arb(0), variance.sqrt())
        if strength.is_zero():
            return total + _on_line(self._f, arb(0), arb(1)) * _on_line(self._g, arb(0), spread)
        return total + _Plane(self._f, self._g, strength, spread).mean()


def _between(function: Integrand, low: acb, high: acb, width: arb) -> acb:
    """The integral between balls: between their middles, and what is missed there."""
    total = integral(function, low.mid(), high.mid(), width, _EFFORT)
    for end in (low, high):
        radius = end.rad()
        if radius > 0:
            total += function(end, True) * acb(arb(0, radius), arb(0, radius))
    return total


def _on_line(f: _Function, middle: arb, deviation: arb) -> arb:
    """The mean of f at a Gaussian of some mean and deviation."""
    reach, tail = _cut([(f.bound.seen_from(middle, deviation), None)])
    ends = [arb(-reach), *((p() - middle) / deviation for p in f.breaks), arb(reach)]
    ends = [_clipped(end, reach) for end in ends]
    total = acb(0)
    for piece, low, high in zip(f.pieces, ends, ends[1:], strict=False):

        def integrand(h: acb, analytic: bool, piece: Any = piece) -> acb:
            value: acb = piece(middle + deviation * h, analytic=analytic) * (-h * h / 2).exp()
            return value

        if not (low.is_exact() and high.is_exact() and low == high):
            total += _between(integrand, acb(low), acb(high), arb(0))
    return total.real / (2 * arb.pi()).sqrt() + arb(0, tail.upper())


def _clipped(end: arb, reach: int) -> arb:
    """An end within reach, also of a ball that lies across it; not finite if the end is not."""
    within: arb = end.max(arb(-reach)).min(arb(reach))
    return within


def _cut(bounds: Sequence[tuple[Majorant, Majorant | None]]) -> tuple[int, arb]:
    """Where to cut, and a bound on what is beyond: of functions, or of products of two."""
    reach = 4
    while reach <= _FARTHEST:
        total: arb | None = arb(0)
        for one, other in bounds:
            tail, whole = one.tail(reach), arb(1) if other is None else _whole(other)
            total = None if tail is None or total is None else total + tail * whole
        if total is not None and total < arb(2) ** -ctx.prec:
            return reach, total
        reach += 1
    raise InputError("the integrand grows too fast for these Gaussians: its mean is infinite")


def _whole(bound: Majorant) -> arb:
    """A bound on the mean of a majorant."""
    for start in range(2, _FARTHEST):
        tail = bound.tail(start)
        if tail is not None:
            exponent = bound.linear * start + bound.quadratic * start**2
            return arb(bound.polynomial(fmpq(start))) * arb(exponent).exp() + tail
    raise InputError("the integrand grows too fast for these Gaussians: its mean is infinite")


class _Mark(NamedTuple):
    """A breakpoint of the inner integral on a stretch of the outer one.

    Fields: its ``place`` in the middle, within reach; whether it ``moves``, as those of g; and the
    ``number`` that it is made of.
    """

    place: float
    moves: bool
    number: arb


class _Plane:
    """E f(z) g(λ) at one strength, by the inner and the outer integral."""

    def __init__(self, f: _Function, g: _Function, strength: arb, spread: arb) -> None:
        self._f, self._g = f, g
        self._inside = bool(strength.mid() >= spread.mid())  # whether z is the inner variable
        self._inner, self._outer = (strength, spread) if self._inside else (spread, strength)
        of_z, of_x = self._bounds(strength, spread)
        self._reach, self._tail = _cut([(of_z, of_x), (of_x, of_z)])
        inner, self._bound = (of_z, of_x) if self._inside else (of_x, of_z)
        self._size = _whole(inner)
        self._moving = [p() for p in g.breaks]
        self._fixed = [q() for q in f.breaks]
        self._edges = [arb(-self._reach), arb(self._reach)]

    def _bounds(self, strength: arb, spread: arb) -> tuple[Majorant, Majorant]:
        """|f(z) g(λ)| ≤ A(z) B(x), as |λ| ≤ k(|z| + |x|) and λ² ≤ (μ² + ν²)(z² + x²)."""
        f, g = self._f.bound, self._g.bound
        k = max(fmpq(1), abs(spread).upper().fmpq())
        variance = (strength * strength + spread * spread).upper().fmpq()
        either = 1 + g.polynomial(fmpq_poly([0, 2 * k]))
        of_x = Majorant(either, g.linear * k, g.quadratic * variance)
        return f * of_x, of_x

    def mean(self) -> arb:
        """The mean."""
        cuts = self._cuts()
        if not all(cut.is_finite() for cut in cuts):
            return arb("nan")
        cuts.sort(key=lambda cut: float(cut.mid()))
        total = acb(0)
        for low, high in pairwise([self._edges[0], *cuts, self._edges[1]]):
            start, stop = low.mid(), high.mid()
            if not start < stop:
                continue
            stretch = self._stretch((start + stop) / 2)

            def integrand(o: acb, analytic: bool, stretch: Integrand = stretch) -> acb:
                value: acb = stretch(o, analytic) * (-o * o / 2).exp()
                return value

            total += integral(integrand, acb(start), acb(stop))
            for end in (low, high):  # next to a cut the order beyond it may be the true one
                if end.rad() > 0:
                    size = abs(integrand(acb(end), True)) + self._most(end)
                    total += arb(0, (2 * end.rad() * size).upper())
        return total.real / (2 * arb.pi()) + arb(0, self._tail.upper())

    def _most(self, place: arb) -> arb:
        """A bound on the size of the inner integral."""
        at, bound = abs(place).upper().fmpq(), self._bound
        exponent = bound.linear * at + bound.quadratic * at**2
        value: arb = self._size * bound.polynomial(at) * arb(exponent).exp() * (2 * arb.pi()).sqrt()
        return value

    def _cuts(self) -> list[arb]:
        """Where the outer variable brings two breakpoints of the inner one together."""
        fixed = [*self._edges, *self._fixed] if self._inside else self._edges
        met = [(p - self._inner * q) / self._outer for p in self._moving for q in fixed]
        own = [] if self._inside else self._fixed
        return [_clipped(cut, self._reach) for cut in (*met, *own)]

    def _marks(self, middle: arb) -> list[_Mark]:
        """The breakpoints of the inner integral, in their order on a stretch."""
        reach, marks = self._reach, []
        for p in self._moving:
            place = float(((p - self._outer * middle) / self._inner).mid())
            marks.append(_Mark(min(max(place, -reach), reach), True, p))
        if self._inside:
            marks += [_Mark(float(q.mid()), False, q) for q in self._fixed]
        return sorted(marks, key=lambda mark: mark.place)

    def _stretch(self, middle: arb) -> Integrand:
        """The inner integral as a function of the outer variable, between two cuts."""
        marks = self._marks(middle)
        teacher = 0 if self._inside else sum(bool(q.mid() < middle) for q in self._fixed)
        student, parts = 0, []
        for left, right in zip([None, *marks], [*marks, None], strict=True):
            if left is not None:
                student += left.moves
                teacher += not left.moves
            parts.append((self._f.pieces[teacher], self._g.pieces[student], left, right))

        def value(o: acb, analytic: bool) -> acb:
            total = acb(0)
            for f, g, left, right in parts:
                low, high = self._end(left, o, -1), self._end(right, o, 1)
                if not (low.is_exact() and high.is_exact() and low == high):
                    total += _between(self._integrand(f, g, o), low, high, o.rad())
            return total

        return value

    def _end(self, mark: _Mark | None, o: acb, side: int) -> acb:
        """Where a piece ends on one side, for a ball of the outer variable."""
        if mark is None:
            return acb(side * self._reach)
        if abs(mark.place) >= self._reach:
            return acb(self._reach if mark.place > 0 else -self._reach)
        return (mark.number - self._outer * o) / self._inner if mark.moves else acb(mark.number)

    def _integrand(self, f: Any, g: Any, o: acb) -> Integrand:
        """What is integrated inside; it is to be analytic in the outer variable too."""

        def value(i: acb, _: bool) -> acb:
            seen = self._inner * i + self._outer * o
            first = f(i if self._inside else o, analytic=True)
            found: acb = first * g(seen, analytic=True) * (-i * i / 2).exp()
            return found

        return value
