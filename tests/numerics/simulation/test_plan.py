"""Plans: what is told before a long run, what is refused, how far an interrupted one got."""

import os

import numpy as np
import pytest

from derive.errors import InputError
from numerics import Simulation, run_simulation, run_simulations, study
from numerics.dynamics.sgd import simulate_sgd
from numerics.simulation import plan
from numerics.simulation.plan import Plan, tell_plan

ABSURD = {"dimension": 10**9, "learning_rate": "1/d"}


def cells(**how):
    return Simulation("x", 0.5, **{"records": 0, "horizon": 1000, "batch": 4, **how}).cells()


def test_work_is_proportional_to_replicas_horizon_and_batch():
    base = Plan.of(cells(replicas=20)).samples
    for more in ({"replicas": 120}, {"horizon": 6000}, {"batch": 24}):
        assert Plan.of(cells(**{"replicas": 20, **more})).samples == pytest.approx(6 * base)


def test_what_would_take_months_is_refused_wherever_it_is_asked(command):
    simulation = Simulation("x", 0.5, **ABSURD)
    for run in (run_simulation, lambda one: run_simulations([one])):
        with pytest.raises(InputError, match=r"take the law of numerics\.exit or numerics\.budget"):
            run(simulation)
    with pytest.raises(InputError, match="too many to simulate"):
        study("x").simulate(mu=0.5, **ABSURD)
    done = command("numerics.simulate", "--activation", "x", "--mu", "0.5", "--dimension",
                   "1e9", "--learning-rate", "1/d")  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "too many to simulate" in done.stderr
    with pytest.raises(InputError, match=r"give 1 to 1e12; for more, numerics\.exit"):
        Simulation("x", 0.99, dimension=10**12, learning_rate="1/d")


def test_a_cluster_may_do_more():
    for cluster, most in ((False, plan.MOST_SAMPLES), (True, 100 * plan.MOST_SAMPLES)):
        asked = Plan(1, 1.0, most)
        assert asked.checked(cluster) == asked
        with pytest.raises(InputError):
            Plan(1, 1.0, np.nextafter(most, np.inf)).checked(cluster)


def test_a_long_run_is_announced_without_a_terminal_and_a_short_one_is_not(capsys, monkeypatch):
    monkeypatch.setattr(plan, "_samples_a_second", lambda cell: 1e6)
    tell_plan(cells(horizon=10**6, replicas=10), workers=1)
    assert capsys.readouterr().err == (
        "planned: up to 1e+07 steps, 4e+07 samples in 10 runs, about 40 seconds in 1 processes\n"
    )
    tell_plan(cells(horizon=10**4, replicas=10), workers=1)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    ("seconds", "told"),
    [(10, None), (11, "11 seconds"), (119, "119 seconds"), (120, "2 minutes"),
     (7199, "120 minutes"), (7200, "2 hours"), (172_799, "48 hours"), (172_800, "2 days")],
)  # fmt: skip
def test_more_than_ten_seconds_are_told_in_a_unit_of_which_there_are_two(
    seconds, told, workers, capsys, monkeypatch
):
    monkeypatch.setattr(plan, "_samples_a_second", lambda cell: 40.0)
    monkeypatch.setattr(plan, "_TRIAL", 0)
    tell_plan(cells(horizon=seconds * workers, replicas=10), workers)
    said = capsys.readouterr().err
    assert f"about {told} in {workers} processes\n" in said if told else not said


def test_a_trial_of_each_pair_tells_how_fast_it_goes(capsys, monkeypatch):
    """A sample a microsecond of one pair, a tenth of that of the other; one batch at least."""
    clock, tried = [5.0], []

    def simulate(learner, replicas, seed, steps, threads):
        text = learner.pair.teacher.text
        tried.append((text, replicas, steps * learner.batch))
        clock[0] += steps * learner.batch * {"x": 1e-6, "erf": 1e-7}[text]

    monkeypatch.setattr(plan, "simulate_sgd", simulate)
    monkeypatch.setattr(plan.time, "perf_counter", lambda: clock[0])
    kinds = [
        Simulation(text, mu, records=0, horizon=10**5, batch=50, replicas=10).cells()
        for text in ("x", "erf") for mu in (0.3, 0.5)
    ]  # fmt: skip
    tell_plan([cell for own in kinds for cell in own], workers=None)
    count = os.cpu_count()
    assert f"about {110 / count:.0f} seconds in {count} processes\n" in capsys.readouterr().err
    assert tried == [("x", 1, 10_000), ("erf", 1, 10_000)]
    wide = Simulation("x", 0.5, records=0, horizon=100, batch=20_000, replicas=10).cells()
    tell_plan(wide, workers=1)
    assert (tried[-1], "about 20 seconds" in capsys.readouterr().err) == (("x", 1, 20_000), True)


def test_work_of_less_than_a_hundred_trials_is_not_timed(capsys, monkeypatch):
    monkeypatch.setattr(plan, "_samples_a_second", lambda cell: 1.0)
    tell_plan(cells(horizon=24_999, replicas=10), workers=1)
    assert capsys.readouterr().err == ""
    tell_plan(cells(horizon=25_000, replicas=10), workers=1)
    assert "in 10 runs" in capsys.readouterr().err


def test_what_is_kept_already_is_no_work(tmp_path, monkeypatch):
    simulation = Simulation("x", 0.5, horizon=10, records=0, replicas=3)
    first = run_simulations([simulation], folder=tmp_path, workers=1)[0]
    monkeypatch.setattr(plan, "MOST_SAMPLES", 100.0)  # of 480
    again = run_simulations([simulation], folder=tmp_path, workers=1)[0]
    np.testing.assert_array_equal(first.exits, again.exits)
    with pytest.raises(InputError):
        run_simulations([simulation], workers=1)


def test_the_steps_of_a_replica_are_counted_whole_and_while_it_runs():
    """Those of a run that leaves early too; results do not depend on being watched."""
    learner = Simulation("x", 0.5).learner
    for horizon, leaves in ((2 * 2**16 + 5, False), (10**6, True)):
        count = np.zeros(1, dtype=np.int64)
        watched = simulate_sgd(learner, 3, 0, horizon, [1, 40], count=count, threads=1,
                               stop_at_exit=leaves)  # fmt: skip
        assert count[0] == 3 * horizon
        alone = simulate_sgd(learner, 3, 0, horizon, [1, 40], threads=1, stop_at_exit=leaves)
        np.testing.assert_array_equal(watched.states, alone.states)


def test_an_interrupt_says_how_far_it_got_and_what_is_kept(tmp_path, monkeypatch):
    def stopped(compute, cells, *_, **__):
        compute(cells[0])
        raise KeyboardInterrupt

    monkeypatch.setattr("numerics.simulation.run.run_cells", stopped)
    simulations = [Simulation("x", 0.5, horizon=h, records=0, replicas=4) for h in (100, 300)]
    for folder, kept in ((tmp_path, f"kept in {tmp_path}"), (None, "lost without --results")):
        with pytest.raises(KeyboardInterrupt) as stop:
            run_simulations(simulations, folder=folder, workers=1)
        said = " ".join(stop.value.__notes__)
        assert said.startswith("after 25% of the steps")
        assert kept in said
