"""Basins of the gradient flow: the sinks with m² = 1, and which of them states end in.

A sink attracts every disc around it, in the plane of (u, θ), on which the Hessian of the loss is
positive: distances to it fall exponentially there. So one inequality captures a state for ever.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from flint import arb, fmpq, fmpq_poly

from derive.errors import InputError, Undecided
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


@dataclass(frozen=True)
class Sink:
    """A point with m² = 1 that attracts.

    Fields: ``rho``, ``u`` and ``m`` there, exact; ``time`` by which it has captured what was asked
    for. The teacher is ρ = 1, the student that is null for odd pairs ρ = 0. Certified.
    """

    rho: fmpq
    u: fmpq
    m: int
    time: fmpq | None = None


def sinks(flow: BallFlow) -> tuple[Sink, ...]:
    r"""The sinks with m² = 1 and a rational ρ, by increasing ρ, each at both signs of m.

    At m = 1 the velocity of u is ``a(ρ, 0)``; its rational zeros are found exactly, and a zero is a
    sink where the Hessian is positive.

    .. math:: a(\rho, 0) = -(2\rho L_Q + L_\rho)

    Source: (51), (91). Certified.

    >>> from numerics.certified.flow import ball_flow
    >>> [(str(sink.rho), str(sink.u)) for sink in sinks(ball_flow("He3", "0.25")) if sink.m > 0]
    [('0', '-1/4'), ('1', '3/4')]
    """
    line, rho = fmpq_poly([0]), fmpq_poly([0, 1])
    for table, factor in ((flow.by_variance, 2 * rho), (flow.by_covariance, fmpq_poly([1]))):
        for i, row in enumerate(table):
            line += factor * rho ** (2 * i) * fmpq_poly(list(row))
    _, factors = line.numer().factor()
    zeros = sorted(fmpq(-f[0], f[1]) for f, _ in factors if f.degree() == 1)
    every = (Sink(zero, sign * (zero - flow.mu), sign) for zero in zeros for sign in (1, -1))
    return tuple(sink for sink in every if _attracts(flow, sink, arb(0)))


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
                away = length_of(at.u - arb(sink.u), at.angle - turned(sink.m))
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
    return (one.rho, one.m) == (other.rho, other.m)


def _attracts(flow: BallFlow, sink: Sink, reach: arb) -> bool:
    """Whether the Hessian is positive on the disc of a radius around a sink."""
    box = (widened(arb(sink.u), reach), widened(turned(sink.m), reach))
    return bool(flow.rate(*box) < 0)
