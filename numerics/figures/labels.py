"""Labels of optimal design: their escape times over μ, and the transforms themselves."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from derive.command.palette import OKABE_ITO
from numerics.dynamics.judged_labels import Judged
from numerics.figures.caption import listed, number, sentences, shown_pair
from numerics.figures.style import (
    STRENGTH_LABEL,
    Drawn,
    column_width,
    drawn,
    letter_panels,
    own_style,
)

_KINDS = ("raw", "squared", "polynomial", "optimum")
_DASHES = ("--", ":", "-.", "-")
_COLOURS = [OKABE_ITO[name] for name in ("black", "vermillion", "orange", "blue")]
_TOLD = (
    "Labels are the teacher's output (raw), its square (squared), the best polynomial and the best "
    "transform of the same norm (optimum)"
)
_JUMP = 0.25  # of what a transform spans: a step between neighbours that is drawn as a gap
_HIGHEST = 1e6  # of τ

Rows = list[tuple[Any, ...]]


def draw_rates(points: Sequence[Sequence[Judged]], form: str, source: str) -> Drawn:
    """Draw τ of all labels over μ, one panel a pair. Dotted: those that lead away.

    Arguments:
        points: of each pair, those of its strengths.
        form: ``pdf``, ``png`` or ``svg``.
        source: provenance that is written into both.

    The result is the figure's file and its data as CSV. The optimum is certified.
    """

    def panel(axis: Axes, members: Sequence[Judged]) -> Rows:
        rows: Rows = []
        for kind, dash, colour in zip(_KINDS, _DASHES, _COLOURS, strict=True):
            found = [(float(point.mu), point.found[kind]) for point in members]
            times = [np.nan if labels is None else labels.tau for _, labels in found]
            axis.plot([mu for mu, _ in found], times, dash, color=colour, label=kind)
            away = [(mu, labels.tau) for mu, labels in found if labels and labels.a < 0]
            axis.plot(*(zip(*away, strict=True) if away else ([], [])), "x", color=colour, ms=3)
            rows += [(*_names(members[0]), kind, mu, tau, None if labels is None else labels.a > 0)
                     for (mu, labels), tau in zip(found, times, strict=True)]  # fmt: skip
        axis.set_yscale("log")
        low, high = axis.get_ylim()
        axis.set_ylim(low, min(high, _HIGHEST))
        axis.set_ylabel(r"$\tau$  (units of $1/\gamma$; $\times$: away)")
        return rows

    head = ("teacher", "student", "labels", "mu", "tau", "towards_teacher")
    told = sentences(
        "Escape time $\\tau$, in units of $1/\\gamma$, over the pre-training strength $\\mu$ with "
        f"different labels, of {_pairs(points)}",
        f"{_TOLD}; the optimum's rate is certified, the others are computed in doubles",
        r"Crosses mark labels that lead away from the teacher, $a<0$",
    )
    with own_style():
        figure, rows = _figure(points, panel, STRENGTH_LABEL)
        return drawn(figure, form, source, head, rows, told)


def draw_transforms(points: Sequence[Sequence[Judged]], form: str, source: str) -> Drawn:
    """Draw the transforms of one strength over the output, one panel a pair.

    Arguments:
        points: of one strength, one sequence a pair.
        form: ``pdf``, ``png`` or ``svg``.
        source: provenance, kept in the files.

    The result is as of ``draw_rates``. Heuristic: they are drawn from doubles.
    """

    def panel(axis: Axes, members: Sequence[Judged]) -> Rows:
        (point,) = members
        rule, rows = point.judge.rule(point.mu), []
        order = np.argsort(rule.outputs)
        inner = np.cumsum(rule.masses[order])
        order = order[(inner > 0.005) & (inner < 0.995)]
        y = rule.outputs[order]
        for kind, dash, colour in zip(_KINDS, _DASHES, _COLOURS, strict=True):
            labels = point.found[kind]
            if labels is None:
                continue
            values = labels.values[order]
            if kind != "squared":  # which dwarfs the others
                axis.plot(*_with_gaps(y, values), dash, color=colour, label=kind)
            pairs = zip(y, values, strict=True)
            rows += [(*_names(point), float(point.mu), kind, *pair) for pair in pairs]
        axis.set_ylabel("$T(y)$")
        return rows

    head = ("teacher", "student", "mu", "labels", "y", "value")
    strengths = listed(f"${number(float(point.mu))}$" for (point,) in points)
    told = sentences(
        f"Transforms $T(y)$ of the teacher's output $y$ at $\\mu=$ {strengths}, of "
        f"{_pairs(points)}",
        f"{_TOLD}; squared labels, far larger, are in the data alone. Drawn from doubles, over the "
        "inner 99 per cent of $y$",
    )
    with own_style():
        figure, rows = _figure(points, panel, "teacher's output $y$")
        return drawn(figure, form, source, head, rows, told)


def _pairs(points: Sequence[Sequence[Judged]]) -> str:
    return listed(shown_pair(members[0].judge.pair) for members in points)


def _with_gaps(x: Any, y: Any) -> tuple[list[float], list[float]]:
    """A curve with a break where it jumps."""
    most = _JUMP * float(np.ptp(y))
    places, values = [float(x[0])], [float(y[0])]
    for (_, old), (place, new) in pairwise(zip(x, y, strict=True)):
        if abs(new - old) > most:
            places.append(float(place))
            values.append(float("nan"))
        places.append(float(place))
        values.append(float(new))
    return places, values


def _figure(
    points: Sequence[Sequence[Judged]], panel: Callable[[Axes, Sequence[Judged]], Rows], below: str
) -> tuple[Figure, Rows]:
    rows: Rows = []
    figure = Figure(figsize=(column_width(), 2.1 * len(points) + 0.3), layout="constrained")
    axes = figure.subplots(len(points), squeeze=False)[:, 0]
    for axis, members in zip(axes, points, strict=True):
        rows += panel(axis, members)
        axis.set_title(shown_pair(members[0].judge.pair))
        axis.legend()
    axes[-1].set_xlabel(below)
    if len(points) > 1:
        letter_panels(axes, [axis.get_title(loc="left") for axis in axes])
    return figure, rows


def _names(point: Judged) -> tuple[str, str]:
    return point.judge.pair.teacher.text, point.judge.pair.student.text
