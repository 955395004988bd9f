r"""Functions of one variable that are analytic between finitely many breakpoints, exact.

They are kept piece by piece, which is closed under sums, products and derivatives in the sense of
distributions: a derivative holds a δ at every breakpoint where the function jumps. How they are
compared with each other and put into one another is in ``derive.composition``.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from itertools import pairwise
from operator import add

from sympy import Expr, Rational, S, Symbol, cancel, diff, exp, expand, oo, pi, sign, sqrt
from sympy import Piecewise as SympyPiecewise

from derive import gaussian
from derive.elementary import in_the_algebra, proved_zero, tidied
from derive.errors import InputError, quoted
from derive.gaussian import GaussianFunction, NoClosedForm
from derive.ranges import range_of
from derive.symbols import exact, mu, z
from derive.truncated import truncated_mean

_DIGITS = 30  # by which breakpoints are put in order
_APART = Rational(1, 10**20)  # what differs by more does


@dataclass(frozen=True)
class PiecewiseAnalytic:
    r"""A function, or a distribution, that is analytic between breakpoints.

    Fields: ``pieces``, expressions in ``z``, from left to right, each without singularities on its
    closed interval; ``breaks`` between them, increasing; ``deltas``, for each break the weight of
    a :math:`\delta` there, an expression of which the value at the break counts. Breaks may move
    with ``mu``. Exact.

    >>> relu = PiecewiseAnalytic((S.Zero, z), (S.Zero,))
    >>> relu.derivative().derivative().deltas
    (1,)
    """

    pieces: tuple[Expr, ...]
    breaks: tuple[Expr, ...] = ()
    deltas: tuple[Expr, ...] = ()

    def __post_init__(self) -> None:
        for name, given in vars(self).items():
            if not isinstance(given, tuple):
                raise InputError(f"{name} {quoted(given)} are not accepted: give a tuple")
        if not self.deltas:
            object.__setattr__(self, "deltas", (S.Zero,) * len(self.breaks))
        if not len(self.pieces) - 1 == len(self.breaks) == len(self.deltas):
            raise InputError("a piecewise function has one piece more than breakpoints")

    # The same function with other breakpoints.

    def refined(self, breaks: Sequence[Expr]) -> "PiecewiseAnalytic":
        """The function cut at more breakpoints, in order, those it has among them."""
        place, pieces, deltas = 0, [self.pieces[0]], []
        for point in breaks:
            mine = place < len(self.breaks) and point == self.breaks[place]
            deltas.append(self.deltas[place] if mine else S.Zero)
            place += mine
            pieces.append(self.pieces[place])
        return PiecewiseAnalytic(tuple(pieces), tuple(breaks), tuple(deltas))

    def joined(self) -> "PiecewiseAnalytic":
        """The function without breakpoints at which nothing happens. Exact.

        >>> PiecewiseAnalytic((z, z + 1 - 1), (S.One,)).joined().breaks
        ()
        """
        pieces, kept = [self.pieces[0]], []
        for i, piece in enumerate(self.pieces[1:]):
            if self.deltas[i] != 0 or (piece != pieces[-1] and expand(piece - pieces[-1]) != 0):
                kept.append(i)
                pieces.append(piece)
        if len(kept) == len(self.breaks):
            return self
        chosen = tuple(self.breaks[i] for i in kept), tuple(self.deltas[i] for i in kept)
        return PiecewiseAnalytic(tuple(pieces), *chosen)

    def intervals(self) -> list[tuple[Expr, Expr, Expr]]:
        """Every piece with the ends between which it counts."""
        ends = pairwise((-oo, *self.breaks, oo))
        return [(piece, *end) for piece, end in zip(self.pieces, ends, strict=True)]

    # The algebra.

    def mapped(self, function: Callable[[Expr], Expr]) -> "PiecewiseAnalytic":
        """A function of every piece; raises ``NoClosedForm`` for one of a δ."""
        if any(self.deltas):
            raise NoClosedForm("a function of δ(z) is not formed here")
        return PiecewiseAnalytic(tuple(map(function, self.pieces)), self.breaks)

    def _with(
        self, other: "PiecewiseAnalytic", function: Callable[[Expr, Expr], Expr]
    ) -> tuple[tuple[Expr, ...], "PiecewiseAnalytic", "PiecewiseAnalytic"]:
        """The pieces of a function of two, on breakpoints that they share."""
        one, two = in_common(self, other)
        return tuple(map(function, one.pieces, two.pieces)), one, two

    def __add__(self, other: "PiecewiseAnalytic") -> "PiecewiseAnalytic":
        pieces, one, two = self._with(other, add)
        return PiecewiseAnalytic(pieces, one.breaks, tuple(map(add, one.deltas, two.deltas)))

    def __neg__(self) -> "PiecewiseAnalytic":
        return self._times(S.NegativeOne)

    def __sub__(self, other: "PiecewiseAnalytic") -> "PiecewiseAnalytic":
        return self + -other

    def __mul__(self, other: "PiecewiseAnalytic | Expr") -> "PiecewiseAnalytic":
        if not isinstance(other, PiecewiseAnalytic):
            return self._times(other)
        if any(self.deltas) or any(other.deltas):
            raise NoClosedForm("a product with δ(z) is not formed here")
        pieces, one, _ = self._with(other, lambda f, g: f * g)
        return PiecewiseAnalytic(pieces, one.breaks)

    def _times(self, factor: Expr) -> "PiecewiseAnalytic":
        pieces = tuple(piece * factor for piece in self.pieces)
        weighed = zip(self.breaks, self.deltas, strict=True)
        return PiecewiseAnalytic(
            pieces, self.breaks, tuple(at_break(weight * factor, p) for p, weight in weighed)
        )

    def __pow__(self, exponent: int) -> "PiecewiseAnalytic":
        return self.mapped(lambda piece: expand(piece**exponent))

    def subs(self, symbol: Symbol, value: Expr | int) -> "PiecewiseAnalytic":
        """The function with a parameter, not ``z``, put in. Exact."""
        parts = (self.pieces, self.breaks, self.deltas)
        return PiecewiseAnalytic(*(tuple(f.subs(symbol, value) for f in part) for part in parts))

    def derivative(self) -> "PiecewiseAnalytic":
        """The derivative in the sense of distributions. Exact."""
        return self._slope

    @cached_property
    def _slope(self) -> "PiecewiseAnalytic":
        if any(self.deltas):
            raise NoClosedForm("the derivative of δ(z) is not formed here")
        slopes = tuple(diff(f, z) for f in self.pieces)
        return PiecewiseAnalytic(slopes, self.breaks, self.jumps).joined()

    def scaled(self, factor: Expr) -> "PiecewiseAnalytic":
        """The function ``z ↦ f(factor·z)`` for a positive factor. Exact."""
        return PiecewiseAnalytic(
            tuple(piece.subs(z, factor * z) for piece in self.pieces),
            tuple(point / factor for point in self.breaks),
            tuple(weight.subs(z, factor * z) / factor for weight in self.deltas),
        )

    def reflected(self) -> "PiecewiseAnalytic":
        """The function ``z ↦ f(-z)``. Exact."""
        return PiecewiseAnalytic(
            tuple(piece.subs(z, -z) for piece in reversed(self.pieces)),
            tuple(-point for point in reversed(self.breaks)),
            tuple(weight.subs(z, -z) for weight in reversed(self.deltas)),
        )

    # What is asked of it.

    @cached_property
    def jumps(self) -> tuple[Expr, ...]:
        """How far the function jumps at each breakpoint, 0 where SymPy finds that it does not."""
        heights = zip(pairwise(self.pieces), self.breaks, strict=True)
        return tuple(_or_zero(tidied((right - left).subs(z, p))) for (left, right), p in heights)

    @property
    def smooth(self) -> Expr:
        """The one expression of a function without breakpoints."""
        (expression,) = self.pieces
        return expression

    @property
    def expression(self) -> Expr:
        """The function without its δ as one expression in ``z``."""
        if not self.breaks:
            return self.smooth
        if self.breaks == (0,):
            left, right = self.pieces
            return (right + left) / 2 + sign(z) * ((right - left) / 2)
        *inner, last = self.intervals()
        return SympyPiecewise(*((f, z < high) for f, _, high in inner), (last[0], True))

    def at(self, point: Expr) -> Expr:
        """The value at a number; at a breakpoint, from the right. Exact."""
        return next(
            piece.subs(z, point)
            for piece, _, high in self.intervals()
            if high == oo or placed(high - point) > _APART
        )

    @property
    def is_odd(self) -> bool:
        """Whether it is proved to be odd, so that its Gaussian mean is 0. Exact.

        >>> PiecewiseAnalytic((-(z**2), z**2), (S.Zero,)).is_odd
        True
        """
        if any(self.deltas):
            return False
        return all(proved_zero(piece) for piece in (self + self.reflected()).pieces)

    def rises_or_falls_outwards(self) -> bool:
        """Whether it is proved to be monotone on either side of 0, and is no constant. Exact.

        >>> PiecewiseAnalytic((-z, z), (S.Zero,)).rises_or_falls_outwards()
        True
        """
        slopes = self.derivative().refined(in_order((*self.breaks, S.Zero)))
        signs: dict[bool, set[int]] = {True: set(), False: set()}
        for piece, low, high in slopes.intervals():
            simple = cancel(piece) if piece.is_rational_function(z) else piece
            least, greatest = range_of(simple, low, high)
            if least < 0 < greatest:
                return False
            if piece != 0:
                signs[high == oo or placed(high) > 0].add(1 if least >= 0 else -1)
        return any(signs.values()) and all(len(both) <= 1 for both in signs.values())

    @property
    def is_zero(self) -> bool:
        """Whether every piece and weight is written as 0."""
        return not any(expand(part) for part in (*self.pieces, *self.deltas))

    def gaussian(self) -> GaussianFunction:
        """The function in the algebra of exact means, for which it may break at 0 alone.

        Raises ``NoClosedForm`` if it is not in the algebra. Exact.
        """
        if not self.breaks:
            return in_the_algebra(self.smooth)
        if self.breaks != (0,):
            raise NoClosedForm("breakpoints other than 0 are not in the algebra of exact means")
        left, right = self.pieces
        return (
            in_the_algebra((right + left) / 2)
            + gaussian.sign() * in_the_algebra((right - left) / 2)
            + gaussian.constant(self.deltas[0].subs(z, 0)) * gaussian.delta()
        )

    def mean(self) -> Expr:
        """Gaussian mean in closed form, piece by piece; raises ``NoClosedForm``. Exact.

        >>> PiecewiseAnalytic((-z, z), (S.Zero,)).mean()  # E|z|
        sqrt(2)/sqrt(pi)
        """
        if self.breaks in ((), (0,)):
            return self.gaussian().mean()
        deltas = (
            weight.subs(z, point) * exp(-(point**2) / 2) / sqrt(2 * pi)
            for point, weight in zip(self.breaks, self.deltas, strict=True)
        )
        means = (truncated_mean(in_the_algebra(f), low, high) for f, low, high in self.intervals())
        return reduce(add, [*means, *deltas])


def analytic(expression: Expr) -> PiecewiseAnalytic:
    """A function that is analytic on the whole line; raises ``InputError`` for no expression.

    >>> analytic(z**2).breaks
    ()
    """
    return PiecewiseAnalytic((expression if isinstance(expression, Expr) else exact(expression),))


def in_order(breaks: Iterable[Expr], strength: Expr | None = None) -> tuple[Expr, ...]:
    """Breakpoints once each, from left to right.

    Arguments:
        breaks: in any order.
        strength: at which those that move with it have their places; others need none.

    Raises ``InputError`` for two that are not the same but closer than can be told, and for one
    that moves where no strength is given. Exact.

    >>> in_order([S.One, S.Zero, S.One])
    (0, 1)
    """
    points = {point: point if strength is None else point.subs(mu, strength) for point in breaks}
    if moving := [point for point, place in points.items() if place.has(mu)]:
        raise InputError(f"breakpoint {moving[0]} moves with μ: give a strength to put it in order")
    standing = sorted((placed(place), str(point), point) for point, place in points.items())
    for (low, _, one), (high, _, two) in pairwise(standing):
        if high - low < _APART:
            raise InputError(f"breakpoints {one} and {two} cannot be told apart: write them alike")
    return tuple(point for *_, point in standing)


def in_common(*functions: PiecewiseAnalytic) -> list[PiecewiseAnalytic]:
    """The functions cut at each other's breakpoints. Exact."""
    first = functions[0].breaks
    if all(f.breaks == first for f in functions):
        return list(functions)
    breaks = in_order(p for f in functions for p in f.breaks)
    return [f.refined(breaks) for f in functions]


def _or_zero(jump: Expr) -> Expr:
    """The jump, or 0 if it is a number as small as rounding that SymPy says to be 0."""
    small = jump.is_number and abs(placed(jump)) <= _APART
    return S.Zero if small and jump.equals(0) else jump


def at_break(weight: Expr, point: Expr) -> Expr:
    """The weight of a δ, written as its value where the breakpoint does not move. Exact."""
    return weight if point.has(mu) else weight.subs(z, point)


def placed(number: Expr) -> Expr:
    """A number to ``_DIGITS`` digits, exact if it is rational."""
    return number if number.is_Rational else number.evalf(_DIGITS)
