"""The simulate command: its records, data and figure, resuming, theory beside it, bad usage."""

import csv
import json
import math
import os
import re
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import xarray
from processes import besides_progress
from thorough import only

from derive.pair import Pair
from numerics.options.simulation import simulations_of
from numerics.simulate import simulation_parser
from numerics.simulation.design import Simulation
from numerics.simulation.run import run_simulations

COMMAND = "numerics.simulate"
SMALL = ("--activation", "x", "--mu", "0.5", "--replicas", "20", "--points", "12")


def _simulated(*options):
    return run_simulations(simulations_of(simulation_parser().parse_args(options)))


def test_the_help_of_a_horizon_tells_its_unit_and_its_default():
    """τ log d, in which it is worked out, not τ alone."""
    told = " ".join(simulation_parser().format_help().split())
    how = {"mu": 0.3, "dimension": 5000, "learning_rate": 0.01}
    usual = Simulation("x", **how)
    steps = 1.5 * usual.tau * math.log(5000) / 0.01
    assert abs(usual.horizon - steps) <= 1
    assert Simulation("x", **how, horizon="1.5*tau") == usual
    assert re.search(r"--horizon STEPS [^-]* τ log d, as 2\*tau \(default: 1\.5\*tau", told)


def test_json_holds_what_was_promised(command):
    done = command(COMMAND, *SMALL, "--degree", "2", "--format", "json")
    hermite, linear = json.loads(done.stdout)
    promised = "student mu dimension batch learning_rate replicas escaped censored predicted"
    assert {*promised.split(), "exit_time_median", "exit_time_quantiles"} <= set(linear)
    assert (hermite["student"], linear["student"]) == ("He2", "x")
    assert linear["escaped"] + linear["censored"] == linear["replicas"] == 20
    tau = 2 + 2 * math.sqrt(2)  # a = 1/2, b = -1
    assert linear["predicted"] == pytest.approx(tau * math.log(1000) / 2, rel=1e-12)
    values = list(linear["exit_time_quantiles"].values())
    assert values == sorted(values)
    assert linear["exit_time_median"] == linear["exit_time_quantiles"]["0.5"]
    assert "--seed 0" in linear["provenance"]
    assert "numba" in linear["provenance"]


def test_csv_and_people_see_the_same_numbers(command):
    (row,) = csv.DictReader(command(COMMAND, *SMALL, "--format", "csv").stdout.splitlines()[1:])
    for form in ("text", "latex", "markdown"):
        shown = command(COMMAND, *SMALL, "--format", form).stdout
        assert f"{float(row['exit_time_median']):.4g}" in shown


def test_results_are_reproducible_from_their_own_metadata(command):
    first = command(COMMAND, *SMALL, "--seed", "5", "--format", "json").stdout
    other = command(COMMAND, *SMALL, "--seed", "6", "--format", "json").stdout
    (record,) = json.loads(first)
    assert json.loads(other)[0]["exit_time_median"] != record["exit_time_median"]
    shown = record["provenance"].split(" | ")[0].split()[3:]
    again = command(COMMAND, *[part.strip("'") for part in shown], "--format", "json").stdout
    (repeated,) = json.loads(again)
    assert {k: v for k, v in repeated.items() if k != "provenance"} == {
        k: v for k, v in record.items() if k != "provenance"
    }


def test_data_and_figure_are_whole(command, tmp_path):
    options = ("--activation", "relu", "--misalignment", "linear", "--mu", "0.4,0.8")
    options += ("--replicas", "8", "--points", "15", "--data", "d.nc", "--plot", "d.svg")
    done = command(COMMAND, *options, "--activation", "x")
    assert (done.returncode, besides_progress(done.stderr)) == (0, "")
    assert sorted(os.listdir(tmp_path)) == ["d.csv", "d.nc", "d.svg", "d.tex"]
    with xarray.open_dataset(tmp_path / "d.nc") as data:
        assert data.sizes["point"] == 4
        assert data.sizes["replica"] == 8
        assert data.parameter.values.tolist() == ["u", "m", "kappa"]
        assert data.time.attrs["units"] == "1/gamma"
        overlaps = data.state.sel(parameter=["m", "kappa"]).values
        assert np.nanmax((overlaps**2).sum(-1)) <= 1 + 1e-9
        assert json.loads(str(data.parameters.values[0]))["student"] == "relu"
        assert data.attrs["provenance"].startswith("python -m numerics.simulate")
    rows = list(csv.DictReader((tmp_path / "d.csv").read_text().splitlines()[1:]))
    assert {row["observable"] for row in rows} == {"loss", "overlap", "alignment"}
    for row in rows:
        assert float(row["low"]) <= float(row["median"]) <= float(row["high"])


def test_the_grid_is_a_product(command):
    options = (
        "--labels",
        "matched",
        "--labels",
        "squared",
        "--seed",
        "0,1",
        "--dimension",
        "50,99",
    )
    done = command(COMMAND, *SMALL, "--mu", "0.3,0.6", *options, "--format", "json")
    records = json.loads(done.stdout)
    names = ("labels", "seed", "dimension", "mu")
    assert len({tuple(record[name] for name in names) for record in records}) == 2**4
    medians = [record["exit_time_median"] for record in records]
    assert len(set(medians)) > 12


def test_networks_through_the_same_command(command, tmp_path):
    options = ("--activation", "x", "--replicas", "10", "--points", "15", "--format", "json")
    files = ("--data", "d.nc", "--plot", "d.svg")
    done = command(COMMAND, *options, *files, "--strengths", "0.2,0.6", "--rank", "2")
    (record,) = json.loads(done.stdout)
    tau = 2 / (-1 + math.sqrt(1 + 4 * (0.8**2 + 0.4**2) / 2))  # (110), whatever the rank
    assert record["predicted"] == pytest.approx(tau * math.log(1000) / 2, rel=1e-9)
    assert (record["rank"], record["strengths"]) == (2, [0.2, 0.6])
    with xarray.open_dataset(tmp_path / "d.nc") as data:
        g = data.state.sel(parameter="g_0_0").values
        np.testing.assert_allclose(g, 1, atol=1e-12)
    done = command(COMMAND, *options, "--neurons", "3", "--mu", "0.5")
    (equal,) = json.loads(done.stdout)
    assert equal["predicted"] == pytest.approx((2 + 2 * math.sqrt(2)) * math.log(1000) / 2)


def test_changed_exits_are_refused_and_the_cell_is_named(command, tmp_path):
    options = (*SMALL, "--replicas", "60", "--results", "cells")
    whole = command(COMMAND, *options)
    path = sorted((tmp_path / "cells").iterdir())[0]
    with np.load(path) as file:
        arrays = dict(file)
    for exits in (arrays["exits"][:-1], arrays["exits"] + 1):
        np.savez(path, **{**arrays, "exits": exits})
        done = command(COMMAND, *options)
        assert (done.returncode, done.stdout) == (2, "")
        assert path.name in done.stderr
        assert "remove it to compute it again" in done.stderr
    path.unlink()
    assert command(COMMAND, *options).stdout == whole.stdout


def test_options_build_the_simulations_that_python_builds():
    """Also of the command's defaults, which are those of the record."""
    options = ("--activation", "erf", "--misalignment", "linear", "--mu", "0.3,0.6", "--seed", "2")
    built = simulations_of(simulation_parser().parse_args(options))
    pair = Pair("erf", misalignment="linear")
    assert built == [Simulation(pair, mu, seed=2) for mu in (0.3, 0.6)]
    options = ("--degree", "2", "--strengths", "0.2,0.7", "--rank", "2", "--horizon", "2*tau")
    (network,) = simulations_of(simulation_parser().parse_args(options))
    assert network == Simulation("He2", strengths=(0.2, 0.7), rank=2, horizon="2*tau")


def test_runs_that_do_not_exit_are_counted_not_dropped(command):
    done = command(COMMAND, *SMALL, "--horizon", "10", "--format", "json")
    (record,) = json.loads(done.stdout)
    assert (record["escaped"], record["censored"]) == (0, 20)
    assert record["exit_time_median"] is None


@pytest.mark.parametrize(
    "options",
    [
        (),
        (*SMALL, "--batch", "0"),
        (*SMALL, "--mu", "0.000001:0.9:999999"),
        (*SMALL, "--mu", ",".join(["0.1"] * 20_000)),
        (*SMALL, "--strengths", "0.1:0.9:99999"),
        (*SMALL, "--mu", "0.1:0.9:10000", "--seed", "0,1,2,3,4,5,6,7,8,9,10"),
        (*SMALL, "--seed", ",".join(map(str, range(20_000))), "--dimension", "10,11,12,13,14,15"),
        (*SMALL, "--replicas", "100000000"),
        ("--degree", ",".join(["1:2000"] * 10_000)),
        (*SMALL, "--dimension", "2"),
        (*SMALL, "--mu", "1.2"),
        (*SMALL, "--replicas", "0"),
        (*SMALL, "--learning-rate", "0"),
        (*SMALL, "--learning-rate", "0.1*unstable"),
        (*SMALL, "--horizon", "1e30"),
        (*SMALL, "--mu", "1", "--horizon", "2*tau"),
        (*SMALL, "--until-step", "5"),
        (*SMALL, "--flip-at-switch"),
        (*SMALL, "--first-labels", "squared"),
        (*SMALL, "--strengths", "0.2,0.5", "--neurons", "3"),
        (*SMALL, "--neurons", "4", "--dimension", "3"),
        (*SMALL, "--neurons", "4", "--rank", "8", "--dimension", "10"),
        (*SMALL, "--neurons", "2", "--loss", "correlation"),
        (*SMALL, "--neurons", "2", "--signs", "aligned"),
        (*SMALL, "--points", "0", "--plot", "a.svg"),
        (*SMALL, "--data", "a.txt"),
        (*SMALL, "--plot", "a.svg", "--output", "a.svg"),
        (*SMALL, "--learning-rate", "20*stable"),
        (*SMALL, "--labels", "__import__('os')"),
    ],
)
def test_bad_usage_is_one_line_and_leaves_nothing(command, tmp_path, options):
    done = command(COMMAND, *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert len(done.stderr) <= 301
    assert os.listdir(tmp_path) == []


def test_divergence_names_the_step_and_the_limit(command):
    done = command(COMMAND, *SMALL, "--learning-rate", "20*stable")
    assert "diverged at step" in done.stderr
    assert "stable one is below" in done.stderr


@pytest.mark.parametrize(
    ("options", "cause"),
    [
        (("--activation", "exp(20*x)"), "teacher 'exp(20*x)' is about 10^347"),
        (("--activation", "exp(40*x)"), "teacher 'exp(40*x)' is about 10^1390"),
        (("--activation", "exp(20*x)", "--neurons", "2"), "teacher 'exp(20*x)' is about 10^347"),
        (("--activation", "9" * 30 + "*x**60"), "x**60' is about 10^159"),
        (("--activation", "exp(x**2/5)"), "no stable learning rate"),
        (("--activation", "x", "--noise", "1e99"), "noise of 1e+99 is too much"),
        (("--activation", "x", "--labels", "y**60"), "labels of size 2.64e+49 are too large"),
        (("--activation", "x", "--first-labels", "y**60", "--until-step", "9"), "labels of size"),
    ],
)
def test_what_overflows_is_named_and_the_learning_rate_is_not_blamed(options, cause, command):
    done = command(COMMAND, "--mu", "0.5", "--replicas", "2", "--horizon", "20", *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert len(done.stderr) < 300
    assert cause in done.stderr
    assert "is too large, the stable one" not in done.stderr


def test_states_far_away_warn_of_nothing(command):
    """Exponentials within a sigmoid overflow there, and its value is right nevertheless."""
    options = ("--activation", "sigmoid", "--mu", "0.5", "--replicas", "4", "--horizon", "300")
    done = command(COMMAND, *options, "--points", "5", "--learning-rate", "30*stable")
    assert (done.returncode, besides_progress(done.stderr)) == (0, "")


@pytest.mark.parametrize("send", only([os.killpg], [os.killpg, os.kill]))
def test_an_interrupt_ends_runs_that_would_take_hours(send, started):
    """To all processes, as Ctrl-C does on a terminal, and to the command alone."""
    options = ("--degree", "3", "--mu", "0.33,0.331", "--replicas", "400", "--workers", "2")
    run = started(COMMAND, *options)
    children = Path(f"/proc/{run.pid}/task/{run.pid}/children")
    deadline = time.monotonic() + 60
    while len(children.read_text().split()) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.3)  # within the loops, more cells waiting
    send(run.pid, signal.SIGINT)
    out, err = run.communicate(timeout=20)
    assert (run.returncode, out) == (130, "")
    planned, *_, told = err.splitlines()
    assert planned.startswith("planned: up to ")
    assert told.startswith("python -m numerics.simulate: interrupted after ")
    assert "% of the steps (finished cells are lost without --results FOLDER)" in told


@pytest.mark.parametrize(("strength", "hints"), [("0.5", 0), ("0.325", 1)])
def test_it_is_told_when_runs_may_take_hours(strength, hints, monkeypatch, capsys):
    class Stopped(Exception):
        pass

    def stop(*_, **__):
        raise Stopped

    monkeypatch.setattr("numerics.simulation.run.run_cells", stop)
    # What this machine is busy with is no matter: 1.9e8 samples take 2 seconds, 1.6e12 hours.
    monkeypatch.setattr("numerics.simulation.plan._samples_a_second", lambda cell: 5e7)
    with pytest.raises(Stopped):
        _simulated("--degree", "3", "--mu", strength, "--workers", "2")
    assert capsys.readouterr().err.count("planned: up to ") == hints
