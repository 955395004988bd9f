"""What all learners' runs have in common: where they stop, what they tell, what is kept of them."""

import re
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest

from derive.errors import InputError
from numerics.dynamics import full_sgd, network_sgd, network_update, sgd, update
from numerics.dynamics.full_sgd import FullLearner
from numerics.dynamics.network_sgd import NetworkLearner
from numerics.dynamics.runs import Runs, checked_records, replica_stream, run_replicas
from numerics.dynamics.sgd import Learner, Stage, simulate_sgd
from numerics.dynamics.update import Functions

# Each with its own exit, at which it is within two hundred steps.
LEARNERS = {
    "one index": (lambda rate: Learner("x", 0.5, 20, rate), "state"),
    "all weights": (lambda rate: FullLearner("x", 0.5, 20, rate / 20), "teacher"),
    "a network": (lambda rate: NetworkLearner("x", (0.3, 0.6), 2, 60, rate), "state"),
}


@pytest.fixture(autouse=True)
def _in_plain_python(plain_loops, monkeypatch):
    """Of the identity, so that nothing is compiled."""
    identity = Functions(float, float, float, lambda _: 1.0)
    for module in (sgd, network_sgd, full_sgd):
        monkeypatch.setattr(module, "compiled_functions", lambda first, last: identity)


@pytest.mark.parametrize("name", LEARNERS)
def test_nothing_is_kept_of_a_run_from_its_exit_on_if_it_is_stopped_there(name):
    make, exit_by = LEARNERS[name]
    how = {"seed": 3, "horizon": 200, "records": range(201), "exit_by": exit_by, "threads": 1}
    whole, stopped, ends = (
        simulate_sgd(make(0.1), 2, **how | change)
        for change in ({}, {"stop_at_exit": True}, {"stop_at_exit": True, "records": [0, 200]})
    )
    np.testing.assert_array_equal(stopped.exits, whole.exits)
    for full, cut, end in zip(whole.states, stopped.states, whole.exits.astype(int), strict=True):
        assert 0 < end < 200
        np.testing.assert_array_equal(cut[:end], full[:end])
        assert np.isnan(cut[end:]).all()
        assert np.isfinite(full).all()
    assert np.isnan(ends.states[:, 1]).all()
    count = np.zeros(1, dtype=np.int64)  # of what is left out nothing is waited for
    simulate_sgd(make(0.1), 2, **how, stop_at_exit=True, count=count)
    assert count[0] == 2 * 200


@pytest.mark.parametrize("name", LEARNERS)
def test_a_run_says_how_far_it_is_after_every_so_many_steps(name, monkeypatch):
    make, exit_by = LEARNERS[name]
    for module in (update, full_sgd, network_update):
        monkeypatch.setattr(module, "TOLD", 4)
    for horizon, told in ((3, 0), (4, 4), (11, 8)):
        count = np.zeros(1, dtype=np.int64)
        run = make(0.01).runner(0.5, False, exit_by)
        run(replica_stream(1, 0), horizon, np.zeros(0, dtype=np.int64), count)
        assert count[0] == told


@pytest.mark.parametrize("name", LEARNERS)
def test_the_step_at_which_a_run_is_said_to_diverge_is_the_first_that_it_cannot_take(name):
    make, exit_by = LEARNERS[name]
    learner, how = make(4.0), {"seed": 1, "exit_by": exit_by, "threads": 1}
    with pytest.raises(
        InputError, match=r"replica 7 diverged at step \d+ \(1 of 1 did\): learn"
    ) as told:
        simulate_sgd(learner, [7], horizon=10_000, **how)
    last = int(re.search(r"step (\d+)", str(told.value))[1])
    assert last > 1
    before = simulate_sgd(learner, [7], horizon=last - 1, records=range(last), **how)
    assert np.abs(before.states[..., 0]).max() < 1000
    assert np.abs(before.states).max() < 10**6  # of a square
    with pytest.raises(InputError, match=f"at step {last} "):
        simulate_sgd(learner, [7], horizon=last, **how)


AT_THE_TEACHER = {
    "one index": (lambda noise: Learner("x", 1, 20, 0.1, 4, noise=noise, scale_u=0.0), "state"),
    "all weights": (lambda noise: FullLearner("x", 1, 20, 0.1, 4, noise=noise), "teacher"),
    "a network": (lambda noise: NetworkLearner("x", (1, 1), 1, 20, 0.1, 4, noise, 0.0), "state"),
}


@pytest.mark.parametrize("name", AT_THE_TEACHER)
def test_at_the_teacher_nothing_moves_but_by_the_noise_of_labels(name):
    """In a step u by a Gaussian of γ²ς²/B, of which a network's neurons take half each; ρ too."""
    make, exit_by = AT_THE_TEACHER[name]
    how = {"seed": 2, "horizon": 1, "records": [0, 1], "exit_by": exit_by, "threads": 1}
    still = simulate_sgd(make(0.0), 3, **how).states
    np.testing.assert_allclose(still[:, 1], still[:, 0], atol=1e-12)
    moved = np.diff(simulate_sgd(make(3.0), 600, **how).states[..., 0], axis=1)
    share = 2 if name == "a network" else 1
    assert (moved**2).mean() == pytest.approx(0.1**2 * 3**2 / 4 / share, rel=0.2)


@pytest.mark.parametrize(("ends", "said"), [
    ((-1, 5, -1, 0), r"^replica 11 diverged at step 5 \(2 of 4 did\): learning rate"),
    ((0, -1, -1, -1), r"^replica 10 diverged at step 0 \(1 of 4 did\): learning rate"),
    ((-1, -1, -1, -1), None),
])  # fmt: skip
def test_those_that_diverge_are_counted_and_the_first_of_them_is_named(ends, said):
    learner, left = Learner("x", 0.5, 20, 1.0), iter(ends)

    def run(rng, horizon, steps, count):
        return np.zeros((0, 2)), -1, next(left)

    how = {"seed": 1, "horizon": 9, "records": (), "threads": 1}
    with pytest.raises(InputError, match=said) if said else nullcontext():
        assert run_replicas(learner, run, range(10, 14), **how).censored == 4


@pytest.mark.parametrize("records", [[3, 3], [5, 3], [-1, 2], [0, 11], [[1], [2]], "ab", [None]])
def test_records_that_do_not_increase_within_the_horizon_are_refused(records):
    assert checked_records([0, 1, 10], 10).tolist() == [0, 1, 10]
    with pytest.raises(InputError, match=r"give increasing ones in \[0, horizon\]"):
        checked_records(records, 10)


def test_a_frame_has_a_row_a_replica_with_its_exit_in_steps_and_in_time():
    states = np.zeros((3, 0, 2))
    runs = Runs(np.zeros(0, dtype=np.int64), states, np.array([4, np.nan, 7]), ("u", "m"), 0.5)
    rows = runs.to_frame().to_numpy().tolist()
    assert rows == [[0, 4, 2], [1, np.inf, np.inf], [2, 7, 3.5]]
    assert (runs.censored, runs.exit_times.tolist()) == (1, [2, np.inf, 3.5])


BELOW_ZERO, ABOVE_ONE = -5e-324, np.nextafter(1, 2)
NUMBERS = {  # what is taken at each end, and what is refused beyond it
    "learning_rate": ((5e-324, 1e308), (0, BELOW_ZERO, np.inf)),
    "noise": ((0, 1e10), (BELOW_ZERO, np.inf)),
    "scale": ((0, 1e10), (BELOW_ZERO, np.inf)),
    "batch": ((1, 10**6), (0, 0.5)),
}
OWN = {"mu": ((5e-324, 1), (0, BELOW_ZERO, ABOVE_ONE)), "dimension": ((3, 1e15), (2, 2.5)),
       "scale_u": ((0, 1e10), (BELOW_ZERO, np.inf))}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "field", "taken", "refused"),
    [*((name, field, *NUMBERS[field]) for name in ("one index", "a network") for field in NUMBERS),
     *(("one index", field, *ends) for field, ends in OWN.items())],
)  # fmt: skip
def test_numbers_of_a_learner_are_taken_up_to_their_ends(name, field, taken, refused):
    learner = LEARNERS[name][0](0.1)
    for value in taken:
        assert getattr(replace(learner, **{field: value}), field) == value
    for value in refused:
        with pytest.raises(InputError, match="finite|∞" if value == np.inf else "give"):
            replace(learner, **{field: value})


@pytest.mark.parametrize("name", LEARNERS)
def test_what_begins_outside_is_out_at_step_0(name):
    """And stays so, whatever it does later; of a run that is stopped there nothing is kept."""
    make, exit_by = LEARNERS[name]
    how = {"seed": 1, "horizon": 5, "records": range(6), "radius": 1e-300, "exit_by": exit_by}
    whole = simulate_sgd(make(0.01), 2, **how, threads=1)
    stopped = simulate_sgd(make(0.01), 2, **how, threads=1, stop_at_exit=True)
    for runs in (whole, stopped):
        assert runs.exits.tolist() == [0, 0]
    assert np.isfinite(whole.states).all()
    assert np.isnan(stopped.states).all()


def test_a_flip_at_the_switch_turns_u_where_it_parts_from_m():
    """And nothing else, nor before it."""
    how = {"seed": 5, "horizon": 4, "records": range(5), "threads": 1}
    plain, turned = (
        simulate_sgd(
            Learner("x", 0.5, 20, 0.1, stage=Stage("y", until_step=3, flip_at_switch=flip)),
            30,
            **how,
        ).states
        for flip in (False, True)
    )
    np.testing.assert_array_equal(turned[:, :3], plain[:, :3])
    apart = plain[:, 3, 0] * plain[:, 3, 1] < 0
    assert 5 < apart.sum() < 25
    np.testing.assert_array_equal(turned[~apart], plain[~apart])
    np.testing.assert_array_equal(turned[apart, 3], plain[apart, 3] * [-1, 1])
