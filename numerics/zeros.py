"""All zeros in (0, 1) of a function known through enclosures of it and of its slope.

Cells are halved until the function provably has no zero in them, or is provably monotone, when the
signs at the ends tell. At an end where the function itself vanishes, the first derivative that does
not vanish there must keep its sign on the cell. What cannot be decided is an error, never a guess.
"""

from collections.abc import Iterator

from flint import arb, ctx, fmpq

from derive.errors import Undecided
from numerics.enclosures import BallDrift, BallFunction

_SEARCH_BITS = 64
_NARROWEST = fmpq(1, 2**40)
_MOST_BITS = 4096
_SPLIT = fmpq(61, 128)  # off centre, so that no zero at a simple fraction is met


def isolate_zeros(drift: BallDrift) -> list[tuple[fmpq, fmpq]]:
    """Isolate every zero of ``a`` in the open interval (0, 1), in increasing order.

    In each interval of the result ``a`` is monotone and changes sign.

    Raises ``Undecided`` where ``a`` and its slope cannot both be told from zero, as at a double
    zero. Certified.

    >>> from derive.drift import hermite_drift
    >>> from numerics.enclosures import ball_drift
    >>> len(isolate_zeros(ball_drift(hermite_drift(10))))
    2
    """
    with ctx.workprec(_SEARCH_BITS):
        return sorted(_monotone_cells(drift))


def _monotone_cells(drift: BallDrift) -> Iterator[tuple[fmpq, fmpq]]:
    cells = [(fmpq(0), fmpq(1))]
    while cells:
        lower, upper = cells.pop()
        cell = arb(lower).union(arb(upper))
        if not drift.a(cell).contains(0):
            continue
        if _only_at_an_end(drift, lower, upper, cell):
            continue
        slope = drift.slope(cell)
        middle = lower + (upper - lower) * _SPLIT
        if not (drift.a(arb(middle)) + slope * (cell - arb(middle))).contains(0):
            continue
        if slope.contains(0):
            if upper - lower < _NARROWEST:
                raise Undecided(
                    f"a(μ) and its slope cannot be told from 0 near μ = {arb(middle).str(10)}, "
                    "perhaps a double zero: the list of zeros is not proved complete"
                )
            cells += [(lower, middle), (middle, upper)]
        elif (lower == 0 and drift.at_zero) or (upper == 1 and drift.at_one):
            continue  # monotone, and zero at the end already
        elif sign_of(drift.a, lower) != sign_of(drift.a, upper):
            yield lower, upper


def _only_at_an_end(drift: BallDrift, lower: fmpq, upper: fmpq, cell: arb) -> bool:
    """Whether ``a`` vanishes at an end of (0, 1) in this cell and provably nowhere else."""
    derivatives = [
        derivative
        for end, derivative in ((lower == 0, drift.at_zero), (upper == 1, drift.at_one))
        if end and derivative
    ]
    # With both ends in the cell the two zeros would need a sign change of the derivative.
    return len(derivatives) == 1 and not derivatives[0](cell).contains(0)


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
    """Interval Newton, with a bisection where it does not halve the ball, while either gains."""
    while True:
        middle, slope = ball.mid(), drift.slope(ball)
        value = drift.a(middle)
        smaller = ball if slope.contains(0) else ball.intersection(middle - value / slope)
        if not smaller.rad() < ball.rad() / 2:
            if value.contains(0):
                return smaller
            outer = ball.lower() if (value > 0) == rising else ball.upper()
            smaller = smaller.intersection(outer.union(middle))
        ball = smaller
