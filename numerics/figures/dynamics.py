"""SGD beside its flow: loss, overlap and effective alignment over time (Figs. 1, 3, 5, 7, 9).

Bands hold 80 % of the replicas, lines are their medians; the flow, dashed, starts from the median
initial state. Simulations support the theory drawn beside them; they certify nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from numerics.figures.style import COLUMN_WIDTH, Drawn, colours, drawn, own_style
from numerics.simulation.simulated import SimulatedRuns

OBSERVABLES = {  # of numerics.dynamics.flow, with the labels of their axes
    "loss": "loss",
    "overlap": r"overlap $|m|$",
    "scale": r"scale $|u|$",
    "alignment": r"$|\rho|/\sqrt{Q}$",
}
DEFAULT = ("loss", "overlap", "alignment")
DATA_HEAD = (
    "teacher",
    "student",
    "mu",
    "dimension",
    "learning_rate",
    "batch",
    "steps",
    "time",
    "observable",
    "low",
    "median",
    "high",
    "flow",
)


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

    The result is the figure's file and its data as CSV.
    """
    with own_style():
        figure, rows = dynamics_figure(points, shown, with_flow)
        return drawn(figure, form, source, DATA_HEAD, rows)


def dynamics_figure(
    points: Sequence[SimulatedRuns], shown: Sequence[str] = DEFAULT, with_flow: bool = True
) -> tuple[Figure, list[tuple[Any, ...]]]:
    """The figure and its rows of data; call it within ``own_style``."""
    columns: dict[str, list[SimulatedRuns]] = {}
    for point in points:
        columns.setdefault(_name(point), []).append(point)
    width = COLUMN_WIDTH * max(1.0, 0.62 * len(columns))
    figure = Figure(figsize=(width, 1.45 * len(shown) + 0.5), layout="constrained")
    axes = figure.subplots(len(shown), len(columns), sharex="col", squeeze=False)
    rows: list[tuple[Any, ...]] = []
    for column, (name, members) in zip(axes.T, columns.items(), strict=True):
        strengths = [point.simulation.mu for point in members]
        for point in members:
            colour = shade(point.simulation.mu, strengths)
            rows += draw_point(column, point, shown, colour, with_flow)
        finish_panels(column, shown)
        column[0].set_title(name, loc="left", fontsize=8)
        column[-1].set_xlabel(r"time $t$ (units of $1/\gamma$)")
    networks = any(point.simulation.strengths for point in points)
    for row, observable in zip(axes, shown, strict=True):
        matrix = networks and observable == "overlap"
        row[0].set_ylabel(r"overlap $\|m\|_F$" if matrix else OBSERVABLES[observable])
        if any(axis.get_yscale() == "log" for axis in row):  # one scale for all pairs
            bottoms, tops = zip(*(axis.get_ylim() for axis in row), strict=True)
            for axis in row:
                axis.set_yscale("log")
                axis.set_ylim(min(b for b in bottoms if b > 0), max(tops))
    _add_legend(figure, points, with_flow)
    figure.supxlabel(rates_told(points), fontsize=6, wrap=True)
    return figure, rows


def draw_point(
    column: Sequence[Axes],
    point: SimulatedRuns,
    shown: Sequence[str],
    colour: tuple[Any, ...],
    with_flow: bool,
) -> list[tuple[Any, ...]]:
    """Draw one point's observables into a column of panels; return the rows of data."""
    times, simulation = point.times, point.simulation
    flows = simulation.learner.flow.observe(point.path()) if with_flow else None
    texts = simulation.pair.texts
    head = (texts["teacher"], texts["student"], simulation.mu, simulation.dimension,
            simulation.learning_rate, simulation.batch)  # fmt: skip
    rows = []
    for axis, observable in zip(column, shown, strict=True):
        low, median, high = np.quantile(point[observable], [0.1, 0.5, 0.9], axis=0)
        later = times > 0
        axis.fill_between(times[later], low[later], high[later], color=colour, alpha=0.25, lw=0)
        axis.plot(times[later], median[later], color=colour)
        flow = np.full(len(times), np.nan)
        if flows is not None:
            flow = flows[observable]
            axis.plot(times[later], flow[later], "--", color=colour, linewidth=0.9, dashes=(3, 2))
        values = zip(point.steps, times, low, median, high, flow, strict=True)
        rows += [(*head, step, t, observable, *rest) for step, t, *rest in values]
    return rows


def finish_panels(column: Sequence[Axes], shown: Sequence[str]) -> None:
    """Scales and limits of a column of panels, once everything is drawn into them."""
    for axis, observable in zip(column, shown, strict=True):
        axis.set_xscale("log")
        low, high = axis.get_ylim()
        if observable == "loss" and low < high / 20:
            axis.set_yscale("log")
            axis.set_ylim(bottom=max(axis.get_ylim()[0], 1e-8))
        elif observable in ("overlap", "alignment"):
            axis.set_ylim(bottom=max(low, -0.03), top=max(high, 1.03))


def draw_stages(
    points: Mapping[str, SimulatedRuns], switch: float, form: str, source: str
) -> Drawn:
    r"""Draw loss, ρ = μ + u m and overlap of several ways to learn over time, with their flows.

    Arguments: ``points``, of one dimension and strength, by the names of the ways; ``switch``, the
    time at which their first stages end; ``form`` and ``source`` as of ``draw_dynamics``. After
    Fig. 4.
    """
    with own_style():
        figure = Figure(figsize=(COLUMN_WIDTH, 4.4), layout="constrained")
        axes = figure.subplots(3, sharex=True)
        rows: list[tuple[Any, ...]] = []
        for place, (name, point) in enumerate(points.items()):
            colour = colours()(place / max(len(points) - 1, 1))
            rows += _draw_stages_of(axes, name, point, colour)
        for axis in axes:
            axis.axvline(switch, color="0.6", linestyle=":", linewidth=0.8)
        axes[0].set_yscale("log")
        axes[0].set_ylim(bottom=max(axes[0].get_ylim()[0], 1e-3))
        for axis, label in zip(axes, ("loss", r"$\rho = \mu + um$", r"overlap $|m|$"), strict=True):
            axis.set_ylabel(label)
        axes[-1].set_xlabel(r"time $t$ (units of $1/\gamma$)")
        handles = axes[0].get_legend_handles_labels()[0]
        handles.append(Line2D([], [], color="0.3", linestyle="--", linewidth=0.9, label="flow"))
        figure.legend(handles=handles, loc="outside upper center", fontsize=7, handlelength=1.4)
        head = ("way", "mu", "dimension", "time", "observable", "low", "median", "high", "flow")
        return drawn(figure, form, source, head, rows)


def _draw_stages_of(
    axes: Sequence[Axes], name: str, point: SimulatedRuns, colour: tuple[Any, ...]
) -> list[tuple[Any, ...]]:
    simulation, path, rows = point.simulation, point.path(), []
    loss = simulation.learner.flow.observe(path)["loss"]
    mu = simulation.mu
    drawn_values = {
        "loss": (point["loss"], loss),
        "rho": (mu + point["u"] * point["m"], mu + path[:, 0] * path[:, 1]),
        "overlap": (point["overlap"], np.abs(path[:, 1])),
    }
    for axis, (observable, (runs, flow)) in zip(axes, drawn_values.items(), strict=True):
        low, median, high = np.quantile(runs, [0.1, 0.5, 0.9], axis=0)
        axis.fill_between(point.times, low, high, color=colour, alpha=0.25, lw=0)
        axis.plot(point.times, median, color=colour, label=name)
        axis.plot(point.times, flow, "--", color=colour, linewidth=0.9, dashes=(3, 2))
        values = zip(point.times, low, median, high, flow, strict=True)
        rows += [(name, mu, simulation.dimension, t, observable, *rest) for t, *rest in values]
    return rows


def rates_told(points: Sequence[SimulatedRuns]) -> str:
    """The learning rates of a figure: its policy, which times in 1/γ hide, and what times are."""
    simulations = [point.simulation for point in points]
    rates = {each.learning_rate for each in simulations}
    batches = {each.batch for each in simulations}
    many = f"{min(rates):.2g} to {max(rates):.2g}, each strength's and pair's own"
    told = f"one for all, {min(rates):.2g}" if len(rates) == 1 else many
    batch = f"{min(batches)}" if len(batches) == 1 else "B"
    return rf"$\gamma$: {told}; $t/\gamma$ steps of {batch} samples each"


def shade(mu: float, strengths: Sequence[float]) -> tuple[Any, ...]:
    """The colour of a pre-training strength among others."""
    return colours()(Normalize(min(strengths), max(*strengths, min(strengths) + 1e-9))(mu))


def _name(point: SimulatedRuns) -> str:
    simulation, texts = point.simulation, point.simulation.pair.texts
    teacher, student, labels, tilt = (
        texts[name] for name in ("teacher", "student", "labels", "misalignment")
    )
    name = student if teacher == student else f"{teacher} → {student}"
    if simulation.strengths:
        name += f", $K={len(simulation.strengths)}$, $r={simulation.rank}$"
    if labels != "matched":
        name += f", {labels} labels"
    if simulation.stage:
        name += f", first {simulation.stage.labels.text}"
    if tilt != "none":
        name += f", {tilt} misalignment"
    return f"{name}, $d={simulation.dimension}$"


def _add_legend(figure: Figure, points: Sequence[SimulatedRuns], with_flow: bool) -> None:
    strengths = sorted({point.simulation.mu for point in points})
    lines = [
        Line2D([], [], color=shade(mu, strengths), label=rf"$\mu={mu:.3g}$") for mu in strengths
    ]
    if with_flow:
        lines.append(Line2D([], [], color="0.3", linestyle="--", linewidth=0.9, label="flow"))
    figure.legend(
        handles=lines,
        loc="outside upper center",
        ncols=min(len(lines), 6),
        fontsize=7,
        handlelength=1.2,
        columnspacing=1.0,
    )
