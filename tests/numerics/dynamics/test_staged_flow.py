"""Two stages: each as its own flow, the switch, the flip of a sign, and SGD beside them."""

import numpy as np
import pytest
from scipy.optimize import brentq

from derive.pair import Pair
from numerics.dynamics.flow import flow_of, integrate
from numerics.dynamics.sgd import Learner, Stage, simulate_sgd
from numerics.dynamics.staged_flow import StagedFlow, integrate_stages

FIRST, LAST = (flow_of(Pair("He3", labels=labels), 0.325) for labels in ("squared", "matched"))


def _staged(**ends):
    return StagedFlow(LAST.landscape, LAST.mu, first=FIRST, **ends)


@pytest.mark.parametrize("flip", [False, True])
def test_two_stages_are_one_flow_after_another(flip):
    """Before the switch the first, after it the last from where that ended, u·m ≥ 0 if flipped."""
    both = integrate_stages(_staged(until_time=6.0, flip_at_switch=flip), [0.1, 0.1], 9.0)
    early = integrate(FIRST, [0.1, 0.1], 6.0)
    np.testing.assert_allclose(both.at(5.0), early.at(5.0), atol=1e-8)
    switch = early.at(6.0)
    assert switch[0] * switch[1] < 0
    begin = switch * [-1 if flip else 1, 1]
    np.testing.assert_allclose(both.at(6.0), begin, atol=1e-8)
    np.testing.assert_allclose(both.at(9.0), integrate(LAST, begin, 3.0).at(3.0), atol=1e-7)
    assert both.times[-1] == pytest.approx(9.0)
    assert np.all(np.diff(both.times) > 0)


def test_a_first_stage_ends_at_its_overlap():
    both = integrate_stages(_staged(until_overlap=0.5, flip_at_switch=True), [0.1, 0.1], 60.0)
    early = integrate(FIRST, [0.1, 0.1], 60.0)
    switch = float(brentq(lambda t: abs(early.at(t)[1]) - 0.5, 0, 60))
    assert abs(both.at(switch)[1]) == pytest.approx(0.5, abs=1e-8)
    assert both.at(switch - 1e-6)[0] == pytest.approx(-both.at(switch + 1e-6)[0], abs=1e-4)


def test_an_end_that_is_not_reached_changes_nothing():
    both = integrate_stages(_staged(until_overlap=0.5, flip_at_switch=True), [0.1, 0.1], 2.0)
    np.testing.assert_array_equal(both.at(2.0), integrate(FIRST, [0.1, 0.1], 2.0).at(2.0))


def test_a_first_stage_that_never_was_flips_nothing():
    """As in SGD: a start beyond the overlap belongs to the last stage."""
    both = integrate_stages(_staged(until_overlap=0.2, flip_at_switch=True), [-0.1, 0.3], 2.0)
    np.testing.assert_allclose(both.at(2.0), integrate(LAST, [-0.1, 0.3], 2.0).at(2.0), atol=1e-9)


@pytest.mark.parametrize("flip", [False, True])
def test_small_steps_follow_both_stages(flip):
    """SGD with a tiny γ stays by its flow through the switch and the flip."""
    stage = Stage("squared", until_step=30_000, flip_at_switch=flip)
    learner = Learner(Pair("x"), 0.5, 10, 1e-4, batch=50, stage=stage, signs="aligned")
    runs = simulate_sgd(learner, [3], 1, 40_000, [0, 29_999, 30_001, 40_000])
    (path,) = runs.states
    flow = integrate_stages(learner.flow, path[0], 4.0).at(runs.times)
    np.testing.assert_allclose(path, flow, atol=0.05)
    assert path[1, 0] * path[2, 0] * (-1 if flip else 1) > 0
