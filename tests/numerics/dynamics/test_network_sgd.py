"""SGD of networks has the dense law, a law that faults change, and the predicted escape."""

import functools
import math

import numpy as np
import pytest
from scipy.stats import ks_2samp
from sympy import Rational
from thorough import only

from derive.errors import InputError
from derive.grammar import parse_activation
from derive.network import network_drift
from derive.pair import Pair
from numerics.dynamics import network_update
from numerics.dynamics.dense_sgd import simulate_network_densely
from numerics.dynamics.network_flow import NetworkState
from numerics.dynamics.network_sgd import NetworkLearner, simulate_network
from numerics.dynamics.sgd import Learner, simulate_sgd


def _pair(text):
    return Pair(*[parse_activation(text)] * 2)


REPLICAS = 350
CASES = {
    "linear": (NetworkLearner(_pair("x"), (0.3, 0.7), 2, 6, 0.6, batch=3), (2, 8)),
    "one dimension to spare": (NetworkLearner(_pair("x"), (0.3, 0.7), 2, 5, 0.4, batch=2), (2, 8)),
    "none to spare": (NetworkLearner(_pair("x"), (0.5, 0.2, 0.8), 2, 5, 0.4), (1, 6)),
    # Where a step is mostly off the plane of teachers and columns.
    "many to spare": (NetworkLearner(_pair("x"), (0.3, 0.7), 2, 40, 2.0, batch=4), (1, 2)),
    "rank above the batch": (NetworkLearner(_pair("x"), (0.4,), 3, 9, 0.4), (2, 8)),
    "erf, noisy": (
        NetworkLearner(_pair("erf"), (0.2, 0.6), 1, 12, 0.4, batch=4, noise=0.3),
        (1, 8),
    ),
}


@functools.cache
def _dense(name):
    learner, records = CASES[name]
    streams = (np.random.default_rng([9, r]) for r in range(REPLICAS))
    return np.array([simulate_network_densely(learner, g, max(records), records) for g in streams])


def _smallest_p_value(name):
    learner, records = CASES[name]
    ours = simulate_network(learner, range(2 * REPLICAS), 1, max(records), records).states
    theirs = _dense(name)
    constant = (ours.std((0, 1)) < 1e-9) & (theirs.std((0, 1)) < 1e-9)  # the diagonal of G
    return min(
        ks_2samp(seen(ours[:, k, i]), seen(theirs[:, k, i])).pvalue
        for seen in (np.positive, np.abs)  # sizes tell more where the signs are symmetric
        for k in range(len(records))
        for i in np.flatnonzero(~constant)
    )


@pytest.mark.parametrize("name", CASES)
def test_the_law_is_that_of_the_dense_algorithm(name):
    assert _smallest_p_value(name) > 1e-4


def in_all_dimensions(rng, law, rest, others):
    return law.rate * law.rate * network_update.wishart(rng, rest, law.dimension)


def teachers_not_taken_off(m, g):
    return network_update.cholesky(g)


@pytest.mark.usefixtures("plain_loops")
@pytest.mark.parametrize(
    ("name", "step", "fault"),
    [
        ("none to spare", "across", in_all_dimensions),
        ("linear", "own_factor", teachers_not_taken_off),
    ],
)
def test_a_planted_fault_changes_the_law(monkeypatch, name, step, fault):
    steps = network_update.STEPS._replace(**{step: fault})
    monkeypatch.setattr(network_update, "STEPS", steps)
    assert _smallest_p_value(name) < 1e-4


def test_exits_are_first_passages():
    """|U|² + |M|² ≥ radius², of all neurons and columns."""
    learner = NetworkLearner(_pair("x"), (0.3, 0.6), 2, 60, 0.05, batch=4)
    runs = simulate_network(learner, 20, 2, 1500, range(1501), radius=0.6)
    outside = np.linalg.norm(runs.states[..., :8], axis=-1) >= 0.6
    first = np.where(outside.any(1), outside.argmax(1), np.nan)
    np.testing.assert_array_equal(runs.exits, first)
    assert np.isfinite(first).sum() > 0
    assert runs["m_1_0"].tolist() == runs.states[..., 6].tolist()
    stopped = simulate_network(learner, 20, 2, 1500, (), radius=0.6, stop_at_exit=True)
    np.testing.assert_array_equal(stopped.exits, first)


def test_statistics_stay_a_gram_matrix():
    learner = NetworkLearner(_pair("x"), (0.3, 0.6), 3, 1000, 5e-3, batch=4)
    states = simulate_network(learner, range(3), 2, 4000, range(0, 4001, 100)).states
    for vector in states.reshape(-1, states.shape[-1]):
        state = NetworkState.unpacked(vector, 2, 3)
        np.testing.assert_allclose(np.diag(state.g), 1, atol=1e-12)
        assert np.linalg.eigvalsh(state.g - state.m.T @ state.m)[0] > -1e-9


def test_one_neuron_of_rank_one_has_the_law_of_the_single_index_model():
    pair = _pair("erf")
    network = NetworkLearner(pair, (0.5,), 1, 6, 0.4, batch=2)
    ours = simulate_network(network, range(4000), 1, 10, [10]).states[:, 0, :2]
    alone = Learner(pair, 0.5, 6, 0.4, batch=2)
    theirs = simulate_sgd(alone, range(4000), 2, 10, [10]).states[:, 0]
    assert min(ks_2samp(ours[:, i], theirs[:, i]).pvalue for i in range(2)) > 1e-3


@pytest.mark.parametrize("text", only(["x"], ["x", "He2"]))
def test_measured_escape_is_the_predicted_rate(text):
    """Growth of the mean amplitude along the fastest mode, within four standard errors and 3 %."""
    strengths, rank = [Rational(2, 5), Rational(3, 5)], 2
    pair = _pair(text)
    blocks = network_drift(pair.teacher, pair.student).blocks(strengths)
    a, b = (np.array(block.evalf(20).tolist(), dtype=float) for block in blocks)
    values, vectors = np.linalg.eigh(np.block([[b, a.T], [a, np.zeros((2, 2))]]))
    rate = 0.04 if text == "x" else 0.004
    learner = NetworkLearner(pair, (0.4, 0.6), rank, 3000, rate, batch=300, scale=0.3)
    steps = (np.array([0.5, 1.8]) / values[-1] / rate).astype(int)
    states = simulate_network(learner, range(200), 4, steps[1], steps).states
    columns = states[..., :8].reshape(200, 2, 2, 2, rank)  # replica, step, U or M, neuron, column
    amplitudes = np.einsum("rsknc,kn->rsc", columns, vectors[:, -1].reshape(2, 2))
    signed = (amplitudes * np.sign(amplitudes[:, :1])).mean(-1)
    mean = signed.mean(0)
    growth = math.log(mean[1] / mean[0])
    error = np.std(signed[:, 1] / mean[1] - signed[:, 0] / mean[0]) / math.sqrt(200)
    assert error < 0.06 * growth
    measured = growth / ((steps[1] - steps[0]) * rate)
    assert measured == pytest.approx(values[-1], rel=4 * error / growth + 0.03)


@pytest.mark.parametrize(
    "change",
    [{"rank": 0}, {"rank": 9}, {"mu": ()}, {"mu": (0.5,) * 11}, {"mu": (1.2,)}, {"batch": 0},
     {"learning_rate": 0.0}, {"learning_rate": math.inf}, {"noise": -1e-9},
     {"pair": Pair("x", loss="correlation")}, {"pair": Pair("x", misalignment="linear")}],
)  # fmt: skip
def test_impossible_networks_are_refused(change):
    settings = {"mu": (0.5, 0.5), "rank": 8, "dimension": 10, "learning_rate": 0.1, "noise": 0}
    settings |= {"pair": _pair("x")}
    assert NetworkLearner(**settings | {"mu": (0, 1)}).mu == (0, 1)
    assert NetworkLearner(**settings | {"mu": (0.5,) * 9, "rank": 1}).rank == 1
    with pytest.raises(InputError, match="10 neurons is not accepted: give fewer than d = 10"):
        NetworkLearner(**settings | {"mu": (0.5,) * 10, "rank": 1})
    with pytest.raises(InputError, match=r"not accepted: (give|.*networks?)"):
        NetworkLearner(**settings | change)


def test_a_network_exits_by_its_state_alone():
    learner = NetworkLearner(_pair("x"), (0.5,), 1, 10, 0.1)
    with pytest.raises(InputError, match="'overlap' is not accepted for networks"):
        learner.runner(0.5, True, "overlap")


@pytest.mark.usefixtures("plain_loops")
@pytest.mark.parametrize("number", [1, 2, 3, 5])
def test_a_gram_matrix_is_of_so_many_vectors(number):
    """Of fewer than there are columns too: Wishart's mean, his variances, and the rank."""
    covariance = np.array([[2.0, 0.6, 0.0], [0.6, 1.0, -0.5], [0.0, -0.5, 0.5]])
    rng, draws = np.random.default_rng(number), 4000
    found = np.array([network_update.wishart(rng, covariance, number) for _ in range(draws)])
    sizes = np.diag(covariance)
    variance = number * (covariance**2 + np.outer(sizes, sizes))
    error = np.abs(found.mean(0) - number * covariance) / np.sqrt(variance / draws)
    assert error.max() < 5
    np.testing.assert_allclose(found.var(0), variance, rtol=0.25)
    assert np.linalg.matrix_rank(found[0], tol=1e-9) == min(number, 3)


def test_what_rounding_alone_leaves_of_a_column_is_a_null_direction():
    """So it is not divided by; a column that is there by more is one."""
    factor = network_update.cholesky.py_func
    two = 2 * np.finfo(float).eps
    for left in (two, 0.0, -two):
        matrix = np.array([[1, 1, 1], [1, 1 + left, 1 + left], [1, 1 + left, 2]])
        assert factor(matrix).tolist() == [[1, 0, 0], [1, 0, 0], [1, 0, 1]]
    assert factor(np.array([[1, 1], [1, 1 + 1e-14]]))[1, 1] == pytest.approx(1e-7, rel=0.05)
    columns = np.array([[1, 2, 0, 3], [0, 1, 0, -1]])  # of rank 2, one of them nothing
    found = factor((columns.T @ columns).astype(float))
    np.testing.assert_allclose(found @ found.T, columns.T @ columns)
    assert np.count_nonzero(np.diagonal(found)) == 2
