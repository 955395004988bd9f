r"""The constant log K of the exit time, of any pair: enclosed, or by shooting with its error.

It is that of a limit of large d, of small steps or at a finite learning rate. Polynomial pairs are
enclosed along the unstable manifold (``numerics.certified``). For all others,
and where that is too stiff, the flow is shot from ``ε v`` at three small ε, and
``λ T_R(ε v) + log ε`` extrapolated to ε = 0.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import log
from typing import Literal

import numpy as np

from derive.errors import InputError, Undecided
from derive.pair import Pair
from numerics.certified.finite_rate import finite_rate_flow
from numerics.certified.unstable_manifold import exit_constant
from numerics.doubles.arrays import Doubles
from numerics.dynamics.flow import Flow, flow_of
from numerics.dynamics.kinds import EXIT_RADIUS
from numerics.dynamics.solver import NotFollowed, solved

_FIRST, _RATIO = 1e-3, 0.25  # the largest ε in units of the radius, and that of the next ones
_TOLERANCE = 1e-11  # of the solver; absolute in units of ε
_PATIENCE = 30  # times 1/λ beyond linear growth
_QUICK = 4  # the degree up to which the noise of samples is enclosed within seconds
_NAMES = {"state": "|(u, m)|", "overlap": "|m|"}


@dataclass(frozen=True)
class ExitConstant:
    """log K with its error, a bound if ``certainty`` is ``certified``, an estimate otherwise."""

    log_k: float
    error: float
    certainty: Literal["certified", "heuristic"]


@dataclass(frozen=True)
class Passage:
    """What counts as exit: ``of``, the size of the state or |m|, and the ``level`` it reaches."""

    of: Literal["state", "overlap"] = "state"
    level: float = EXIT_RADIUS

    def missing(self, state: Doubles) -> float:
        """By how much a state is inside."""
        size = np.linalg.norm(state) if self.of == "state" else abs(state[1])
        return self.level - float(size)


_USUAL = Passage()


@lru_cache(maxsize=256)
def exit_constant_of(
    pair: Pair,
    mu: Fraction,
    passage: Passage = _USUAL,
    *,
    scaled_rate: float = 0.0,
    label_noise: float = 0.0,
) -> ExitConstant:
    r"""The constant log K of a pair, enclosed if possible.

    Arguments:
        pair: misaligned or not.
        mu: pre-training strength in (0, 1].
        passage: what counts as exit, its level in (0, 1).
        scaled_rate, label_noise: γd/B and the noise on labels, as ``flow_of`` takes them.

    Raises ``InputError`` where there is no escape, ``Undecided`` if the flow does not exit.
    Certified for polynomial pairs that are not misaligned, unless too stiff, and at a finite
    learning rate up to degree 4; else heuristic.

    >>> found = exit_constant_of(Pair("x"), Fraction(1, 2))
    >>> round(found.log_k, 10), found.certainty, shot(flow_of("x", 0.5)).certainty
    (-0.5918302406, 'certified', 'heuristic')
    """
    teacher, student = pair.teacher.polynomial, pair.student.polynomial
    degree = 0 if teacher is None or student is None or pair.misalignment != 0 else student.degree()
    if degree and not (scaled_rate and degree > _QUICK):
        try:
            flow = finite_rate_flow(pair, mu, scaled_rate, label_noise)
            found = exit_constant(flow, passage.level, passage.of)
            value = float(found.mid())
            return ExitConstant(value, float(abs(found - value).upper()), "certified")
        except Undecided:
            pass
    how = {"scaled_rate": scaled_rate, "label_noise": label_noise}
    return shot(flow_of(pair, float(mu), **how), passage)


def shot(flow: Flow, passage: Passage = _USUAL) -> ExitConstant:
    """The constant log K by shooting, extrapolated by Aitken's rule.

    The error is the rule's last step and what a solution of ten times the tolerance differs by,
    which counts where |b| is many times λ. Raises ``InputError`` and ``Undecided`` as
    ``exit_constant_of``. Heuristic.
    """
    rates, directions = np.linalg.eigh(flow.linearisation())
    if not flow.escapes():
        raise InputError("without escape there is no exit time: choose another strength")
    sizes = [passage.level * _FIRST * _RATIO**k for k in range(3)]

    def reached(size: float, tolerance: float = _TOLERANCE) -> float:
        return _phase(flow, size * directions[:, -1], rates[-1], passage, tolerance) + log(size)

    one, two, three = map(reached, sizes)
    loose = abs(reached(sizes[-1], 10 * _TOLERANCE) - three)
    first, second = two - one, three - two
    step = second * second / (first - second) if abs(second) < abs(first) / 2 else 0.0
    error = abs(step) + abs(second) * (step == 0.0) + loose + 100 * _TOLERANCE
    return ExitConstant(float(three + step), float(error), "heuristic")


def _phase(flow: Flow, start: Doubles, rate: float, passage: Passage, tolerance: float) -> float:
    """``λ`` times the time of exit: the solver's own tolerances on events are absolute."""

    def velocity(_: float, state: Doubles) -> Doubles:
        return flow.velocity(0.0, state) / rate

    def inside(_: float, state: Doubles) -> float:
        return passage.missing(state)

    inside.terminal = True  # type: ignore[attr-defined]
    size = float(np.linalg.norm(start))
    horizon = log(passage.level / size) + _PATIENCE
    try:
        reached = solved(velocity, start, horizon, method="LSODA", events=inside,
                         rtol=tolerance, atol=tolerance * size).t_events[0]  # fmt: skip
    except NotFollowed:
        reached = ()
    if not len(reached):
        raise Undecided(
            f"the flow is not seen to reach {_NAMES[passage.of]} = {passage.level:g} at "
            f"μ = {flow.mu:g}: give a smaller radius{' or learning rate' if flow.noise else ''}"
        )
    return float(reached[0])
