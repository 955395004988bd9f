"""Runs of simulations: labelled, the same in threads and processes, and as theory has them."""

import json
from math import log

import numpy as np
import pytest
from thorough import only

from derive.errors import InputError
from derive.pair import Pair
from numerics.dynamics.flow import OBSERVED
from numerics.dynamics.sgd import Stage
from numerics.simulation.design import Simulation, grid
from numerics.simulation.run import run_simulation, run_simulations
from numerics.simulation.simulated import SimulatedRuns, dataset_of, fit_of

SMALL = Simulation(
    Pair("erf", misalignment="linear"), 0.6, records=9, replicas=60, radius=0.3, horizon=800
)


def test_threads_and_processes_find_the_same(tmp_path):
    here = run_simulation(SMALL)
    (there,), (again,) = (
        run_simulations([SMALL], folder=tmp_path / "cells", workers=2) for _ in range(2)
    )
    for other in (there, again):
        np.testing.assert_array_equal(here.states, other.states)
        np.testing.assert_array_equal(here.exits, other.exits)
        np.testing.assert_array_equal(here.predicted, other.predicted)


def test_what_is_observed_follows_from_the_states():
    runs = run_simulation(SMALL)
    assert runs.names == ("u", "m", "kappa")
    np.testing.assert_array_equal(runs["kappa"], runs.states[..., 2])
    np.testing.assert_array_equal(runs["overlap"], np.abs(runs["m"]))
    np.testing.assert_array_equal(runs["scale"], np.abs(runs["u"]))
    np.testing.assert_array_equal(runs["loss"], SMALL.learner.flow.loss(runs.states))
    np.testing.assert_array_equal(runs.times, np.array(SMALL.records) * SMALL.learning_rate)
    assert runs.censored == np.isinf(runs.exit_times).sum()
    escaped = np.isfinite(runs.exits)
    assert escaped.sum() > 0
    expected = runs.exits[escaped] * SMALL.learning_rate
    np.testing.assert_array_equal(runs.exit_times[escaped], expected)
    with pytest.raises(InputError, match="was not recorded: choose from u, m, kappa, loss"):
        runs["rho"]


def test_a_dataset_says_how_it_was_made():
    runs = run_simulation(SMALL)
    data = runs.dataset()
    assert data.state.sel(parameter="m").values[0].tolist() == runs["m"].tolist()
    described = json.loads(str(data.parameters.values[0]))
    cell = {**described, "version": 1, "first": 0, "block": 60}
    assert Simulation.of_cell(cell) == SMALL
    longer = run_simulation(Simulation("erf", 0.6, records=20, replicas=60, horizon=800))
    both = dataset_of([runs, longer], "the two")
    assert both.attrs["provenance"] == "the two"
    assert both.sizes["record"] == len(longer.steps)
    assert np.isnan(both.loss.values[0, :, len(runs.steps) :]).all()


def made(exits, predicted, **how):
    """Runs without records of which only exits are known."""
    settings = {"dimension": 100, "batch": 4, "learning_rate": 0.01, "horizon": 50, "records": 0}
    simulation = Simulation("x", 0.5, **settings | {"replicas": len(exits)} | how)
    nothing = np.zeros((len(exits), 0))
    block = {"states": np.zeros((len(exits), 0, 2)), "exits": np.array(exits),
             "predicted": np.array(predicted)} | dict.fromkeys(OBSERVED, nothing)  # fmt: skip
    return SimulatedRuns.of(simulation, [block])


def test_a_record_counts_and_orders_exits_and_censored_ones_come_last():
    runs = made([40, 10, np.nan, 30, 20], [0.25, np.nan, 0.5, np.nan, np.nan])
    record = runs.record()
    assert (record["replicas"], record["escaped"], record["censored"]) == (5, 4, 1)
    assert record["exit_time_quantiles"] == pytest.approx(
        {"0.1": 0.1, "0.25": 0.2, "0.5": 0.3, "0.75": 0.4, "0.9": None}
    )
    assert record["exit_time_median"] == pytest.approx(0.3)
    assert (record["exit_steps_median"], record["exit_samples_median"]) == (30, 120)
    assert record["predicted"] == pytest.approx(log(100) / 2 * runs.simulation.tau)
    assert record["predicted_with_start"] is None
    more = made([40, 10, 20], [0.25, np.nan, 0.5]).record()
    assert more["predicted_with_start"] == 0.5
    full = made([40], [np.nan], method="full", exit_by="teacher").record()
    assert (full["exit_time_median"], full["predicted"]) == (pytest.approx(0.4), None)
    none = made([np.nan] * 2, [np.nan] * 2).record()
    assert [none[name] for name in ("exit_steps_median", "exit_samples_median")] == [None] * 2


def test_a_dataset_has_all_runs_with_their_settings_and_gaps_where_there_is_nothing():
    """Of two simulations with other records, and one more order parameter."""
    one, two = Pair("x", "erf"), Pair("x", misalignment="linear", labels="squared")
    settings = ((one, (0, 7), 0.5, 0.1), (two, (0, 2, 9), 0.25, 0.2))
    runs = []
    for pair, records, mu, rate in settings:
        simulation = Simulation(pair, mu, dimension=100 * len(records), batch=len(records),
                                learning_rate=rate, horizon=9, records=records, replicas=2,
                                radius=0.25)  # fmt: skip
        shape = (2, len(records), len(simulation.learner.names))
        states = np.arange(np.prod(shape)).reshape(shape) + 0.5
        block = {"states": states, "exits": np.array([4, np.nan]), "predicted": np.zeros(2)}
        block |= {name: states[..., 0] + k for k, name in enumerate(OBSERVED)}
        runs.append(SimulatedRuns.of(simulation, [block]))
    data = dataset_of(runs, "made")
    assert data.sizes == {"point": 2, "replica": 2, "record": 3, "parameter": 3}
    assert data.state.dims == ("point", "replica", "record", "parameter")
    for k, (each, (pair, records, mu, rate)) in enumerate(zip(runs, settings, strict=True)):
        kept, names = len(records), len(each.names)
        np.testing.assert_array_equal(data.state[k, :, :kept, :names], each.states)
        assert np.isnan(data.state[k, :, kept:]).all()
        assert np.isnan(data.state[k, :, :, names:]).all()
        np.testing.assert_allclose(data.time[k, :kept], np.array(records) * rate)
        np.testing.assert_allclose(data.exit_time[k], [4 * rate, np.inf])
        for name in OBSERVED:
            np.testing.assert_array_equal(data[name][k, :, :kept], each[name])
        here = {name: data.coords[name].values[k] for name in ("student", "labels", "mu", "batch",
                "teacher", "dimension", "learning_rate")}  # fmt: skip
        assert here == {
            "student": pair.student.text, "teacher": "x", "labels": pair.labels.text, "mu": mu,
            "batch": kept, "dimension": 100 * kept, "learning_rate": rate,
        }  # fmt: skip
    assert data.parameter.values.tolist() == ["u", "m", "kappa"]
    assert (data.attrs, data.time.units, data.exit_time.units) == (
        {"provenance": "made", "radius": 0.25}, "1/gamma", "1/gamma",
    )  # fmt: skip


def test_runs_say_what_they_are_of():
    runs = made([40, 10, np.nan], [0.25, 0.5, 0.5], seed=9)
    shown = runs._repr_html_()
    for told in ("3 runs, 1 still searching", "x taught by x, matched labels", "μ = 0.5", "d = 100",
                 "B = 4", "seed = 9", "γ = 0.01"):  # fmt: skip
        assert told in shown
    assert [f"<td>{text}</td>" in shown for text in ("10%", "50%", "90%", "0.1", "0.4", "∞")] == [
        True
    ] * 6
    assert repr(runs) == "SimulatedRuns(2 of 3 left the search phase, 0 records of u, m)"


@pytest.mark.parametrize("text", only(["x"], ["x", "relu"]))
def test_exit_times_grow_with_half_tau_log_d(text):
    """The slope of the median against log d, within four standard errors of τ/2."""
    simulated = run_simulations(
        grid(
            [text], [0.5], dimension=(100, 1000, 10_000), records=0, replicas=150,
            learning_rate="0.02*stable", batch=64,
        )
    )  # fmt: skip
    fit = fit_of(simulated)
    assert fit.error < 0.12 * fit.half_tau
    assert fit.slope == pytest.approx(fit.half_tau, abs=4 * fit.error)
    assert fit_of(simulated[:2]) is None


def test_the_prediction_with_the_start_is_near_the_median():
    how = {"learning_rate": "0.04*stable", "batch": 32, "replicas": 50}
    record = run_simulation(Simulation("x", 0.6, dimension=10**5, records=0, **how)).record()
    assert record["exit_time_median"] == pytest.approx(record["predicted_with_start"], rel=0.1)


def test_the_cubic_is_delayed_near_its_singularity_and_squared_labels_help():
    """Figs. 4 and 9: at μ = 0.3 no run exits in the time that all runs take at μ = 0.7, and with
    squared labels first they do."""
    how = {"learning_rate": 5e-5, "replicas": 20, "records": 0}
    near, far = run_simulations(grid([3], (0.3, 0.7), horizon=200_000, **how))
    assert (near.record()["escaped"], far.record()["escaped"]) == (0, 20)
    stage = Stage("squared", until_overlap=0.5)
    staged = run_simulation(Simulation(3, 0.3, horizon=400_000, stage=stage, **how))
    assert staged.record()["escaped"] == 20


def test_even_students_meet_a_plateau():
    """Fig. 7: at weak pre-training u is learnt long before the overlap, and waits for it."""
    how = {"signs": "aligned", "horizon": "8*tau", "learning_rate": "0.3*stable"}
    runs = run_simulation(Simulation(4, 0.1, replicas=5, records=200, **how))
    u, m = (np.median(np.abs(runs[name]), axis=0) for name in ("u", "m"))
    learnt_u, learnt_m = runs.times[np.argmax(u > 0.4)], runs.times[np.argmax(m > 0.9)]
    assert 0 < 4 * learnt_u < learnt_m
