"""The figures that show runs and escape times together: the trade-off, and singular students."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from numerics.figures.caption import (
    sentences,
    shown_function,
    shown_pair,
    strengths_told,
    told_runs,
)
from numerics.figures.curves import curves_told, draw_panel, share_range
from numerics.figures.dynamics import (
    DATA_HEAD,
    OBSERVABLES,
    draw_band,
    draw_point,
    finish_panels,
    runs_and_flow_told,
)
from numerics.figures.quantities import Member
from numerics.figures.style import (
    FLOW_KEY,
    STRENGTH_LABEL,
    TIME_LABEL,
    Drawn,
    add_degree_bar,
    add_keys,
    drawn,
    letter_panels,
    looks_of,
    own_style,
    page_width,
    strength_colour,
    strength_keys,
)
from numerics.simulation.simulated import SimulatedRuns

Rows = list[tuple[Any, ...]]


def draw_trade_off(
    points: Sequence[SimulatedRuns], members: Sequence[Member], form: str, source: str
) -> Drawn:
    """Draw loss and overlap of runs of one pair over time, and τ of several pairs over μ.

    Arguments:
        points: runs, one a strength.
        members: pairs and drifts.
        form: ``pdf``, ``png`` or ``svg``.
        source: provenance, kept in the files.

    After Fig. 1.
    """
    rows: Rows = []
    with own_style():
        figure = Figure(figsize=(page_width(), 2.4), layout="constrained")
        axes = figure.subplots(1, 3)
        for axis in axes[:2]:
            axis.set_xscale("log")
        shown = ("loss", "overlap")
        for point in points:
            rows += draw_point(axes[:2], point, shown, strength_colour(point.simulation.mu), True)
        finish_panels(axes[:2], shown)
        for axis, name in zip(axes, shown, strict=False):
            axis.set_ylabel(OBSERVABLES[name])
            axis.set_xlabel(TIME_LABEL)
        keys = [*strength_keys(point.simulation.mu for point in points), FLOW_KEY]
        add_keys(figure, keys)
        head, curve = draw_panel(axes[2], "", members, "tau", 1000, with_key=False)
        axes[2].legend(loc="upper left")
        axes[2].set_xlabel(STRENGTH_LABEL)
        for place in (dict(zip(head, row, strict=True)) for row in curve):
            known = {**place, "observable": "tau", "median": place["tau"]}
            rows.append(tuple(known.get(name, "") for name in DATA_HEAD))
        name = shown_pair(points[0].simulation.pair)
        letter_panels(axes, (name, name, "matched labels"))
        told = sentences(
            f"(a) Population loss and (b) overlap $|m|$ of {name} over time",
            told_runs(points),
            strengths_told(point.simulation.mu for point in points),
            runs_and_flow_told(points),
            f"(c) {curves_told({'': list(members)}, 'tau', 1000)}",
        )
        return drawn(figure, form, source, DATA_HEAD, rows, told)


def draw_escape_times(
    points: Sequence[SimulatedRuns],
    panels: Mapping[str, Sequence[Member]],
    form: str,
    source: str,
) -> Drawn:
    """Draw the overlap of runs of one pair over time, and τ over μ in four panels.

    Arguments:
        points: runs, one a strength.
        panels: pairs and drifts by their titles, the first three and the last of which are of one
            kind each, activations or Hermite degrees.
        form: ``pdf``, ``png`` or ``svg``.
        source: provenance, kept in the files.

    After Fig. 2.
    """
    rows: Rows = []
    with own_style():
        figure = Figure(figsize=(page_width(), 4.3), layout="constrained")
        axes = figure.subplots(2, 3)
        search, *curves = axes.ravel()[:5]
        name = shown_pair(points[0].simulation.pair)
        rows += _draw_search(search, points)
        for axis, members in zip(curves, panels.values(), strict=True):
            head, curve = draw_panel(axis, "", members, "tau", 1000, with_key=False)
            rows += [("tau", *point) for point in curve]
            axis.set_xlabel(STRENGTH_LABEL)
        letter_panels(axes.ravel(), (f"search of {name}", *panels))
        share_range(curves[:2])
        _draw_keys(figure, axes[1, 2], panels)
        told = sentences(
            f"(a) Overlap $|m|$ of {name} over time near its singularity",
            told_runs(points),
            strengths_told(point.simulation.mu for point in points),
            "Lines are medians of the runs, bands their middle 80 per cent",
            _panels_told(panels),
        )
        return drawn(figure, form, source, ("what", *head), rows, told)


def _draw_search(axis: Axes, points: Sequence[SimulatedRuns]) -> Rows:
    rows: Rows = []
    axis.set_xscale("log")
    for point in points:
        mu, pair = point.simulation.mu, point.simulation.pair
        nothing = np.full(len(point.times), np.nan)
        look = {"color": strength_colour(mu)}
        band = draw_band(axis, point.times, point["overlap"], nothing, look)
        rows += [
            ("overlap", pair.teacher.text, pair.student.text, "matched", "raw", mu, t, m, "", "")
            for t, m in zip(point.times, band[1], strict=True)
        ]
    finish_panels([axis], ["overlap"])
    axis.set_xlabel(TIME_LABEL)
    axis.set_ylabel(OBSERVABLES["overlap"])
    keys = strength_keys(point.simulation.mu for point in points)
    axis.legend(handles=[key.handle() for key in keys], loc="center left", handlelength=1.3)
    return rows


def _draw_keys(figure: Figure, cell: Axes, panels: Mapping[str, Sequence[Member]]) -> None:
    """What all panels' colours mean, in the cell that no panel takes."""
    cell.axis("off")
    degrees = [
        m[0].degree for each in panels.values() for m in each if m[1].normalization == "n*n!"
    ]
    named = [m[0].student.text for each in panels.values() for m in each
             if m[1].normalization != "n*n!"]  # fmt: skip
    handles = []
    for text, look in zip(named, looks_of(named), strict=True):
        handles += cell.plot([], [], color=look.colour, ls=look.dash, label=shown_function(text))
    cell.legend(handles=handles, loc="upper center", title="activations", ncols=2)
    bar = cell.inset_axes((0.05, 0.18, 0.9, 0.1))
    add_degree_bar(figure, None, [n for n in degrees if n], cax=bar, orientation="horizontal")


def _panels_told(panels: Mapping[str, Sequence[Member]]) -> str:
    members = {title: list(each) for title, each in panels.items()}
    return curves_told(members, "tau", 1000, first=1)
