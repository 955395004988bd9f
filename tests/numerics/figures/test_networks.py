"""Networks: theory as a curve, what the flow took at each rank as marks that none hides."""

import csv

import numpy as np
import pytest

from derive.pair import Pair
from numerics.dynamics.network_flow import network_flow
from numerics.figures.networks import draw_network_times, flow_time


@pytest.mark.parametrize("rank", [1, 2])
def test_a_flow_grows_by_e_in_the_time_that_its_rate_tells(rank):
    pair, strengths = Pair("x"), (0.3, 0.3)
    tau = 1 / network_flow(pair, strengths, rank).rate()
    assert flow_time(pair, strengths, rank, tau) == pytest.approx(tau, rel=1e-3)


def test_networks_have_theory_as_a_curve_and_markers_apart(printed, monkeypatch):
    monkeypatch.setattr(
        "numerics.figures.networks.flow_time", lambda pair, mu, rank, tau: tau * 1.001
    )
    monkeypatch.setattr("numerics.figures.networks._theory", lambda pair, mu, neurons: 1 / (1 - mu))
    result = draw_network_times(("x", "He2"), 2, "svg", "made so")
    axis = printed.figures[0].axes[0]
    curve, *marks = (line.get_xdata() for line in axis.lines[:4])
    assert len(curve) > 30
    places = np.sort(np.concatenate(marks))
    assert np.diff(places).min() > 0.04
    rows = list(csv.DictReader(result.data.decode().splitlines()[1:]))
    for name, lines in (("x", axis.lines[:4]), ("He2", axis.lines[4:])):
        own = [row for row in rows if row["activation"] == name]
        for rank, line in zip(("", "1", "2", "4"), lines, strict=True):
            there = [row for row in own if row["rank"] == rank]
            assert list(line.get_xdata()) == [float(row["mu"]) for row in there]
            height = "flow" if rank else "theory"
            assert list(line.get_ydata()) == [float(row[height]) for row in there]
            assert line.get_color() == lines[0].get_color()
            assert all(float(row["theory"]) == 1 / (1 - float(row["mu"])) for row in there)
    assert len({line.get_marker() for line in axis.lines[1:4]}) == 3
    assert axis.get_yscale() == "log"
    assert "$K=2$ neurons of $x$ and" in result.caption.text
    assert "$r=$ 1, 2 and 4" in result.caption.text
