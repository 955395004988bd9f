"""Two-stage labels: loss, ρ and overlap over time, and where runs are at each stage's end."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from derive.command.palette import OKABE_ITO
from numerics.figures.caption import number, sentences, told_runs
from numerics.figures.dynamics import OBSERVED_HEAD, draw_observed, runs_and_flow_told
from numerics.figures.style import (
    FLOW_KEY,
    MARKERS,
    TIME_LABEL,
    Drawn,
    Key,
    add_keys,
    column_width,
    drawn,
    letter_panels,
    own_style,
    small,
)
from numerics.simulation.simulated import SimulatedRuns

_LABELS = {"loss": "loss", "rho": r"$\rho=\mu+um$", "overlap": r"overlap $|m|$"}
_COLOURS = tuple(OKABE_ITO[name] for name in ("black", "blue", "vermillion"))
_MARKED = 7  # a way has a marker at every so many records, and at none of another's
_NEAR = 0.1  # of a sink, in ρ and |m|


def draw_stages(
    points: Mapping[str, SimulatedRuns], switch: float, form: str, source: str
) -> Drawn:
    r"""Draw loss, ρ = μ + u m and overlap of several ways to learn over time, with their flows.

    Arguments:
        points: at most three, of one dimension and strength, by the names of the ways.
        switch: time at which their first stages end.
        form: ``pdf``, ``png`` or ``svg``.
        source: provenance, kept in the files.

    After Fig. 4. The caption says where runs are at the end of each stage.
    """
    with own_style():
        figure = Figure(figsize=(column_width(), 4.3), layout="constrained")
        axes = figure.subplots(3, sharex=True)
        rows: list[tuple[Any, ...]] = []
        looks = [{"color": colour, "marker": marker, "ms": 3}
                 for colour, marker in zip(_COLOURS, MARKERS, strict=False)]  # fmt: skip
        for place, (name, point) in enumerate(points.items()):
            marked = (_MARKED * place, _MARKED * len(points))
            rows += _draw_way(axes, name, point, looks[place] | {"markevery": marked})
        for axis, (name, label) in zip(axes, _LABELS.items(), strict=True):
            axis.axvline(switch, color="0.5", linestyle=":", linewidth=0.8)
            axis.set_ylabel(label)
            if name == "rho":
                _mark_sinks(axis)
        axes[0].set_yscale("log")
        axes[0].set_ylim(bottom=max(axes[0].get_ylim()[0], 1e-3))
        letter_panels(axes, [""] * 3)
        axes[0].annotate("first stage ends", (switch, 1), xycoords=("data", "axes fraction"),
                         xytext=(-2, 2), textcoords="offset points", ha="right", va="bottom",
                         fontsize=small())  # fmt: skip
        axes[-1].set_xlabel(TIME_LABEL)
        axes[-1].set_xlim(0, max(point.times[-1] for point in points.values()))
        keys = [Key(name, look) for look, name in zip(looks, points, strict=False)]
        add_keys(figure, [*keys, FLOW_KEY], 1)
        return drawn(figure, form, source, ("way", *OBSERVED_HEAD), rows, _told(points, switch))


def _mark_sinks(axis: Axes) -> None:
    for height, name in ((1, "teacher"), (0, "null student")):
        axis.axhline(height, color="0.7", linewidth=0.5, zorder=0)
        axis.text(0.01, height, name, transform=axis.get_yaxis_transform(), va="bottom",
                  fontsize=small(), color="0.3")  # fmt: skip
    axis.set_ylim(-0.12, 1.25)


def _draw_way(
    axes: Sequence[Axes], name: str, point: SimulatedRuns, look: dict[str, Any]
) -> list[tuple[Any, ...]]:
    path, mu = point.path(), point.simulation.mu
    flow = point.simulation.learner.flow.observe(path) | {"rho": _rho(mu, path)}
    runs = {**point.observed, "rho": _rho(mu, point.states)}
    observed = {each: (runs[each], flow[each]) for each in _LABELS}
    rows = draw_observed(axes, point, observed, look)
    return [(name, *row) for row in rows]


def _rho(mu: float, states: np.ndarray) -> np.ndarray:
    values: np.ndarray = mu + states[..., 0] * states[..., 1]
    return values


def _states_before(point: SimulatedRuns, time: float) -> np.ndarray:
    """The last recorded states before a time: at a switch, before u is flipped."""
    states: np.ndarray = point.states[:, int(np.searchsorted(point.times, time)) - 1]
    return states


def where_runs_are(point: SimulatedRuns, time: float) -> dict[str, int]:
    """How many runs are where, just before a time: near the teacher, the null student, no sink."""
    states = _states_before(point, time)
    rho, grown = _rho(point.simulation.mu, states), np.abs(states[:, 1]) > 1 - _NEAR
    teacher, null = grown & (np.abs(rho - 1) < _NEAR), grown & (np.abs(rho) < _NEAR)
    counts = {"at the teacher": int(teacher.sum()), "at the null student": int(null.sum())}
    return counts | {"elsewhere": len(states) - sum(counts.values())}


def _told(points: Mapping[str, SimulatedRuns], switch: float) -> str:
    first = next(iter(points.values()))
    ends = []
    for name, point in points.items():
        parts = [f"{name}:"]
        if point.simulation.stage:
            parts.append(f"the first stage with {_end(point, switch)}, the second with "
                         f"{_end(point, np.inf)}")  # fmt: skip
        else:
            parts.append(_end(point, np.inf))
        ends.append(" ".join(parts))
    names = r"(a) loss, (b) $\rho=\mu+um$, (c) overlap $|m|$"
    return sentences(
        f"Two-stage labels at $\\mu={number(first.simulation.mu)}$: {names} over time. Squared "
        f"labels until $t={number(switch)}$ (dotted), then the original ones",
        told_runs(list(points.values())),
        runs_and_flow_told(list(points.values())),
        f"How the stages end, of {first.simulation.replicas} runs each: {'; '.join(ends)}",
        rf"At the teacher $|m|>{1 - _NEAR}$ and $|\rho-1|<{_NEAR}$, at the null student "
        rf"$|m|>{1 - _NEAR}$ and $|\rho|<{_NEAR}$",
    )


def _end(point: SimulatedRuns, time: float) -> str:
    """Where runs are, and at which medians."""
    states = _states_before(point, time)
    rho, overlap = np.median(_rho(point.simulation.mu, states)), np.median(np.abs(states[:, 1]))
    counts = where_runs_are(point, time)
    found = ", ".join(f"{count} {place}" for place, count in counts.items() if count)
    return rf"{found} (medians $\rho={rho:.2f}$, $|m|={overlap:.2f}$)"
