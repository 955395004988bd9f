"""The diagram of ends: where runs end, over the strength and the overlap at which labels switch.

Below it, runs without a first stage. Cells are exact or certified, but for the crossed ones, which
are heuristic; bars enclose the switch at which the end changes.
"""

from collections.abc import Mapping, Sequence
from itertools import cycle, pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from derive.command.palette import OKABE_ITO
from numerics.figures.caption import sentences
from numerics.figures.style import (
    STRENGTH_LABEL,
    Drawn,
    column_width,
    drawn,
    letter_panels,
    own_style,
    page_width,
    small,
)

_STRIP = (-0.16, -0.05)  # where runs without a first stage are drawn
_OPEN = "open"
_KNOWN = {"teacher": OKABE_ITO["sky"], "null student": OKABE_ITO["vermillion"]}
_OTHERS = [OKABE_ITO[name] for name in ("green", "orange", "purple", "blue", "black")]
Data = Mapping[str, Any]
Rows = list[tuple[Any, ...]]


def draw_ends(records: Sequence[Data], title: str, form: str, source: str) -> Drawn:
    """Draw the ends of one pair over strengths and switches, a row of panels a first stage.

    Arguments:
        records: of ``numerics.fate``, one a strength, in increasing order.
        title: which pair they are of.
        form: ``pdf``, ``png`` or ``svg``.
        source: provenance that is written into both.

    The result is the figure's file, its data as CSV and its caption.
    """
    firsts = list(dict.fromkeys(stage["first"] for r in records for stage in r["stages"]))
    rows: Rows = []
    titles: list[str] = []
    with own_style():
        shades = _shades(records)
        wide = bool(firsts)
        size = (page_width() if wide else column_width(), 2.2 * max(len(firsts), 1) + 0.6)
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.subplots(max(len(firsts), 1), 2 if wide else 1, sharex=True, sharey=True,
                               squeeze=False)  # fmt: skip
        for line, first in zip(axes, firsts or [""], strict=True):
            for axis, flip in zip(line, (False, True), strict=False):
                rows += _panel(axis, records, (first, flip), shades)
                how = "flipped if $um<0$" if flip else "as it is"
                titles.append(f"first {first[:24]}; $u$ {how}")
            line[0].set_ylabel("switch at $|m|$")
        for axis in axes[-1]:
            axis.set_xlabel(STRENGTH_LABEL)
        if wide:
            letter_panels(axes.ravel(), titles)
        figure.suptitle(title, fontsize="medium")
        figure.legend(handles=_legend(shades, rows), loc="outside lower center",
                      ncols=5 if wide else 2, fontsize=small())  # fmt: skip
        head = ("first", "flip", "mu", "switch_low", "switch_high", "end", "certainty")
        return drawn(figure, form, source, head, rows, _told(title, wide))


def _told(title: str, staged: bool) -> str:
    return sentences(
        f"Where runs of {title} end, over the pre-training strength $\\mu$"
        + (" and the overlap $|m|$ at which a first stage with other labels ends; the lowest strip "
           "is without a first stage; on the left $u$ stays as it is at the switch, on the right "
           "its sign is flipped if $um<0$" if staged else ""),
        "Colours are ends, proved or certified; crossed cells are heuristic, white ones open. "
        "Vertical bars enclose where the end changes, dotted lines are singularities",
    )  # fmt: skip


def _panel(
    axis: Axes, records: Sequence[Data], which: tuple[str, bool], shades: Mapping[str, Any]
) -> Rows:
    """Cells of one first stage with the sign of u as it is or flipped."""
    rows: Rows = []
    strengths = [r["mu"] for r in records]
    for record, (left, right) in zip(records, _cells(strengths, 0.0, 1.0), strict=True):
        mu = record["mu"]
        _cell(axis, (left, right), _STRIP, record["escape"], shades)
        rows.append(("none", False, mu, None, None, *_end(record["escape"])))
        stages = [s for s in record["stages"] if (s["first"], s["flip"]) == which]
        levels = _cells([s["switch"] for s in stages], 0.0, 1.0)
        for stage, level in zip(stages, levels, strict=True):
            _cell(axis, (left, right), level, stage, shades)
            rows.append((*which, mu, stage["switch"], stage["switch"], *_end(stage)))
        for border in record["borders"]:
            if (border["first"], border["flip"]) == which:
                middle, half = (border["low"] + border["high"]) / 2, border["high"] - border["low"]
                for colour, width in (("w", 2.4), ("k", 1.0)):  # seen on dark and light
                    axis.errorbar(mu, middle, yerr=half / 2, color=colour, elinewidth=width,
                                  capsize=2.5, capthick=width, zorder=5)  # fmt: skip
                end = f"{border['below']} | {border['above']}"
                rows.append((*which, mu, border["low"], border["high"], end, border["certainty"]))
    for line in records[0]["singularities"]:
        axis.axvline(line["mu"], color="k", ls=":", lw=0.9, zorder=4)
    _finish(axis, records, bool(which[0]))
    return rows


def _finish(axis: Axes, records: Sequence[Data], staged: bool) -> None:
    cells = _cells([r["mu"] for r in records], 0.0, 1.0)
    axis.set_xlim(cells[0][0], cells[-1][1])
    axis.set_ylim(_STRIP[0] - 0.02, 1.0 if staged else 0.0)
    ticks = [0.0, 0.25, 0.5, 0.75, 1.0] if staged else []
    axis.set_yticks([sum(_STRIP) / 2, *ticks], ["none", *(f"{x:g}" for x in ticks)])


def _cells(places: Sequence[float], least: float, most: float) -> list[tuple[float, float]]:
    """Neighbouring intervals around places, cut half way."""
    if not len(places):
        return []
    middles = (np.array(places[1:]) + np.array(places[:-1])) / 2
    first = 2 * places[0] - middles[0] if len(middles) else least
    last = 2 * places[-1] - middles[-1] if len(middles) else most
    edges = [max(first, least), *middles, min(last, most)]
    return list(pairwise(edges))


def _cell(
    axis: Axes,
    across: tuple[float, float],
    up: tuple[float, float],
    told: Data,
    shades: Mapping[str, Any],
) -> None:
    name, certainty = _end(told)
    size = across[1] - across[0], up[1] - up[0]
    hatch = "xxxx" if certainty == "heuristic" else None
    axis.add_patch(Rectangle((across[0], up[0]), *size, facecolor=shades[name], hatch=hatch,
                             edgecolor="0.6", lw=0.2))  # fmt: skip


def _end(told: Data) -> tuple[str, str]:
    return told["end"] or _OPEN, told["certainty"]


def _shades(records: Sequence[Data]) -> dict[str, Any]:
    """A colour for each end, which differ in lightness; white for what is open."""
    told = [end for r in records for end in (r["escape"], *r["stages"])]
    names = dict.fromkeys(_end(each)[0] for each in told)
    others = [name for name in names if name not in _KNOWN and name != _OPEN]
    chosen = _KNOWN | dict(zip(others, cycle(_OTHERS), strict=False)) | {_OPEN: "w"}
    return {name: chosen[name] for name in names}


def _legend(shades: Mapping[str, Any], rows: Rows) -> list[Any]:
    handles: list[Any] = [
        Patch(facecolor=shade, edgecolor="0.6", label=f"ends at {name}" if name != _OPEN else name)
        for name, shade in shades.items()
    ]
    if any(row[-1] == "heuristic" for row in rows):
        handles.append(Patch(facecolor="w", edgecolor="0.6", hatch="xxxx", label="heuristic"))
    if any("|" in row[5] for row in rows):
        handles.append(
            Line2D([], [], color="k", marker=r"$\mathrm{I}$", ls="", label="change, enclosed")
        )
    return [*handles, Line2D([], [], color="k", ls=":", label="singularity")]
