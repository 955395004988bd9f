"""Phase portraits: what is said to rest does; curves lead up or down the loss by their names."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.contour import ContourSet

from derive.pair import Pair
from numerics.certified.flow import ball_flow
from numerics.dynamics.flow import flow_of
from numerics.figures import portraits

RESTS = ("sink", "saddle", "source", "line that attracts", "line that repels")


def _places(rows):
    return np.array([(row["u"], row["m"]) for row in rows]).reshape(-1, 2)


def test_a_portrait_is_of_the_flow(monkeypatch):
    """At a strength and, below, at the singularity."""
    monkeypatch.setattr(
        portraits, "drawn", lambda figure, form, source, head, rows, told: (figure, head, rows)
    )
    pair = Pair(3)
    flow = ball_flow(pair, "0.4")
    figure, head, data = portraits.draw_portrait(pair, flow, "svg", "", [(0.2, 0.1, 0.3)])
    rows = [dict(zip(head, row, strict=True)) for row in data]
    strengths = list(dict.fromkeys(row["mu"] for row in rows))
    assert strengths == [0.4, pytest.approx(0.3207244)]
    for axis, mu in zip(figure.axes, strengths, strict=True):
        flow, own = flow_of(pair, mu), [row for row in rows if row["mu"] == mu]
        _check_rests(flow, [row for row in own if row["what"] in RESTS])
        _check_curves(flow, axis, _places(row for row in own if row["what"] == "saddle"))
        _check_nullclines(flow, axis, figure.legends[0])
        assert _thick(flow, axis) == ({} if mu == 0.4 else {"-": {True}, ":": {False}})
    bars = sorted(map(tuple, _places(row for row in rows if "enclosed" in row["what"])))
    assert bars == [(-0.2, -0.3), (-0.2, -0.1), (0.2, 0.1), (0.2, 0.3)]


def _check_rests(flow, rows):
    """Each with its mirror image, and with the ρ and the s that it says."""
    places = _places(rows)
    for row, (u, m) in zip(rows, places, strict=True):
        assert flow.velocity(0, [u, m]) == pytest.approx([0, 0], abs=1e-6)
        assert row["of_rho"] == pytest.approx(flow.mu + u * m)
        assert row["of_residual"] == pytest.approx(u**2 * (1 - m**2), abs=1e-12)
        assert np.abs(places + np.array([u, m])).max(axis=1).min() < 1e-12


def _check_curves(flow, axis, saddles):
    """From beside a saddle on: up the loss on what parts the basins, down it on the way out."""
    curves = [line for line in axis.lines if line.get_linewidth() == 1.3]
    assert {line.get_linestyle() for line in curves} == ({"-", "--"} if len(saddles) else set())
    for line in curves:
        u, turn = map(np.asarray, line.get_data())
        states = np.transpose([u, np.sin(turn)])
        rise = np.diff(flow.loss(states)) * (1 if line.get_linestyle() == "-" else -1)
        assert rise.min() > -1e-9 < 1e-6 < rise.max()
        assert 0 < np.linalg.norm(saddles - states[0], axis=1).min() < 2e-3


def _check_nullclines(flow, axis, legend):
    """Of the coordinate that the legend says, which is at rest there."""
    found = {to_hex(each.get_edgecolor()[0]): each for each in axis.collections
             if isinstance(each, ContourSet)}  # fmt: skip
    named = {handle.get_label(): to_hex(handle.get_color()) for handle in legend.get_lines()}
    for place, name in enumerate((r"$\dot u=0$", r"$\dot m=0$")):
        for path in found[named[name]].get_paths():
            for u, turn in path.vertices[::10]:
                assert abs(flow.velocity(0, [u, np.sin(turn)])[place]) < 0.05


def _thick(flow, axis):
    """Of the lines of rest points whether states beside them come nearer, by their dashes."""
    found = {}
    for line in axis.lines:
        if line.get_linewidth() == 2.4 and np.ptp(line.get_ydata()) > 0:
            m = np.sin(np.mean(line.get_ydata()))
            found.setdefault(line.get_linestyle(), set()).add(
                flow.velocity(0, [1e-6, m])[0] < 0 < flow.velocity(0, [-1e-6, m])[0]
            )
    return found
