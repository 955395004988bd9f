"""All zeros in (0, 1) of a function known through enclosures of it and of its slope.

Cells are halved until the function provably has no zero in them, or is provably monotone, when the
signs at the ends tell. At an end where the function itself vanishes, the first derivative that does
not vanish there must keep its sign on the cell. What cannot be decided is an error, never a guess.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from flint import arb, ctx, fmpq

from derive.errors import Undecided
from numerics.certified.balls import Bounds, bounds
from numerics.certified.drift import BallDrift, BallFunction

_SEARCH_BITS = 64
_NARROWEST = fmpq(1, 2**40)
_MOST_BITS = 4096
_SPLIT = fmpq(61, 128)  # off centre, so that no zero at a simple fraction is met


@dataclass(frozen=True)
class Cell:
    """A part of (0, 1) on which the zeros of ``a`` are known.

    Fields: ``lower``, ``upper``, rationals as text; ``zero``, whether it holds one (and only one);
    ``reason``, and the ``bounds`` over the whole cell that give it, which exclude 0. Certified.
    """

    lower: str
    upper: str
    zero: bool
    reason: str
    bounds: Bounds


def isolate_zeros(drift: BallDrift) -> list[tuple[fmpq, fmpq]]:
    """Isolate every zero of ``a`` in the open interval (0, 1), in increasing order.

    In each interval of the result ``a`` is monotone and changes sign.

    Raises ``Undecided`` where ``a`` and its slope cannot both be told from zero, as at a double
    zero. Certified.

    >>> from derive.drift import hermite_drift
    >>> from numerics.certified.drift import ball_drift
    >>> len(isolate_zeros(ball_drift(hermite_drift(10))))
    2
    """
    return [(fmpq(*_ratio(c.lower)), fmpq(*_ratio(c.upper))) for c in zero_cells(drift) if c.zero]


def zero_cells(drift: BallDrift) -> list[Cell]:
    """Cells that cover (0, 1), in order: the proof behind ``isolate_zeros``. Raises as it does.

    >>> from derive.drift import hermite_drift
    >>> from numerics.certified.drift import ball_drift
    >>> [(c.lower, c.upper, c.zero, c.reason) for c in zero_cells(ball_drift(hermite_drift(1)))]
    [('0', '1', False, "a(1) = 0, a' keeps its sign")]
    """
    with ctx.workprec(_SEARCH_BITS):
        found = sorted(_decided_cells(drift), key=lambda cell: cell[0])
        return [
            Cell(str(lower), str(upper), zero, reason, bounds(ball))
            for lower, upper, zero, reason, ball in found
        ]


def _ratio(text: str) -> list[int]:
    return [int(part) for part in text.split("/")]


_Decided = tuple[fmpq, fmpq, bool, str, arb]


def _decided_cells(drift: BallDrift) -> Iterator[_Decided]:
    cells = [(fmpq(0), fmpq(1))]
    while cells:
        lower, upper = cells.pop()
        decided = _decided_cell(drift, lower, upper)
        if decided:
            yield lower, upper, *decided
            continue
        middle = lower + (upper - lower) * _SPLIT
        if upper - lower < _NARROWEST:
            raise Undecided(
                f"a(μ) and its slope cannot be told from 0 near μ = {arb(middle).str(10)}, "
                "perhaps a double zero: the list of zeros is not proved complete"
            )
        cells += [(lower, middle), (middle, upper)]


def _decided_cell(drift: BallDrift, lower: fmpq, upper: fmpq) -> tuple[bool, str, arb] | None:
    """Whether a cell holds a zero, why, and the ball that shows it; ``None`` if that is open."""
    cell = arb(lower).union(arb(upper))
    value = drift.a(cell)
    if not value.contains(0):
        return False, "a keeps its sign", value
    derivative = _derivative_at_the_end(drift, lower, upper)
    if derivative and not derivative(cell).contains(0):
        return False, f"a({1 if upper == 1 else 0}) = 0, a' keeps its sign", derivative(cell)
    slope = drift.slope(cell)
    middle = arb(lower + (upper - lower) * _SPLIT)
    value = drift.a(middle) + slope * (cell - middle)
    if not value.contains(0):
        return False, "a keeps its sign (mean value form)", value
    if slope.contains(0):
        return None
    if (lower == 0 and drift.at_zero) or (upper == 1 and drift.at_one):
        return False, "a is monotone and vanishes at the end", slope
    zero = sign_of(drift.a, lower) != sign_of(drift.a, upper)
    return zero, f"a is monotone and {'changes' if zero else 'keeps'} its sign", slope


def _derivative_at_the_end(drift: BallDrift, lower: fmpq, upper: fmpq) -> BallFunction | None:
    """The derivative of ``a`` that excludes further zeros if ``a`` vanishes at one end in the cell.

    With both ends in the cell the two zeros would need a sign change of the derivative.
    """
    derivatives = [
        derivative
        for end, derivative in ((lower == 0, drift.at_zero), (upper == 1, drift.at_one))
        if end and derivative
    ]
    return derivatives[0] if len(derivatives) == 1 else None


def sign_cells(function: BallFunction) -> list[Cell]:
    """Cells that cover [0, 1] on each of which a function provably has no zero.

    Raises ``Undecided`` if cells get too narrow, as at a zero. Certified; the sign of the function
    is that of any of the bounds.

    >>> [(c.lower, c.upper) for c in sign_cells(lambda x: x - x * x + 1)]
    [('0', '61/128'), ('61/128', '1')]
    """
    cells, found = [(fmpq(0), fmpq(1))], []
    with ctx.workprec(_SEARCH_BITS):
        while cells:
            lower, upper = cells.pop()
            value = function(arb(lower).union(arb(upper)))
            if value.is_finite() and not value.contains(0):
                found.append((lower, upper, value))
                continue
            if upper - lower < _NARROWEST:
                raise Undecided(f"the sign near μ = {arb(lower).str(10)} is open")
            middle = lower + (upper - lower) * _SPLIT
            cells += [(lower, middle), (middle, upper)]
        return [
            Cell(str(lower), str(upper), False, "keeps its sign", bounds(value))
            for lower, upper, value in sorted(found, key=lambda cell: cell[0])
        ]


def sign_of(function: BallFunction, point: fmpq) -> int:
    """Sign of a function at a rational point, where it is not zero. Certified.

    Raises ``Undecided`` if the enclosure contains 0 at every precision in use.
    """
    bits = _SEARCH_BITS
    while bits <= _MOST_BITS:
        with ctx.workprec(bits):
            value = function(arb(point))
            if not value.contains(0):
                return 1 if value > 0 else -1
        bits *= 2
    raise Undecided(f"the sign at μ = {point} is open at {_MOST_BITS} bits")


def enclose_zero(drift: BallDrift, interval: tuple[fmpq, fmpq], bits: int) -> arb:
    """Ball of ``bits`` bits of relative accuracy around the zero in a monotone cell. Certified.

    Raises ``Undecided`` if the enclosures do not allow it.
    """
    rising = sign_of(drift.a, interval[0]) < 0
    precision = bits + 32
    while precision <= _MOST_BITS + bits:
        with ctx.workprec(precision):
            ball = _shrunk(drift, arb(interval[0]).union(arb(interval[1])), rising)
            if ball.rel_accuracy_bits() >= bits:
                return ball
        precision *= 2
    raise Undecided(f"the zero in {interval} is not enclosed to {bits} bits")


def values_at_zero(
    drift: BallDrift, interval: tuple[fmpq, fmpq], bits: int
) -> tuple[arb, arb, arb]:
    """The zero in a monotone cell, and ``b`` and the slope there, each to ``bits`` bits. Certified.

    Raises ``Undecided`` if ``b`` cannot be told from 0.
    """
    accuracy = bits
    while accuracy <= _MOST_BITS + bits:
        mu = enclose_zero(drift, interval, accuracy)
        with ctx.workprec(accuracy + 32):
            b, slope = drift.b(mu), drift.slope(mu)
            if all(x.is_zero() or x.rel_accuracy_bits() >= bits for x in (b, slope)):
                return mu, b, slope
        accuracy *= 2
    raise Undecided(f"the sign of b at the zero in {interval} is open at {_MOST_BITS} bits")


def _shrunk(drift: BallDrift, ball: arb, rising: bool) -> arb:
    """Interval Newton, with a bisection where it does not halve the ball, while either gains.

    It ends: every step but the last takes a quarter off the radius, and rounding bounds that below.
    """
    while True:
        middle, slope = ball.mid(), drift.slope(ball)
        value = drift.a(middle)
        smaller = ball if slope.contains(0) else ball.intersection(middle - value / slope)
        if not smaller.rad() < ball.rad() / 2 and not value.contains(0):
            outer = ball.lower() if (value > 0) == rising else ball.upper()
            smaller = smaller.intersection(outer.union(middle))
        if not smaller.rad() < ball.rad() * 3 / 4:
            return smaller
        ball = smaller
