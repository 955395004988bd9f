r"""The constant log K of the exit time, of any pair: enclosed, or by shooting with its error.

Polynomial pairs are enclosed along the unstable manifold (``numerics.certified``). For all others,
and where that is too stiff, the flow is shot from ``ε v`` at three small ε, and
``λ T_R(ε v) + log ε`` extrapolated to ε = 0.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import log
from typing import Literal

import numpy as np
from scipy.integrate import solve_ivp

from derive.errors import InputError, Undecided
from derive.pair import Pair
from numerics.certified.flow import ball_flow
from numerics.certified.unstable_manifold import exit_constant
from numerics.doubles.arrays import Doubles
from numerics.dynamics.flow import NO_ESCAPE, Flow, flow_of
from numerics.dynamics.kinds import EXIT_RADIUS

_FIRST, _RATIO = 1e-3, 0.25  # the largest ε in units of the radius, and that of the next ones
_TOLERANCE = 1e-11  # of the solver; absolute in units of ε
_PATIENCE = 30  # times 1/λ beyond linear growth


@dataclass(frozen=True)
class ExitConstant:
    """log K with its error, a bound if ``certainty`` is ``certified``, an estimate otherwise."""

    log_k: float
    error: float
    certainty: Literal["certified", "heuristic"]


def exit_constant_of(pair: Pair, mu: Fraction, radius: float = EXIT_RADIUS) -> ExitConstant:
    r"""The constant log K of a pair, enclosed if possible.

    Arguments:
        pair: misaligned or not.
        mu: pre-training strength in (0, 1].
        radius: in (0, 1), the size of the state that counts as exit.

    Raises ``InputError`` where there is no escape, ``Undecided`` if the flow does not exit.
    Certified for polynomial pairs that are not misaligned, unless too stiff; else heuristic.

    >>> found = exit_constant_of(Pair("x"), Fraction(1, 2))
    >>> round(found.log_k, 10), found.certainty, shot(flow_of("x", 0.5)).certainty
    (-0.5918302406, 'certified', 'heuristic')
    """
    polynomials = (pair.teacher.polynomial, pair.student.polynomial)
    if pair.misalignment == 0 and None not in polynomials:
        try:
            found = exit_constant(ball_flow(pair, mu), radius)
            value = float(found.mid())
            return ExitConstant(value, float(abs(found - value).upper()), "certified")
        except Undecided:
            pass
    return shot(flow_of(pair, float(mu)), radius)


def shot(flow: Flow, radius: float = EXIT_RADIUS) -> ExitConstant:
    """The constant log K by shooting, extrapolated by Aitken's rule; the error is its last step.

    Raises ``InputError`` and ``Undecided`` as ``exit_constant_of``. Heuristic.
    """
    rates, directions = np.linalg.eigh(flow.linearisation())
    if not rates[-1] > NO_ESCAPE:
        raise InputError("without escape there is no exit time: choose another strength")
    sizes = [radius * _FIRST * _RATIO**k for k in range(3)]
    one, two, three = (
        rates[-1] * _time(flow, e * directions[:, -1], rates[-1], radius) + log(e) for e in sizes
    )
    first, second = two - one, three - two
    step = second * second / (first - second) if abs(second) < abs(first) / 2 else 0.0
    error = abs(step) + abs(second) * (step == 0.0) + 100 * _TOLERANCE
    return ExitConstant(float(three + step), float(error), "heuristic")


def _time(flow: Flow, start: Doubles, rate: float, radius: float) -> float:
    """When the flow reaches the radius."""

    def outside(_: float, state: Doubles) -> float:
        return float(np.linalg.norm(state)) - radius

    outside.terminal = True  # type: ignore[attr-defined]
    size = float(np.linalg.norm(start))
    horizon = (log(radius / size) + _PATIENCE) / rate
    solution = solve_ivp(flow.velocity, (0.0, horizon), start, method="LSODA", events=outside,
                         rtol=_TOLERANCE, atol=_TOLERANCE * size)  # fmt: skip
    if not len(solution.t_events[0]):
        raise Undecided(
            f"the flow is not seen to reach |(u, m)| = {radius:g} at μ = {flow.mu:g}: give a "
            "smaller radius"
        )
    return float(solution.t_events[0][0])
