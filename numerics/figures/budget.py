"""What samples buy over the pre-training strength: expected loss, and the phase diagram.

On the white line half of the runs have left. Lines and colours are of a law
(``numerics.dynamics.learning_curve``), heuristic, the darker band its error at this d; dotted lines
are certified singularities, dots what runs found, if there are any.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from derive.command.palette import OKABE_ITO
from numerics.figures.caption import listed, number, sentences, shown_pair, spanned
from numerics.figures.style import (
    STRENGTH_LABEL,
    Drawn,
    column_width,
    drawn,
    field_colours,
    letter_panels,
    own_style,
    page_width,
)
from numerics.simulation.budget import Budget

_AROUND = (1e-2, 1e2, 41)  # the numbers of samples of the phase diagram, in units of the one asked
_DEEPEST = 1e-5  # of the largest loss: what is shown
_OWN, _TUNED, _AVOID = OKABE_ITO["blue"], OKABE_ITO["orange"], OKABE_ITO["vermillion"]

HEAD = ("what", "student", "labels", "dimension", "mu", "learning_rate", "samples", "frozen_loss",
        "expected_loss", "expected_loss_error", "loss_10", "loss_90",
        "still_searching")  # fmt: skip


def draw_budget(budgets: Sequence[tuple[Budget, Budget | None]], form: str, source: str) -> Drawn:
    """Draw budgets, one column each: the loss over μ above, over (μ, n) below.

    Arguments:
        budgets: each with that at the best learning rates, or ``None`` if it is that.
        form: ``pdf``, ``png`` or ``svg``.
        source: provenance that is written into both.

    The result is the figure's file and its data as CSV.
    """
    rows: list[tuple[Any, ...]] = []
    with own_style():
        figure = Figure(
            figsize=(column_width() if len(budgets) == 1 else page_width(), 4.6),
            layout="constrained",
        )
        axes = figure.subplots(2, len(budgets), sharex="col", squeeze=False)
        for (upper, lower), (own, tuned) in zip(axes.T, budgets, strict=True):
            rows += _draw_losses(upper, own, tuned)
            rows += _draw_phases(figure, lower, own)
            for axis in (upper, lower):
                for point in own.singularities or ():
                    axis.axvline(float(point), color="0.5", linestyle=":", linewidth=0.8)
            lower.set_xlabel(STRENGTH_LABEL)
        names = [_name(own) for own, _ in budgets]
        letter_panels(axes.ravel(), [*names, *[""] * len(names)])
        axes[0, 0].set_ylabel("expected loss")
        axes[1, 0].set_ylabel("samples $n$")
        named = axes[0, 0].get_legend_handles_labels()
        figure.legend(*named, loc="outside upper center", ncols=2 * len(budgets))
        return drawn(figure, form, source, HEAD, rows, _caption(budgets, names))


def _name(own: Budget) -> str:
    first = own.simulations[0]
    return f"{shown_pair(first.pair)}, $d={number(first.dimension)}$"


def _caption(budgets: Sequence[tuple[Budget, Budget | None]], names: Sequence[str]) -> str:
    simulations = [each for own, _ in budgets for each in own.simulations]
    rates, batches = ([getattr(each, name) for each in simulations]
                      for name in ("learning_rate", "batch"))  # fmt: skip
    tuned = any(tuned is not None for _, tuned in budgets)
    return sentences(
        f"What samples buy of {listed(names)} over the pre-training strength $\\mu$, by the "
        f"limit law of one-pass SGD at large $d$, heuristic; {spanned('B', batches)}, "
        f"{spanned(chr(92) + 'gamma', rates)}",
        f"Top: expected loss after {spanned('n', [own.samples for own, _ in budgets])} samples "
        "(blue, its band from the 10 to the 90 per cent quantile of runs, the darker one the error "
        "of the limit), the loss of the pre-trained model alone (dashed)"
        + (", and at the rate of the fewest samples (dash-dotted)" if tuned else ""),
        "The dot is the best strength at which learning pays; shaded strengths are better left "
        "alone",
        "Bottom: expected loss over $\\mu$ and the number of samples; on the white line half of "
        "the runs have left the search phase, dashes are the samples of the top row",
        "Dotted lines are certified singularities"
        if any(own.singularities for own, _ in budgets)
        else "",
    )


def _draw_losses(axis: Axes, own: Budget, tuned: Budget | None) -> list[tuple[Any, ...]]:
    least = _DEEPEST * own.frozen.max()
    quantiles = np.array([c.quantiles(own.samples, (0.1, 0.9)) for c in own.curves]).T
    off = own.error
    axis.fill_between(
        own.mu,
        np.maximum(own.expected - off, least),
        own.expected + off,
        color=_OWN,
        alpha=0.4,
        lw=0,
    )
    axis.fill_between(own.mu, *np.maximum(quantiles, least), color=_OWN, alpha=0.2, lw=0)
    axis.plot(own.mu, np.maximum(own.expected, least), color=_OWN, label="after the samples")
    axis.plot(own.mu, own.frozen, color="0.4", lw=0.8, dashes=(4, 2), label="pre-trained alone")
    rows = [("loss", *_told(own, k, own.samples)) for k in range(len(own.mu))]
    if tuned is not None:
        losses = np.maximum(tuned.expected, least)
        axis.plot(tuned.mu, losses, "-.", color=_TUNED, lw=0.9, label="at the best rates")
        rows += [("tuned loss", *_told(tuned, k, own.samples)) for k in range(len(tuned.mu))]
    if own.measured is not None:
        axis.errorbar(
            own.mu,
            np.maximum(own.measured.losses, least),
            2 * own.measured.errors,
            fmt="o",
            ms=2,
            lw=0.8,
            color="0.2",
            label="mean of runs, ± 2 errors",
        )
    if own.best_left:
        best = own.best_left
        axis.plot(best.mu, max(best.expected_loss, least), "o", ms=3, color=_OWN)
    for low, high in own.avoid:
        axis.axvspan(low, high, color=_AVOID, alpha=0.12, lw=0)
    axis.set_yscale("log")
    return rows


def _draw_phases(figure: Figure, axis: Axes, own: Budget) -> list[tuple[Any, ...]]:
    low, high, count = _AROUND
    samples = np.unique(np.geomspace(max(own.samples * low, 1), own.samples * high, count).round())
    losses = np.array([[c.expected(n) for c in own.curves] for n in samples])
    top = losses.max()
    shown = np.maximum(losses, _DEEPEST * top)
    mesh = axis.pcolormesh(own.mu, samples, shown, cmap=field_colours(),
                           norm=LogNorm(_DEEPEST * top, top), rasterized=True)  # fmt: skip
    edge = [withStroke(linewidth=2.6, foreground="black")]  # seen on light and dark
    half = [c.samples(0.5) for c in own.curves]
    axis.plot(own.mu, half, color="white", path_effects=edge)
    axis.axhline(own.samples, color="white", linewidth=0.9, dashes=(4, 2), path_effects=edge)
    axis.set_yscale("log")
    axis.set_ylim(samples[0], samples[-1])
    figure.colorbar(mesh, ax=axis, pad=0.02, label="expected loss")
    return [("phase diagram", *_told(own, k, int(n)))
            for n in samples for k in range(len(own.mu))]  # fmt: skip


def _told(budget: Budget, place: int, samples: int) -> tuple[Any, ...]:
    simulation, curve = budget.simulations[place], budget.curves[place]
    return (
        simulation.pair.texts["student"],
        simulation.pair.texts["labels"],
        simulation.dimension,
        simulation.mu,
        simulation.learning_rate,
        samples,
        curve.frozen,
        curve.expected(samples),
        curve.error(samples),
        *curve.quantiles(samples, (0.1, 0.9)),
        curve.still_searching(samples),
    )
