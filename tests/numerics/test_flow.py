"""The flow command: its records against the front door, what people see, bad usage."""

import csv
import json

import numpy as np
import pytest

from numerics import integrate, study

COMMAND = "numerics.flow"
SMALL = ("--activation", "erf", "--mu", "0.5", "--start", "0.2,0.3", "--time", "3",
         "--points", "3")  # fmt: skip


def test_rows_are_states_of_the_flow(command):
    done = command(COMMAND, *SMALL, "--scaled-rate", "0,5", "--noise", "0.5", "--format", "json")
    rows = json.loads(done.stdout)
    assert [(row["scaled_rate"], row["time"]) for row in rows] == [
        (rate, time) for rate in (0.0, 5.0) for time in (0.0, 1.5, 3.0)
    ]
    for rate, path in ((0.0, rows[:3]), (5.0, rows[3:])):
        flow = study("erf").flow(0.5, scaled_rate=rate, label_noise=0.5)
        states = integrate(flow, [0.2, 0.3], 3.0).at([0.0, 1.5, 3.0])
        found = np.array([[row["u"], row["m"]] for row in path])
        np.testing.assert_allclose(found, states, rtol=1e-12)
        np.testing.assert_allclose(
            [row["population_loss"] for row in path], flow.loss(states), rtol=1e-12
        )
    assert rows[5]["m"] < rows[2]["m"] - 0.005  # noise shortens the overlap
    assert {row["noise"] for row in rows} == {0.5}
    assert rows[0]["certainty"] == "heuristic"


def test_labels_have_no_noise_unless_it_is_given(command):
    *_, last = json.loads(command(COMMAND, *SMALL, "--scaled-rate", "5", "--format", "json").stdout)
    state = integrate(study("erf").flow(0.5, scaled_rate=5), [0.2, 0.3], 3.0).at([3.0])[0]
    np.testing.assert_allclose([last["u"], last["m"]], state, rtol=1e-12)
    assert last["noise"] == 0


def test_people_see_the_same_numbers(command):
    *_, last = csv.DictReader(command(COMMAND, *SMALL, "--format", "csv").stdout.splitlines()[1:])
    for form in ("text", "latex", "markdown"):
        assert f"{float(last['m']):.4g}" in command(COMMAND, *SMALL, "--format", form).stdout
    misaligned = command(COMMAND, "--activation", "x", "--misalignment", "linear", "--points", "2")
    assert "kappa" in misaligned.stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--start", "0.1,2"), "the overlaps inside the unit ball"),
        (("--start", "states.nc"), "give one state, such as 0.1,-0.2"),
        (("--scaled-rate", "-1"), "--scaled-rate"),
        (("--mu", "0.1:0.9:4000", "--points", "100"), "rows a pair are too many"),
    ],
)
def test_bad_usage_is_answered_in_one_line(command, options, said):
    done = command(COMMAND, *SMALL, *options)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert said in done.stderr


def test_a_pair_has_at_most_a_hundred_thousand_rows(command, monkeypatch):
    monkeypatch.setattr("numerics.flow._records", lambda options: [])
    options = (*SMALL, "--scaled-rate", "0", "--mu")
    assert command(COMMAND, *options, "0.1:0.9:1000", "--points", "100").returncode == 0
    done = command(COMMAND, *options, "0.1:0.9:9091", "--points", "11")
    assert "100001 rows a pair are too many" in done.stderr


def test_without_a_time_there_is_a_unit(command):
    erf = ("--activation", "erf", "--mu", "0.3", "--format", "csv")
    *_, last = csv.DictReader(command(COMMAND, *erf).stdout.splitlines()[1:])
    assert float(last["m"]) > 0.999  # where it escapes, the path is shown to its end
    done = command(COMMAND, "--activation", "x", "--mu", "1")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "no escape at μ = 1, so τ is no unit: give --time" in done.stderr
