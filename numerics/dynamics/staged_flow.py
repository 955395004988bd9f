"""The flow of two stages, one after the other (App. B.4)."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from derive.given import real
from numerics.doubles.arrays import Doubles, as_doubles
from numerics.dynamics.flow import Flow, Trajectory, integrate


@dataclass(frozen=True, kw_only=True)
class StagedFlow(Flow):
    r"""The flow of the last stage of two, as ``Flow`` has it, with a path through both (App. B.4).

    Fields: those of ``Flow``; ``first``, the flow of the first stage; ``until_overlap``, the \|m\|
    at which it ends; ``until_time``, when it ends at the latest; ``flip_at_switch``, whether the
    sign of u is flipped there if u·m < 0. Heuristic.
    """

    first: Flow
    until_overlap: float = math.inf
    until_time: float = math.inf
    flip_at_switch: bool = False

    def path(self, starts: Doubles, times: Doubles) -> Doubles:
        """Both flows, from the median start, on the side of the first's growing direction."""
        start = self.first.typical(starts)
        return integrate_stages(self, start, float(times[-1])).at(times)


def integrate_stages(flow: StagedFlow, initial: ArrayLike, horizon: float) -> Trajectory:
    """Solve two stages one after the other; errors as of ``integrate``. Heuristic.

    Arguments:
        flow, initial, horizon: as of ``integrate``.

    Source: App. B.4, Fig. 4.

    >>> from derive import Pair
    >>> from numerics.dynamics.flow import flow_of
    >>> first, last = (flow_of(Pair("He3", labels=labels), 0.325) for labels in ("y**2", "y"))
    >>> numbers = {"first": first, "until_time": 30.0, "flip_at_switch": True}
    >>> both = StagedFlow(last.landscape, last.mu, **numbers)
    >>> integrate_stages(both, [0.03, 0.03], 60.0).at([30.0, 60.0]).round(3).tolist()
    [[0.325, 1.0], [0.675, 1.0]]
    """
    horizon = real(horizon, "time")
    early = integrate(flow.first, initial, min(flow.until_time, horizon))
    overlap = Trajectory(early.times, lambda times: early.at(times)[..., 1:2])
    passed = overlap.first_passage(flow.until_overlap)
    switch = float(early.times[-1]) if passed is None else passed
    if switch >= horizon:
        return early
    state = early.at(switch)
    if flow.flip_at_switch and switch > 0 and state[0] * state[1] < 0:
        state[0] *= -1
    late = integrate(flow, state, horizon - switch)

    def at(times: ArrayLike) -> Doubles:
        given = as_doubles(times, "time")
        before, after = early.at(np.minimum(given, switch)), late.at(np.maximum(given - switch, 0))
        return np.where((given < switch)[..., None], before, after)

    return Trajectory(np.concatenate([early.times[early.times < switch], late.times + switch]), at)
