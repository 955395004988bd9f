"""Basins of the gradient flow: its sinks, and which of them states end in.

A sink attracts every disc around it, in the plane of (u, θ), on which the Hessian of the loss is
positive: distances to it fall exponentially there. So one inequality captures a state for ever.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from flint import arb, fmpq

from derive.errors import InputError, Undecided
from derive.rest import RestPoint
from numerics.certified.flow import (
    BallFlow,
    Disc,
    Number,
    flow_arithmetic,
    length_of,
    rational,
    turned,
    widened,
)
from numerics.certified.integrator import steps
from numerics.certified.rest_points import flow_rest_points, place


@dataclass(frozen=True)
class Sink:
    """A rest point that attracts.

    Fields: ``rho``, ``u`` and ``m`` there, exact numbers on the edge m² = 1 if ρ is rational, balls
    otherwise; ``time`` by which it has captured what was asked for. The teacher is ρ = 1, m² = 1;
    the student that is null for odd pairs ρ = 0, m² = 1. Certified.
    """

    rho: fmpq | arb
    u: fmpq | arb
    m: int | arb
    time: fmpq | None = None

    @property
    def angle(self) -> arb:
        """θ there."""
        return turned(self.m) if isinstance(self.m, int) else self.m.acos()


def sinks(flow: BallFlow) -> tuple[Sink, ...]:
    r"""All sinks, on the edge m² = 1 by increasing ρ, then inside; each with its mirror image.

    They are the sinks of ``derive.rest`` that are one at this strength too, where the
    Hessian is positive: where ρ = μ on the edge a line of states rests. Errors as of
    ``rest_points``. Source: (51), (91). Certified.

    >>> from numerics.certified.flow import ball_flow
    >>> [(str(sink.rho), str(sink.u)) for sink in sinks(ball_flow("He3", "0.25")) if sink.m > 0]
    [('0', '-1/4'), ('1', '3/4')]
    """
    points = flow_rest_points(flow.by_variance, flow.by_covariance)
    with flow_arithmetic():
        every = [sink for point in points if point.stability == "sink"
                 for sink in _mirrored(flow, point)]  # fmt: skip
        return tuple(sink for sink in every if _attracts(flow, sink, arb(0)))


def _mirrored(flow: BallFlow, point: RestPoint) -> tuple[Sink, Sink]:
    """A rest point as a sink, exact where it is rational, and its mirror image."""
    if point.kind == "edge" and point.rational:
        rho = fmpq(int(point.rational[0].p), int(point.rational[0].q))
        return Sink(rho, rho - flow.mu, 1), Sink(rho, flow.mu - rho, -1)
    at = place(flow, point)
    m: int | arb = 1 if point.kind == "edge" else at.m
    return Sink(at.rho, at.u, m), Sink(at.rho, -at.u, -m)


def fate(flow: BallFlow, start: Disc, horizon: Number) -> Sink:
    """The sink to which all states of a disc converge.

    Arguments:
        flow: of one pair.
        start: where it begins.
        horizon: the time within which a sink must have captured all of them.

    Raises ``Undecided`` if none has. Certified: the Hessian of the loss is positive on a disc
    around the sink that holds them.

    >>> from numerics.certified.flow import ball_flow, disc
    >>> str(fate(ball_flow("He3", "0.25"), disc("0.1", "0.1"), 200).rho)
    '0'
    """
    ends = sinks(flow)
    for step in steps(flow, start, horizon):
        at = step.at(step.length)
        for sink in ends:
            with flow_arithmetic():
                away = length_of(at.u - arb(sink.u), at.angle - sink.angle)
                captured = _attracts(flow, sink, away + at.radius)
            if captured:
                return replace(sink, time=step.end)
    raise Undecided(f"no sink has captured the flow by time {horizon}: give more time")


@dataclass(frozen=True)
class Border:
    """Two starts on a line that end in different sinks: the separatrix crosses in between.

    Fields: ``low``, ``high``, exact places on the line; ``sinks``, where their states end.
    Certified.
    """

    low: fmpq
    high: fmpq
    sinks: tuple[Sink, Sink]


def border(
    flow: BallFlow,
    line: Callable[[fmpq], Disc],
    ends: tuple[Number, Number],
    horizon: Number,
    width: Number = fmpq(1, 2**10),  # noqa: B008, a constant
) -> Border:
    """Enclose a place where a line of starts crosses from one basin into another, by bisection.

    Arguments:
        flow: of one pair.
        line: the start at a number.
        ends: two numbers, in increasing order, whose starts end at different ρ or m.
        horizon: as of ``fate``.
        width: of the result, unless a start in between is not decided by the horizon.

    Raises ``InputError`` if both ends reach the same sink, ``Undecided`` if one of them reaches
    none. Certified: each end of the result reaches its sink.

    >>> from numerics.certified.flow import ball_flow, disc
    >>> he3 = ball_flow("He3", "0.325")
    >>> found = border(he3, lambda m: disc("-0.15", m), ("0.5", "0.7"), 60, "0.1")
    >>> str(found.low), str(found.high), [str(sink.rho) for sink in found.sinks]
    ('1/2', '3/5', ['1', '0'])
    """
    low, high = map(rational, ends)
    first, last = (fate(flow, line(place), horizon) for place in (low, high))
    if _same(first, last):
        raise InputError(
            f"both ends reach ρ = {first.rho}, m = {first.m}: give ends in different basins"
        )
    while high - low > rational(width):
        middle = (low + high) / 2
        try:
            found = fate(flow, line(middle), horizon)
        except Undecided:
            break
        if _same(found, first):
            low, first = middle, found
        else:
            high, last = middle, found
    return Border(low, high, (first, last))


def _same(one: Sink, other: Sink) -> bool:
    pairs = ((one.rho, other.rho), (one.u, other.u), (arb(one.m), arb(other.m)))
    return all(arb(first).overlaps(arb(second)) for first, second in pairs)


def _attracts(flow: BallFlow, sink: Sink, reach: arb) -> bool:
    """Whether the Hessian is positive on the disc of a radius around a sink."""
    box = (widened(arb(sink.u), reach), widened(sink.angle, reach))
    return bool(flow.rate(*box) < 0)
