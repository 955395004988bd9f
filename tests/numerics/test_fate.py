"""The fate command: its records, what people see, bad usage."""

import csv
import json
import re

import numpy as np
import pytest
from sympy import diff

from derive.landscape import landscape_of
from derive.pair import Pair
from derive.symbols import residual, rho

COMMAND = "numerics.fate"
HE3 = ("--activation", "He3", "--mu", "0.35", "--switch", "0.6,0.7", "--width", "0.06")


def test_json_holds_ends_and_how_sure_they_are(command):
    options = (*HE3, "--start", "0.1,-0.2", "--format", "json")
    (record,) = json.loads(command(COMMAND, *options).stdout)
    assert (record["student"], record["mu"], record["certainty"]) == ("He3", 0.35, "certified")
    assert (record["escape"]["end"], record["escape"]["certainty"]) == ("teacher", "exact")
    assert (record["start"]["end"], record["start"]["certainty"]) == ("teacher", "certified")
    ends = {(s["switch"], s["flip"]): s["end"] for s in record["stages"]}
    assert ends == {
        (0.6, False): "teacher", (0.6, True): "teacher",
        (0.7, False): "null student", (0.7, True): "teacher",
    }  # fmt: skip
    (border,) = record["borders"]
    assert 0.6 <= border["low"] < border["high"] <= 0.7
    assert (border["below"], border["above"]) == ("teacher", "null student")
    (line,) = record["singularities"]
    assert line["mu"] == pytest.approx(0.3207, abs=1e-4)
    kinds = [(p["where"], p["stability"]) for p in record["rest_points"]]
    assert kinds == [("search", "saddle"), ("edge", "sink"), ("edge", "saddle"), ("edge", "sink")]


def test_people_and_csv_see_the_same(command):
    options = (*HE3[:2], "--mu", "0.3,0.35", "--switch", "0.9")
    rows = list(csv.DictReader(command(COMMAND, *options, "--format", "csv")
                               .stdout.splitlines()[1:]))  # fmt: skip
    assert [row["end"] for row in rows] == [
        "null student", "null student", "teacher", "teacher", "null student", "teacher",
    ]  # fmt: skip
    for form in ("text", "latex", "markdown"):
        shown = command(COMMAND, *options, "--format", form).stdout
        assert shown.count("null student") == 3
        assert "at every mu" in shown


def test_without_a_first_stage_there_is_the_escape_alone(command):
    done = command(COMMAND, "--degree", "2,3", "--mu", "0.5", "--first", "none", "--format", "json")
    records = json.loads(done.stdout)
    assert [r["escape"]["end"] for r in records] == ["teacher", "teacher"]
    assert [r["stages"] for r in records] == [[], []]


def _data(path):
    return list(csv.DictReader(path.with_suffix(".csv").read_text("utf-8").splitlines()[1:]))


def test_a_portrait_shows_what_rests_and_the_line_of_a_singularity(command, printed, tmp_path):
    path = tmp_path / "portrait.svg"
    options = ("--activation", "He3", "--mu", "0.4", "--first", "none", "--lines=-0.3", "--width",
               "0.1", "--plot", str(path))  # fmt: skip
    assert command(COMMAND, *options).returncode == 0
    assert path.read_bytes().startswith(b"<?xml")
    rows = _data(path)
    sinks = {(row["of_rho"], row["u"], row["m"]) for row in rows
             if row["what"] == "sink" and row["mu"] == "0.4"}  # fmt: skip
    places = sorted((float(rho), float(u) * float(m)) for rho, u, m in sinks)
    assert np.array(places) == pytest.approx(np.array([[0, -0.4]] * 2 + [[1, 0.6]] * 2))
    line = [float(row["m"]) for row in rows if row["what"] == "line that attracts"]
    assert line == pytest.approx([-0.58193, 0.58193], abs=1e-5)
    curves = np.array([(float(row["u"]), float(row["m"])) for row in rows
                       if row["what"] == "stable curve" and row["mu"] == "0.4"])  # fmt: skip
    ends = [float(row["m"]) for row in rows
            if row["what"] == "separatrix, enclosed" and float(row["u"]) < 0]  # fmt: skip
    assert len(ends) == 4
    for low, high in (ends[:2], ends[2:]):  # the curve of doubles goes through what is enclosed
        near = curves[np.abs(curves[:, 0] + 0.3) < 0.03, 1]
        assert ((near > low - 0.03) & (near < high + 0.03)).any()
    _check_portrait(*printed.figures, rows)


def _check_portrait(figure, rows):
    """At a strength and, below, at the singularity, where a thick line rests."""
    for axis, mu in zip(figure.axes, dict.fromkeys(row["mu"] for row in rows), strict=True):
        own = [row for row in rows if row["mu"] == mu]
        ticks = [float(label.get_text().strip("$")) for label in axis.get_yticklabels()]
        assert np.sin(axis.get_yticks()) == pytest.approx(ticks)
        marks = [line for line in axis.lines if len(line.get_xdata()) == 1]
        kinds = {"sink": ("o", "k"), "saddle": ("X", "k"), "source": ("o", "w")}
        for kind, (mark, fill) in kinds.items():
            found = [line for line in marks if (line.get_marker(), line.get_mfc()) == (mark, fill)]
            there = sorted((float(r["u"]), float(r["m"])) for r in own if r["what"] == kind)
            places = sorted((*line.get_xdata(), *np.sin(line.get_ydata())) for line in found)
            assert np.array(places) == pytest.approx(np.array(there)), kind
        for kind, dash in (("stable curve", "-"), ("unstable curve", "--")):
            points = [row for row in own if row["what"] == kind]
            curves = [line for line in axis.lines if line.get_linestyle() == dash
                      and line.get_linewidth() == 1.3]  # fmt: skip
            assert sum(len(line.get_xdata()) for line in curves) == len(points)
            assert all(np.abs(line.get_ydata()).max() < np.pi / 2 + 1e-4 for line in curves)
        bars = [line for line in axis.lines if line.get_marker() == "_"]
        assert 2 * len(bars) == sum(row["what"] == "separatrix, enclosed" for row in own)
    left, right = figure.axes[0].get_xlim()
    most = max(abs(float(row["u"])) for row in rows if row["what"] in ("sink", "saddle"))
    assert -left == right == pytest.approx(1.2 * most)
    thick = {line.get_linestyle(): sorted(np.sin(line.get_ydata())) for line in figure.axes[1].lines
             if line.get_linewidth() == 2.4}  # fmt: skip
    assert thick["-"] == pytest.approx([-0.58193, 0.58193], abs=1e-5)  # it attracts at its middle
    assert thick[":"] == pytest.approx([-1, -0.58193], abs=1e-5)
    (legend,) = figure.legends
    names = [text.get_text() for text in legend.get_texts()]
    assert names == ["sink", "saddle", "separatrix", "way out", r"$\dot u=0$", r"$\dot m=0$",
                     "line of rest points", "enclosed"]  # fmt: skip


def test_a_diagram_of_ends_has_a_row_for_each_cell(command, tmp_path):
    path = tmp_path / "ends.pdf"
    options = ("--activation", "He3", "--mu", "0.35,0.45", "--switch", "0.6,0.9", "--width", "1",
               "--plot", str(path))  # fmt: skip
    assert command(COMMAND, *options).returncode == 0
    assert path.read_bytes().startswith(b"%PDF")
    cells = [row for row in _data(path) if row["switch_low"] == row["switch_high"] != ""]
    assert len(cells) == 8
    assert {row["end"] for row in cells} == {"teacher", "null student"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--activation", "relu"), "give polynomials"),
        (("--teacher", "He3", "--student", "He2"), "along a curve"),
        (("--activation", "He3", "--switch", "0.5,0.3"), "increasing order"),
        (("--activation", "He3", "--switch", "1"), "give overlaps"),
        (("--degree", "2,3", "--plot", "x.pdf"), "a figure of 2 pairs"),
        (("--activation", "He3", "--start", "0.1,1.5"), "|M| < 1"),
        (("--activation", "He3", "--start", "1e9,0.2"), "|U| ≤ 100"),
        (("--teacher", "x", "--student", "x**13"), "give at most 12"),
        (("--degree", "2,12", "--plot", "x.pdf"), "a figure of 2 pairs"),
        (("--activation", "x", "--labels", "y**25"), "labels of degree 25 in z are not accepted"),
        (("--degree", "1,6", "--labels", "y**4", "--plot", "x.pdf"), "a figure of 2 pairs"),
        (("--activation", "relu", "--start", "100,-0.999"), "give polynomials"),
        (("--activation", "He3", "--start=-100.01,0.2"), "|U| ≤ 100"),
        (("--activation", "He3", "--start", "0.1,-1"), "|M| < 1"),
        (("--activation", "He9", "--labels", "y**3"), "give at most 12 and 24"),
        (("--activation", "sqrt(2)*x**3+x"), "rational coefficients"),
        (("--activation", "He3", "--first", "import os"), "not accepted"),
    ],
)
def test_bad_usage_is_one_line(command, options, message):
    done = command(COMMAND, *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_what_rests_at_every_strength_is_told_of_none_of_them(command):
    """The teacher of He₃ is degenerate at the strength 1 alone."""
    shown = command(COMMAND, "--activation", "He3", "--mu", "1,0.3", "--first", "none").stdout
    assert "at every mu" in shown
    assert "degenerate" not in shown
    # At 1 nothing escapes; below the singularity a leads away from the teacher.
    ways = re.findall(r"^(\S+) +none +a: (\w+) +(.*?)  +(\w+)", shown, re.MULTILINE)
    assert ways == [("1", "none", "no escape", "exact"), ("0.3", "away", "null student", "exact")]


@pytest.mark.parametrize(
    ("teacher", "student", "kinds"),
    [("He3", "He3", ["<"]), ("x+He2", "x+He3", ["none", ">"]), ("x/2", "x", ["all"])],
)
def test_which_states_of_a_line_attract_is_what_the_flow_does_beside_them(
    command, teacher, student, kinds
):
    """Beside (0, m) u grows at the rate m² ∂a/∂ρ + (1 - m²) b, by the landscape."""
    pair = ("--teacher", teacher, "--student", student)
    shown = command(COMMAND, *pair, "--mu", "0.3", "--first", "none").stdout
    some, most = r"(\w+) of them", r"those with \|m\| (.) (\S+)"
    told = re.findall(rf"mu = (\S+): .* rest, (?:{some}|{most}) attract", shown)
    assert [some or side for _, some, side, _ in told] == kinds
    landscape = landscape_of(Pair(teacher, student))
    for place, some, side, turn in told:
        at = {rho: float(place), residual: 0}
        slope, b = (float(f.subs(at)) for f in (diff(landscape.a, rho), landscape.b))
        for beyond in (False, True):
            m = float(turn or 0.5) * (1.1 if beyond else 0.9)
            attracts = some == "all" if some else beyond == (side == ">")
            assert attracts == (m * m * slope + (1 - m * m) * b < 0)


def test_labels_that_are_not_useful_leave_a_record_without_stages(command):
    options = ("--activation", "x", "--mu", "0.5,1", "--first", "best", "--switch", "0.5")
    done = command(COMMAND, *options, "--format", "json")
    records = json.loads(done.stdout)
    assert [[stage["end"] for stage in r["stages"]] for r in records] == [["teacher"] * 2, []]
    ((left,),) = [r["not_staged"] for r in records if r["not_staged"]]
    assert "no labels of that norm are useful" in left["reason"]


def test_cells_of_strengths_in_any_order_are_the_same(command, tmp_path):
    shown = []
    for name, grid in (("a", "0.25,0.4,0.35"), ("b", "0.25,0.35,0.4,0.4")):
        path = tmp_path / f"{name}.csv"
        options = ("--activation", "He3", "--mu", grid, "--first", "none")
        command(COMMAND, *options, "--plot", str(path.with_suffix(".svg")))
        shown.append(_data(path))
    assert shown[0] == shown[1]
    assert len(shown[0]) == 3


def test_panels_of_a_portrait_share_the_range_of_all_that_rests(command, tmp_path):
    """At the singularity of this pair nothing rests but the line: its own range would be 0."""
    options = ("--teacher", "x/2", "--student", "x", "--mu", "0.3", "--first", "none")
    done = command(COMMAND, *options, "--plot", str(tmp_path / "portrait.svg"))
    assert (done.returncode, done.stderr) == (0, "")
