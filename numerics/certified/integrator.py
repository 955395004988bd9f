"""A validated integrator of the gradient flow: where all states of a disc are at a later time.

A step is a Taylor polynomial of the centre's solution in time. What it cuts off is bounded by the
next coefficient over a box that provably holds the solution (Lagrange); the radius grows at most at
the rate at which solutions part in that box (``numerics.certified.flow``).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from flint import arb, arb_poly, arb_series, ctx, fmpq

from derive.errors import InputError, Undecided
from numerics.certified.flow import (
    LARGEST_RADIUS,
    ORDER,
    BallFlow,
    Disc,
    Number,
    flow_arithmetic,
    length_of,
    rational,
    widened,
)

# Nothing here is a length of time: its unit does not matter.
_TOLERANCE = fmpq(1, 2**48)  # of a step, in u and θ
_AT_FIRST, _GRAIN = 32, 2**24  # times 1/|Hessian|, and parts of it of which lengths are multiples
_LENGTH_BITS = 8  # of the first length: few, for the times that are its multiples stay short then
_MOST_STEPS = 20_000
_FINEST = 2**40  # a passage is narrowed to 1/2^40 of a step


@dataclass(frozen=True)
class Step:
    """A step of the integrator.

    Fields: ``begin``, ``length`` in time; ``curves``, Taylor polynomials of u and θ of the centre;
    ``error``, of what they leave out; ``radius`` of the disc at the beginning; ``rate``, at which
    solutions part at most; ``box``, balls that hold u and θ on the whole step. Certified.
    """

    begin: fmpq
    length: fmpq
    curves: tuple[arb_poly, arb_poly]
    error: arb
    radius: arb
    rate: arb
    box: tuple[arb, arb]

    @property
    def end(self) -> fmpq:
        """The time at which it ends."""
        return self.begin + self.length

    def at(self, time: arb | fmpq) -> Disc:
        """The states at times within the step, given as a ball and counted from its beginning."""
        with flow_arithmetic():
            time = arb(time)
            u, angle = (curve(time) for curve in self.curves)
            parted = self.radius * (self.rate * time).exp()
            radius = length_of(u.rad(), angle.rad()) + self.error + parted
            return Disc(u.mid(), angle.mid(), radius.upper())


def steps(flow: BallFlow, start: Disc, time: Number) -> Iterator[Step]:
    """The steps of the integrator up to a time; errors as of ``advance``.

    Arguments:
        flow: of one pair.
        start: the states at time 0.
        time: > 0, in units of 1/γ, exact.
    """
    horizon, now, here = rational(time), fmpq(0), start
    if not horizon > 0:
        raise InputError(f"time {time} is not accepted: give a positive one")
    longest = _first_length(flow, start, horizon)
    grain = longest / _GRAIN
    for _ in range(_MOST_STEPS):
        step = _step(flow, here, now, min(longest, horizon - now), grain)
        yield step
        here, now = step.at(step.length), step.end
        longest = (step.length / grain * fmpq(17, 16)).ceil() * grain
        if now == horizon:
            return
        if not here.radius < LARGEST_RADIUS:
            break
    raise _not_beyond(now)


def advance(flow: BallFlow, start: Disc, time: Number) -> Disc:
    """All states that the flow reaches from a disc in a time.

    Arguments:
        flow: of one pair.
        start: where it begins.
        time: > 0, in units of 1/γ, exact.

    Raises ``InputError`` for another time, ``Undecided`` where the enclosure blows up. Source:
    (91). Certified.

    >>> from numerics.certified.flow import ball_flow, disc
    >>> end = advance(ball_flow("x", 1), disc(1, "0.5"), 1)  # where u falls as e^(-t)
    >>> abs(end.u - arb(-1).exp()) < end.radius < 1e-12, end.overlap.contains(0.5)
    (True, True)
    """
    *_, last = steps(flow, start, time)
    return last.at(last.length)


def passage(flow: BallFlow, start: Disc, overlap: Number, horizon: Number) -> tuple[arb, Disc]:
    r"""The first time at which \|m\| reaches a level, and the states at that time.

    Arguments:
        flow: of one pair.
        start: where it begins, with \|m\| below the level.
        overlap: the level, in (0, 1).
        horizon: the latest time.

    Raises ``InputError`` for another start, ``Undecided`` if the level is not reached, or only
    touched. Certified: \|m\| is below the level before, and grows through it in the enclosed time.

    >>> from numerics.certified.flow import ball_flow, disc
    >>> time, there = passage(ball_flow("x", "0.5"), disc("0.1", "0.1"), "0.5", 50)
    >>> there.overlap.contains(0.5), time.rad() < 1e-9
    (True, True)
    """
    if not abs(start.overlap) < arb(rational(overlap)):
        raise InputError(f"a start at or above |m| = {overlap} is not accepted: give one below")
    time, there = first_time(flow, start, lambda at: abs(at.overlap), overlap, horizon)
    with flow_arithmetic():
        if flow.overlap_grows(there):
            return time, there
    raise Undecided(f"|m| is not seen to grow through {overlap}: change the level a bit")


def first_time(
    flow: BallFlow,
    start: Disc,
    reading: Callable[[Disc], arb],
    level: Number,
    horizon: Number,
) -> tuple[arb, Disc]:
    """The first time at which a continuous reading of states reaches a level, and these states.

    Arguments:
        flow: of one pair.
        start: where it begins, with the reading below the level.
        reading: a ball of what is read, of all states of a disc.
        level: exact.
        horizon: the latest time.

    Raises ``Undecided`` if the level is not reached, or not seen to be passed. Certified: the
    reading is below the level before the enclosed time, and above it at its end.
    """
    for step in steps(flow, start, horizon):
        with flow_arithmetic():
            found = _passage(step, reading, arb(rational(level)))
            if found is not None:
                return step.begin + found, step.at(found)
    raise Undecided(
        f"what is read is not seen to grow through {level} by time {horizon}: give more"
    )


def _passage(step: Step, reading: Callable[[Disc], arb], level: arb) -> arb | None:
    """When in a step a reading passes a level, if it does not stay below; before, it is below."""
    late = step.length / _FINEST
    first = _first(lambda t: not reading(step.at(t)) < level, fmpq(0), step.length, late)
    if first is None:
        return None
    while first + late < step.length and not reading(step.at(first + late)) > level:
        late *= 2
    last = min(first + late, step.length)
    if not reading(step.at(last)) > level:
        raise Undecided("the level is not passed at the end of a step: change it a bit")
    return arb(first).union(arb(last))


def _first(question: Callable[[arb], bool], first: fmpq, last: fmpq, width: fmpq) -> fmpq | None:
    """A time before which a question of balls of time is answered by no, to a width, if any."""
    if not question(arb(first).union(arb(last))):
        return None
    if last - first <= width:
        return first
    middle = (first + last) / 2
    early = _first(question, first, middle, width)
    return early if early is not None else _first(question, middle, last, width)


# One step.


def _first_length(flow: BallFlow, start: Disc, most: fmpq) -> fmpq:
    """What a step tries at first: so many times the least time in which solutions part."""
    with flow_arithmetic():
        along, mixed, across = flow.hessian(start.u, start.angle)
        size = length_of(length_of(along, across), mixed)
    if not 0 < size < arb("inf"):
        return most
    with ctx.workprec(_LENGTH_BITS):
        return min((_AT_FIRST / size).mid().fmpq(), most)


def _step(flow: BallFlow, start: Disc, now: fmpq, most: fmpq, grain: fmpq) -> Step:
    """A step of a length up to ``most`` that its errors allow; raises ``Undecided`` for none."""
    length = most
    if not flow.is_regular(start.angle):
        raise _not_beyond(now)
    with flow_arithmetic():
        curves = _series(flow, start.u, start.angle)
        while length >= grain:
            step = _tried(flow, start, curves, now, length)
            if step is not None:
                return step
            length = (length / grain * fmpq(3, 4)).floor() * grain
    raise _not_beyond(now)


def _not_beyond(now: fmpq) -> Undecided:
    reached = f"{float(now.p) / float(now.q):.4g}"
    return Undecided(f"the flow is enclosed only up to time {reached}: give a narrower start")


Series = tuple[arb_series, arb_series]


def _tried(flow: BallFlow, start: Disc, curves: Series, now: fmpq, length: fmpq) -> Step | None:
    """A step of a length, if a box is found that provably holds its solutions.

    Solutions in the box stay within the polynomials' values, the part cut off and the distance they
    part by. If these lie inside the box, no solution can leave it before the step ends.
    """
    span, power = arb(0).union(arb(length)), arb(length) ** ORDER
    first, second = (arb_poly(curve.coeffs()[:ORDER]) for curve in curves)
    guesses = [(2 * abs(c[ORDER]) * power).upper() + _TOLERANCE for c in curves]
    allowed = 4 * start.radius
    u, angle = (
        widened(curve(span), guess + allowed)
        for curve, guess in zip((first, second), guesses, strict=True)
    )
    if not flow.is_regular(angle):
        return None
    cut, rate = remainder(flow, u, angle, power), flow.rate(u, angle)
    inside = all(part < guess for part, guess in zip(cut, guesses, strict=True))
    if not inside or not (rate * length).exp() < 4:
        return None
    return Step(now, length, (first, second), length_of(*cut), start.radius, rate, (u, angle))


def remainder(flow: BallFlow, u: arb, angle: arb, power: arb) -> tuple[arb, arb]:
    """What Taylor polynomials of u and θ cut off at most, over a box that holds the solution.

    Arguments:
        flow: of one pair.
        u, angle: the box.
        power: of the step's length, of order ``ORDER``.
    """
    by_u, by_angle = (abs(series[ORDER] * power).upper() for series in _series(flow, u, angle))
    return by_u, by_angle


def _series(flow: BallFlow, u: arb, angle: arb) -> Series:
    """Taylor series of u and θ in time, by Picard iteration: one more term each time."""
    starts = (u, angle, angle.cos(), angle.sin())
    place, turn, m, w = (arb_series([start], prec=1) for start in starts)
    for _ in range(ORDER):
        by_u, by_angle = flow.velocity(place, m, w)
        rates = (by_u, by_angle, -w * by_angle, m * by_angle)
        place, turn, m, w = (
            rate.integral() + start for rate, start in zip(rates, starts, strict=True)
        )
    return place, turn
