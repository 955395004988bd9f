"""All zeros in (0, 1) of a function known through enclosures of it and of its slope.

Cells are halved until the function provably has no zero in them, or is provably monotone, when the
signs at the ends tell. Small cells on which it is convex or concave are told by the ends and by the
one point at which it turns: so a double zero, which no halving decides, is met at once. At an end
where the function itself vanishes, the first derivative that does not vanish there must keep its
sign on the cell. What cannot be decided is an error, never a guess, and comes soon.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import count

from flint import arb, ctx, fmpq

from derive.errors import Undecided
from derive.pair_drift import DriftLike
from numerics.certified.balls import Bounds, bounds, fraction
from numerics.certified.bisection import bisected
from numerics.certified.drift import BallDrift, BallFunction, ball_drift
from numerics.certified.precision import MOST_BITS, accurate, settled

_SEARCH_BITS, _GUARD_BITS = 64, 32
_NARROWEST = fmpq(1, 2**40)
_BENT = fmpq(1, 2**8)  # width of cells on which a turn is looked for
_TURN_BITS = 256  # of working precision at which a value where ``a`` turns counts as 0
_MOST_CELLS = {"exact": 50_000, "certified": 1_500}  # a quadrature may take a tenth of a second
_SPLIT = fmpq(61, 128)  # off centre, so that no zero at a simple fraction is met
_INCOMPLETE = "the list of zeros is not proved complete"
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


def isolate_zeros(drift: BallDrift | DriftLike) -> list[tuple[fmpq, fmpq]]:
    """Isolate every zero of ``a`` in the open interval (0, 1), in increasing order.

    Arguments:
        drift: as ``ball_drift`` gives it, or what that takes.

    In each interval of the result ``a`` is monotone and changes sign.

    Raises ``Undecided`` where ``a`` and its slope cannot both be told from zero, as at a double
    zero, and after so many cells that more would take minutes. Certified.

    >>> len(isolate_zeros("He10"))
    2
    """
    drift = drift if isinstance(drift, BallDrift) else ball_drift(drift)
    ends = [(s.lower, s.upper) for s in zero_cells(drift) if s.zero]
    return [_monotone(drift, *(fmpq(*end.as_integer_ratio()) for end in cell)) for cell in ends]


def _monotone(drift: BallDrift, lower: fmpq, upper: fmpq) -> _Interval:
    """The part of a cell with one zero on which ``a`` is monotone, a little beyond its ends too."""
    rising = sign_of(drift.a, lower) < 0
    with ctx.workprec(_TURN_BITS):
        while drift.slope(arb(lower).union(arb(upper))).contains(0):
            middle = _middle(lower, upper)
            if upper - lower < fmpq(1, 2**_TURN_BITS):
                near = arb(middle).str(10, radius=False)
                raise Undecided(f"the slope of a at its zero near μ = {near} is not told from 0")
            before = (sign_of(drift.a, middle) < 0) == rising
            lower, upper = (middle, upper) if before else (lower, middle)
    return lower, upper


def zero_cells(drift: BallDrift) -> list[Stretch]:
    """Stretches that cover (0, 1), in order: the proof of ``isolate_zeros``. Raises as it does.

    >>> from derive.polynomial_drift import hermite_drift
    >>> from numerics.certified.drift import ball_drift
    >>> [(s.zero, s.reason) for s in zero_cells(ball_drift(hermite_drift(1)))]
    [(False, "a(1) = 0, a' keeps its sign")]
    """
    return _cover(
        lambda lower, upper: _decided(drift, lower, upper),
        f"a(μ) and its slope cannot be told from 0 {{}}: {_INCOMPLETE}",
        _MOST_CELLS[drift.certainty],
    )


def sign_cells(function: BallFunction) -> list[Stretch]:
    """Stretches that cover [0, 1] on each of which a function provably has no zero.

    Raises ``Undecided`` if they get too narrow, as at a zero. Certified; the sign of the function
    is that of any of the bounds.

    >>> [(str(s.lower), str(s.upper)) for s in sign_cells(lambda x: x - x * x + 1)]
    [('0', '61/128'), ('61/128', '1')]
    """

    def decide(lower: fmpq, upper: fmpq) -> _Decision | fmpq:
        value = function(arb(lower).union(arb(upper)))
        decided = value.is_finite() and not value.contains(0)
        return (False, "keeps its sign", value) if decided else _middle(lower, upper)

    return _cover(decide, "the sign {} is open", _MOST_CELLS["exact"])


def _middle(lower: fmpq, upper: fmpq) -> fmpq:
    return lower + (upper - lower) * _SPLIT


def _cover(
    decide: Callable[[fmpq, fmpq], _Decision | fmpq], question: str, most: int
) -> list[Stretch]:
    """Cut [0, 1] until each part is decided, where ``decide`` says, into so many parts at most."""
    taken = count()

    def step(cell: _Interval) -> tuple[list[tuple[_Interval, _Decision]], list[_Interval]]:
        lower, upper = cell
        decided = decide(lower, upper)
        if isinstance(decided, tuple):
            return [(cell, decided)], []
        if upper - lower < _NARROWEST:
            raise Undecided(question.format(f"near μ = {arb(decided).str(10, radius=False)}"))
        if next(taken) == most:
            ends = " and ".join(arb(end).str(6, radius=False) for end in cell)
            raise Undecided(question.format(f"between μ = {ends}, after {most} parts of (0, 1)"))
        return [], [(lower, decided), (decided, upper)]

    with ctx.workprec(_SEARCH_BITS):
        return [
            Stretch(fraction(lower), fraction(upper), zero, reason, bounds(ball))
            for (lower, upper), (zero, reason, ball) in sorted(
                bisected((fmpq(0), fmpq(1)), step), key=lambda found: found[0][0]
            )
        ]


def _decided(drift: BallDrift, lower: fmpq, upper: fmpq) -> _Decision | fmpq:
    """Whether a cell holds a zero, why, and the ball that shows it; where to cut it, if open."""
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
    middle = arb(_middle(lower, upper))
    value = drift.a(middle) + slope * (cell - middle)
    if not value.contains(0):
        return False, "a keeps its sign (mean value form)", value
    if slope.contains(0):
        small = lower > 0 and upper < 1 and upper - lower < _BENT
        return _bent(drift, lower, upper) if small else _middle(lower, upper)
    zero = sign_of(drift.a, lower) != sign_of(drift.a, upper)
    return zero, f"a is monotone and {'changes' if zero else 'keeps'} its sign", slope


def _bent(drift: BallDrift, lower: fmpq, upper: fmpq) -> _Decision | fmpq:
    """A cell inside (0, 1): decided by its ends, and by where ``a`` turns, if it is bent one way.

    It is cut where ``a`` has another sign than at both ends.
    """
    cell = arb(lower).union(arb(upper))
    curvature = drift.curvature(cell) if drift.curvature else arb(0)
    if curvature.contains(0):
        return _middle(lower, upper)
    outer = 1 if curvature > 0 else -1  # the sign of a far from where it turns
    left, right = (sign_of(drift.a, end) for end in (lower, upper))
    if left != right:
        return True, "a changes its sign, and a'' keeps its own", curvature
    if left != outer:
        return False, "a has not the sign of a'' at the ends, and a'' keeps it", curvature
    falls, rises = (sign_of(drift.slope, end) for end in (lower, upper))
    if falls == rises:
        slope = drift.slope(arb(lower)).union(drift.slope(arb(upper)))
        return False, "a' keeps its sign, as a'' does, and a keeps its sign", slope
    turn, value = _at_the_turn(drift, cell, rises > 0)
    if (value > 0) == (outer > 0):
        return False, "a keeps its sign where it turns, and a'' keeps its own", value
    return turn.mid().fmpq()


def _at_the_turn(drift: BallDrift, cell: arb, rising: bool) -> tuple[arb, arb]:
    """The one zero of the slope in a cell, and ``a`` there, which is told from 0."""
    curvature = drift.curvature
    assert curvature is not None

    def found(_: int) -> tuple[arb, arb]:
        turn = _shrunk(drift.slope, curvature, cell, rising)
        value = drift.a(turn.mid()) + drift.slope(turn) * (turn - turn.mid())
        return turn, value

    near = cell.str(8, radius=False)
    pair, _ = settled(
        found,
        lambda pair: not pair[1].contains(0),
        f"a(μ) turns near μ = {near} and is not told from 0 there, at a double zero or two that "
        f"are as good as one: {_INCOMPLETE}",
        first=_SEARCH_BITS,
        most=_TURN_BITS,
    )
    return pair


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
    """Ball of ``bits`` bits of relative accuracy around a zero, in a cell that isolates it.

    Arguments:
        drift: a and its slope on balls.
        interval: the ends of the cell.
        bits: of relative accuracy.

    Certified. Raises ``Undecided`` if the enclosures do not allow it.
    """
    rising = sign_of(drift.a, interval[0]) < 0
    zero, _ = settled(
        lambda _: _shrunk(drift.a, drift.slope, arb(interval[0]).union(arb(interval[1])), rising),
        lambda ball: ball.rel_accuracy_bits() >= bits,
        f"the zero in {interval} is not enclosed to {bits} bits",
        first=bits + _GUARD_BITS,
        most=MOST_BITS + bits,
    )
    return zero


def values_at_zero(
    drift: BallDrift, interval: tuple[fmpq, fmpq], bits: int
) -> tuple[tuple[arb, arb, arb], int]:
    """The zero in such a cell, ``b`` and the slope there, and the bits it took. Certified.

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


def _shrunk(function: BallFunction, slope: BallFunction, ball: arb, rising: bool) -> arb:
    """Interval Newton, with a bisection where it does not halve the ball, while either gains.

    It ends: every step but the last takes a quarter off the radius, and rounding bounds that below.
    """
    while True:
        middle, steepness = ball.mid(), slope(ball)
        value = function(middle)
        straight = not steepness.contains(0)
        smaller = ball.intersection(middle - value / steepness) if straight else ball
        if not smaller.rad() < ball.rad() / 2 and not value.contains(0):
            outer = ball.lower() if (value > 0) == rising else ball.upper()
            smaller = smaller.intersection(outer.union(middle))
        if not smaller.rad() < ball.rad() * 3 / 4:
            return smaller
        ball = smaller
