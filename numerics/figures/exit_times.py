"""Exit times over the logarithm of the dimension, with the slope that theory gives them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from numerics.figures.caption import listed, number, sentences, shown_function, told_runs
from numerics.figures.style import (
    Drawn,
    Look,
    column_width,
    drawn,
    letter_panels,
    looks_of,
    own_style,
    page_width,
)
from numerics.simulation.exits import quantile
from numerics.simulation.simulated import SimulatedRuns, fit_of

_HEAD = ("student", "dimension", "learning_rate", "batch", "low", "median", "high",
         "median_samples", "slope", "half_tau")  # fmt: skip


def draw_exit_times(points: Mapping[str, Sequence[SimulatedRuns]], form: str, source: str) -> Drawn:
    """Draw medians and 80 % of exit times over d, a panel an activation; all share their axes.

    Arguments:
        points: of each activation, one a dimension, in order.
        form: ``pdf``, ``png`` or ``svg``.
        source: provenance that is written into both.

    The result is the figure's file, its data as CSV and its caption.
    """
    rows: list[tuple[Any, ...]] = []
    with own_style():
        width = page_width() if len(points) > 2 else column_width()
        figure = Figure(figsize=(width, 2.3), layout="constrained")
        axes = figure.subplots(1, len(points), sharex=True, sharey=True, squeeze=False)[0]
        slopes = []
        for axis, (name, members), look in zip(
            axes, points.items(), looks_of(list(points)), strict=True
        ):
            found, fit = _draw_times(axis, members, look), fit_of(members)
            if fit:
                slopes.append(rf"{shown_function(name)}: ${fit.slope:.2f}\pm{fit.error:.2f}$, "
                              rf"$\tau/2={fit.half_tau:.2f}$")  # fmt: skip
            for point, times in zip(members, found.T, strict=True):
                how = point.simulation
                samples = how.batch * times[1] / how.learning_rate
                rows.append((name, how.dimension, how.learning_rate, how.batch, *times, samples,
                             fit and fit.slope, fit and fit.half_tau))  # fmt: skip
            axis.set_xlabel("dimension $d$")
        axes[0].set_ylim(bottom=0)
        axes[0].set_ylabel(r"exit time (units of $1/\gamma$)")
        letter_panels(axes, map(shown_function, points))
        return drawn(figure, form, source, _HEAD, rows, _told(points, slopes))


def _draw_times(axis: Axes, members: Sequence[SimulatedRuns], look: Look) -> np.ndarray:
    """Draw one activation; the result are its 10 %, 50 % and 90 % quantiles over d."""
    d = np.array([point.simulation.dimension for point in members])
    found: np.ndarray = np.array(
        [[quantile(point.exit_times, q) for point in members] for q in (0.1, 0.5, 0.9)]
    )
    low, median, high = np.where(np.isfinite(found), found, np.nan)  # censored: not drawn
    bars = [median - low, high - median]
    axis.errorbar(d, median, bars, fmt=look.marker, ms=3.5, color=look.colour, capsize=2, lw=0.8)
    line = median[0] + members[0].simulation.tau / 2 * np.log(d / d[0])
    axis.plot(d, line, linestyle=look.dash, color=look.colour, lw=0.9)
    axis.set_xscale("log")
    axis.set_xticks(d, [f"${number(each)}$" for each in d])
    axis.minorticks_off()
    return found


def _told(points: Mapping[str, Sequence[SimulatedRuns]], slopes: Sequence[str]) -> str:
    every = [point for members in points.values() for point in members]
    mu = every[0].simulation.mu
    return sentences(
        f"Exit time of {listed(map(shown_function, points))} at $\\mu={number(mu)}$ over $d$",
        told_runs(every),
        "Markers are medians, bars hold the middle 80 per cent; a time of 1 takes $B/\\gamma$ "
        "samples. Lines have the slope of theory, $\\tau/2$ a unit of $\\log d$, through the "
        "first median",
        f"Slopes fitted: {'; '.join(slopes)}" if slopes else "",
    )
