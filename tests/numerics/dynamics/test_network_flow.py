"""The flow of networks is the gradient's, also where Gaussians coincide; K = r = 1 is one index."""

import math

import numpy as np
import pytest
from flint import arb, ctx
from sympy import Rational

from derive.errors import InputError
from derive.grammar import parse_activation
from derive.network import kernel, network_drift
from derive.pair import Pair
from derive.risk import frozen_risk
from derive.symbols import mu
from numerics.certified.expressions import ball_function
from numerics.dynamics.flow import flow_of
from numerics.dynamics.network_flow import NetworkState, integrate_network, network_flow


def _pair(text):
    return Pair(*[parse_activation(text)] * 2)


KINKED = ("relu", "abs", "leaky_relu", "squared_relu")


@pytest.mark.parametrize("text", [*KINKED, "gelu"])
def test_neurons_that_coincide_have_the_loss_nearby(text):
    """Columns, neurons and teachers that are one direction, or nothing: limits of what is beside.

    The kernels of two equal neurons, and of one at size 0, would be 0/0 if they were not closed.
    """
    flow = network_flow(_pair(text), [0.5, 0.0], 2)
    u, m = np.array([[0.3, 0.1], [0.3, 0.1]]), np.array([[1.0, 1.0], [0.0, 0.0]])
    same = NetworkState(u, m, np.ones((2, 2)))
    nothing = NetworkState(np.zeros((2, 2)), 0 * m, np.eye(2))
    for state in (same, nothing):
        near = NetworkState(state.u + 1e-7 * np.eye(2), state.m, state.g)
        assert abs(flow.loss(state) - flow.loss(near)) < 1e-6
        assert np.isfinite(flow.velocity(0.0, state.packed())).all()
    risk = frozen_risk(_pair(text)).subs(mu, Rational(1, 2))
    one = network_flow(_pair(text), [0.5], 1)
    start = NetworkState(np.zeros((1, 1)), np.zeros((1, 1)), np.eye(1))
    assert abs(one.loss(start) - float(risk)) < 1e-12


@pytest.mark.parametrize("text", ["tanh", "softplus", "tanh(2*x - 1)", "max(x - 1, 0)", "He3"])
def test_a_neuron_of_strength_zero_moves_as_one_of_nearly_none(text):
    """Also where its kernels are quadratures; what it moves by is linear in what is small."""
    flow, near = network_flow(text, [0, 0.5]), network_flow(text, [1e-5, 0.5])
    np.testing.assert_allclose(flow.linearisation(), near.linearisation(), atol=2e-4)
    for u in ([[0.0], [0.1]], [[1e-4], [0.1]], [[0.1], [-0.5]]):
        packed = NetworkState(np.array(u), np.array([[0.2], [0.3]]), np.eye(1)).packed()
        np.testing.assert_allclose(flow.velocity(0, packed), near.velocity(0, packed), atol=2e-4)


@pytest.mark.parametrize("text", KINKED)
def test_a_kink_at_zero_has_no_search_phase_without_strength(text):
    flow = network_flow(text, [0, 0.5])
    if text == "squared_relu":  # only its second derivative jumps
        assert np.isfinite(flow.linearisation()).all()
        return
    with pytest.raises(InputError, match="has a kink at 0, so a neuron of strength 0"):
        flow.linearisation()


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("text", KINKED)
def test_kernels_in_balls_where_the_gaussians_coincide(text, side):
    """Balls that reach beyond the domain, where D would be negative, enclose the limit."""
    activation = parse_activation(text)
    k = kernel(activation, activation)
    function = ball_function(k.expression, (k.first, k.second, k.cross))
    truth = arb(str(k.at(1, 1, side).evalf(40))) + arb(0, arb(10) ** -35)
    with ctx.workprec(200):
        exact = function(arb(1), arb(1), arb(side))
        wide = function(*(x * (1 + arb(0, arb(2) ** -60)) for x in (arb(1), arb(1), arb(side))))
    assert exact.overlaps(truth)
    assert exact.rad() < 1e-50
    assert wide.contains(exact)
    assert wide.rad() < 1e-8  # a root of what is 2^-60 wide


def _random_state(rng, neurons, rank, dimension=12, size=0.4):
    v = rng.standard_normal((dimension, rank))
    v /= np.linalg.norm(v, axis=0)
    return NetworkState(size * rng.standard_normal((neurons, rank)), v[:neurons], v.T @ v), v


@pytest.mark.parametrize("text", ["x", "He2", "He3 + x/2", "erf", "relu", "x**4/12 + x", "elu"])
def test_velocity_is_the_spherical_gradient_of_the_loss(text):
    """Against central differences in U and in the d-dimensional columns."""
    rng = np.random.default_rng(3)
    neurons, rank = 3, 2
    flow = network_flow(_pair(text), rng.uniform(0.2, 0.9, neurons), rank)
    state, v = _random_state(rng, neurons, rank)

    def loss(u, columns):
        return flow.loss(NetworkState(u, columns[:neurons], columns.T @ columns))

    by_u, by_v = np.empty_like(state.u), np.empty_like(v)
    for array, gradient in ((state.u, by_u), (v, by_v)):
        for place in np.ndindex(array.shape):
            step = np.zeros_like(array)
            step[place] = 1e-5
            ends = [
                (state.u + s * step, v) if array is state.u else (state.u, v + s * step)
                for s in (1, -1)
            ]
            gradient[place] = (loss(*ends[0]) - loss(*ends[1])) / 2e-5
    moving = -(by_v - v * (v * by_v).sum(0))
    expected = NetworkState(-by_u, moving[:neurons], moving.T @ v + v.T @ moving)
    np.testing.assert_allclose(flow.velocity(0, state.packed()), expected.packed(), atol=2e-7)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("text", ["x", "He2", "He3 + x", "erf"])
def test_linearisation_is_the_jacobian(text, seed):
    rng = np.random.default_rng(seed)
    neurons, rank = rng.integers(1, 7, 2)
    strengths = [Rational(int(k), 100) for k in rng.integers(10, 95, neurons)]
    flow = network_flow(_pair(text), [float(s) for s in strengths], int(rank))
    a, b = (
        np.array(block.evalf(20).tolist(), dtype=float)
        for block in network_drift(*[parse_activation(text)] * 2).blocks(strengths)
    )
    origin = NetworkState(*[np.zeros((neurons, rank))] * 2, np.eye(rank)).packed()
    size, step = 2 * neurons * rank, 1e-5
    jacobian = np.empty((size, size))
    for i in range(size):
        shift = np.zeros_like(origin)
        shift[i] = step
        difference = flow.velocity(0, origin + shift) - flow.velocity(0, origin - shift)
        jacobian[:, i] = difference[:size] / (2 * step)
    one = np.eye(rank)
    expected = np.block(
        [[np.kron(b, one), np.kron(a.T, one)], [np.kron(a, one), np.zeros((size // 2, size // 2))]]
    )
    np.testing.assert_allclose(jacobian, expected, atol=1e-9)


@pytest.mark.parametrize("text", ["x", "He2", "erf"])
def test_the_flow_descends_and_keeps_a_gram_matrix(text):
    rng = np.random.default_rng(5)
    flow = network_flow(_pair(text), [0.3, 0.5, 0.7], 2)
    start, _ = _random_state(rng, 3, 2, dimension=100, size=0.05)
    trajectory = integrate_network(flow, start, 40.0)
    losses = []
    for vector in trajectory.at(np.linspace(0, 40, 50)):
        state = NetworkState.unpacked(vector, 3, 2)
        losses.append(flow.loss(state))
        np.testing.assert_allclose(np.diag(state.g), 1, atol=1e-8)
        assert np.linalg.eigvalsh(state.g - state.m.T @ state.m)[0] > -1e-7
    assert np.all(np.diff(losses) < 1e-9)
    assert losses[-1] < 0.7 * losses[0]


@pytest.mark.parametrize("text", ["x", "erf", "He2", "elu", "relu(x - 1/2)"])
def test_one_neuron_of_rank_one_flows_as_the_single_index_model(text):
    single, network = flow_of(_pair(text), 0.6), network_flow(_pair(text), [0.6], 1)
    u, m = 0.3, -0.4
    ours = network.velocity(0, [u, m, 1.0])
    np.testing.assert_allclose(ours[:2], single.velocity(0, [u, m]), rtol=1e-12)


@pytest.mark.parametrize("text", ["erf", "He3 + x"])
def test_the_search_phase_by_differences_is_that_in_closed_form(text):
    flow = network_flow(_pair(text), [0.3, 0.6], 2)
    np.testing.assert_allclose(flow._differences(), flow.linearisation(), atol=1e-6)


def test_rank_sets_the_final_loss_not_the_escape():
    """Fig. 14: the search phase is the same for every rank, and full rank alone learns all."""
    final, rates = [], []
    for rank in (1, 3):
        flow = network_flow(_pair("x"), [0.2, 0.5, 0.8], rank)
        start = NetworkState(np.full((3, rank), 1e-5), np.full((3, rank), 1e-5), np.eye(rank))
        early = integrate_network(flow, start, 12.0)
        u = early.at(np.array([8.0, 12.0]))[:, 0]
        rates.append(math.log(u[1] / u[0]) / 4)
        late = integrate_network(flow, _random_state(np.random.default_rng(1), 3, rank)[0], 200.0)
        final.append(flow.loss(NetworkState.unpacked(late.at(200.0), 3, rank)))
    mismatch = (0.8**2 + 0.5**2 + 0.2**2) / 3
    np.testing.assert_allclose(rates, (-1 + math.sqrt(1 + 4 * mismatch)) / 2, rtol=1e-3)
    assert final[1] < 1e-6
    hermite = []
    for rank in (1, 3):
        flow = network_flow(_pair("He2"), [0.2, 0.5, 0.8], rank)
        late = integrate_network(flow, _random_state(np.random.default_rng(1), 3, rank)[0], 100.0)
        hermite.append(flow.loss(NetworkState.unpacked(late.at(100.0), 3, rank)))
    assert hermite[1] < 1e-6 < 0.01 < hermite[0]


def test_impossible_flows_are_refused():
    with pytest.raises(InputError, match="not accepted"):
        network_flow(_pair("x"), [0.5, 1.5], 1)
    with pytest.raises(InputError, match=r"give one in \[0, 1\] a neuron"):
        network_flow("x", [], 1)
    for other in ({"loss": "correlation"}, {"misalignment": "linear"}):
        with pytest.raises(InputError, match="square loss and aligned pre-training"):
            network_flow(Pair("x", **other), [0.5], 1)
    flow = network_flow(_pair("x"), [0.5, 0.5], 1)
    lonely = NetworkState(np.zeros((2, 1)), np.array([[0.9], [0.9]]), np.eye(1))
    with pytest.raises(InputError, match="not accepted"):
        integrate_network(flow, lonely, 1.0)


@pytest.mark.parametrize("text", ["relu", "He2 + 1", "sigmoid", "x"])
def test_a_network_that_is_its_teacher_has_no_loss(text):
    """Of three neurons, whose outputs may all have a mean."""
    flow = network_flow(text, [1, 1, 1], 2)
    nothing = NetworkState(np.zeros((3, 2)), np.zeros((3, 2)), np.eye(2))
    assert flow.loss(nothing) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("sign", [1, -1])
def test_one_neuron_of_rank_one_is_observed_as_the_single_index_model(sign):
    single, network = flow_of("erf", 0.6), network_flow("erf", [0.6], 1)
    states = np.array([[0.3, -0.4], [1.5 * sign, 0.9]])
    packed = np.concatenate([states, np.ones((2, 1))], axis=1)
    ours, theirs = network.observe(packed), single.observe(states)
    assert list(ours) == list(theirs)
    for name, values in theirs.items():
        assert ours[name] == pytest.approx(values, rel=1e-10), name


def test_sizes_are_those_of_whole_matrices_and_alignments_are_averaged():
    flow = network_flow("x", [0.6, 0.8], 2)
    u, m = np.array([[3.0, 0], [0, 4.0]]), np.array([[0.6, 0], [0, 0.8]])
    seen = flow.observe(NetworkState(u, m, np.eye(2)).packed()[None])
    r = np.array([0.6 + 1.8, 0.8 + 3.2])  # μ + u m, and Q = μ² + 2 μ u m + u²
    q = np.array([0.36 + 2 * 0.6 * 1.8 + 9, 0.64 + 2 * 0.8 * 3.2 + 16])
    assert seen["scale"] == pytest.approx([5])
    assert seen["overlap"] == pytest.approx([1])
    assert seen["alignment"] == pytest.approx([(r / np.sqrt(q)).mean()])


@pytest.mark.parametrize(("u", "m", "g"), [
    ((2, 1), (2, 2), np.eye(2)), ((2, 2), (2, 1), np.eye(2)), ((1, 2), (1, 2), np.eye(2)),
    ((2, 2), (2, 2), np.diag([1, 1.01])), ((2, 2), (2, 2), np.array([[1, 1.01], [1.01, 1]])),
])  # fmt: skip
def test_statistics_of_another_shape_or_of_no_columns_are_refused(u, m, g):
    flow = network_flow("x", [0.5, 0.5], 2)
    ends = integrate_network(flow, NetworkState(np.zeros((2, 2)), np.eye(2), np.eye(2)), 1.0)
    assert ends.times[-1] == 1  # M may be as large as G is
    with pytest.raises(InputError, match="are not accepted: give"):
        integrate_network(flow, NetworkState(np.zeros(u), np.zeros(m), g), 1.0)
