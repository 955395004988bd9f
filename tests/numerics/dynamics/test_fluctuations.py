"""What a finite d changes of the limit law: against SGD that is exact in law, and its order."""

from types import SimpleNamespace

import numpy as np
import pytest

from numerics import Simulation
from numerics.dynamics.exit_law import exit_law
from numerics.dynamics.flow import flow_of
from numerics.dynamics.fluctuations import fluctuations, growth_at
from numerics.dynamics.sgd import simulate_sgd

SHARES = (np.arange(200) + 0.5) / 200


def test_fluctuations_of_u_shorten_the_search_of_erf():
    """By the 7 % that they add to the growth, five times the standard error of 600 runs."""
    learner = Simulation("erf", 0.85, learning_rate="best", batch=4, horizon=1, records=0).learner
    law = exit_law(learner)
    times = simulate_sgd(learner, 600, 5, law.steps(0.9999), stop_at_exit=True).exit_times
    expected = np.mean([law.quantile(p) for p in SHARES])
    error = times.std() / 600**0.5 / expected
    growth = growth_at(flow_of("erf", 0.85, scaled_rate=learner.scaled_rate), 1000)
    assert growth - 1 > 4 * error
    assert times.mean() / expected == pytest.approx(1 / growth, abs=3 * error)


def test_what_fluctuations_add_to_the_loss_is_there_in_the_search():
    """With no overlap u alone moves, and its loss is above the frozen one by γN/4B."""
    learner = Simulation("x", 0.85, dimension=10**7, learning_rate=0.05, batch=1, scale=0.0,
                         horizon=1, records=0).learner  # fmt: skip
    steps = range(200, 1200, 100)
    runs = simulate_sgd(learner, 400, 3, max(steps), list(steps))
    flow = flow_of("x", 0.85, scaled_rate=learner.scaled_rate)
    found = fluctuations(flow, np.zeros((1, 2)), learner.dimension).heat[0]
    above = learner.flow.loss(runs.states).mean() - learner.flow.loss(np.zeros(2))
    assert above == pytest.approx(found, rel=0.15)


def test_they_are_of_the_order_of_one_over_the_dimension():
    flow = flow_of("erf", 0.7, scaled_rate=10.0)
    one, other = (growth_at(flow, d) - 1 for d in (10**4, 10**6))
    assert one / other == pytest.approx(100, rel=0.01)


@pytest.mark.parametrize(("power", "moment"), [(0, 1), (1, 0), (2, 1), (3, 0), (4, 3), (5, 0)])
def test_the_growth_is_the_mean_over_what_fluctuates_along_the_stable_direction(power, moment):
    """Of a flow whose growth is a power of it up to the fifth, a moment of the normal law.

    Its square is γ v² N/(2B |λ₋|), with the noise where the search begins, at (μ, ν²).
    """
    asked = []
    flow = SimpleNamespace(
        mu=0.75, nu=0.5, scaled_rate=600.0,
        linearisation=lambda: np.diag([-3.0, 2.0]),
        noise=lambda rho, s: asked.append((rho, s)) or 10.0,
        velocity=lambda _, at: np.array([7.0, 2 * at[1] * at[0] ** power]),
    )  # fmt: skip
    variance = 600 * 10 / 1000 / (2 * 3)
    assert growth_at(flow, 1000) == pytest.approx(moment * variance ** (power / 2), abs=1e-9)
    assert asked == [(0.75, 0.25)]


def test_what_is_added_to_the_loss_is_read_along_the_manifold():
    """γN/4B at every state of a few, and between those that are asked about of many."""
    flow = flow_of("x", 0.5, scaled_rate=8.0)
    for count, off in ((7, 1e-12), (500, 3e-3)):
        states = np.linspace((0.0, 0.0), (0.5, 0.9), count)
        rho, s = flow.place(states)
        noise = (1 - rho) ** 2 + s  # E (z - x)² of x = ρz + √s g
        heat = fluctuations(flow, states, 100).heat
        assert heat == pytest.approx(8 / 100 / 4 * noise, rel=off)
