r"""Preimages of a polynomial, analytic in one parameter also where they meet.

Outputs on one side of a value :math:`y_c` are :math:`y_c \pm s^L`, s ≥ 0. A preimage that is at a
turn :math:`z_c` of order m there, so that the polynomial is
:math:`y_c + \kappa x^m q(x)` with :math:`x = z - z_c`, :math:`q(0) = 1`, solves

.. math:: x\,q(x)^{1/m} = \pm |\kappa|^{-1/m} s^{L/m}

whose left side has a slope of one sign all the way to the next turn. All others solve the equation
as it is. L is the least common multiple of the orders. Each solution is enclosed by Newton's method
for balls, which proves that it is there, alone, and analytic.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil, lcm
from typing import Any

import numpy as np
from flint import acb, acb_poly, arb, arb_poly, ctx, fmpq_poly

from numerics.certified.gauss import ELLIPSE

Doubles = Any
Seen = list[tuple[Any, Any]]  # preimages, and the mass each has by ds
_POINTS = 400  # of a table of starts
_POLISHED_BEFORE = 4  # steps of Newton's method in doubles
_POLISHED = 1  # steps of Newton's method from a double
_WIDENED = 8  # times that a ball may be widened
_HALVINGS = 100


@dataclass(frozen=True)
class Turn:
    """A point at which the slope vanishes.

    Fields: ``place``; ``order`` of the first derivative that does not; ``rank`` of its value among
    the critical values.
    """

    place: arb
    order: int
    rank: int


@dataclass(frozen=True)
class Branch:
    """A part of the line on which the polynomial is monotone.

    Fields: ``low``, ``high``, the turns at its ends, ``None`` at infinity; ``ranks`` of the values
    there, infinite at infinity.
    """

    low: Turn | None
    high: Turn | None
    ranks: tuple[float, float]

    def covers(self, rank: int, side: int) -> bool:
        """Whether its outputs hold those next to a critical value on a side."""
        bottom, top = sorted(self.ranks)
        return bottom <= rank < top if side > 0 else bottom < rank <= top

    def met(self, rank: int) -> Turn | None:
        """The turn at which it meets a critical value, if it does so at its end."""
        return next((end for end in (self.low, self.high) if end and end.rank == rank), None)

    def holds(self, x: arb) -> bool:
        """Whether a ball is proved to lie inside."""
        above = self.low is None or x > self.low.place
        return bool(above and (self.high is None or x < self.high.place))


@dataclass(frozen=True)
class Half:
    """Outputs from a critical value on, on one side of it.

    Fields: ``teacher``; ``value``, where they begin; ``side`` 1 or -1; ``reach``, how far they go;
    ``rank`` of the value; ``branches`` that hold them; ``outer``, whether no critical value
    follows; ``mirrored``, whether each branch stands for its mirror image too.
    """

    teacher: fmpq_poly
    value: arb
    side: int
    reach: arb
    rank: int
    branches: tuple[Branch, ...]
    outer: bool
    mirrored: bool = False

    @cached_property
    def power(self) -> int:
        """L, and outwards a multiple of it, with which preimages grow as s does."""
        power = lcm(*(turn.order for branch in self.branches if (turn := branch.met(self.rank))))
        return power * ceil(self.teacher.degree() / power) if self.outer else power

    @cached_property
    def common(self) -> int:
        """The power of s that is a factor of all masses."""
        orders = (turn.order if (turn := b.met(self.rank)) else 1 for b in self.branches)
        return self.power // max(orders) - 1

    @cached_property
    def _end(self) -> arb:
        return self.reach.root(self.power) if self.power > 1 else self.reach

    @property
    def length(self) -> arb:
        """Where s ends."""
        return self._end.mid()

    @property
    def spread(self) -> arb:
        """How much farther it may go."""
        return self._end.rad()

    def output(self, s: Any) -> Any:
        """The output at s."""
        return self.value + self.side * s**self.power

    @cached_property
    def _equations(self) -> list["_Equation"]:
        return [_Equation(self, branch) for branch in self.branches]

    def preimages(self, places: Sequence[arb]) -> list[Seen] | None:
        """The preimages at numbers s > 0, with their masses; ``None`` if one is not enclosed."""
        columns = []
        for equation in self._equations:
            column = []
            for s, start in zip(places, equation.starts(places), strict=True):
                x = equation.solved(s, start)
                if x is None or not equation.branch.holds(equation.place + x):
                    return None
                column.append((equation.place + x, equation.mass(s, x)))
            columns.append(column)
        return [list(seen) for seen in zip(*columns, strict=True)]

    def around(self, middle: arb, radius: arb) -> Seen | None:
        """The same on the ellipse around an interval of s, ``None`` where that is not proved."""
        box, seen = ELLIPSE.box(middle, radius), []
        for equation in self._equations:
            (start,) = equation.starts([middle])
            centre = equation.solved(middle, start)
            if centre is None or not equation.branch.holds(equation.place + centre):
                return None
            x = equation.enclosed(acb(centre.mid()), box)
            if x is None:
                return None
            seen.append((equation.place + x, equation.mass(box, x)))
        return seen


class _Equation:
    """What the preimage of one branch solves: ``left(x) = right(s)``, x counted from ``place``."""

    def __init__(self, half: Half, branch: Branch) -> None:
        self.branch, self._half = branch, half
        turn = branch.met(half.rank)
        self._order = turn.order if turn else 1
        self.place = turn.place if turn else arb(0)
        shifted = _shifted(half.teacher, self.place)
        self._rises = branch.ranks[0] < branch.ranks[1]
        self._sign = 1 if self._rises else -1
        gone = np.array(
            [float((each - half.value * (not k)).mid()) for k, each in enumerate(shifted)]
        )
        if turn:
            gone[: turn.order] = 0
        self._doubles = gone, np.polynomial.polynomial.polyder(gone)
        if turn:
            self._sign = 1 if turn is branch.low else -1
            self._scale = 1 / abs(shifted[turn.order]).root(turn.order)
            shifted = [each / shifted[turn.order] for each in shifted[turn.order :]]
        self._real, self._complex = arb_poly(shifted), acb_poly(shifted)
        self._slope = self._real.derivative()

    def _polynomials(self, x: Any) -> tuple[Any, Any]:
        """Value and slope of the polynomial in a ball; around its middle, if it is a wide one."""
        if isinstance(x, arb):
            return self._real(x), self._slope(x)
        middle = x.mid()
        around = self._complex(acb_poly([middle, 1]))
        return around(x - middle), around.derivative()(x - middle)

    def right(self, s: Any) -> Any:
        """What the left side is to be."""
        if self._order == 1:
            return self._half.output(s)
        return self._sign * self._scale * s ** (self._half.power // self._order)

    def left(self, x: Any) -> tuple[Any, Any]:
        """The left side and its slope; not finite where they are not analytic."""
        value, slope = self._polynomials(x)
        if self._order == 1:
            return value, slope
        if not value.real > 0:
            return value * arb("nan"), slope
        root = value.root(self._order)
        return x * root, root * (1 + x * slope / (self._order * value))

    def mass(self, s: Any, x: Any) -> Any:
        """The mass of a preimage by ds, over the common factor: the density times |dz/ds|."""
        z, (_, slope), half = self.place + x, self.left(x), self._half
        density = (-z * z / 2).exp() / (2 * arb.pi()).sqrt()
        exponent = half.power // self._order
        speed = exponent * s ** (exponent - 1 - half.common)
        if self._order == 1:
            return density * speed * self._sign / slope
        return density * speed * self._scale / slope

    def starts(self, places: Sequence[arb]) -> list[float]:
        """Where preimages are, about: by halving in doubles."""
        half, (table, inputs) = self._half, self._table
        at = np.array([float(s.mid()) for s in places])
        x, aims = np.interp(at, table, inputs), half.side * at**half.power
        for _ in range(_POLISHED_BEFORE):
            value, slope = (np.polynomial.polynomial.polyval(x, c) for c in self._doubles)
            x = x - (value - aims) / slope
        return [float(each) for each in x]

    @cached_property
    def _table(self) -> tuple[Doubles, Doubles]:
        """Numbers s, and preimages there, in doubles."""
        half = self._half
        ends = [self._halved(half.side * float(s) ** half.power) for s in (0.0, half.length)]
        x = np.linspace(ends[0], ends[1], _POINTS)
        gaps = half.side * np.polynomial.polynomial.polyval(x, self._doubles[0])
        return np.maximum.accumulate(np.maximum(gaps, 0) ** (1 / half.power)), x

    def _halved(self, aim: float) -> float:
        """Where the polynomial has gone by so much, by halving."""
        if aim == 0 and self._order > 1:
            return 0.0
        low, high = (self._end(side, aim) for side in (-1, 1))
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            low, high = (low, middle) if self._passed(middle, aim) else (middle, high)
        return (low + high) / 2

    def _passed(self, x: float, aim: float) -> bool:
        """Whether a point lies to the right of the preimage."""
        above = np.polynomial.polynomial.polyval(x, self._doubles[0]) >= aim
        return bool(above) == self._rises

    def _end(self, side: int, aim: float) -> float:
        """A point beyond the preimage on a side."""
        turn, other = (self.branch.low, self.branch.high)[::-side]
        if turn is not None:
            return float((turn.place - self.place).mid())
        start = 0.0 if other is None else float((other.place - self.place).mid())
        size = 1.0
        while self._passed(start + side * size, aim) != (side > 0):
            size *= 2
        return start + side * size

    def solved(self, s: arb, start: float) -> arb | None:
        """The preimage at a number, at the working precision."""
        x, aim = arb(start), self.right(s)
        for _ in range(_POLISHED):
            value, slope = self.left(x)
            step = (value - aim) / slope
            if not step.is_finite():
                return None
            x = (x - step).mid()
        return self.enclosed(x, s)

    def enclosed(self, centre: Any, s: Any) -> Any | None:
        """The solutions near an exact point for a ball of s, if Newton's method proves them."""
        value, slope = self.left(centre)
        gap = value - self.right(s)
        size = 2 * abs(gap / slope).upper() + arb(2) ** -ctx.prec
        return invariant_ball(centre, size, lambda ball: centre - gap / self.left(ball)[1])


def invariant_ball(centre: Any, size: arb, step: Callable[[Any], Any]) -> Any | None:
    """What a step makes of a ball that it maps to its inside, ``None`` if none of those tried is.

    Arguments:
        centre: of the balls, an exact real or complex number.
        size: of the first ball; it is doubled some times.
        step: from a ball to an enclosure of what a continuous map makes of it.

    The map has a fixed point there, and all that it has in the ball. Newton's step is
    ``centre - f(centre) / slope(ball)``, with the slope of f over the whole ball: then f has one
    zero in the ball, and it is in the result.
    """
    for _ in range(_WIDENED):
        reach = arb(0, size)
        ball = centre + (reach if isinstance(centre, arb) else acb(reach, reach))
        found = step(ball)
        if not found.is_finite():
            return None
        if ball.contains_interior(found):
            return found
        size = 2 * size
    return None


def _shifted(polynomial: fmpq_poly, place: arb) -> list[arb]:
    """Taylor's coefficients at a place."""
    whole = arb_poly(polynomial)
    if place.is_zero():
        return whole.coeffs()
    return whole(arb_poly([place, 1])).coeffs()
