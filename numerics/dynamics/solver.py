"""Flows solved by scipy, in an end that comes: what blows up or is too stiff is told.

A flow that grows beyond all bounds in a finite time makes a solver's steps ever shorter, and one
whose rates are far apart makes them short throughout; neither is followed for ever.
"""

import warnings
from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from derive.errors import Undecided
from numerics.doubles.arrays import Doubles

# Velocities asked for along one path: some seconds, or minutes where each is a quadrature. What an
# explicit method does not reach with so many is stiff.
_MOST_VELOCITIES, _MOST_EXPLICIT = 50_000, 10_000


class NotFollowed(Undecided):
    """A flow could not be followed up to the time asked for."""


def solved(
    velocity: Callable[..., Any], start: Doubles, horizon: float, **how: Any
) -> Any:  # of scipy, which has no types
    """The solution of ``solve_ivp``, without its warnings, up to a time.

    Arguments:
        velocity: of a time and a state.
        start: the state at time 0.
        horizon: > 0.
        how: for ``solve_ivp``.

    Raises ``NotFollowed`` where the solver gives up, the state leaves doubles, or too many steps
    are needed. Heuristic.

    >>> solved(lambda time, state: -state, np.ones(1), 1.0, rtol=1e-8).y[:, -1].round(3).tolist()
    [0.368]
    """
    asked, most = count(1), _MOST_VELOCITIES if how.get("method") == "LSODA" else _MOST_EXPLICIT
    last = 0.0, np.asarray(start)

    def watched(time: float, state: Doubles) -> Any:
        nonlocal last
        if next(asked) > most or not np.isfinite(state).all():  # no solver comes back from that
            raise _not_beyond(*last)
        found = velocity(time, state)
        if np.isfinite(found).all():
            last = time, state.copy()  # LSODA writes into it
        return found

    with warnings.catch_warnings(), np.errstate(over="ignore", invalid="ignore"):
        warnings.filterwarnings("ignore", module="scipy")
        solution = solve_ivp(watched, (0.0, horizon), start, **how)
    if not (solution.success and np.isfinite(solution.y).all()):
        raise _not_beyond(*last)
    return solution


def _not_beyond(time: float, state: Doubles) -> NotFollowed:
    largest = float(np.abs(state).max())
    return NotFollowed(
        f"the flow is not followed beyond time {time:.6g}, where its state is of size "
        f"{largest:.3g}: it grows without bound there, or its rates are too far apart; give a "
        "shorter time"
    )
