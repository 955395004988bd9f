r"""Teachers that turn once within reach: the other input of an output, analytic also at the turn.

With :math:`\varphi - \varphi(z_c) = (z - z_c)^2 q(z)` both inputs of an output lie at opposite
values of :math:`G(z) = (z - z_c)\sqrt{q(z)}`, so that the one is analytic in the other, with the
slope :math:`-G'(z)/G'(x)`. Around an interval it is enclosed by Newton's method for balls, which
proves that it is there, alone, and analytic.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from flint import acb, arb, ctx, fmpq
from sympy import diff

from derive.activation import Activation
from derive.errors import Undecided
from derive.symbols import z
from numerics.certified.bisection import bisected
from numerics.certified.branches import invariant_ball
from numerics.certified.expressions import ball_function
from numerics.certified.gauss import ELLIPSE

Seen = list[tuple[Any, Any]]  # inputs of one output, and the mass each has by dz
REACH = 15  # standard deviations beyond which inputs are left out
# Its denominator is a prime about as large as the number of cells: turns at simple numbers are no
# ends of cells.
_LEFTMOST = -REACH - fmpq(306_783_379, 2**31 - 1)
_FINEST = 2**30
_HALVINGS, _POLISHED = 24, 6


class Stretch(Protocol):
    """Inputs that stand for all inputs of the same outputs, between two ends."""

    @property
    def low(self) -> arb:
        """Where it begins."""

    @property
    def high(self) -> arb:
        """Where it ends."""

    def at(self, z: arb) -> Seen | None:
        """All inputs of the output at z, with their masses; ``None`` if not enclosed."""

    def around(self, middle: arb, radius: arb) -> Seen | None:
        """The same on the ellipse around an interval."""


def density(x: Any) -> Any:
    """The normal density."""
    return (-x * x / 2).exp() / (2 * arb.pi()).sqrt()


@dataclass(frozen=True)
class Images:
    """A stretch whose other inputs are ``±z + c``. Fields: its ends; the signs and the c."""

    low: arb
    high: arb
    maps: tuple[tuple[int, arb], ...] = ((1, arb(0)),)

    def at(self, z: Any) -> Seen:
        """All inputs of the output at z, with their masses by dz."""
        inputs = [sign * z + shift for sign, shift in self.maps]
        return [(x, density(x)) for x in inputs]

    def around(self, middle: arb, radius: arb) -> Seen:
        """The same on the ellipse around an interval."""
        return self.at(ELLIPSE.box(middle, radius))


class _Curve:
    """An analytic teacher in balls: value, slope and curvature, upwards at its turn."""

    def __init__(self, teacher: Activation, side: int) -> None:
        value = side * teacher.value.smooth
        forms = (value, diff(value, z), diff(value, z, 2))
        self._real, self._complex = ([ball_function(form, [z], number) for form in forms]
                                     for number in (arb, acb))  # fmt: skip

    def order(self, k: int, x: Any) -> Any:
        """The k-th derivative, not finite where it is not analytic."""
        if isinstance(x, arb):
            return self._real[k](x)
        return self._complex[k](x, analytic=True)


def turned(teacher: Activation) -> list[Stretch] | None:
    """The stretches of an analytic teacher that turns at most once within reach, or ``None``.

    Certified: that it turns no more is proved.
    """
    if teacher.value.breaks:
        return None
    curve = _Curve(teacher, 1)
    found = [turn for turn in _turns(curve) if not turn < -REACH]
    ends = arb(-REACH), arb(REACH)
    if not found:
        return [Images(*ends)]
    if len(found) > 1:
        return None
    (turn,) = found
    side = 1 if curve.order(2, turn) > 0 else -1
    curve = _Curve(teacher, side)
    heights = [curve.order(0, end) for end in ends]
    if heights[0] < heights[1]:
        folded = Turned(curve, turn, -1)
    elif heights[1] < heights[0]:
        folded = Turned(curve, turn, 1)
    else:
        return None
    beyond = folded.partner(ends[0] if folded.side < 0 else ends[1])
    if beyond is None:
        return None
    alone = Images(beyond, ends[1]) if folded.side < 0 else Images(ends[0], beyond)
    return [folded, alone]


def _turns(curve: _Curve) -> list[arb]:
    """All zeros of the slope within reach, and a little to the left of it, enclosed."""

    def decide(cell: tuple[int, int]) -> tuple[list[arb], list[tuple[int, int]]]:
        place, parts = cell
        low, high = (arb(_LEFTMOST + (REACH - _LEFTMOST) * k / parts) for k in (place, place + 1))
        whole = low.union(high)
        if abs(curve.order(1, whole)) > 0:
            return [], []
        if abs(curve.order(2, whole)) > 0:
            first, last = (curve.order(1, end) for end in (low, high))
            if first * last > 0:
                return [], []
            if first * last < 0:
                return [_zero(curve, low, high)], []
        if parts > _FINEST:
            raise Undecided("the turns of the teacher are not enclosed: give another")
        return [], [(2 * place, 2 * parts), (2 * place + 1, 2 * parts)]

    return list(bisected((0, 1), decide))


def _zero(curve: _Curve, low: arb, high: arb) -> arb:
    """The zero of the slope between points of opposite slopes."""
    rises = bool(curve.order(1, high) > 0)
    for _ in range(_HALVINGS):
        middle = ((low + high) / 2).mid()
        low, high = (low, middle) if (curve.order(1, middle) > 0) == rises else (middle, high)
    x = ((low + high) / 2).mid()
    slope, curvature = (partial(curve.order, k) for k in (1, 2))
    found = _solved(slope, curvature, x, arb(0))
    if found is None:
        raise Undecided("the turn of the teacher is not enclosed: give another")
    return found


def _solved(
    function: Callable[[arb], arb], slope: Callable[[arb], arb], x: arb, aim: arb
) -> arb | None:
    """Where a function takes a value, by Newton's method from a point near by."""
    for _ in range(_POLISHED):
        step = (function(x) - aim) / slope(x)
        if not step.is_finite():
            return None
        x = (x - step).mid()
    gap = function(x) - aim
    size = 2 * abs(gap / slope(x)).upper() + arb(2) ** -(2 * ctx.prec)
    return invariant_ball(x, size, lambda ball: x - gap / slope(ball))


class Turned:
    """The inputs on one side of a turn, each with its partner on the other side."""

    def __init__(self, curve: _Curve, turn: arb, side: int) -> None:
        self._curve, self._turn, self.side = curve, turn, side
        self.low = arb(-REACH) if side < 0 else turn
        self.high = turn if side < 0 else arb(REACH)

    def at(self, z: arb) -> Seen | None:
        """An input and its partner, with their masses by dz."""
        x = self.partner(z)
        if x is None:
            return None
        return [(z, density(z)), (x, density(x) * self._by_slopes(z, x))]

    def partner(self, z: arb) -> arb | None:
        """The input beyond the turn that has the same output."""
        aim, low = self._curve.order(0, z), self._turn.mid()
        high = arb(-self.side * REACH)
        for _ in range(_HALVINGS):
            middle = ((low + high) / 2).mid()
            above = self._curve.order(0, middle) > aim
            low, high = (low, middle) if above else (middle, high)
        start = ((low + high) / 2).mid()
        value, slope = (partial(self._curve.order, k) for k in (0, 1))
        x = _solved(value, slope, start, aim)
        return x if x is not None and self.side * (x - self._turn) < 0 else None

    def _by_slopes(self, z: Any, x: Any) -> Any:
        """|dx/dz| away from the turn."""
        return -self._curve.order(1, z) / self._curve.order(1, x)

    def _by_roots(self, z: Any, x: Any) -> Any:
        """|dx/dz| near the turn: G'(z)/G'(x) with means of the curvature over segments."""
        return self._risen(z) / self._risen(x)

    def _risen(self, x: Any) -> Any:
        """G', which is |z - z_c| times the mean curvature over 2|G|."""
        hull = x.union(acb(self._turn)) if isinstance(x, acb) else x.union(self._turn)
        curvature = self._curve.order(2, hull)
        if not curvature.real > 0:
            return curvature * arb("nan")
        return curvature / (2 * curvature).sqrt()

    def around(self, middle: arb, radius: arb) -> Seen | None:
        """An input and its partner on the ellipse around an interval."""
        box, centre = ELLIPSE.box(middle, radius), self.partner(middle)
        if centre is None:
            return None
        for slope in (self._by_slopes, self._by_roots):
            found = self._enclosed(box, middle, centre, slope)
            if found is not None:
                x, steep = found
                return [(box, density(box)), (x, density(x) * steep)]
        return None

    def _enclosed(
        self, box: acb, middle: arb, centre: arb, slope: Callable[[Any, Any], Any]
    ) -> tuple[acb, acb] | None:
        """All partners of a box with their slopes, if a ball proves to hold them.

        The partner of the middle, moved by slopes over the box and the ball, stays in the ball.
        """
        step = box - middle
        size = 2 * abs(slope(box, acb(centre)) * step).upper()
        if not size.is_finite():
            return None
        found = invariant_ball(
            acb(centre.mid()), size, lambda ball: acb(centre) - slope(box, ball) * step
        )
        return None if found is None else (found, slope(box, found))
