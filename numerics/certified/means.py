r"""Certified Gaussian means of functions without a closed form.

:math:`E f(z)` is integrated piece by piece in ball arithmetic, where every piece is analytic; a
function that breaks nowhere but at 0 is folded there, so that what is odd cancels before it is
integrated. Breakpoints ``p/mu`` move with the strength: for a ball of strengths the integral runs
between the middles of its ends, and what it may miss there is added. The tails are bounded by a
majorant (``numerics.certified.majorants``).
"""

from collections.abc import Callable, Sequence
from functools import cache, reduce
from operator import add
from typing import Any

from flint import acb, arb, ctx, fmpq
from sympy import Expr, S, oo

from derive.errors import InputError
from derive.grammar import ActivationLike, parse_function
from derive.means import Mean
from derive.piecewise import PiecewiseAnalytic
from derive.symbols import mu, z
from numerics.certified.expressions import ball_function
from numerics.certified.functions import Majorant
from numerics.certified.majorants import majorant

_FARTHEST = 10_000
_SLACK_BITS = 6  # of accuracy beyond what the width of the strengths allows
_EFFORT = 1000  # evaluations for many strengths at once


def mean_function(mean: Mean | PiecewiseAnalytic | ActivationLike) -> Callable[[arb], arb]:
    r"""The mean :math:`E f(z)` as a function of the ball of ``mu``, contained in [0, 1].

    Arguments:
        mean: of a function of ``z`` and ``mu``, or of what ``parse_function`` takes.

    Raises ``InputError`` if no tail bound is known. Certified at the working precision.

    >>> mean_function(z**2)(arb(1)).contains(1)
    True
    """
    if not isinstance(mean, Mean | PiecewiseAnalytic):
        mean = parse_function(mean)[1]
    integrands = (mean,) if isinstance(mean, PiecewiseAnalytic) else mean.integrands
    cuts = () if isinstance(mean, PiecewiseAnalytic) else mean.cuts
    return by_strength(
        [_one_mean(integrand) for integrand in integrands],
        [ball_function(cut, []) for cut in cuts],
    )


def by_strength(
    functions: Sequence[Callable[[arb], arb]], cuts: Sequence[Callable[[], arb]]
) -> Callable[..., arb]:
    """One function between each two strengths of several, of any ball or rational. Certified.

    >>> step = by_strength([lambda mu: -mu, lambda mu: mu], [lambda: arb(0.5)])
    >>> step(arb(0.25)), step(arb(0.75))
    (-0.250000000000000, 0.750000000000000)
    """
    if not cuts:
        return functions[0]

    def value(given: arb | fmpq) -> arb:
        strength = arb(given)
        ends = [arb(0), *(cut() for cut in cuts), arb(1)]
        found = [
            function(_within(strength, low, high))
            for function, low, high in zip(functions, ends, ends[1:], strict=False)
            if not (strength < low or strength > high)
        ]
        return reduce(lambda one, two: one.union(two), found)

    return value


def _within(ball: arb, low: arb, high: arb) -> arb:
    """The part of a ball between two ends."""
    bottom = ball.lower() if ball.lower() > low else low.lower()
    top = ball.upper() if ball.upper() < high else high.upper()
    return ball if (bottom, top) == (ball.lower(), ball.upper()) else bottom.union(top)


def _one_mean(f: PiecewiseAnalytic) -> Callable[[arb], arb]:
    if f.breaks in ((), (0,)):
        parts = [_Part(f.pieces[-1] + f.pieces[0].subs(z, -z), S.Zero, oo)]
    else:
        parts = [_Part(*part) for part in f.intervals() if part[0] != 0]
    bounds = [majorant(*part) for part in f.intervals()]
    bound = reduce(add, bounds)
    points = [
        _Point(point, weight)
        for point, weight in zip(f.breaks, f.deltas, strict=True)
        if weight != 0
    ]

    whole = Mean((f,))
    vanishes, is_zero = whole.at(0).is_zero, cache(lambda: whole.is_zero)

    def mean(strength: arb) -> arb:
        if vanishes and strength.is_zero():
            return arb(0)
        end, tail = _cut(bound)
        root = (2 * arb.pi()).sqrt()
        total = sum((part.integral(strength, end) for part in parts), arb(0)) / root
        total += arb(0, tail.upper())
        found = sum((point.value(strength) for point in points), total)
        # No ball of an integral is exactly 0; only what may be that is worth the question.
        return arb(0) if strength.is_exact() and found.contains(0) and is_zero() else found

    return mean


class _Part:
    """A piece and the ends between which it is integrated against the Gaussian."""

    def __init__(self, piece: Expr, low: Expr, high: Expr) -> None:
        self._complex = ball_function(piece, [z, mu], acb)
        self._real = ball_function(piece, [z, mu])
        self._ends = [None if abs(end) == oo else _Place(end) for end in (low, high)]

    def integral(self, strength: arb, reach: int) -> arb:
        """The integral over the part of the piece within ±reach."""
        low, high = (
            arb(side * reach) if place is None else place.clipped(strength, reach)
            for place, side in zip(self._ends, (-1, 1), strict=True)
        )
        if low.is_exact() and high.is_exact() and low == high:  # out of reach, perhaps at a pole
            return arb(0)
        total = self._between(strength, low.mid(), high.mid())
        for ball in (low, high):
            if ball.rad() > 0:
                missed = self._real(ball, strength) * (-ball * ball / 2).exp()
                total += missed * arb(0, ball.rad())
        return total

    def _between(self, strength: arb, low: arb, high: arb) -> arb:
        parameter = acb(strength)

        def integrand(x: acb, analytic: bool) -> acb:
            value: acb = self._complex(x, parameter, analytic=analytic) * (-x * x / 2).exp()
            return value

        return integral(integrand, low, high, strength.rad(), _EFFORT).real


def integral(
    function: Callable[[acb, bool], acb], low: Any, high: Any, width: Any = 0, most: int = 0
) -> acb:
    """The integral between exact ends of what depends on a ball of some width. Certified.

    Arguments:
        function: of a point and a flag, as ``acb.integral`` calls it.
        low, high: the ends.
        width: of the ball that the function depends on.
        most: evaluations, where that width forbids more accuracy.
    """
    tolerance, effort = arb(2) ** -ctx.prec, None
    if width > tolerance:  # its width forbids more accuracy, at any effort
        tolerance, effort = (arb(width) / 2**_SLACK_BITS).mid(), most
    value: acb = acb.integral(
        function, low, high, rel_tol=tolerance, abs_tol=tolerance, eval_limit=effort
    )
    return value


class _Place:
    """A breakpoint, which may move as ``p/mu``."""

    def __init__(self, point: Expr) -> None:
        self.moves = bool(point.has(mu))
        self._number: Callable[[], arb] = ball_function(point * mu if self.moves else point, [])

    def clipped(self, strength: arb, reach: int) -> arb:
        """Where it is, as far as ±reach."""
        number = self._number()
        near = far = number
        if self.moves:  # not finite where the strength may be 0
            near, far = number / strength.upper(), number / strength.lower()
        end = arb(reach) if number > 0 else arb(-reach)
        if not abs(near) < reach:
            return end
        if not abs(far) < reach:
            return near.union(end)
        return number / strength if self.moves else number

    def at(self, strength: arb) -> arb:
        """Where it is; not finite if it may be anywhere beyond."""
        return self._number() / strength if self.moves else self._number()

    def distance(self, strength: arb) -> arb:
        """How far from 0 it is, at least."""
        least: arb = abs(self._number() / strength.upper()).lower()
        return least


class _Point:
    """The weight of a δ at a breakpoint, times the Gaussian density there."""

    def __init__(self, point: Expr, weight: Expr) -> None:
        self._place = _Place(point)
        self._weight = ball_function(weight, [z, mu])
        outwards = (point, oo) if (point * mu).is_positive else (-oo, point)
        self._bound = majorant(weight, *outwards) if self._place.moves else None

    def value(self, strength: arb) -> arb:
        """The mean of the δ, 0 where the breakpoint is at infinity."""
        if self._place.moves and strength.is_zero():
            return arb(0)
        place = self._place.at(strength)
        density = (-place * place / 2).exp() / (2 * arb.pi()).sqrt()
        near: arb = self._weight(place, strength) * density
        if self._bound is None or near.is_finite():
            return near
        bound = self._bound.beyond(self._place.distance(strength).fmpq())
        return arb("nan") if bound is None else arb(0, bound.upper())


def _cut(bound: Majorant) -> tuple[int, arb]:
    """Where to cut the integral so that the tail is below the working precision."""
    end = 4
    while (tail := bound.tail(end)) is None or not tail < arb(2) ** -ctx.prec:
        end += 2
        if end > _FARTHEST:
            raise InputError("the integrand grows too fast for a Gaussian: its mean is infinite")
    return end, tail
