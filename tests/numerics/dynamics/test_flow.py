"""The flow: closed solutions, its linearisation, the Lyapunov function, mechanics, descent."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from derive.errors import InputError
from derive.grammar import parse_activation
from derive.pair import MISALIGNMENTS, Pair
from derive.pair_drift import drift_of
from numerics.doubles.drift import fast_drift
from numerics.dynamics.best_rate import best_learning_rate
from numerics.dynamics.exit_constant import shot
from numerics.dynamics.flow import (
    Trajectory,
    first_passage_of,
    flow_of,
    integrate,
    linear_growth,
    linearised,
    predicted_exit,
)
from numerics.dynamics.full_sgd import FullLearner
from numerics.dynamics.network_flow import network_flow
from numerics.dynamics.runs import steps_of
from numerics.dynamics.sgd import Learner, simulate_sgd


def _pair(text, misalignment="none", loss="square"):
    activation = parse_activation(text)
    return Pair(activation, activation, loss=loss, misalignment=MISALIGNMENTS[misalignment])


STUDENTS = ["x", "relu", "erf", "He2", "He3", "He4", "gelu", "sin", "leaky_relu"]


@pytest.mark.parametrize("text", [*STUDENTS, "sigmoid"])
def test_loss_falls_along_the_flow(text):
    """(92): the loss is a Lyapunov function."""
    flow = flow_of(_pair(text), 0.6)
    trajectory = integrate(flow, [0.02, 0.02], 8 / flow.rate())
    losses = flow.loss(trajectory.at(np.linspace(0, trajectory.times[-1], 200)))
    assert np.all(np.diff(losses) < 1e-8 * losses[0])
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("misalignment", ["none", "linear", "spherical"])
@pytest.mark.parametrize("text", ["x", "erf", "He3"])
def test_velocity_is_the_spherical_gradient_of_the_loss(text, misalignment):
    """Against central differences of the loss in the ambient coordinates of the direction."""
    flow = flow_of(_pair(text, misalignment), 0.7)
    state = np.array([0.3, 0.4, -0.2])[: flow.size]
    gradient = np.empty(flow.size)
    for i in range(flow.size):
        step = np.zeros(flow.size)
        step[i] = 1e-5
        gradient[i] = (flow.loss(state + step) - flow.loss(state - step)) / 2e-5
    overlaps = state[1:]
    expected = -gradient
    expected[1:] += overlaps * (overlaps @ gradient[1:])
    np.testing.assert_allclose(flow.velocity(0.0, state), expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(
    ("text", "misalignment"),
    [*((text, "none") for text in (*STUDENTS, "tanh")), ("erf", "spherical"), ("He3", "linear")],
)
def test_linearisation_is_the_jacobian_and_the_drift(text, misalignment):
    pair = _pair(text, misalignment)
    flow, fast = flow_of(pair, 0.45), fast_drift(drift_of(pair))
    steps = 1e-6 * np.eye(flow.size)
    jacobian = np.stack([(flow.velocity(0, e) - flow.velocity(0, -e)) / 2e-6 for e in steps], 1)
    np.testing.assert_allclose(flow.linearisation(), jacobian, rtol=1e-5, atol=1e-9)
    assert flow.rate() == pytest.approx(float(fast.rate(0.45)), rel=1e-10)


@pytest.mark.parametrize("text", ["x", "erf(x)"])
@pytest.mark.parametrize("factor", ["1e-8", "1e8"])
def test_whether_there_is_an_escape_does_not_depend_on_units(text, factor):
    """What teacher and student are multiplied with is a unit of time, to its square."""
    unit = float(factor) ** 2
    scaled = Pair(f"{factor}*{text}")
    for mu in (0.5, 0.99):
        usual = flow_of(text, mu)
        assert flow_of(scaled, mu).tau() * unit == pytest.approx(usual.tau(), rel=1e-9)
        found, told = shot(flow_of(scaled, mu)), shot(usual)
        assert found.log_k == pytest.approx(told.log_k, abs=found.error + told.error)
        assert found.error < 1e-7
        start = np.array([1e-3, 1e-3])
        out = predicted_exit(flow_of(scaled, mu), start)
        assert out * unit == pytest.approx(predicted_exit(usual, start), rel=1e-11)
    assert flow_of(scaled, 1.0).tau() == np.inf
    learner, full = Learner(scaled, 0.5, 1000, 0.01 / unit), FullLearner(scaled, 0.5, 1000, 1e-3)
    assert steps_of(learner, 1.0) == steps_of(Learner(text, 0.5, 1000, 0.01), 1.0)
    assert full.flow.escapes()
    assert best_learning_rate(scaled, 0.5, 1000) * unit == pytest.approx(
        best_learning_rate(text, 0.5, 1000), rel=1e-9
    )


@pytest.mark.parametrize(
    ("teacher", "student"),
    [("x**2", "tanh"), ("cos", "tanh"), ("tanh", "abs"), ("softsign", "gauss")],
)
@pytest.mark.parametrize("factor", [1, "1e-8"])
def test_rounding_of_what_is_0_is_no_escape(teacher, student, factor):
    """Of functions of opposite parity nothing is learnt: the whole matrix is 0, or rounding."""
    pair = Pair(f"{factor}*({teacher})", student, loss="correlation")
    assert flow_of(pair, 0.5).tau() == np.inf
    assert not FullLearner(pair, 0.5, 1000, 1e-3).flow.escapes()


def test_misaligned_rate_has_the_third_direction():
    """App. A.1: λ₊ = ½(b + √(b² + 4(a² + ν²b²))), and the learnt direction is not the teacher's."""
    flow = flow_of(_pair("x", "spherical"), 0.9)
    assert flow.tau() == pytest.approx(2 / (-1 + np.sqrt(1 + 4 * (0.01 + 0.19))))
    end = integrate(flow, [1e-2, 1e-2, -1e-2], 300.0).at(300.0)
    rho, s = flow.place(end)
    np.testing.assert_allclose([rho, s], [1.0, 0.0], atol=1e-8)
    assert abs(end[1]) < 0.3


def test_linear_student_at_full_strength():
    """App. F: for a = 0, u decays as exp(-t) and m stays where it is."""
    state = integrate(flow_of(_pair("x"), 1.0), [1e-4, 0.3], 2.0).at(2.0)
    assert state[0] == pytest.approx(1e-4 * np.exp(-2), rel=1e-3)
    assert state[1] == pytest.approx(0.3, rel=1e-6)


def test_a_null_student_has_no_alignment():
    """Of single students and of networks; silently, as commands show it as none."""
    for flow, null in (
        (flow_of(_pair("x"), 0.5), [-0.5, 1.0]),
        (FullLearner("x", 0.5, 100, 1e-3).flow, [0.0, 0.0]),
        (network_flow("x", [0.0, 0.0]), [0.0, 0.0, 0.0, 0.0, 1.0]),
    ):
        assert np.isnan(flow.observe(np.array(null))["alignment"])


@pytest.mark.parametrize("text", ["x", "relu", "erf", "He2", "He3", "sigmoid"])
def test_the_flow_starts_as_its_linearisation(text):
    flow = flow_of(_pair(text), 0.6)
    start, time = [1e-7, 2e-7], 3 / flow.rate()
    np.testing.assert_allclose(
        integrate(flow, start, time).at(time), linearised(flow, start)(time), rtol=1e-4
    )


@pytest.mark.parametrize("text", ["x", "relu", "erf", "He3"])
def test_exit_time_grows_by_half_tau_log_d(text):
    """(9): from |x₀| ~ 1/√d, a hundredfold dimension adds ½ τ log 100."""
    flow = flow_of(_pair(text), 0.6)
    times = []
    for d in (10**8, 10**10):
        start = np.full(2, d**-0.5)
        predicted = predicted_exit(flow, start)
        passage = integrate(flow, start, 3 * predicted).first_passage()
        assert passage == pytest.approx(predicted, abs=3 / flow.rate())
        times.append(passage)
    assert (times[1] - times[0]) * flow.rate() == pytest.approx(np.log(100) / 2, rel=1e-3)


def test_passages_are_defined_at_the_edges():
    flow = flow_of(_pair("x"), 0.5)
    trajectory = integrate(flow, [0.1, 0.1], 0.1)
    assert trajectory.first_passage(0.1) == 0.0
    assert trajectory.first_passage(0.9) is None
    assert predicted_exit(flow, [0.6, 0.0]) == 0.0
    assert predicted_exit(flow_of(_pair("x"), 1.0), [0.01, 0.01]) is None


def test_states_are_read_within_the_times_of_a_trajectory_alone():
    trajectory = integrate(flow_of("x", 0.5), [0.1, 0.1], 4.0)
    grid = [[0.0, 1.0], [2.0, 4.0]]
    assert trajectory.at(grid).shape == (2, 2, 2)
    assert trajectory.at(grid)[0, 0].tolist() == trajectory.at(0.0).tolist() == [0.1, 0.1]
    assert trajectory.at([]).shape == (0, 2)
    assert trajectory.at(4.0 * (1 + 1e-15)) == pytest.approx(trajectory.at(4.0), rel=1e-12)
    for outside in (-1e-9, 4.0001, [1.0, np.nan], np.inf):
        with pytest.raises(InputError, match=r"times from .* to .* give some from 0 to 4\.0"):
            trajectory.at(outside)
    with pytest.raises(InputError, match=r"times from -1\.0 to 9\.0 are not"):
        trajectory.at([2.0, 9.0, -1.0])


@pytest.mark.parametrize("radius", [1e-3, 0.3, 0.961, 0.99, 0.9999, 1.0])
@pytest.mark.parametrize("times", [[0.0, 1.0], [0.0, 0.2, 1.0], [0.0, 0.99, 1.0]])
def test_a_passage_is_found_wherever_it_is(radius, times):
    """A path of length t passes a radius at that time, in the last of all places too."""
    path = Trajectory(np.array(times), lambda t: np.multiply.outer(np.asarray(t), [0.6, 0.0, 0.8]))
    assert path.first_passage(radius) == pytest.approx(radius, rel=1e-12)
    assert path.first_passage(1.0001) is None


@pytest.mark.parametrize("bumps", [1, 2, 5])
def test_a_passage_within_a_step_is_found_though_the_path_comes_back(bumps):
    """|sin kπt| passes 0.5 first at kt = 1/6, and is 0 at both ends of the step."""
    path = Trajectory(
        np.array([0.0, 1.0]),
        lambda t: np.multiply.outer(np.sin(bumps * np.pi * np.asarray(t)), [0.6, 0.8]),
    )
    assert path.first_passage(0.5) == pytest.approx(1 / (6 * bumps), rel=1e-12)


def test_a_third_direction_counts_for_the_exit():
    """App. A.1: the linearised flow leaves through κ, so it is out where u and m alone are not."""
    flow = flow_of(_pair("x", "spherical"), 0.9)
    start = np.array([1e-4, 1e-4, -1e-4])
    exit_time = predicted_exit(flow, start)
    there = linearised(flow, start)(exit_time)
    assert np.linalg.norm(there) == pytest.approx(0.5)
    assert np.linalg.norm(there[:2]) < 0.45
    assert flow.predict(start, 0.5) == exit_time


def test_mechanics_of_the_search_phase():
    """App. F: with m = tanh g, the energy ½ġ² - a² log cosh g changes at the rate b ġ²."""
    a, b = flow_of(_pair("erf"), 0.4).linearisation()[0, ::-1]

    def search(time, state):
        u, m, _ = state
        return [a * m + b * u, (1 - m * m) * a * u, b * (a * u) ** 2]

    solution = solve_ivp(search, (0, 40), [0.05, 0.1, 0.0], rtol=1e-11, atol=1e-13)
    u, m, work = solution.y
    energy = (a * u) ** 2 / 2 - a**2 * np.log(np.cosh(np.arctanh(m)))
    np.testing.assert_allclose(energy - energy[0], work, atol=1e-9)
    assert work[-1] < -1e-4


@pytest.mark.parametrize("text", ["x", "relu", "erf"])
def test_descent_phase_recovers_the_teacher_exponentially(text):
    """App. G: 1 - m² falls at a steady exponential rate, and u → 1 - μ."""
    flow = flow_of(_pair(text), 0.4)
    trajectory = integrate(flow, [0.05, 0.05], 60 / flow.rate())
    times = np.linspace(0, trajectory.times[-1], 20_000)
    gaps = 1 - trajectory.at(times)[:, 1] ** 2
    first, middle, last = (int(np.argmax(gaps < level)) for level in (1e-3, 1e-5, 1e-7))
    assert 0 < first < middle < last
    early, late = times[middle] - times[first], times[last] - times[middle]
    assert late == pytest.approx(early, rel=0.1)  # the same time for every factor of 100
    end = trajectory.at(trajectory.times[-1])
    np.testing.assert_allclose(end, [0.6, 1.0], atol=1e-3)


def test_an_even_student_may_find_the_mirrored_teacher():
    """Remark 4: for even σ there are two minimisers, u = 1 - μ and u = -(1 + μ)."""
    flow = flow_of(_pair("He2"), 0.3)
    ends = [integrate(flow, start, 60.0).at(60.0) for start in ([0.05, 0.05], [-0.05, 0.05])]
    for end in ends:
        rho, s = flow.place(end)
        assert abs(rho) == pytest.approx(1, abs=1e-6)
        assert s == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    "call",
    [
        lambda: flow_of(_pair("x"), 0.0),
        lambda: flow_of(_pair("x"), 1.5),
        lambda: integrate(flow_of(_pair("x"), 0.5), [0.1, 1.1], 1.0),
        lambda: integrate(flow_of(_pair("x"), 0.5), [0.1], 1.0),
        lambda: integrate(flow_of(_pair("x"), 0.5), [0.1, 0.1], 0.0),
    ],
)
def test_impossible_requests_are_refused(call):
    with pytest.raises(InputError, match="not accepted"):
        call()


@pytest.mark.parametrize("share", [0.999, 0.5, 1e-3, 1e-30])
def test_along_the_growing_direction_the_exit_is_a_logarithm(share):
    """(61): log(R/size)/λ₊, for starts next to the radius and far from it."""
    flow = flow_of(_pair("erf"), 0.4)
    values, vectors = np.linalg.eigh(flow.linearisation())
    found = predicted_exit(flow, 0.3 * share * vectors[:, -1], radius=0.3)
    assert found == pytest.approx(-np.log(share) / values[-1], rel=1e-9)


@pytest.mark.parametrize(("text", "rate"), [("x", 2.0), ("relu", 4.0), ("tanh", 10.0)])
def test_in_large_dimensions_runs_follow_the_flow_of_their_rate(text, rate):
    """From one state to where the noise of samples has cost much of the overlap."""
    start, time, batch = (0.6, 0.3), 4.0, 20
    learner = Learner(Pair(text), 0.4, 10**6, rate * batch / 10**6, batch, starts=(start,))
    steps = round(time / learner.learning_rate)
    ends = simulate_sgd(learner, 2, 1, steps, [steps]).states[:, 0]
    flow = flow_of(text, 0.4, scaled_rate=learner.scaled_rate)
    told, without = (integrate(f, start, time).at(time) for f in (flow, flow_of(text, 0.4)))
    assert np.abs(ends - told).max() < 0.02 * np.abs(without - told).max() + 0.01
    assert np.abs(without - told).max() > 0.05


@pytest.mark.parametrize("misalignment", ["none", "spherical"])
def test_a_rate_adds_a_term_of_third_order_that_shortens_overlaps(misalignment):
    pair = Pair("erf", misalignment=misalignment)
    still, flow = flow_of(pair, 0.5), flow_of(pair, 0.5, scaled_rate=3.0, label_noise=0.5)
    assert flow.rate() == still.rate()
    state = np.array([0.2, 0.3, -0.1])[: flow.size]
    noise = flow.noise(*(float(x) for x in flow.place(state)))
    added = flow.velocity(0.0, state) - still.velocity(0.0, state)
    assert added[0] == 0
    np.testing.assert_allclose(added[1:], -1.5 * 0.2**2 * noise * state[1:], rtol=1e-12)


def test_a_start_at_the_radius_is_out_at_once_though_it_shrinks():
    start = np.array([0.0, 0.5])
    assert first_passage_of(linear_growth(-np.eye(2), start), start, -1.0, 0.5) == 0.0


@pytest.mark.parametrize("share", [1e-3, 1e-30, 1e-100, 0.0])
def test_however_small_a_part_grows_it_is_waited_for_and_without_any_there_is_no_exit(share):
    """Of diag(2, -1): the part along the first axis, e^2t times as large at t; the other falls."""
    start = np.array([0.2 * share, 0.2])
    found = first_passage_of(linear_growth(np.diag([2.0, -1.0]), start), start, 2.0, 0.5)
    if share:
        assert found == pytest.approx(np.log(0.5 / (0.2 * share)) / 2, rel=1e-4)
    else:
        assert found is None


@pytest.mark.parametrize("text", ["He3", "x"])
@pytest.mark.parametrize("misalignment", ["none", "spherical"])
@pytest.mark.parametrize("mu", [0.2, 0.6])
def test_a_typical_start_has_the_median_sizes_and_grows(text, misalignment, mu):
    """All its parts are on one side of the growing direction; a is negative for He_3 at 0.2."""
    flow = flow_of(_pair(text, misalignment), mu)
    starts = np.random.default_rng(1).normal(size=(11, flow.size))
    start = flow.typical(starts)
    np.testing.assert_array_equal(np.abs(start), np.median(np.abs(starts), axis=0))
    along = start * np.linalg.eigh(flow.linearisation())[1][:, -1]
    assert (along > 0).all() or (along < 0).all()
