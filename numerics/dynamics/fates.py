"""Where runs end: after an escape with their own labels, and after a first stage with others.

In large dimensions every run leaves the search phase along one curve or its mirror image, whatever
its start and the dimension. So its end is a function of the strength alone and, with two stages, of
the overlap at which labels are switched. It is exact where an argument on the loss decides
(``derive.ends``), certified where the flow is enclosed, else heuristic, by the flow in
doubles; each fate says which.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from math import log
from typing import Literal, TypeAlias

import numpy as np
from flint import arb, fmpq
from sympy import Rational

from derive.ends import escape_end
from derive.errors import InputError, Undecided
from derive.pair import Pair
from numerics.certified.basins import (
    AtRest,
    Border,
    Sink,
    border,
    fate,
    same_sink,
    sink_at,
    sinks,
)
from numerics.certified.flow import BallFlow, Disc, ball_flow, disc
from numerics.certified.unstable_manifold import leaving
from numerics.doubles.arrays import Doubles
from numerics.dynamics.flow import Flow, crossing, flow_of, integrate
from numerics.dynamics.solver import NotFollowed

Certainty: TypeAlias = Literal["exact", "certified", "heuristic"]
_FIRST_LEVEL = "0.05"  # of |m|, by which a run has left the search phase
_NEAR = 1e-4  # of a sink, in u and m, in doubles
_LOOKS = 15  # at where the flow in doubles is, within the horizon
_PARTS = 12  # of m from 0 to 1, at which a line of states is looked at
_TINY = 1e-4  # size of a start on the growing direction, in doubles
_MOST_TIME = 60.0  # of a first stage in doubles, in units of its 1/λ


@dataclass(frozen=True)
class Fate:
    """Where a run ends.

    Fields: ``sink``, ``None`` if that is open; ``certainty`` of it; ``state``, u and m where its
    last stage begins, ``None`` for the search phase; ``reason``, why it is not certified.
    """

    sink: Sink | None
    certainty: Certainty
    state: tuple[float, float] | None = None
    reason: str = ""


@dataclass(frozen=True)
class FateJudge:
    """Who tells the fates of a pair at a strength.

    Fields: ``pair``, of polynomials, with the labels of the last stage; ``mu``; ``horizon``, the
    time within which the last stage is followed.
    """

    pair: Pair
    mu: Fraction
    horizon: float = 300.0

    @cached_property
    def flow(self) -> BallFlow:
        """The flow of the last stage, to be enclosed."""
        return ball_flow(self.pair, self.mu)

    @cached_property
    def sinks(self) -> tuple[Sink, ...]:
        """All sinks, mirror images included."""
        return sinks(self.flow)

    @cached_property
    def _doubles(self) -> Flow:
        return flow_of(self.pair, float(self.mu))

    def name(self, sink: Sink) -> str:
        """What a sink is: the teacher, the student that is null, or another student."""
        if sink.m in (1, -1):
            if sink.rho == 0:
                return "null student"
            mirrored = sink.rho == -1 and self._even
            if self.pair.is_plain and (sink.rho == 1 or mirrored):
                return "teacher"
        return f"student of rho {float(arb(sink.rho)):.4g}"

    @cached_property
    def _even(self) -> bool:
        student = self.pair.student.polynomial
        return student is not None and all(k % 2 == 0 for (k,) in student.monoms())

    def of_state(self, u: float, m: float) -> Fate:
        """The fate of a state with the pair's own labels: certified, or by doubles."""
        return self._ends(disc(u, m), (u, m))

    def escape(self) -> Fate:
        """The fate of a run that leaves the search phase with its own labels."""
        a, b = self.flow.search_phase()
        if a == 0 and b <= 0:
            return Fate(None, "exact", None, "a = 0 and b ≤ 0: nothing leaves the search phase")
        found = escape_end(self.pair, Rational(self.mu.numerator, self.mu.denominator))
        if found is not None:
            return Fate(sink_at(self.flow, found), "exact")
        try:
            start, = leaving(self.flow, [_FIRST_LEVEL])  # fmt: skip
            return Fate(fate(self.flow, start, self.horizon), "certified")
        except Undecided as reason:
            told = str(reason)
        return Fate(self._followed(_growing(self._doubles)), "heuristic", None, told)

    def staged(self, labels: str, overlaps: Sequence[Fraction]) -> Iterator[tuple[Fate, Fate]]:
        """The fates of runs that leave with other labels, switched at levels of the overlap.

        Arguments:
            labels: of the first stage, as ``Pair`` takes them.
            overlaps: levels of the overlap in (0, 1), in increasing order.

        Of each level the fate as it is, and with the sign of u flipped if u·m < 0.
        """
        first = replace_labels(self.pair, labels)
        doubt = ""
        try:
            states = list(leaving(ball_flow(first, self.mu), overlaps))
        except (Undecided, InputError) as reason:
            doubt = str(reason)
            levels = [float(level) for level in overlaps]
            states = list(passing(flow_of(first, float(self.mu)), levels))
        for state in states:
            u, m = float(state.u.mid()), float(state.overlap.mid())
            plain, turned = self._ends(state, (u, m)), state.aligned()
            other = plain if turned is state else self._ends(turned, (-u, m))
            yield (_doubted(plain, doubt), _doubted(other, doubt)) if doubt else (plain, other)

    def border(
        self, labels: str, flip: bool, ends: tuple[Fraction, Fraction], width: float
    ) -> Border:
        """The overlap at the switch between two whose runs end apart, enclosed.

        Arguments as of ``staged``, ``ends`` two levels, ``width`` of the result. Raises
        ``Undecided`` where it is not enclosed. Certified.
        """
        first = ball_flow(replace_labels(self.pair, labels), self.mu)

        def line(level: fmpq) -> Disc:
            there, = leaving(first, [level])  # fmt: skip
            return there.aligned() if flip else there

        return border(self.flow, line, ends, self.horizon, width)

    def crossings(self, u: Fraction, width: float) -> Iterator[Border]:
        """Where a line of states of one u crosses from one basin into another, enclosed.

        Arguments:
            u: of all states, exact.
            width: of each result, in m.

        Crossings closer than a twelfth in m may be missed. Certified, but not complete.
        """

        def line(m: fmpq) -> Disc:
            return disc(u, m)

        places = [fmpq(k, _PARTS) for k in range(1 - _PARTS, _PARTS)]
        known = [(place, self._sink(line(place))) for place in places]
        for (low, one), (high, other) in pairwise(known):
            if one and other and not same_sink(one, other):
                yield border(self.flow, line, (low, high), self.horizon, width)

    def _sink(self, start: Disc) -> Sink | None:
        try:
            return fate(self.flow, start, self.horizon)
        except Undecided:
            return None

    def _ends(self, start: Disc, place: tuple[float, float]) -> Fate:
        try:
            return Fate(fate(self.flow, start, self.horizon), "certified", place)
        except AtRest as reason:  # as far as is enclosed: then no sink is reached
            return Fate(None, "heuristic", place, str(reason))
        except Undecided as reason:
            return Fate(self._followed(np.array(place)), "heuristic", place, str(reason))

    def _followed(self, state: Doubles) -> Sink | None:
        """The sink at which the flow in doubles is in the end, by the horizon."""
        between = self.horizon / _LOOKS
        for _ in range(_LOOKS):
            begin = np.clip(state, [-np.inf, -1], [np.inf, 1])
            try:
                state = integrate(self._doubles, begin, between, stiff=True).at(between)
            except NotFollowed:
                return None
            near = [sink for sink in self.sinks if self._distance(state, sink) < _NEAR]
            if near:
                return near[0]
        return None

    def _distance(self, state: Doubles, sink: Sink) -> float:
        place = np.array([float(arb(sink.u)), float(arb(sink.m))])
        return float(np.max(np.abs(state - place)))


def _doubted(fate: Fate, reason: str) -> Fate:
    """A fate from a state that is not certified itself."""
    return replace(fate, certainty="heuristic", reason=reason)


def replace_labels(pair: Pair, labels: str) -> Pair:
    """A pair with other labels."""
    return Pair(pair.teacher, pair.student, labels, pair.loss, pair.misalignment)


def _growing(flow: Flow, size: float = _TINY) -> Doubles:
    """A small start on the growing direction, with u > 0."""
    direction = np.linalg.eigh(flow.linearisation())[1][:, -1]
    return np.asarray(size * direction * (1 if direction[0] > 0 else -1))


def passing(flow: Flow, levels: Sequence[float]) -> Iterator[Disc]:
    """States in which the flow in doubles passes levels of the overlap. Heuristic."""
    size = min(_TINY, min(levels) / 2)
    if not flow.escapes():
        raise Undecided(
            "the first stage does not leave the search phase: give other labels or another strength"
        )
    end = (_MOST_TIME + log(_TINY / size)) / flow.rate()
    path = integrate(flow, _growing(flow, size), end, stiff=True)
    overlaps = np.abs(path.at(path.times)[:, 1])
    for level in levels:
        above = np.flatnonzero(overlaps >= level)
        if not len(above):
            raise Undecided(f"the first stage does not reach |m| = {level}: give a lower one")
        after = int(above[0])

        def missing(time: float, level: float = level) -> float:
            return abs(float(path.at(time)[1])) - level

        u, m = path.at(crossing(missing, path.times[after - 1], path.times[after]))
        yield disc(float(u), float(np.clip(m, -1, 1)))
