"""What is solved, and what cannot be: stiff flows, and those that blow up in a finite time."""

import numpy as np
import pytest

from numerics.dynamics import solver
from numerics.dynamics.flow import trajectory
from numerics.dynamics.solver import NotFollowed, solved


def test_what_blows_up_is_told_with_its_time(monkeypatch):
    """u' = u² from 2, and a direction that settles the faster the larger u is: stiff, too."""
    for limit in ("_MOST_VELOCITIES", "_MOST_EXPLICIT"):
        monkeypatch.setattr(solver, limit, 3000)
    for stiff in (False, True):
        with pytest.raises(NotFollowed, match=r"beyond time 0\.(5|4999)\d*, where its state"):
            trajectory(
                lambda _, state: np.array([state[0] ** 2, -(state[0] ** 3) * state[1]]),
                np.array([2.0, 1.0]),
                1.0,
                stiff,
                rtol=1e-8,
                atol=1e-10,
            )


def test_what_leaves_doubles_is_no_solution():
    """LSODA goes on with what is no number, and says that it was successful."""
    with pytest.raises(NotFollowed, match=r"beyond time 0\.5"):
        solved(lambda time, u: np.where(time > 0.5625, np.nan, -u), np.ones(1), 1.0, method="LSODA")


@pytest.mark.parametrize("method", ["RK45", "DOP853"])
def test_where_a_solver_gives_up_that_is_told(method):
    """u' = u² from 1, at steps that are too short for doubles."""
    with pytest.raises(NotFollowed, match="beyond time 1, where its state"):
        solved(lambda _, u: u * u, np.ones(1), 2.0, method=method, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("method", ["LSODA", "DOP853"])
def test_what_has_no_velocity_is_told_at_once(method):
    asked = []
    with pytest.raises(NotFollowed, match=r"beyond time 0, where its state is of size 1:"):
        solved(lambda time, u: asked.append(time) or np.nan * u, np.ones(1), 1.0, method=method)
    assert len(asked) < 20


@pytest.mark.parametrize("method", ["LSODA", "DOP853"])
def test_what_ends_before_the_first_time_asked_for_is_told_too(method):
    with pytest.raises(NotFollowed, match=r"beyond time 0(\.[1-4]\d*)?, where its state"):
        solved(
            lambda time, u: np.where(time > 0.5, np.nan, -u),
            np.full(2, 2.0),
            1.0,
            method=method,
            t_eval=[1.0],
        )


def test_a_stiff_flow_is_followed_though_it_is_not_said_to_be(monkeypatch):
    monkeypatch.setattr(solver, "_MOST_EXPLICIT", 300)
    found = trajectory(
        lambda time, state: -1e5 * (state - np.cos(time)),
        np.ones(1),
        10.0,
        stiff=False,
        rtol=1e-8,
        atol=1e-10,
    )
    assert found.at(10.0)[0] == pytest.approx(np.cos(10.0), abs=1e-4)
