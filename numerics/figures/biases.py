"""Escape times of activations with a bias: τ over the bias and μ, with certified zeros of ``a``."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from derive.pair import Pair
from numerics.certified.singularities import find_singularities
from numerics.doubles.arrays import Doubles
from numerics.doubles.drift import FastDrift
from numerics.doubles.landscape import float_landscape
from numerics.figures.caption import listed, number, sentences, shown_function
from numerics.figures.style import (
    STRENGTH_LABEL,
    Drawn,
    drawn,
    field_colours,
    letter_panels,
    own_style,
    page_width,
)

_SHORTEST, _LONGEST = 1.0, 1e5  # times that are told apart
_STRENGTHS = np.linspace(0.01, 0.99, 50)
_HEAD = ("activation", "bias", "what", "mu", "tau", "b")


def draw_biases(
    panels: Sequence[tuple[str, Sequence[float]]], biases: Doubles, form: str, source: str
) -> Drawn:
    """Draw τ of activations with a bias, one panel each.

    Arguments:
        panels: activations f, drawn as f(x - p), and the p at which zeros of ``a`` are certified.
        biases: p for the colours.
        form: ``pdf``, ``png`` or ``svg``.
        source: provenance that is written into both.

    The result is the figure's file and its data as CSV. Colours are doubles, heuristic; points are
    certified zeros of ``a``, white where τ diverges, and the list at their bias is complete.
    """
    rows: list[tuple[Any, ...]] = []
    with own_style():
        figure = Figure(figsize=(page_width(), 2.4), layout="constrained")
        axes = figure.subplots(1, len(panels), sharey=True)
        for axis, (name, certified) in zip(axes, panels, strict=True):
            mesh, points = _draw_times(axis, name, biases)
            rows += points + _draw_zeros(axis, name, certified)
            axis.set(xlabel="bias $p$", xlim=biases[[0, -1]], ylim=_STRENGTHS[[0, -1]])
        shown = [shown_function(f"{name}(x - p)") for name, _ in panels]
        letter_panels(axes, shown)
        axes[0].set_ylabel(STRENGTH_LABEL)
        axes[-1].legend(
            loc="lower right", bbox_to_anchor=(1, 1), ncols=2, borderpad=0,
            handlelength=1, handletextpad=0.3, columnspacing=1,
        )  # fmt: skip
        figure.colorbar(
            mesh, ax=axes, pad=0.01, extend="both", label=r"$\tau$ (units of $1/\gamma$)"
        )
        return drawn(figure, form, source, _HEAD, rows, _told(panels, shown))


def _told(panels: Sequence[tuple[str, Sequence[float]]], shown: Sequence[str]) -> str:
    biases = [f"{len(certified)} biases $p$ of {name}"
              for (_, certified), name in zip(panels, shown, strict=True)]  # fmt: skip
    return sentences(
        f"Escape time $\\tau$, in units of $1/\\gamma$, of {listed(shown)} over the bias $p$ and "
        "the pre-training strength $\\mu$, matched labels, square loss. Colours are computed in "
        f"doubles, heuristically, and end at ${number(_SHORTEST)}$ and ${number(_LONGEST)}$",
        f"Points are all zeros of $a$, certified, at {listed(biases)}: white where $b\\leq0$ and "
        "$\\tau=\\infty$, black where $b>0$ and $\\tau=1/b$",
    )


def _draw_times(axis: Axes, name: str, biases: Doubles) -> tuple[QuadMesh, list[tuple[Any, ...]]]:
    times = np.array([_times(_biased(name, float(p))) for p in biases]).T
    mesh = axis.pcolormesh(
        biases, _STRENGTHS, times, norm=LogNorm(_SHORTEST, _LONGEST), cmap=field_colours(),
        shading="gouraud", rasterized=True,
    )  # fmt: skip
    points = [
        (name, p, "tau", mu, times[j, i], "")
        for i, p in enumerate(biases)
        for j, mu in enumerate(_STRENGTHS)
    ]
    return mesh, points


def _biased(name: str, bias: float) -> str:
    return f"{name}(x {'-' if bias >= 0 else '+'} {abs(bias):.6g})"


def _times(text: str) -> Doubles:
    landscape = float_landscape(Pair(text))
    a, b = (np.vectorize(lambda mu, f=f: f(mu, 0.0)) for f in (landscape.a, landscape.b))
    with np.errstate(over="ignore"):  # where nothing is left of the student's slope
        return np.minimum(FastDrift(a, b, None, "1/γ").tau(_STRENGTHS), 10 * _LONGEST)


def _draw_zeros(axis: Axes, name: str, biases: Sequence[float]) -> list[tuple[Any, ...]]:
    found = [(p, s) for p in biases for s in find_singularities(_biased(name, p), 10)]
    for diverges, fill, edge, label in (
        (True, "white", "black", r"$a=0$, $\tau=\infty$"),
        (False, "black", "white", r"$a=0$, $\tau=1/b$"),
    ):
        points = np.array([(p, float(s.mu)) for p, s in found if s.diverges == diverges])
        places = points.reshape(-1, 2).T
        axis.plot(  # unclipped, for some lie near the edge; lines without points would take room
            *places, "o", ms=3.5, mew=0.6, mfc=fill, mec=edge, label=label, clip_on=False,
            in_layout=False, zorder=3,
        )  # fmt: skip
    return [(name, p, "zero of a", float(s.mu), "", float(s.b)) for p, s in found]
