"""The exit command: its records, what people see, runs beside the law, bad usage."""

import csv
import json
import re

import pytest

from derive.errors import Undecided
from numerics import study

COMMAND = "numerics.exit"
SMALL = ("--activation", "x", "--mu", "0.5", "--dimension", "1e6", "--learning-rate", "1/d",
         "--batch", "4")  # fmt: skip


def test_json_holds_what_was_promised(command):
    done = command(COMMAND, *SMALL, "--degree", "3", "--samples", "1e8", "--probability",
                   "0.1,0.99", "--format", "json")  # fmt: skip
    hermite, linear = json.loads(done.stdout)
    promised = "teacher student labels mu dimension learning_rate batch rate log_k quantiles"
    assert {*promised.split(), "still_searching"} <= set(linear)
    assert (hermite["student"], linear["student"]) == ("He3", "x")
    law = study("x").exit_law(mu=0.5, dimension=10**6, learning_rate="1/d", batch=4)
    for p, found in linear["quantiles"].items():
        assert found["time"] == law.quantile(float(p))
        assert found["samples"] == 4 * found["steps"] == law.samples(float(p))
    assert linear["still_searching"] == {"samples": 1e8, "share": law.still_searching(1e8)}
    assert (linear["log_k_certainty"], linear["certainty"]) == ("certified", "heuristic")
    assert linear["leading_order"] == pytest.approx(study("x").curve(0.5).exit_time(10**6)[0])


def test_several_labels_are_taken(command):
    options = (*SMALL, "--labels", "matched", "--labels", "y**3", "--format", "json")
    matched, cubed = json.loads(command(COMMAND, *options).stdout)
    assert (matched["labels"], cubed["labels"]) == ("matched", "y**3")
    assert cubed["rate"] > matched["rate"]


def test_csv_and_people_see_the_same_numbers(command):
    (row,) = csv.DictReader(command(COMMAND, *SMALL, "--format", "csv").stdout.splitlines()[1:])
    for form in ("text", "latex", "markdown"):
        shown = command(COMMAND, *SMALL, "--format", form).stdout
        assert f"{float(row['quantiles_0.5_time']):.4g}" in shown


def test_runs_stand_beside_the_law(command):
    options = ("--activation", "x", "--mu", "0.5", "--dimension", "200", "--learning-rate", "8/d",
               "--batch", "8", "--scale-u", "0", "--exit-by", "overlap", "--radius", "0.4",
               "--simulate", "--replicas", "200", "--workers", "1", "--results", "c")  # fmt: skip
    (record,) = json.loads(command(COMMAND, *options, "--format", "json").stdout)
    assert record["ks_distance"] < 1.5 * record["ks_bound"]
    assert record["censored"] <= 4
    assert record["exit_by"] == "overlap"
    for p, time in record["simulated"].items():
        assert time == pytest.approx(record["quantiles"][p]["time"], rel=0.2)
    assert "Kolmogorov-Smirnov distance" in command(COMMAND, *options).stdout


def test_runs_last_until_the_share_that_the_help_tells_is_left(command, monkeypatch):
    begun = []

    def begin(simulations, **_):
        begun.extend(simulations)
        raise Undecided("begun")

    monkeypatch.setattr("numerics.simulation.run.run_simulations", begin)
    assert command(COMMAND, *SMALL, "--simulate").returncode == 1
    told = " ".join(command(COMMAND, "--help").stdout.split())
    share = float(re.search(r"until all but (\S+) should have left", told)[1])
    law = study("x").exit_law(mu=0.5, dimension=10**6, learning_rate="1/d", batch=4)
    assert [each.horizon for each in begun] == [law.steps(1 - share)]


def test_a_rate_that_is_not_small_is_said(command):
    options = ("--activation", "x", "--mu", "0.5", "--batch", "1", "--learning-rate")
    assert "the noise slows the growth" in command(COMMAND, *options, "20/d").stdout
    assert "the noise slows the growth" not in command(COMMAND, *options, "1/d").stdout


def test_a_dimension_that_is_not_large_is_said(command):
    options = ("--activation", "erf", "--mu", "0.85", "--batch", "4", "--learning-rate", "best",
               "--dimension")  # fmt: skip
    assert "may change the growth by +7.0%" in command(COMMAND, *options, "1e3").stdout
    assert "may change the growth" not in command(COMMAND, *options, "1e4").stdout


def test_strengths_without_an_exit_are_named_and_left_out(command):
    """At μ = 1 both stay, and at this rate noise holds relu on a plateau inside the radius."""
    options = ("--activation", "erf", "--activation", "relu", "--mu", "0.6,1", "--batch", "1",
               "--learning-rate", "100/d")  # fmt: skip
    found = json.loads(command(COMMAND, *options, "--format", "json").stdout)
    exits = {(each["student"], each["mu"]): "no_exit" not in each for each in found}
    assert {point for point, leaves in exits.items() if leaves} == {("erf", 0.6)}
    assert len(exits) == 4
    shown = command(COMMAND, *options).stdout
    assert "relu, mu 1, d 1000: there is no escape at μ = 1" in shown
    assert "relu, mu 0.6, d 1000: the flow is not seen to reach" in shown
    assert "or learning rate" in shown


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--probability", "1"), "give decimals between 0 and 1"),
        (("--samples", "-5"), "--samples"),
        (("--mu", "1"), "there is no escape at μ = 1"),
        (("--radius", "1.5"), "radius 1.5 is not accepted: give one in (0, 1)"),
        (("--simulate", "--dimension", "1e10"), "too many to simulate"),
    ],
)
def test_bad_usage_is_answered_in_one_line(command, options, said):
    done = command(COMMAND, *SMALL, *options)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert said in done.stderr
