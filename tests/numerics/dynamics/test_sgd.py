"""SGD exact in law: against dense vectors, plain Python, the flow, and what must be refused."""

import functools
import math

import numpy as np
import pytest
from scipy.stats import ks_2samp
from thorough import only

from derive.errors import InputError
from derive.grammar import parse_activation, parse_transform
from derive.pair import MISALIGNMENTS, Pair
from numerics.dynamics import sgd, update
from numerics.dynamics.dense_sgd import rademacher, simulate_densely
from numerics.dynamics.flow import flow_of, integrate
from numerics.dynamics.sgd import Learner, Stage, simulate_sgd

REPLICAS = 400


def _learner(text, dimension, rate, student=None, labels="y", **others):
    misalignment = MISALIGNMENTS[others.pop("misalignment", "none")]
    pair = Pair(
        parse_activation(text),
        parse_activation(student or text),
        parse_transform(labels),
        others.pop("loss", "square"),
        misalignment,
    )
    return Learner(pair, others.pop("mu", 0.5), dimension, rate, **others)


CASES = {
    "linear in three dimensions": (_learner("x", 3, 0.9), (1, 8)),
    "linear, batch of three": (_learner("x", 60, 0.5, batch=3), (4, 16)),
    "erf": (_learner("erf", 4, 0.4, batch=2), (1, 8)),
    "relu": (_learner("relu", 20, 0.2, batch=4), (3, 10)),
    "He3": (_learner("He3", 5, 0.0004, batch=2), (3, 25)),
    "erf, noisy labels": (_learner("erf", 6, 1.0, noise=0.5), (2, 9)),
    "mismatched, squared labels": (_learner("x", 5, 0.1, student="erf", labels="y**2"), (1, 7)),
    "correlation loss": (_learner("erf", 6, 1.0, loss="correlation", batch=2), (2, 7)),
    "projected update": (_learner("x", 4, 0.4, batch=2, update="projected"), (1, 8)),
    # Where the gradient along ω is large, so that both updates move it by lengths of their own.
    "far out": (_learner("x", 4, 0.5, starts=((2.0, 0.6),)), (1, 2)),
    "far out, projected": (_learner("x", 4, 0.5, starts=((2.0, 0.6),), update="projected"), (1, 2)),
    "misaligned": (_learner("x", 5, 0.3, mu=0.8, misalignment="spherical", batch=2), (1, 7)),
    "misaligned in three dimensions": (_learner("x", 3, 0.4, misalignment="linear"), (1, 7)),
    "two stages by step": (
        _learner("x", 5, 0.2, batch=2, stage=Stage("y**2", until_step=4)),
        (4, 12),
    ),
    "two stages by overlap": (
        _learner("x", 5, 0.3, stage=Stage("y**2", until_overlap=0.5)),
        (2, 9),
    ),
    "two stages with a flip": (
        _learner("x", 5, 0.3, stage=Stage("y**2", until_step=4, flip_at_switch=True)),
        (4, 8),
    ),
}


@functools.cache
def _dense(name):
    learner, records = CASES[name]
    streams = (np.random.default_rng([7, r]) for r in range(REPLICAS))
    return np.array([simulate_densely(learner, g, max(records), records) for g in streams])


def _agree(ours, theirs):
    """Smallest Kolmogorov-Smirnov p-value over steps, order parameters, a product and the sizes.

    Those of sizes differ by twice as much where the signs are symmetric.
    """
    ours, theirs = (np.concatenate([x, x[..., :1] * x[..., 1:2]], -1) for x in (ours, theirs))
    ours, theirs = (np.concatenate([x, abs(x)], -1) for x in (ours, theirs))
    steps, parameters = ours.shape[1:]
    return min(
        ks_2samp(ours[:, k, i], theirs[:, k, i]).pvalue
        for k in range(steps)
        for i in range(parameters)
    )


@pytest.mark.parametrize("name", CASES)
def test_the_law_is_that_of_the_dense_algorithm(name):
    learner, records = CASES[name]
    ours = simulate_sgd(learner, range(4 * REPLICAS), 1, max(records), records).states
    assert _agree(ours, _dense(name)) > 1e-4


# What stands in the place of a step of the update.


def one_direction_too_many(rng, law, power):
    return power / (law.batch * law.batch) * rng.chisquare(law.dimension - 1)


def batch_not_squared(rng, law, power):
    return power / law.batch * rng.chisquare(law.dimension - 2)


def moved_without_u(law, state, rest, pulls, along, off):
    m, own = state.m + law.rate * pulls[0], rest + law.rate * pulls[2]
    size = math.sqrt(m * m + own * own + law.rate * law.rate * off)
    return update.State(state.u + law.rate * along, m / size, 0.0)


def not_tangent_at_the_teacher(state, rest, pulls, along):
    return pulls[0], pulls[1] - along * state.kappa, pulls[2] - along * rest


def without_misalignment(law, state, z, x, own):
    return law.mu * z + state.u * own


def flipped_whatever_the_sign(law, state):
    return update.State(-state.u, state.m, state.kappa)


def until_the_step_alone(law, state, step):
    return step < law.until_step


@pytest.mark.usefixtures("plain_loops")
@pytest.mark.parametrize(
    ("name", "step", "fault"),
    [
        ("linear in three dimensions", "across", one_direction_too_many),
        ("linear in three dimensions", "moved", moved_without_u),
        ("linear, batch of three", "across", batch_not_squared),
        ("linear in three dimensions", "tangent", not_tangent_at_the_teacher),
        ("misaligned", "argument", without_misalignment),
        ("two stages by overlap", "in_first_stage", until_the_step_alone),
        ("two stages with a flip", "switched", flipped_whatever_the_sign),
    ],
)
def test_a_planted_fault_changes_the_law(monkeypatch, name, step, fault):
    learner, records = CASES[name]
    monkeypatch.setattr(update, "STEPS", update.STEPS._replace(**{step: fault}))
    ours = simulate_sgd(learner, range(4 * REPLICAS), 1, max(records), records).states
    assert _agree(ours, _dense(name)) < 1e-4


@pytest.mark.parametrize("name", CASES)
def test_compiled_and_plain_python_take_the_same_path(monkeypatch, request, name):
    learner, _ = CASES[name]
    compiled = simulate_sgd(learner, [5], 3, 12, range(13))
    functions = sgd.compiled_functions
    monkeypatch.setattr(sgd, "compiled_functions", lambda *pair: plain(functions(*pair)))
    request.getfixturevalue("plain_loops")
    ours = simulate_sgd(learner, [5], 3, 12, range(13))
    np.testing.assert_allclose(compiled.states, ours.states, rtol=1e-11, atol=1e-12)
    np.testing.assert_array_equal(compiled.exits, ours.exits)


def plain(compiled):
    """Compiled functions as the Python they were written in."""
    return type(compiled)(*(function.py_func for function in compiled))


def test_replicas_do_not_depend_on_how_they_are_split():
    learner, records = CASES["misaligned"]
    whole = simulate_sgd(learner, range(6), 11, 30, records, threads=2)
    parts = [
        simulate_sgd(learner, part, 11, 30, records, threads=1) for part in ([0, 1], [2], [3, 4, 5])
    ]
    np.testing.assert_array_equal(whole.states, np.concatenate([p.states for p in parts]))
    np.testing.assert_array_equal(whole.exits, np.concatenate([p.exits for p in parts]))
    other = simulate_sgd(learner, range(6), 12, 30, records)
    assert not np.any(whole.states == other.states)


@pytest.mark.parametrize("misalignment", ["none", "spherical"])
def test_exits_are_first_passages(misalignment):
    """The step reported is the first at which the recorded state is outside, κ and all."""
    learner = _learner("x", 50, 0.02, batch=5, mu=0.7, misalignment=misalignment)
    runs = simulate_sgd(learner, range(20), 2, 3000, range(3001), radius=0.4)
    outside = np.linalg.norm(runs.states, axis=-1) >= 0.4
    first = np.where(outside.any(1), outside.argmax(1), np.nan)
    np.testing.assert_array_equal(runs.exits, first)
    assert np.isfinite(first).sum() > 0
    stopped = simulate_sgd(learner, range(20), 2, 3000, (), radius=0.4, stop_at_exit=True)
    np.testing.assert_array_equal(stopped.exits, first)
    replica, last = int(np.nanargmax(first)), int(np.nanmax(first))
    for horizon, exit_step in ((last, last), (last - 1, np.nan)):  # the last step counts
        (found,) = simulate_sgd(learner, [replica], 2, horizon, (), radius=0.4).exits
        assert found == pytest.approx(exit_step, abs=0, nan_ok=True)
    if learner.nu:
        without = np.linalg.norm(runs.states[..., :2], axis=-1) >= 0.4
        assert (without.argmax(1) > first).any()


@pytest.mark.parametrize(
    ("exit_by", "radius"), [("overlap", 0.6), ("strength", 0.1), ("teacher", 0.5)]
)
def test_other_exits_are_first_passages_of_the_overlap(exit_by, radius):
    learner = _learner("x", 50, 0.02)
    steps = range(2001)
    runs = simulate_sgd(learner, 20, 5, 2000, steps, radius=radius, exit_by=exit_by)
    overlaps = np.abs(runs["m"])
    inside = {
        "overlap": overlaps >= radius,
        "strength": np.abs(overlaps - 0.5) <= radius,
        "teacher": runs["u"] * runs["m"] >= radius / 2,
    }[exit_by]
    assert inside.any(axis=1).sum() > 15
    first = np.where(inside.any(axis=1), inside.argmax(axis=1), np.nan)
    np.testing.assert_array_equal(runs.exits, first)


@pytest.mark.parametrize(
    ("exit_by", "radius", "start"),
    [("state", 0.5, (0.0, 0.5)), ("overlap", 0.5, (0.0, -0.5)), ("strength", 0.25, (0.0, 0.75)),
     ("strength", 0.25, (0.0, -0.25)), ("teacher", 0.5, (0.5, 0.5))],
)  # fmt: skip
def test_what_is_at_the_radius_is_out(exit_by, radius, start):
    """It counts as exit at step 0; a radius that is a little harder to reach does not."""
    learner = Learner("x", 0.5, 100, 1e-12, starts=(start,))
    harder = np.nextafter(radius, 0 if exit_by == "strength" else 1)  # there one comes near
    for size, out in ((radius, True), (harder, False)):
        (found,) = simulate_sgd(learner, 1, 1, 1, radius=size, exit_by=exit_by).exits
        assert (found == 0) == out


def test_signs_seen_along_their_diagonal_are_signs():
    """A reflection keeps lengths, and exchanges the first axis with the diagonal."""
    drawn = rademacher(np.random.default_rng(2), (50, 7))
    np.testing.assert_allclose((drawn**2).sum(axis=1), 7, rtol=1e-12)
    sums = drawn[:, 0] * math.sqrt(7)
    np.testing.assert_allclose(sums, sums.round(), atol=1e-12)
    assert set((sums.round() % 2).astype(int)) == {1}
    assert len(set(sums.round())) > 4


def test_lora_begins_at_zero_and_at_states():
    zero = _learner("x", 50, 0.02, scale_u=0.0)
    one = zero.initial(np.random.default_rng(3))
    usual = _learner("x", 50, 0.02).initial(np.random.default_rng(3))
    assert (one[0], one[1]) == (0.0, usual[1])  # the same direction
    ends = simulate_sgd(zero, 20, 1, 3000, [3000])
    assert np.abs(ends["u"]).min() > 0.1  # it leaves
    states = ((0.1, 0.2), (0.3, -0.4))
    several = _learner("x", 50, 0.02, starts=states)
    drawn = [tuple(several.initial(np.random.default_rng(k))[:2]) for k in range(40)]
    assert set(drawn) == set(states)
    assert 8 < drawn.count(states[0]) < 32


def test_runs_that_do_not_exit_are_censored():
    runs = simulate_sgd(_learner("x", 1000, 1e-4), range(5), 1, 10)
    assert (runs.censored, np.isnan(runs.exits).all()) == (5, True)


def test_initial_directions_are_uniform_on_the_sphere():
    learner = _learner("x", 7, 0.1, misalignment="linear")
    states = simulate_sgd(learner, range(5000), 1, 1, [0]).states[:, 0]
    assert np.all(states[:, 0] == 1 / math.sqrt(7))
    np.testing.assert_allclose((states[:, 1:] ** 2).mean(0), 1 / 7, rtol=0.05)
    np.testing.assert_allclose((states[:, 1:] ** 4).mean(0), 3 / (7 * 9), rtol=0.1)
    for signs, sign in (("aligned", 1), ("opposed", -1)):
        chosen = simulate_sgd(_learner("x", 7, 0.1, signs=signs), range(50), 1, 1, [0]).states
        assert np.all(np.sign(chosen[:, 0, 1]) == sign)


@pytest.mark.parametrize("update", ["spherical", "projected"])
@pytest.mark.parametrize(
    ("text", "misalignment"),
    only([("x", "spherical")], [("x", "none"), ("erf", "none"), ("x", "spherical")]),
)
def test_small_steps_converge_to_the_flow_at_first_order(text, misalignment, update):
    """Halving γ halves the distance of the mean trajectory from the flow."""
    gaps, time = [], 3.2
    for rate in (0.4, 0.2, 0.1):
        learner = _learner(
            text,
            20,
            rate,
            batch=4000,
            misalignment=misalignment,
            update=update,
            mu=0.4,
            scale=1.5,
            signs="aligned",
        )
        last = round(time / rate)
        states = simulate_sgd(learner, range(100), 5, last, [0, last]).states
        flow = flow_of(learner.pair, 0.4)
        ends = np.array([integrate(flow, s[0], time).at(time) for s in states])
        gaps.append(np.linalg.norm((states[:, 1] - ends).mean(0)))
    orders = np.log2(np.array(gaps[:-1]) / gaps[1:])
    assert np.all((orders > 0.7) & (orders < 1.4)), gaps


@pytest.mark.parametrize(
    ("text", "misalignment", "rate"),
    only(
        [("x", "none", 0.04), ("He3", "none", 5e-4), ("x", "spherical", 0.04)],
        [("x", "none", 0.04), ("relu", "none", 0.08), ("erf", "none", 0.2),
         ("sigmoid", "none", 2.0), ("He2", "none", 0.004), ("He3", "none", 5e-4),
         ("x", "spherical", 0.04)],
    ),
)  # fmt: skip
def test_growth_in_the_search_phase_is_lambda_plus(text, misalignment, rate):
    """The mean amplitude along the growing direction, within four standard errors and 2 %."""
    learner = _learner(
        text, 2000, rate, batch=400, scale=0.3, mu=0.6, misalignment=misalignment, signs="aligned"
    )
    flow = flow_of(learner.pair, 0.6)
    values, vectors = np.linalg.eigh(flow.linearisation())
    steps = (np.array([0.5, 2.0]) / values[-1] / rate).astype(int)
    states = simulate_sgd(learner, range(300), 9, steps[1], steps).states
    amplitudes = states @ vectors[:, -1]
    mean = amplitudes.mean(0)
    growth = math.log(mean[1] / mean[0])
    error = np.std(amplitudes[:, 1] / mean[1] - amplitudes[:, 0] / mean[0]) / math.sqrt(300)
    assert error < 0.05 * growth
    measured = growth / ((steps[1] - steps[0]) * rate)
    assert measured == pytest.approx(values[-1], rel=4 * error / growth + 0.02)


def test_divergence_is_reported_with_the_step_and_the_limit():
    learner = _learner("He3", 1000, 1.0)
    with pytest.raises(InputError, match=r"diverged at step \d+ .* stable one is below"):
        simulate_sgd(learner, range(4), 1, 1000, [1000])


@pytest.mark.parametrize(
    "change",
    [{"batch": 0}, {"dimension": 2}, {"mu": 1.5}, {"mu": 0.0}, {"learning_rate": -1.0},
     {"learning_rate": math.nan}, {"noise": -1.0}, {"update": "cubic"}, {"signs": "none"},
     {"scale": -1.0}, {"scale_u": -1.0}, {"starts": ((0.1, 2.0),)}, {"starts": ((0.1,),)}],
)  # fmt: skip
def test_impossible_learners_are_refused(change):
    pair = Pair(parse_activation("x"), parse_activation("x"))
    settings = {"mu": 0.5, "dimension": 10, "learning_rate": 0.1} | change
    with pytest.raises(InputError, match="not accepted"):
        Learner(pair, **settings)


@pytest.mark.parametrize(("misalignment", "planes"), [("none", 1), ("linear", 2)])
def test_overlaps_that_exceed_one_are_refused_where_they_are_drawn(misalignment, planes):
    """In units of the length of their part: it is at most the whole."""
    draw = functools.partial(_learner, "x", 7, 0.1, misalignment=misalignment, mu=0.8)
    overlaps = draw().initial(np.random.default_rng(4))[1 : 1 + planes]
    most = 1 / np.linalg.norm(overlaps)
    draw(scale=most * (1 - 1e-12)).initial(np.random.default_rng(4))
    with pytest.raises(InputError, match="is not accepted: overlaps exceed 1"):
        draw(scale=most * (1 + 1e-12)).initial(np.random.default_rng(4))


@pytest.mark.parametrize(
    "call",
    [
        lambda learner: simulate_sgd(learner, [], 1, 10),
        lambda learner: simulate_sgd(learner, [0], 1, 0),
        lambda learner: simulate_sgd(learner, [0], 1, 10, [11]),
        lambda learner: simulate_sgd(learner, [0], 1, 10, [5, 3]),
    ],
)
def test_impossible_runs_are_refused(call):
    with pytest.raises(InputError, match="not accepted"):
        call(_learner("x", 10, 0.1))


def test_defaults_are_those_of_the_command():
    """20 replicas, one seed, and 1.5 τ log d steps; an integer counts replicas from 0 on."""
    learner = _learner("x", 200, 0.05)
    runs = simulate_sgd(learner)
    horizon = math.ceil(1.5 * math.log(200) / flow_of(learner.pair, 0.5).rate() / 0.05)
    same = simulate_sgd(learner, range(20), 0, horizon)
    np.testing.assert_array_equal(runs.exits, same.exits)
    assert len(runs.exits) == 20
    with pytest.raises(InputError, match="no escape at μ = 1"):
        simulate_sgd(_learner("x", 200, 0.05, mu=1))


def test_runs_are_labelled():
    learner = _learner("x", 20, 0.1, misalignment="linear")
    runs = simulate_sgd(learner, 3, 1, 50, [0, 10, 50])
    np.testing.assert_array_equal(np.stack([runs["u"], runs["m"], runs["kappa"]], -1), runs.states)
    np.testing.assert_array_equal(runs.times, [0.0, 1.0, 5.0])
    data = runs.dataset()
    assert runs.to_xarray().identical(data)
    np.testing.assert_array_equal(data.state.sel(parameter="kappa"), runs["kappa"])
    np.testing.assert_array_equal(data.exit_time, runs.exit_times)
    with pytest.raises(InputError, match="choose from u, m, kappa"):
        runs["loss"]
