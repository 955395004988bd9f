"""Two stages: what the panels mark, and where the caption says that runs are."""

import csv
import re
from dataclasses import replace

import numpy as np
import pytest
from planted import flows_as_runs

from numerics.dynamics.sgd import Stage
from numerics.figures import style
from numerics.figures.stages import draw_stages, where_runs_are

SWITCH = 0.01  # time, at the step 100


@pytest.fixture
def points():
    """Runs in one stage and in two, of which the last end at the teacher or at the null student."""
    ways = {"one stage": None, "two stages": Stage("squared", until_step=100)}
    found = {}
    for name, stage in ways.items():
        (run,) = flows_as_runs("He3", [0.4], stage=stage, learning_rate=1e-4)
        found[name] = replace(run, states=run.states.copy())
    for run in found.values():
        run.states[:, -1, :2] = [(0.6, 1.0), (-0.4, 0.99), (-0.4, -1.0)]
    return found


def _check_marks(axis):
    """The switch everywhere, and the sinks where ρ is drawn."""
    marks = [line for line in axis.lines if len(line.get_xdata()) == 2]
    assert [list(m.get_xdata()) for m in marks if m.get_linestyle() == ":"] == [[SWITCH] * 2]
    levels = [m.get_ydata()[0] for m in marks if m.get_linestyle() == "-"]
    names = {text.get_text(): text.get_position()[1] for text in axis.texts}
    if "rho" in axis.get_ylabel():
        assert (sorted(levels), names) == ([0, 1], {"teacher": 1, "null student": 0})
        assert axis.get_ylim()[0] < 0 < 1 < axis.get_ylim()[1] < 1.5
    else:
        assert levels == []


def test_panels_mark_the_switch_and_the_sinks_and_tell_the_ways_apart(printed, points):
    """By colour, and by markers at records of their own; ρ is that of the states."""
    _, data, caption = draw_stages(points, SWITCH, "svg", "made so")
    (figure,) = printed.figures
    for axis in figure.axes:
        assert axis.get_xlim() == (0, max(run.times[-1] for run in points.values()))
        _check_marks(axis)
        medians = [line for line in axis.lines if line.get_marker() in style.MARKERS]
        assert len({line.get_color() for line in medians}) == len(medians) == len(points)
        places = [line.get_markevery() for line in medians]
        marked = [{*range(first, 60, step)} for first, step in places]
        assert all(marked)
        assert set.intersection(*marked) == set()
    first = figure.axes[0]
    assert first.get_yscale() == "log"
    assert first.get_ylim()[0] >= 1e-3
    assert "first stage ends" in [text.get_text() for text in first.texts]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [*points, style.FLOW_KEY.label]
    rows = list(csv.DictReader(data.decode().splitlines()[1:]))
    run = points["one stage"]
    rho = np.median(0.4 + run.states[..., 0] * run.states[..., 1], axis=0)
    told = [float(row["median"]) for row in rows
            if row["observable"] == "rho" and row["way"] == "one stage"]  # fmt: skip
    np.testing.assert_allclose(told, rho)
    assert {row["observable"] for row in rows} == {"loss", "rho", "overlap"}
    assert "1 at the teacher, 1 at the null student, 1 elsewhere" in caption.text
    assert "two stages: the first stage with" in caption.text
    assert f"until $t={SWITCH}$" in caption.text
    near = {float(least) for least in re.findall(r"m\|>([\d.]+)", caption.latex)}
    far = {float(most) for most in re.findall(r"\\rho(?:-1)?\|<([\d.]+)", caption.latex)}
    assert (len(near), len(far), near) == (1, 1, {1 - most for most in far})


def test_before_a_switch_is_the_last_record_before_it(points):
    run = points["two stages"]
    run.states[:, :, :2] = (0.0, 0.0)
    k = len(run.times) // 2
    run.states[:, k, :2] = (0.6, 1.0)
    counts = [where_runs_are(run, time)["at the teacher"] for time in run.times[k - 1 : k + 3]]
    assert counts == [0, 0, 3, 0]


@pytest.mark.parametrize(
    ("u", "m", "place"),
    [
        (0.6, 1.0, "at the teacher"), (0.6 - 0.09, 1.0, "at the teacher"),
        (0.6 - 0.11, 1.0, "elsewhere"), (0.69, 0.91, "at the teacher"), (0.7, 0.89, "elsewhere"),
        (0.6, -1.0, "elsewhere"), (-0.4, 1.0, "at the null student"),
        (-0.4 - 0.09, 1.0, "at the null student"), (-0.4 + 0.11, 1.0, "elsewhere"),
    ],
)  # fmt: skip
def test_what_is_near_a_sink_is_at_it(points, u, m, place):
    run = points["one stage"]
    run.states[:, -1, :2] = (u, m)
    assert where_runs_are(run, np.inf)[place] == 3
