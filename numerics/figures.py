"""Figures: one style, one way to save them, and the figures themselves.

A figure is vector where the format allows, readable at the width of a journal column, safe for the
colour-blind (perceptually ordered colours that also differ in lightness), and has the data it was
drawn from beside it. This is the only module of ``numerics`` that imports matplotlib.
"""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from derive.command import replacing, write_whole
from derive.drift import hermite_drift
from derive.tabular import as_csv
from numerics.escape import EscapeCurve, escape_curve
from numerics.singularities import find_singularities

COLUMN_WIDTH = 3.4  # inches, one column of a two-column page
_STYLE: dict[Any, Any] = {
    "font.size": 8,
    "font.family": "serif",
    "font.serif": ["STIXGeneral"],
    "mathtext.fontset": "stix",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "lines.linewidth": 1.2,
    "legend.frameon": False,
    "pdf.fonttype": 42,
    "svg.hashsalt": "lora-escape",
}
_HIGHEST_TIME = 1e6  # the divergences are cut there, and marked by their certified place


def save_figure(figure: Figure, path: Path, data: str, source: str) -> None:
    """Write a figure and, beside it as ``.csv``, its data; each whole or not at all.

    Arguments: ``path``, whose suffix names the format; ``data``, the CSV text; ``source``, the
    provenance kept in the file's metadata.
    """
    form = path.suffix[1:].lower()
    # No date: the same command writes the same bytes.
    metadata = {
        "pdf": {"Subject": source, "CreationDate": None},
        "svg": {"Description": source, "Date": None},
        "png": {"Description": source},
    }[form]
    with replacing(path) as temporary:
        figure.savefig(temporary, format=form, metadata=metadata, dpi=300, bbox_inches="tight")
    write_whole(path.with_suffix(".csv"), data)


def draw_escape_times(
    degrees: Sequence[int], labels: str, normalization: str, path: Path, source: str
) -> None:
    """Draw τ over μ for pure Hermite students, odd and even degrees apart (Fig. 2 b, d).

    Arguments: as ``hermite_drift``; ``path`` of the figure; ``source``, its provenance. Curves are
    certified doubles; dotted vertical lines are certified singularities.
    """
    panels = [
        (name, [n for n in degrees if n % 2 == parity])
        for name, parity in (("odd degrees", 1), ("even degrees", 0))
    ]
    panels = [(name, chosen) for name, chosen in panels if chosen]
    rows = []
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(COLUMN_WIDTH, 1.9 * len(panels) + 0.3), layout="constrained")
        axes = figure.subplots(len(panels), sharex=True, squeeze=False)[:, 0]
        for axis, (name, chosen) in zip(axes, panels, strict=True):
            for rank, n in enumerate(chosen):
                colour = matplotlib.colormaps["viridis"](0.85 * rank / max(len(chosen) - 1, 1))
                curve = _draw_curve(axis, n, labels, normalization, colour)
                rows += [
                    (n, *point)
                    for point in zip(curve.mu, curve.a, curve.b, curve.rate, curve.tau, strict=True)
                ]
            _finish(axis, name, normalization)
        axes[-1].set_xlabel(r"pre-training strength $\mu$")
        head = ("degree", "mu", "a", "b", "rate", "tau")
        save_figure(figure, path, as_csv(head, rows, source), source)


def _draw_curve(axis: Axes, n: int, labels: str, normalization: str, colour: tuple) -> EscapeCurve:
    drift = hermite_drift(n, labels, normalization)
    singular = [s for s in find_singularities(drift, digits=20) if s.diverges]
    curve = escape_curve(drift, _strengths([Fraction(s.mu.mid) for s in singular]))
    axis.plot(curve.mu, curve.tau, color=colour, label=f"$n={n}$")
    for s in singular:
        axis.axvline(float(s.mu), color=colour, linewidth=0.6, linestyle=":")
    return curve


def _strengths(singular: Sequence[Fraction]) -> list[Fraction]:
    """An even grid on (0, 1), closing in on the singularities by steps of a constant factor."""
    even = [Fraction(i, 200) for i in range(1, 200)]
    close = [
        centre + side * Fraction(10 ** -(k / 8)).limit_denominator(10**9)
        for centre in singular
        for side in (-1, 1)
        for k in range(8, 48)
    ]
    return sorted({mu for mu in even + close if 0 < mu < 1})


def _finish(axis: Axes, name: str, normalization: str) -> None:
    unit = r"units of $1/(\gamma\,n\,n!)$" if normalization == "n*n!" else r"units of $1/\gamma$"
    axis.set_yscale("log")
    axis.set_xlim(0, 1)
    low, high = axis.get_ylim()
    axis.set_ylim(low, min(high, _HIGHEST_TIME))
    axis.set_ylabel(rf"$\tau$  ({unit})")
    axis.set_title(name, loc="left", fontsize=8)
    axis.legend(
        ncols=5,
        fontsize=7,
        loc="lower right",
        bbox_to_anchor=(1, 1),
        borderpad=0,
        handlelength=0.9,
        handletextpad=0.4,
        columnspacing=0.9,
    )
