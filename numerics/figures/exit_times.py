"""Exit times over the logarithm of the dimension, with the slope of theory, and their samples."""

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
    """Draw medians and 80 % of exit times over d, and below the samples that they take.

    Arguments:
        points: of each activation, one a dimension, in order.
        form: ``pdf``, ``png`` or ``svg``.
        source: provenance that is written into both.

    The result is the figure's file, its data as CSV and its caption. Activations have a column
    each, and all share their axes.
    """
    rows: list[tuple[Any, ...]] = []
    with own_style():
        width = page_width() if len(points) > 2 else column_width()
        figure = Figure(figsize=(width, 3.8), layout="constrained")
        axes = figure.subplots(2, len(points), sharex=True, sharey="row", squeeze=False)
        slopes = []
        for column, (name, members), look in zip(
            axes.T, points.items(), looks_of(list(points)), strict=True
        ):
            found, fit = _draw_column(column, members, look), fit_of(members)
            if fit:
                slopes.append(rf"{shown_function(name)}: ${fit.slope:.2f}\pm{fit.error:.2f}$, "
                              rf"$\tau/2={fit.half_tau:.2f}$")  # fmt: skip
            for point, times in zip(members, found.T, strict=True):
                how = point.simulation
                rows.append((name, how.dimension, how.learning_rate, how.batch, *times,
                             times[1] * _samples(point), fit and fit.slope,
                             fit and fit.half_tau))  # fmt: skip
            column[-1].set_xlabel("dimension $d$")
        axes[0, 0].set_ylim(bottom=0)
        axes[0, 0].set_ylabel(r"exit time (units of $1/\gamma$)")
        axes[1, 0].set_yscale("log")
        axes[1, 0].set_ylabel("samples until the exit")
        letter_panels(axes.ravel(), [*map(shown_function, points), *[""] * len(points)])
        return drawn(figure, form, source, _HEAD, rows, _told(points, slopes))


def _draw_column(
    column: Sequence[Axes], members: Sequence[SimulatedRuns], look: Look
) -> np.ndarray:
    """Draw one activation; the result are the 10 %, 50 % and 90 % quantiles of times over d."""
    d = np.array([point.simulation.dimension for point in members])
    found: np.ndarray = np.array(
        [[quantile(point.exit_times, q) for point in members] for q in (0.1, 0.5, 0.9)]
    )
    shown = np.where(np.isfinite(found), found, np.nan)  # censored: not drawn
    line = shown[1, 0] + members[0].simulation.tau / 2 * np.log(d / d[0])
    for axis, scale in zip(column, (1.0, np.array([*map(_samples, members)])), strict=True):
        low, median, high = shown * scale
        bars = [median - low, high - median]
        axis.errorbar(
            d, median, bars, fmt=look.marker, ms=3.5, color=look.colour, capsize=2, lw=0.8
        )
        axis.plot(d, line * scale, linestyle=look.dash, color=look.colour, lw=0.9)
        axis.set_xscale("log")
        axis.set_xticks(d, [f"${_dimension(each)}$" for each in d])
        axis.minorticks_off()
    return found


def _dimension(d: int) -> str:
    """A power of ten as such."""
    power = len(str(d)) - 1
    return f"10^{{{power}}}" if d == 10**power else number(d)


def _samples(point: SimulatedRuns) -> float:
    """What a unit of time takes of them."""
    return point.simulation.batch / point.simulation.learning_rate


def _told(points: Mapping[str, Sequence[SimulatedRuns]], slopes: Sequence[str]) -> str:
    every = [point for members in points.values() for point in members]
    mu = every[0].simulation.mu
    return sentences(
        f"Exit time (top) and the samples that it takes, $B/\\gamma$ a unit of time (bottom), of "
        f"{listed(map(shown_function, points))} at $\\mu={number(mu)}$ over $d$",
        told_runs(every),
        "Markers are medians, bars hold the middle 80 per cent. Lines have the slope of theory, "
        "$\\tau/2$ a unit of $\\log d$, through the first median",
        f"Slopes fitted: {'; '.join(slopes)}" if slopes else "",
    )
