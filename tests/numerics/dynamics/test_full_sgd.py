"""Full fine-tuning: against vectors, its flow, a case solved by hand, what must be refused."""

import math

import numpy as np
import pytest
from scipy.stats import ks_2samp

from derive.errors import InputError
from derive.pair import Pair
from numerics.doubles.arrays import piecewise
from numerics.dynamics.exit_law import exit_law
from numerics.dynamics.full_sgd import FullLearner
from numerics.dynamics.sgd import simulate_sgd

RUNS = 1000


def densely(learner, rng, steps):
    """ρ and s after the algorithm as it is written, the teacher along the first axis."""
    sigma = learner.pair.student.value
    y, value, slope = (piecewise(f) for f in (learner.pair.label, sigma, sigma.derivative()))
    w = np.zeros(learner.dimension)
    w[0] = learner.mu
    for _ in range(steps):
        inputs = rng.standard_normal((learner.batch, learner.dimension))
        seen = inputs @ w
        labels = y(inputs[:, 0]) + learner.noise * rng.standard_normal(learner.batch)
        error = labels - value(seen) if learner.pair.loss == "square" else labels
        w = w + learner.learning_rate * inputs.T @ (error * slope(seen)) / learner.batch
    return w[0], w[1:] @ w[1:]


@pytest.mark.parametrize(
    "learner",
    [FullLearner("x", 0.4, 5, 0.2), FullLearner("relu", 0.6, 4, 0.3, batch=2, noise=0.5),
     FullLearner(Pair("erf", loss="correlation"), 0.3, 3, 0.3)],
    ids=lambda learner: learner.pair.student.text,
)  # fmt: skip
def test_the_law_is_that_of_vectors(learner):
    steps = 6
    theirs = np.array([densely(learner, np.random.default_rng([5, r]), steps) for r in range(RUNS)])
    runs = simulate_sgd(learner, 4 * RUNS, 1, steps, [steps], exit_by="teacher")
    ours = runs.states[:, 0]
    for i in (0, 1):
        assert ks_2samp(ours[:, i], theirs[:, i]).pvalue > 1e-4
    assert ks_2samp(ours.prod(axis=1), theirs.prod(axis=1)).pvalue > 1e-4


@pytest.mark.parametrize("text", ["x", "relu"])
def test_in_large_dimensions_runs_follow_the_flow(text):
    learner = FullLearner(text, 0.3, 10**6, 2e-5, batch=20, noise=0.3)
    records = np.linspace(0, 10**5, 6).astype(int)
    runs = simulate_sgd(learner, 2, 1, 10**5, records, exit_by="teacher")
    told = learner.flow.path(runs.states[:, 0], runs.times)
    assert np.abs(runs.states - told).max() < 0.01
    assert told[-1, 1] > 0.03  # what the noise of samples leaves off the teacher
    assert learner.flow.observe(told)["loss"][-1] < learner.flow.observe(told)["loss"][0] / 2


@pytest.mark.parametrize("strength", [0.1, 0.9])
def test_there_is_no_search_phase(strength):
    """x: ρ' = 1 - ρ, so that half of the way takes log 2, whatever μ; LoRA's time diverges."""
    learner = FullLearner("x", strength, 10**4, 1e-5)
    runs = simulate_sgd(learner, 3, 1, 10**5, radius=0.5, stop_at_exit=True, exit_by="teacher")
    assert np.median(runs.exit_times) == pytest.approx(math.log(2), rel=0.05)
    assert learner.flow.predict(np.array([0.1, 0.1])) is None


def test_what_is_of_lora_is_refused():
    for change in ({"signs": "aligned"}, {"scale_u": 0.0}, {"starts": ((0.1, 0.1),)}):
        with pytest.raises(InputError, match="full fine-tuning begins at the pre-trained"):
            FullLearner("x", 0.5, 100, 1e-3, **change)
    with pytest.raises(InputError, match="aligned"):
        FullLearner(Pair("x", misalignment="linear"), 0.5, 100, 1e-3)
    learner = FullLearner("x", 0.5, 100, 1e-3)
    with pytest.raises(InputError, match="give exit by teacher"):
        simulate_sgd(learner, 1, 1, 10)
    with pytest.raises(InputError, match="leave networks and full fine-tuning out"):
        exit_law(learner)
    with pytest.raises(InputError, match="learning rate 1 is too large, γd/B is 100"):
        simulate_sgd(FullLearner("x", 0.5, 100, 1.0), 1, 1, 1000, exit_by="teacher")


def test_its_time_is_that_of_the_way_to_the_teacher_at_the_start():
    """1 for x at any strength, as ρ' = 1 - ρ; relu half as fast; at 1 nothing is left."""
    for text, time in (("x", 1.0), ("relu", 2.0)):
        for strength in (0.2, 0.9):
            assert FullLearner(text, strength, 100, 1e-3).flow.tau() == pytest.approx(time)
    assert FullLearner("x", 1, 100, 1e-3).flow.tau() == math.inf


def test_what_is_observed_of_the_weights_is_their_size_and_their_angle():
    """Of ρ = 0.6 and s = 0.64, a unit vector; of half of it; of the opposite direction."""
    states = np.array([[0.6, 0.64], [0.3, 0.16], [-0.6, 0.64]])
    seen = FullLearner("x", 0.5, 100, 1e-3).flow.observe(states)
    known = {"overlap": [0.6, 0.3, -0.6], "scale": [1, 0.5, 1], "alignment": [0.6, 0.6, -0.6],
             "loss": [0.4, 0.325, 1.6]}  # fmt: skip
    assert list(seen) == ["loss", "overlap", "scale", "alignment"]
    for name, values in known.items():
        assert seen[name] == pytest.approx(values), name
