"""Runs beside their flow: what limits panels have, what is drawn of runs, what the caption says."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure
from planted import flows_as_runs

from numerics.dynamics.sgd import Stage
from numerics.figures import style
from numerics.figures.dynamics import (
    draw_band,
    draw_dynamics,
    draw_on,
    dynamics_figure,
    dynamics_told,
    finish_panels,
    runs_and_flow_told,
)
from numerics.simulation.design import Simulation

RUNS = np.array([[1.0, 2.0, 5.0], [3.0, 2.5, 1.0], [2.0, 9.0, 4.0]])


@pytest.mark.parametrize(("scale", "first"), [("linear", 0.0), ("log", 4e-4)])
def test_a_band_holds_the_middle_of_runs_around_their_median(scale, first):
    """Where time 0 has no place it is drawn far left of the first record after it."""
    axis = Figure().subplots()
    axis.set_xscale(scale)
    times, flow = np.array([0.0, 0.4, 0.8]), np.array([2.0, 3.0, np.nan])
    band = draw_band(axis, times, RUNS, flow, {"color": "r", "lw": 2})
    np.testing.assert_allclose(band, np.quantile(RUNS, [0.1, 0.5, 0.9], axis=0))
    median, dashed = axis.lines
    np.testing.assert_allclose(median.get_data(), [[first, 0.4, 0.8], np.median(RUNS, axis=0)])
    np.testing.assert_allclose(dashed.get_ydata(), flow)
    assert (median.get_linestyle(), dashed.get_linestyle()) == ("-", "--")
    assert median.get_color() == dashed.get_color() == "r"
    (area,) = axis.collections
    heights = area.get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == pytest.approx((band[0].min(), band[2].max()))


def _panel(observable, *curves):
    axis = Figure().subplots()
    axis.set_xscale("log")
    for times, values in curves:
        axis.plot(times, values)
    finish_panels([axis], [observable])
    return axis


def test_a_panel_begins_at_a_part_of_its_shortest_run_and_ends_with_the_longest():
    axis = _panel("scale", ([1, 30], [0, 1]), ([1, 90], [0, 1]))
    assert axis.get_xlim() == pytest.approx((30 / 300, 90))


@pytest.mark.parametrize(
    ("lowest", "scale", "limits"),
    [(0.04, "log", (0.02, 3)), (0.06, "linear", None), (1e-9, "log", (1e-6, 3))],
)
def test_losses_have_a_logarithmic_scale_if_they_fall_to_a_twentieth(lowest, scale, limits):
    axis = _panel("loss", ([1, 2], [1, lowest]))
    assert axis.get_yscale() == scale
    assert limits is None or axis.get_ylim() == pytest.approx(limits)


@pytest.mark.parametrize("observable", ["overlap", "alignment"])
@pytest.mark.parametrize(
    ("values", "limits"),
    [((0.0, 0.5), (-0.03, 1.03)), ((0.4, 0.5), (0.35, 1.03)), ((0.4, 2.0), (0.35, 2.03))],
)
def test_shares_are_seen_up_to_one(observable, values, limits):
    axis = _panel(observable, ([1, 2], [*values]), ([1, 2], [np.nan, values[0]]))
    assert axis.get_ylim() == pytest.approx(limits)


def test_without_a_flow_none_is_drawn_named_or_in_the_data(printed):
    runs = flows_as_runs("x", (0.3,))
    both = [draw_dynamics(runs, "svg", "made so", ("overlap",), flow) for flow in (True, False)]
    keys = [[t.get_text() for t in figure.legends[0].get_texts()] for figure in printed.figures]
    assert keys == [[r"$\mu=0.3$", "flow"], [r"$\mu=0.3$"]]
    dashes = [[line.get_linestyle() for line in figure.axes[0].lines if
               np.isfinite(line.get_ydata()).any()] for figure in printed.figures]  # fmt: skip
    assert dashes == [["-", "--"], ["-"]]
    for made, known in zip(both, (True, False), strict=True):
        rows = list(csv.DictReader(made.data.decode().splitlines()[1:]))
        assert {row["observable"] for row in rows} == {"overlap"}
        assert all((row["flow"] not in ("", "nan")) == known for row in rows)
        assert ("gradient flow" in made.caption.text) == known
        assert float(rows[-1]["time"]) == float(rows[-1]["learning_rate"]) * int(rows[-1]["steps"])
    alone = [draw_on(None, runs, "loss", flow).get_legend() for flow in (True, False)]
    assert [len(legend.get_texts()) for legend in alone] == [2, 1]


def _network(runs):
    """The same said to be of a network: to follow the flow of one takes seconds."""
    how = {"dimension": 50, "replicas": 3, "horizon": 200, "records": 12, "learning_rate": 0.01}
    return replace(runs, simulation=Simulation("x", 0.3, neurons=2, **how))


def test_the_start_of_the_flow_is_said():
    free, aligned = (flows_as_runs("x", (0.3,), signs=s) for s in ("random", "aligned"))
    networks = [_network(free[0])]
    told = [runs_and_flow_told(runs) for runs in (free, aligned, networks, [*aligned, *free])]
    ends = ("start to grow later", "from the median start", "from the first run's start",
            "start to grow later")  # fmt: skip
    assert all(text.endswith(end) for text, end in zip(told, ends, strict=True))
    assert "gradient flow" not in runs_and_flow_told(free, with_flow=False)


def test_columns_are_told_apart_by_what_differs():
    one, other = (flows_as_runs("x", (0.3,), dimension=d) for d in (50, 100))
    staged = flows_as_runs("x", (0.3,), stage=Stage("squared", until_step=10))
    networks = [_network(one[0])]
    alone, dimensions, ways = (
        dynamics_told(points, ("loss", "scale"))
        for points in (one, [*one, *other], [*one, *staged])
    )
    assert "of $x$ over time: (a) population loss and (b) scale" in alone
    assert "of $x$, $d=50$; $x$, $d=100$ (columns)" in dimensions
    assert "(a) and (b) population loss and (c) and (d) scale" in dimensions
    assert "$x$; $x$, first squared (columns)" in ways
    of_networks = dynamics_told(networks, ("alignment",))
    assert "$x$, $K=2$, $r=1$ over time: (a) alignment $A=" in of_networks
    assert "Networks are of $K$ neurons" in of_networks
    assert "Networks" not in alone


@pytest.mark.parametrize(("columns", "width"), [(2, style.COLUMN_WIDTH), (3, style.PAGE_WIDTH)])
def test_three_columns_take_a_page(columns, width):
    points = [flows_as_runs("x", (0.3,), dimension=d)[0] for d in (50, 100, 200)[:columns]]
    with style.own_style():
        figure, _ = dynamics_figure(points, ("overlap",))
    assert figure.get_figwidth() == width
