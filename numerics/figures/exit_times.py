"""Exit times over the logarithm of the dimension, with the slope that theory gives them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from numerics.figures.caption import listed, number, sentences, shown_function, told_runs
from numerics.figures.style import Drawn, column_width, drawn, looks_of, own_style
from numerics.simulation.exits import quantile
from numerics.simulation.simulated import SimulatedRuns, fit_of

_HEAD = ("student", "dimension", "learning_rate", "batch", "low", "median", "high",
         "median_samples", "slope", "half_tau")  # fmt: skip


def draw_exit_times(points: Mapping[str, Sequence[SimulatedRuns]], form: str, source: str) -> Drawn:
    """Draw medians and 80 % of exit times over d, one activation beside another.

    Arguments:
        points: of each activation, one a dimension, in order.
        form: ``pdf``, ``png`` or ``svg``.
        source: provenance that is written into both.

    The result is the figure's file, its data as CSV and its caption.
    """
    rows: list[tuple[Any, ...]] = []
    with own_style():
        figure = Figure(figsize=(column_width(), 2.6), layout="constrained")
        axis, slopes = figure.subplots(), []
        for name, look in zip(points, looks_of(list(points)), strict=True):
            members = points[name]
            d, rate, batch = np.array(
                [[getattr(point.simulation, of) for point in members]
                 for of in ("dimension", "learning_rate", "batch")]
            )  # fmt: skip
            found = np.array(
                [[quantile(point.exit_times, q) for point in members] for q in (0.1, 0.5, 0.9)]
            )
            low, median, high = np.where(np.isfinite(found), found, np.nan)  # censored: not drawn
            bars = [median - low, high - median]
            axis.errorbar(d, median, bars, fmt=look.marker, ms=3.5, color=look.colour,
                          capsize=2, lw=0.8, label=shown_function(name))  # fmt: skip
            fit = fit_of(members)
            if fit:
                line = median[0] + fit.half_tau * np.log(d / d[0])
                axis.plot(d, line, linestyle=look.dash, color=look.colour, lw=0.9)
                slopes.append(rf"{shown_function(name)}: ${fit.slope:.2f}\pm{fit.error:.2f}$, "
                              rf"$\tau/2={fit.half_tau:.2f}$")  # fmt: skip
            columns = zip(d.astype(int), rate, batch.astype(int), *found, batch / rate * found[1],
                          strict=True)  # fmt: skip
            rows += [(name, *row, fit and fit.slope, fit and fit.half_tau) for row in columns]
        axis.set_xscale("log")
        axis.set_ylim(bottom=0)
        axis.set_xlabel("dimension $d$")
        axis.set_ylabel(r"exit time (units of $1/\gamma$)")
        axis.legend(loc="upper left")
        return drawn(figure, form, source, _HEAD, rows, _told(points, slopes))


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
