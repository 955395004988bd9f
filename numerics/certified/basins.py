"""Basins of the gradient flow: its sinks, and which of them states end in.

Two inequalities capture a state for ever. A sink attracts every disc around it, in the plane of (u,
θ), on which the Hessian of the loss is positive: distances to it fall exponentially there. And
below the loss of all rest points that are no sinks, the basins are open and cover everything, so
that every connected piece is part of one: a state belongs to the sink to which the loss falls along
any path, here along m at its u and then along the edge.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from flint import arb, fmpq

from derive.errors import InputError, Undecided
from derive.rest import RestPoint
from numerics.certified.flow import (
    BallFlow,
    Disc,
    Number,
    Table,
    flow_arithmetic,
    length_of,
    rational,
    table_value,
    turned,
    widened,
)
from numerics.certified.integrator import steps
from numerics.certified.rest_points import coordinates, flow_rest_points, place

_CUTS = 6  # in halves, of a path along which the loss is to fall
_MOST_STEPS = 3000  # in which a state is captured, or it is left open
_CLOSE = fmpq(1, 2**20)  # to a line that rests, in u


class AtRest(Undecided):
    """A flow comes to rest where no sink is."""


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


def sink_at(flow: BallFlow, point: RestPoint) -> Sink:
    """A rest point that is known to be a sink, exact where it is rational; of a pair that with
    u > 0 or m = 1. Certified."""
    with flow_arithmetic():
        return _mirrored(flow, point)[0]


def _mirrored(flow: BallFlow, point: RestPoint) -> tuple[Sink, Sink]:
    """A rest point as a sink and its mirror image."""
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

    Raises ``Undecided`` if none has, ``AtRest`` on the line of a singularity. Certified: the
    Hessian of the loss is positive on a disc around the sink that holds them, or their loss is
    below that of all rest points but sinks.

    >>> from numerics.certified.flow import ball_flow, disc
    >>> str(fate(ball_flow("He3", "0.25"), disc("0.1", "0.1"), 200).rho)
    '0'
    """
    ends = sinks(flow)
    trap = _Trap.of(flow)
    rests = flow.search_phase()[0] == 0
    for step in islice(steps(flow, start, horizon), _MOST_STEPS):
        at = step.at(step.length)
        if rests and _comes_to_line(flow, at):
            raise AtRest("the flow comes to the line u = 0 of the singularity, which rests")
        if trap and (held := trap.holds(at, ends)):
            return replace(held, time=step.end)
        for sink in ends:
            with flow_arithmetic():
                away = length_of(at.u - arb(sink.u), at.angle - sink.angle)
                captured = _attracts(flow, sink, away + at.radius)
            if captured:
                return replace(sink, time=step.end)
    raise Undecided(
        f"no sink has captured the flow by time {horizon} in {_MOST_STEPS} steps: give more time, "
        "or a strength off a singularity"
    )


def _comes_to_line(flow: BallFlow, at: Disc) -> bool:
    """Whether all states of a disc are close to u = 0 and come closer."""
    with flow_arithmetic():
        u, angle = at.box
        return bool(abs(u) < _CLOSE and flow.hessian(u.union(arb(0)), angle)[0] > 0)


@dataclass(frozen=True)
class _Trap:
    """The states of a lower loss than all rest points that are no sinks.

    Fields: ``flow``; ``loss``, a table of coefficients; ``level``, below which they are; ``edge``,
    the zeros of a(ρ, 0) in increasing order.
    """

    flow: BallFlow
    loss: Table
    level: arb
    edge: tuple[arb, ...]

    @classmethod
    def of(cls, flow: BallFlow) -> "_Trap | None":
        """That of a gradient flow whose loss grows without bound in u; of others there is none."""
        loss = _loss(flow)
        if type(flow) is not BallFlow or not _grows(loss):
            return None
        points = flow_rest_points(flow.by_variance, flow.by_covariance)
        with flow_arithmetic():
            places = [coordinates(p.point) for p in points if p.stability != "sink"]
            places.append((arb(flow.mu), arb(0)))
            values = [table_value(loss, s + rho * rho, rho) + arb(0) for rho, s in places]
            level = least(values)
            edge = [coordinates(p.point)[0] for p in points if p.kind == "edge"]
            return cls(flow, loss, level, tuple(edge))

    def holds(self, at: Disc, ends: tuple[Sink, ...]) -> Sink | None:
        """The sink to which all states of a disc go, if the loss tells."""
        with flow_arithmetic():
            u, angle = at.box
            m = angle.cos()
            if not table_value(self.loss, *self.flow.place(u, m)) < self.level:
                return None
            side = -_sign(self._by_m(u, m))
            if not side or not self._falls(u, (m, arb(side)), side):
                return None
            here = self.flow.mu + side * u
            first, second = self.flow.slopes(here * here, here)
            way = -_sign(2 * here * first + second)
            if any(zero.overlaps(here) for zero in self.edge):
                return None
            ahead = [zero for zero in self.edge[:: way or 1] if (zero - here) * way > 0]
            found = [sink for sink in ends if isinstance(sink.m, int) and sink.m == side
                     and ahead and arb(sink.rho).overlaps(ahead[0])]  # fmt: skip
            return found[0] if len(found) == 1 else None

    def _by_m(self, u: arb, m: arb) -> arb:
        """The slope of the loss in m."""
        first, second = self.flow.slopes(*self.flow.place(u, m))
        return arb(u * (2 * self.flow.mu * first + second))

    def _falls(self, u: arb, ends: tuple[arb, arb], side: int, cuts: int = _CUTS) -> bool:
        """Whether the loss falls all the way between two m, to the side, at fixed u."""
        if self._by_m(u, ends[0].union(ends[1])) * side < 0:
            return True
        middle = arb(((ends[0] + ends[1]) / 2).mid())
        parts = (ends[0], middle), (middle, ends[1])
        return cuts > 0 and all(self._falls(u, part, side, cuts - 1) for part in parts)


def least(values: Sequence[arb]) -> arb:
    """An exact number that no value is below, the largest that their balls allow."""
    return min(value.lower() for value in values)


def _sign(value: arb) -> int:
    """1 or -1 where a ball has that sign, else 0."""
    return int(value > 0) - int(value < 0)


def _loss(flow: BallFlow) -> Table:
    """The loss but for a constant, from its slopes."""
    alone = (fmpq(0), *(c / (j + 1) for j, c in enumerate(flow.by_covariance[0])))
    rows = [tuple(c / (i + 1) for c in row) for i, row in enumerate(flow.by_variance)]
    return (alone, *rows)


def _grows(loss: Table) -> bool:
    """Whether a loss grows without bound in u: its terms of the highest order are a power of Q."""
    orders = [(2 * i + j, j, c) for i, row in enumerate(loss) for j, c in enumerate(row) if c != 0]
    highest = max((order for order, _, _ in orders), default=0)
    return highest > 0 and all(j == 0 and c > 0 for order, j, c in orders if order == highest)


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
    if same_sink(first, last):
        raise InputError(
            f"both ends reach ρ = {first.rho}, m = {first.m}: give ends in different basins"
        )
    while high - low > rational(width):
        middle = (low + high) / 2
        try:
            found = fate(flow, line(middle), horizon)
        except Undecided:
            break
        if same_sink(found, first):
            low, first = middle, found
        else:
            high, last = middle, found
    return Border(low, high, (first, last))


def same_sink(one: Sink, other: Sink) -> bool:
    """Whether two sinks of a flow are one: those that are not have disjoint balls."""
    pairs = ((one.rho, other.rho), (one.u, other.u), (arb(one.m), arb(other.m)))
    return all(arb(first).overlaps(arb(second)) for first, second in pairs)


def _attracts(flow: BallFlow, sink: Sink, reach: arb) -> bool:
    """Whether the Hessian is positive on the disc of a radius around a sink."""
    box = (widened(arb(sink.u), reach), widened(sink.angle, reach))
    return bool(flow.rate(*box) < 0)
