"""All zeros in (0, 1) of a function known through enclosures of it and of its slope.

Cells are halved until the function provably has no zero in them, or is provably monotone, when the
signs at the ends tell. At an end where the function itself vanishes, the first derivative that does
not vanish there must keep its sign on the cell. What cannot be decided is an error, never a guess.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from flint import arb, ctx, fmpq

from derive.errors import Undecided
from numerics.certified.balls import Bounds, bounds, fraction
from numerics.certified.bisection import bisected
from numerics.certified.drift import BallDrift, BallFunction
from numerics.certified.precision import MOST_BITS, accurate, settled

_SEARCH_BITS, _GUARD_BITS = 64, 32
_NARROWEST = fmpq(1, 2**40)
_SPLIT = fmpq(61, 128)  # off centre, so that no zero at a simple fraction is met
_Interval = tuple[fmpq, fmpq]
_Decision = tuple[bool, str, arb]  # as the last fields of ``Stretch``


@dataclass(frozen=True)
class Stretch:
    """A part of (0, 1) on which the zeros of ``a`` are known.

    Fields: ``lower``, ``upper``; ``zero``, whether it holds one (and only one); ``reason``, and the
    ``bounds`` over the whole stretch that give it, which exclude 0. Certified.
    """

    lower: Fraction
    upper: Fraction
    zero: bool
    reason: str
    bounds: Bounds


def isolate_zeros(drift: BallDrift) -> list[tuple[fmpq, fmpq]]:
    """Isolate every zero of ``a`` in the open interval (0, 1), in increasing order.

    In each interval of the result ``a`` is monotone and changes sign.

    Raises ``Undecided`` where ``a`` and its slope cannot both be told from zero, as at a double
    zero. Certified.

    >>> from derive.polynomial_drift import hermite_drift
    >>> from numerics.certified.drift import ball_drift
    >>> len(isolate_zeros(ball_drift(hermite_drift(10))))
    2
    """
    ends = [(s.lower, s.upper) for s in zero_cells(drift) if s.zero]
    return [(fmpq(*p.as_integer_ratio()), fmpq(*q.as_integer_ratio())) for p, q in ends]


def zero_cells(drift: BallDrift) -> list[Stretch]:
    """Stretches that cover (0, 1), in order: the proof of ``isolate_zeros``. Raises as it does.

    >>> from derive.polynomial_drift import hermite_drift
    >>> from numerics.certified.drift import ball_drift
    >>> [(s.zero, s.reason) for s in zero_cells(ball_drift(hermite_drift(1)))]
    [(False, "a(1) = 0, a' keeps its sign")]
    """
    return _cover(
        lambda lower, upper: _decided(drift, lower, upper),
        "a(μ) and its slope cannot be told from 0 near μ = {}, perhaps a double zero: the list of "
        "zeros is not proved complete",
    )


def sign_cells(function: BallFunction) -> list[Stretch]:
    """Stretches that cover [0, 1] on each of which a function provably has no zero.

    Raises ``Undecided`` if they get too narrow, as at a zero. Certified; the sign of the function
    is that of any of the bounds.

    >>> [(str(s.lower), str(s.upper)) for s in sign_cells(lambda x: x - x * x + 1)]
    [('0', '61/128'), ('61/128', '1')]
    """

    def decide(lower: fmpq, upper: fmpq) -> _Decision | None:
        value = function(arb(lower).union(arb(upper)))
        decided = value.is_finite() and not value.contains(0)
        return (False, "keeps its sign", value) if decided else None

    return _cover(decide, "the sign near μ = {} is open")


def _cover(decide: Callable[[fmpq, fmpq], _Decision | None], question: str) -> list[Stretch]:
    """Halve [0, 1] until each part is decided."""

    def step(cell: _Interval) -> tuple[list[tuple[_Interval, _Decision]], list[_Interval]]:
        lower, upper = cell
        if decided := decide(lower, upper):
            return [(cell, decided)], []
        middle = lower + (upper - lower) * _SPLIT
        if upper - lower < _NARROWEST:
            raise Undecided(question.format(arb(middle).str(10)))
        return [], [(lower, middle), (middle, upper)]

    with ctx.workprec(_SEARCH_BITS):
        return [
            Stretch(fraction(lower), fraction(upper), zero, reason, bounds(ball))
            for (lower, upper), (zero, reason, ball) in sorted(
                bisected((fmpq(0), fmpq(1)), step), key=lambda found: found[0][0]
            )
        ]


def _decided(drift: BallDrift, lower: fmpq, upper: fmpq) -> _Decision | None:
    """Whether a cell holds a zero, why, and the ball that shows it; ``None`` if that is open."""
    cell = arb(lower).union(arb(upper))
    value = drift.a(cell)
    if not value.contains(0):
        return False, "a keeps its sign", value
    if drift.positive and lower == 0 and upper < 1:
        at_end = drift.a(arb(upper))
        if at_end > 0:  # as it must be: the bounds show how far from 0 it comes
            return False, "a > 0: the student is monotone on either side of 0", at_end
    if lower == 0 and drift.around_zero and (sign := drift.around_zero(upper)) is not None:
        return False, "a keeps its sign around 0, in units of a Gaussian density", sign
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


def sign_of(function: BallFunction, point: fmpq) -> int:
    """Sign of a function at a rational point, where it is not zero. Certified.

    Raises ``Undecided`` if the enclosure contains 0 at every precision in use.
    """
    value, _ = settled(
        lambda _: function(arb(point)),
        lambda ball: not ball.contains(0),
        f"the sign at μ = {point} is open",
        first=_SEARCH_BITS,
    )
    return 1 if value > 0 else -1


def enclose_zero(drift: BallDrift, interval: tuple[fmpq, fmpq], bits: int) -> arb:
    """Ball of ``bits`` bits of relative accuracy around the zero in a monotone cell. Certified.

    Raises ``Undecided`` if the enclosures do not allow it.
    """
    rising = sign_of(drift.a, interval[0]) < 0
    zero, _ = settled(
        lambda _: _shrunk(drift, arb(interval[0]).union(arb(interval[1])), rising),
        lambda ball: ball.rel_accuracy_bits() >= bits,
        f"the zero in {interval} is not enclosed to {bits} bits",
        first=bits + _GUARD_BITS,
        most=MOST_BITS + bits,
    )
    return zero


def values_at_zero(
    drift: BallDrift, interval: tuple[fmpq, fmpq], bits: int
) -> tuple[tuple[arb, arb, arb], int]:
    """The zero in a monotone cell, ``b`` and the slope there, and the bits it took. Certified.

    Arguments:
        drift, interval: as of ``isolate_zeros``.
        bits: of relative accuracy of each.

    Raises ``Undecided`` if ``b`` cannot be told from 0.
    """

    def values(accuracy: int) -> tuple[arb, arb, arb]:
        mu = enclose_zero(drift, interval, accuracy)
        return mu, drift.b(mu), drift.slope(mu)

    return settled(
        values,
        lambda found: accurate(bits)(found[1:]),
        f"the sign of b at the zero in {interval} is open",
        first=bits,
        most=MOST_BITS + bits,
        guard=_GUARD_BITS,
    )


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
