"""SGD beside its flow: loss, overlap and effective alignment over time (Figs. 1, 3, 5, 7, 9, 14).

Bands hold 80 % of the replicas, lines are their medians; the flow, dashed, starts from the median
initial state. Simulations support the theory drawn beside them; they certify nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from numerics.figures.caption import (
    QUANTILES,
    lettered,
    listed,
    number,
    sentences,
    shown_pair,
    strengths_told,
    told_runs,
)
from numerics.figures.style import (
    FLOW_DASHES,
    FLOW_KEY,
    MOST_IN_LEGEND,
    TIME_LABEL,
    Drawn,
    add_keys,
    column_width,
    drawn,
    letter_panels,
    own_style,
    page_width,
    strength_colour,
    strength_keys,
    style_for,
)
from numerics.simulation.simulated import SimulatedRuns

OBSERVABLES = {  # of numerics.dynamics.flow, with the labels of their axes
    "loss": "loss",
    "overlap": r"overlap $|m|$",
    "scale": r"scale $|u|$",
    "alignment": r"$|\rho|/\sqrt{Q}$",
}
_OF_NETWORKS = OBSERVABLES | {
    "overlap": r"overlap $\|M\|_F$",
    "scale": r"scale $\|U\|_F$",
    "alignment": r"alignment $A$",
}
_TOLD = {
    "loss": "population loss",
    "overlap": r"overlap $|m|$ of LoRA with the teacher",
    "scale": r"scale $|u|$ of LoRA",
    "alignment": r"effective alignment $|\rho|/\sqrt{Q}$ of the student with the teacher",
}
_TOLD_OF_NETWORKS = {
    "loss": "population loss",
    "overlap": r"Frobenius norm of the overlaps $M$ of LoRA with the teachers",
    "scale": r"Frobenius norm of LoRA's scales $U$",
    "alignment": r"alignment $A=|\frac{1}{K}\sum_i R_{ii}/\sqrt{Q_{ii}}|$ of neurons with their "
    r"teachers, for one neuron $|\rho|/\sqrt{Q}$",
}
DEFAULT = ("loss", "overlap", "alignment")
OBSERVED_HEAD = ("mu", "dimension", "learning_rate", "batch", "steps", "time", "observable", "low",
                 "median", "high", "flow")  # fmt: skip
DATA_HEAD = ("teacher", "student", *OBSERVED_HEAD)
_LEAST_LOSS = 1e-6
_START = 1e-3  # of the first time after it: where the start is drawn
_BEFORE = 300  # what is drawn begins at this part of the shortest run


def draw_dynamics(
    points: Sequence[SimulatedRuns],
    form: str,
    source: str,
    shown: Sequence[str] = DEFAULT,
    with_flow: bool = True,
) -> Drawn:
    """Draw observables over time, one column of panels a pair, one colour a strength.

    Arguments:
        points: simulated, with recorded states.
        form: ``pdf``, ``png`` or ``svg``.
        source: provenance that is written into both.
        shown: names of ``OBSERVABLES``.
        with_flow: whether the flow is drawn, too.

    The result is the figure's file, its data as CSV and its caption.
    """
    with own_style():
        figure, rows = dynamics_figure(points, shown, with_flow)
        told = dynamics_told(points, shown, with_flow)
        return drawn(figure, form, source, DATA_HEAD, rows, told)


def dynamics_figure(
    points: Sequence[SimulatedRuns], shown: Sequence[str] = DEFAULT, with_flow: bool = True
) -> tuple[Figure, list[tuple[Any, ...]]]:
    """The figure and its rows of data; call it within ``own_style``.

    Arguments:
        points: simulations, with what came out.
        shown: names of observables, a row each.
        with_flow: whether their flow is drawn too.
    """
    columns: dict[str, list[SimulatedRuns]] = {}
    for point in points:
        columns.setdefault(_name(point, points), []).append(point)
    width = column_width() if len(columns) <= 2 else page_width()
    figure = Figure(figsize=(width, 1.3 * len(shown) + 0.6), layout="constrained")
    axes = figure.subplots(len(shown), len(columns), sharex="col", sharey="row", squeeze=False)
    for axis in axes.flat:
        axis.set_xscale("log")
    rows: list[tuple[Any, ...]] = []
    for column, members in zip(axes.T, columns.values(), strict=True):
        for point in members:
            colour = strength_colour(point.simulation.mu)
            rows += draw_point(column, point, shown, colour, with_flow)
        finish_panels(column, shown)
    labels = _OF_NETWORKS if _networks(points) else OBSERVABLES
    for axis, observable in zip(axes[:, 0], shown, strict=True):
        axis.set_ylabel(labels[observable])
    letter_panels(axes.ravel(), [*columns, *[""] * axes.size])
    figure.supxlabel(TIME_LABEL, fontsize="medium")
    keys = strength_keys(point.simulation.mu for point in points)
    add_keys(figure, [*keys, FLOW_KEY] if with_flow else keys, MOST_IN_LEGEND)
    return figure, rows


def draw_on(
    ax: Axes | None,
    points: Sequence[SimulatedRuns],
    observable: str = "overlap",
    with_flow: bool = True,
) -> Axes:
    """Draw one observable of runs over time on given axes, or on those of a new figure.

    Arguments:
        ax: whose settings stay, or ``None``.
        points: simulated, with recorded states; their colours are those of their strengths.
        observable: one of ``OBSERVABLES``.
        with_flow: whether the flow is drawn, too.
    """
    with style_for(ax):
        if ax is None:
            ax = Figure(figsize=(column_width(), 2.2), layout="constrained").subplots()
        ax.set_xscale("log")
        for point in points:
            colour = strength_colour(point.simulation.mu)
            draw_point([ax], point, [observable], colour, with_flow)
        finish_panels([ax], [observable])
        ax.set_xlabel(TIME_LABEL)
        ax.set_ylabel((_OF_NETWORKS if _networks(points) else OBSERVABLES)[observable])
        keys = strength_keys(point.simulation.mu for point in points)
        ax.legend(handles=[key.handle() for key in [*keys, *([FLOW_KEY] if with_flow else [])]])
    return ax


def draw_point(
    column: Sequence[Axes],
    point: SimulatedRuns,
    shown: Sequence[str],
    colour: Any,
    with_flow: bool,
) -> list[tuple[Any, ...]]:
    """Draw one point's observables into a column of panels; return the rows of data.

    Arguments:
        column: axes, one an observable.
        point: a simulation, with what came out.
        shown: names of observables.
        colour: of its lines.
        with_flow: whether its flow is drawn too.
    """
    texts, nothing = point.simulation.pair.texts, np.full(len(point.times), np.nan)
    flows = point.simulation.learner.flow.observe(point.path()) if with_flow else {}
    observed = {name: (point[name], flows.get(name, nothing)) for name in shown}
    rows = draw_observed(column, point, observed, {"color": colour})
    return [(texts["teacher"], texts["student"], *row) for row in rows]


def draw_observed(
    column: Sequence[Axes],
    point: SimulatedRuns,
    observed: Mapping[str, tuple[np.ndarray, np.ndarray]],
    look: Mapping[str, Any],
) -> list[tuple[Any, ...]]:
    """Draw what was observed of runs and of their flow, a panel each; return the rows of data.

    Arguments:
        column: axes, one an observable.
        point: a simulation, with what came out.
        observed: by name, a row a replica, and the flow's values.
        look: colour and style of lines.
    """
    how, rows = point.simulation, []
    made = (how.mu, how.dimension, how.learning_rate, how.batch)
    for axis, (name, (runs, flow)) in zip(column, observed.items(), strict=True):
        band = draw_band(axis, point.times, runs, flow, look)
        values = zip(point.steps, point.times, *band, flow, strict=True)
        rows += [(*made, step, t, name, *rest) for step, t, *rest in values]
    return rows


def draw_band(
    axis: Axes, times: np.ndarray, runs: np.ndarray, flow: np.ndarray, look: Mapping[str, Any]
) -> np.ndarray:
    """Draw quantiles of runs over time, and the flow dashed; return 10 %, 50 % and 90 % of them.

    Arguments:
        axis: with its scale of times.
        times: recorded.
        runs: what was observed at each, a row a run.
        flow: the same of the flow.
        look: of the line of medians; band and flow have its ``color``.
    """
    band: np.ndarray = np.quantile(runs, [0.1, 0.5, 0.9], axis=0)
    if axis.get_xscale() == "log":  # where time 0 has no place: drawn left of what is shown
        times = np.maximum(times, _START * times[times > 0].min(initial=1))
    colour = look["color"]
    axis.fill_between(times, *band[::2], color=colour, alpha=0.25, lw=0)
    axis.plot(times, band[1], **look)
    axis.plot(times, flow, "--", color=colour, linewidth=0.9, dashes=FLOW_DASHES)
    return band


def finish_panels(column: Sequence[Axes], shown: Sequence[str]) -> None:
    """Limits of a column of panels, and the scale of losses, once everything is drawn into them."""
    for axis, observable in zip(column, shown, strict=True):
        together = axis.get_shared_y_axes().get_siblings(axis)  # of which some are drawn later
        drawn_lines = [line for each in together for line in each.lines]
        lines = [np.asarray(line.get_data(), dtype=float) for line in axis.lines]
        ends = [times[-1] for times, _ in lines if len(times)]
        heights = np.concatenate([np.asarray(line.get_ydata(), float) for line in drawn_lines])
        heights = heights[np.isfinite(heights)]
        axis.set_xlim(min(ends) / _BEFORE, max(ends))
        if observable == "loss" and heights.min() < heights.max() / 20:
            axis.set_yscale("log")
            axis.set_ylim(max(heights.min() / 2, _LEAST_LOSS), 3 * heights.max())
        elif observable in ("overlap", "alignment"):
            low, high = heights.min(), heights.max()
            axis.set_ylim(max(low - 0.05, -0.03), max(high, 1) + 0.03)


def dynamics_told(
    points: Sequence[SimulatedRuns], shown: Sequence[str], with_flow: bool = True
) -> str:
    """The caption of ``draw_dynamics``.

    Arguments:
        points, shown, with_flow: as of ``dynamics_figure``.
    """
    said = _TOLD_OF_NETWORKS if _networks(points) else _TOLD
    names = list(dict.fromkeys(_name(point, points) for point in points))
    width = len(names)
    rows = [f"{lettered(k * width, width)} {said[name]}" for k, name in enumerate(shown)]
    several = " (columns)" if width > 1 else ""
    of = "; ".join(names) if any("," in name for name in names) else listed(names)
    return sentences(
        f"Learning of {of}{several} over time: {listed(rows)}",
        "Networks are of $K$ neurons with LoRA of rank $r$" if _networks(points) else "",
        told_runs(points),
        strengths_told(point.simulation.mu for point in points),
        runs_and_flow_told(points, with_flow),
    )


def runs_and_flow_told(points: Sequence[SimulatedRuns], with_flow: bool = True) -> str:
    """What bands and lines are, and from whose start the flow is."""
    told = QUANTILES[0].upper() + QUANTILES[1:]
    if not with_flow:
        return told
    if _networks(points):
        whose = "the first run's start"
    elif all(each.simulation.signs == "aligned" and len(each.names) == 2 for each in points):
        whose = "the median start"
    else:
        whose = (
            "a start of median sizes, $u$ and $m$ with the signs of the growing direction; runs "
            "with other signs start to grow later"
        )
    return f"{told}; dashes are the gradient flow from {whose}"


def _networks(points: Sequence[SimulatedRuns]) -> bool:
    return any(point.simulation.strengths for point in points)


def _name(point: SimulatedRuns, points: Sequence[SimulatedRuns]) -> str:
    """What a column of panels is of: the pair, and what differs among all that are drawn."""
    simulation = point.simulation
    parts = [shown_pair(simulation.pair)]
    if simulation.strengths:
        parts.append(f"$K={len(simulation.strengths)}$, $r={simulation.rank}$")
    if simulation.stage:
        parts.append(f"first {simulation.stage.labels.text}")
    if len({each.simulation.dimension for each in points}) > 1:
        parts.append(f"$d={number(simulation.dimension)}$")
    return ", ".join(parts)
