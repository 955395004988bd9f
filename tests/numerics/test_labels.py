"""The labels command: its records, what people see, its figures, bad usage."""

import csv
import json
import re

import numpy as np
import pytest

from derive.pair import Pair
from numerics.certified.drift import ball_drift

COMMAND = "numerics.labels"
HE3 = ("--activation", "He3", "--mu", "0.3")


def test_json_holds_what_was_promised(command):
    (record,) = json.loads(command(COMMAND, *HE3, "--format", "json").stdout)
    assert (record["student"], record["mu"], record["certainty"]) == ("He3", 0.3, "certified")
    assert record["polynomial"] is None  # none of degree 5 is useful
    for kind in ("raw", "squared", "optimum"):
        assert {"a", "b", "tau", "noise", "towards_teacher", "samples"} <= set(record[kind])
    best = record["optimum"]
    assert best["tau_lower"] <= best["tau"] <= best["tau_upper"] < best["tau_lower"] + 1e-9
    assert [record[k]["towards_teacher"] for k in ("raw", "squared", "optimum")] == [
        False,
        False,
        True,
    ]
    assert len(best["transform"]["y"]) == len(best["transform"]["value"])
    a, _, rate = ball_drift(Pair("He3", labels=best["labels"])).at(_fraction("3/10"))
    assert a > 0
    assert float(rate) * best["tau"] == pytest.approx(best["labels_keep"], rel=1e-5)


def _fraction(text):
    from flint import fmpq

    above, below = map(int, text.split("/"))
    return fmpq(above, below)


def test_people_and_csv_see_the_same(command):
    options = (*HE3, "--activation", "erf", "--polynomial", "3")
    rows = list(
        csv.DictReader(command(COMMAND, *options, "--format", "csv").stdout.splitlines()[1:])
    )
    assert [row["student"] for row in rows] == ["He3", "erf"]
    for form in ("text", "latex", "markdown"):
        shown = command(COMMAND, *options, "--format", form).stdout
        assert "none is useful" in shown
        for row in rows:
            assert f"{float(row['optimum_tau']):.5g}" in shown


def test_what_is_asked_for_changes_the_answer(command):
    def best(*options):
        (record,) = json.loads(command(COMMAND, *HE3, *options, "--format", "json").stdout)
        return record["optimum"]

    usual = best()
    assert best("--no-useful")["tau"] < usual["tau"]
    assert best("--norm", "squared")["tau"] < usual["tau"]
    assert best("--objective", "samples")["samples"] < usual["samples"]
    assert best("--dimension", "1e6")["samples"] > usual["samples"]


def test_a_grid_is_one_table_a_pair(command):
    done = command(COMMAND, "--degree", "2,3", "--mu", "0.2:0.8:3", "--format", "json")
    records = json.loads(done.stdout)
    assert [(r["student"], r["mu"]) for r in records] == [
        (name, mu) for name in ("He2", "He3") for mu in (0.2, 0.5, 0.8)
    ]
    assert all(r["optimum"]["labels"] is None for r in records)
    shown = command(COMMAND, "--degree", "3", "--mu", "0.2,0.6").stdout
    assert "certified" in shown
    assert "--no-useful" not in shown


@pytest.mark.parametrize("grid", ["0.3", "0.3,0.6"])
def test_people_read_what_the_records_say_of_all_kinds(command, grid):
    """Which way each leads, how near polynomials come, how sure the optimum is; labels to copy."""
    options = ("--activation", "erf", "--mu", grid, "--polynomial", "3")
    records = json.loads(command(COMMAND, *options, "--format", "json").stdout)
    shown = command(COMMAND, *options).stdout
    kinds = [r[kind] for r in records for kind in ("raw", "squared", "polynomial", "optimum")]
    ways = ["towards" if kind["towards_teacher"] else "away" for kind in kinds]
    assert re.findall(r"\d  +(towards|away|none) ", shown) == ways
    best = [r["optimum"] for r in records]
    shares = sorted(o["tau"] / r["polynomial"]["tau"] for o, r in zip(best, records, strict=True))
    told = " to ".join(f"{share:.3g}" for share in shares)
    assert f"polynomials have {told} of the optimum's rate" in shown
    gap = float(re.search(r"optimum's less (\S+) \(certified\)", shown)[1])
    assert gap == pytest.approx(max(o["tau_upper"] - o["tau_lower"] for o in best), rel=0.05)
    copied = [r["polynomial"]["labels"] for r in records] + [o["labels"] for o in best]
    assert re.findall("--labels '(.*?)'", shown) == (copied if len(records) == 1 else [])


@pytest.mark.parametrize("mu", ["0.3", "0.2,0.5"])
def test_figures_have_their_data_beside(command, printed, tmp_path, mu):
    path = tmp_path / "labels.svg"
    assert command(COMMAND, "--degree", "3,4", "--mu", mu, "--plot", str(path)).returncode == 0
    rows = list(csv.DictReader(path.with_suffix(".csv").read_text("utf-8").splitlines()[1:]))
    assert {"optimum", "raw"} <= {row["labels"] for row in rows}
    assert "<svg" in path.read_text("utf-8")
    (figure,) = printed.figures
    for axis, student in zip(figure.axes, ("He3", "He4"), strict=True):
        own = [row for row in rows if row["student"] == student]
        curves = {line.get_label(): line for line in axis.lines if line.get_marker() == "None"}
        assert set(curves) == {row["labels"] for row in own} - (
            {"squared"} if mu == "0.3" else set()
        )
        column = "value" if mu == "0.3" else "tau"
        for kind, line in curves.items():
            there = [float(r[column] or "nan") for r in own if r["labels"] == kind]
            known = np.asarray(line.get_ydata(), float)
            assert known[np.isfinite(known)] == pytest.approx(
                np.array(there)[np.isfinite(there)])  # fmt: skip
        crosses = [y for line in axis.lines if line.get_marker() == "x" for y in line.get_ydata()]
        away = [
            float(row["tau"]) for row in own if row.get("towards_teacher", "").lower() == "false"
        ]
        assert sorted(crosses) == pytest.approx(sorted(away))


def test_labels_that_do_nothing_are_said(command):
    shown = command(COMMAND, "--activation", "x", "--mu", "1").stdout
    assert shown.count("none is useful") == 2
    assert "undecided" not in shown
    assert "∞" in shown


def test_a_bound_that_is_not_attained_is_said(command):
    (record,) = json.loads(command(COMMAND, "--activation", "abs", "--format", "json").stdout)
    assert record["optimum"]["attained"] is False
    assert record["optimum"]["b"] == 0
    assert record["polynomial"]["attained"] is True
    assert "come as close" in command(COMMAND, "--activation", "abs").stdout


@pytest.mark.parametrize("options", [
    (), ("--activation", "hardswish"), ("--activation", "relu", "--no-useful"),
    (*HE3, "--polynomial", "0"), ("--activation", "relu", "--objective", "samples"),
    (*HE3, "--norm", "both"), ("--teacher", "He3", "--student", "tanh"),
])  # fmt: skip
def test_bad_usage_is_one_line(command, options):
    done = command(COMMAND, *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
