"""Curves of a pair over the pre-training strength: escape time, drift, risk, mean, potential.

``draw_curves`` draws one quantity of several pairs, with certified singularities as vertical lines.
The quantities are in ``numerics.figures.quantities``.
"""

from bisect import bisect_left
from collections.abc import Sequence
from fractions import Fraction
from math import ceil, log10, sqrt
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure, SubFigure

from derive.errors import InputError
from derive.tables.names import pair_name
from numerics.certified.escape import escape_curve
from numerics.certified.singularities import Singularity, find_singularities
from numerics.figures.quantities import QUANTITIES, Lines, Member, Quantity
from numerics.figures.style import COLUMN_WIDTH, Drawn, colours, drawn, own_style

_MOST_IN_LEGEND = 6
_HIGHEST_TIME = 1e6  # the divergences are cut there, and marked by their certified place
_SCALE = r"n\,n\mathrm{!}"  # what a and b of pure Hermite pairs are divided by
STRENGTH_LABEL = r"pre-training strength $\mu$"
_ASIDE = np.linspace(-3, 3, 121)  # places g at which a potential is drawn


def draw_curves(
    chosen: Sequence[Member], name: str, dimension: int, form: str, source: str
) -> Drawn:
    """Draw a quantity over μ, one curve a pair; odd and even Hermite degrees and the rest apart.

    Arguments:
        chosen: pairs and drifts.
        name: one of ``QUANTITIES``.
        dimension: for the exit time.
        form: ``pdf``, ``png`` or ``svg``.
        source: provenance that is written into both.

    The result is the figure's file and its data as CSV. After Fig. 1 (right), Fig. 2 (b)-(d), Fig.
    6. Curves are certified doubles; dotted vertical lines are certified singularities.
    """
    panels: dict[str, list[Member]] = {}
    for member in chosen:
        panels.setdefault(_panel(member), []).append(member)
    rows: list[tuple[Any, ...]] = []
    with own_style():
        figure = Figure(figsize=(COLUMN_WIDTH, 1.9 * len(panels) + 0.3), layout="constrained")
        axes = figure.subplots(len(panels), sharex=True, squeeze=False)[:, 0]
        for axis, (title, members) in zip(axes, panels.items(), strict=True):
            head, points = draw_panel(figure, axis, title, members, name, dimension)
            rows += points
        axes[-1].set_xlabel(STRENGTH_LABEL)
        return drawn(figure, form, source, head, rows)


def draw_panel(
    figure: Figure | SubFigure,
    axis: Axes,
    title: str,
    members: Sequence[Member],
    name: str,
    dimension: int,
) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    """Draw a quantity of several pairs into one panel; return the head and rows of its data."""
    quantity, rows = QUANTITIES[name], []
    places = [_degree(member) or rank for rank, member in enumerate(members)]
    for place, member in zip(places, members, strict=True):
        lines = _draw_member(axis, member, quantity, dimension, _shade(place, places))
        points = zip(*lines.values(), strict=True)
        texts = member[0].texts
        names = (texts["teacher"], texts["student"], texts["labels"], member[1].normalization)
        rows += [(*names, *point) for point in points]
    _finish(axis, quantity, members)
    _add_key(figure, axis, title, members)
    return ("teacher", "student", "labels", "normalization", *lines), rows


def draw_on(ax: Axes | None, chosen: Sequence[Member], name: str, dimension: int = 1000) -> Axes:
    """Draw a quantity over μ on given axes, or on those of a new figure of column width.

    Raises ``InputError`` for a quantity that there is not.
    """
    if name not in QUANTITIES:
        raise InputError(f"quantity {name!r} is not known: choose from {', '.join(QUANTITIES)}")
    with own_style():
        if ax is None:
            ax = Figure(figsize=(COLUMN_WIDTH, 2.2), layout="constrained").subplots()
        draw_panel(ax.figure, ax, "", chosen, name, dimension)
        ax.set_xlabel(STRENGTH_LABEL)
    return ax


def draw_potentials(
    chosen: Sequence[Member], strengths: Sequence[Fraction], form: str, source: str
) -> Drawn:
    r"""Draw the mechanical potential :math:`V(g) = -a^2 \log\cosh g`, one curve a strength.

    Arguments and result as ``draw_curves``, with one panel a pair. After Fig. 8; (86), (90).
    """
    rows: list[tuple[Any, ...]] = []
    with own_style():
        figure = Figure(figsize=(COLUMN_WIDTH, 1.9 * len(chosen) + 0.3), layout="constrained")
        axes = figure.subplots(len(chosen), sharex=True, squeeze=False)[:, 0]
        for axis, member in zip(axes, chosen, strict=True):
            rows += _draw_potential(figure, axis, member, strengths)
        axes[-1].set_xlabel(r"$g = \mathrm{artanh}\, m$")
        head = ("teacher", "student", "normalization", "mu", "g", "potential")
        return drawn(figure, form, source, head, rows)


def _draw_potential(
    figure: Figure, axis: Axes, member: Member, strengths: Sequence[Fraction]
) -> list[tuple[Any, ...]]:
    pair, drift = member
    curve, rows = escape_curve(drift, strengths), []
    for mu, a in zip(curve.mu, curve.a, strict=True):
        potential = -(a * a) * np.log(np.cosh(_ASIDE))
        if not np.isfinite(potential).all():
            raise InputError(
                f"the potential of {pair_name(pair).plain[:60]} at μ = {mu:.3g} leaves the range "
                "of doubles: give a smaller argument or factor, or a lower degree"
            )
        axis.plot(_ASIDE, potential, color=_shade(mu, curve.mu), label=rf"$\mu={mu:.3g}$")
        values = zip(_ASIDE, potential, strict=True)
        names = (pair.teacher.text, pair.student.text, drift.normalization)
        rows += [(*names, mu, *point) for point in values]
    scaled = drift.normalization == "n*n!"
    axis.set_ylabel("potential $V$" + (rf"  (units of $({_SCALE})^2$)" if scaled else ""))
    axis.set_title(pair_name(pair).plain, loc="left", fontsize=8)
    if len(strengths) <= _MOST_IN_LEGEND:
        axis.legend(fontsize=7)
    else:
        shades = ScalarMappable(Normalize(min(curve.mu), max(curve.mu)), colours())
        figure.colorbar(shades, ax=axis, pad=0.02, label=r"$\mu$")
    return rows


def _shade(place: float, places: Sequence[float]) -> tuple[Any, ...]:
    scale = Normalize(min(places), max(*places, min(places) + 1e-9))
    return colours()(scale(place))


def _degree(member: Member) -> int | None:
    """The degree of a pure Hermite pair in its own unit of time; others are told by name."""
    pair, drift = member
    return pair.degree if drift.normalization == "n*n!" else None


def _panel(member: Member) -> str:
    degree, texts = _degree(member), member[0].texts
    kind = "activations" if degree is None else ("even degrees", "odd degrees")[degree % 2]
    usual = {"labels": "matched", "loss": "square", "misalignment": "none"}
    special = [f"{texts[name]} {name}" for name, known in usual.items() if texts[name] != known]
    return ", ".join([kind, *special])


def _draw_member(
    axis: Axes, member: Member, quantity: Quantity, dimension: int, colour: tuple[Any, ...]
) -> Lines:
    pair, drift = member
    # Off the teacher's direction the escape goes on through κ where a = 0: nothing diverges there.
    aligned = quantity.is_time and pair.misalignment == 0
    found = find_singularities(drift, digits=20) if aligned else ()
    singular = [s for s in found if s.diverges]
    lines = _lines(member, quantity, _strengths(singular), dimension)
    degree = _degree(member)
    label = f"$n={degree}$" if degree else pair_name(pair).plain
    for name, dash in zip(quantity.drawn, ("-", "--"), strict=False):
        axis.plot(lines["mu"], lines[name], dash, color=colour, label=label)
        label = "_nolegend_"
    for s in singular:
        axis.axvline(float(s.mu), color=colour, linewidth=0.6, linestyle=":")
    return lines


def _lines(
    member: Member, quantity: Quantity, strengths: Sequence[Fraction], dimension: int
) -> Lines:
    """Without the weakest strengths where, of a student with a bias, no double holds the values."""

    def held(mu: Fraction) -> bool:
        try:
            quantity.lines(member, [mu], dimension)
        except InputError:
            return False
        return True

    try:
        return quantity.lines(member, strengths, dimension)
    except InputError:
        first = bisect_left(strengths, True, key=held)
        if not 0 < first < len(strengths):
            raise
    return quantity.lines(member, strengths[first:], dimension)


def _strengths(singular: Sequence[Singularity]) -> list[Fraction]:
    """An even grid on (0, 1), closing in on the ends and on the singularities.

    Towards a singularity it goes, by a constant factor a step, as far as the local law needs to
    pass the highest time shown.
    """
    even = [Fraction(i, 200) for i in range(1, 200)]
    ends = [
        abs(end - Fraction(10 ** -(k / 8)).limit_denominator(10**9))
        for end in (0, 1)
        for k in range(18, 28)
    ]
    close = []
    for s in singular:
        constant = float(s.constant) if s.constant else 1.0
        nearest = min(max(sqrt(constant / _HIGHEST_TIME) / 30, 1e-14), 1e-3)
        steps = ceil(8 * log10(0.1 / nearest))
        for k in range(steps + 1):
            distance = Fraction(0.1 * (nearest / 0.1) ** (k / steps)).limit_denominator(10**18)
            close += [Fraction(s.mu.mid) + distance, Fraction(s.mu.mid) - distance]
    return sorted({mu for mu in even + ends + close if 0 < mu < 1})


def _finish(axis: Axes, quantity: Quantity, members: Sequence[Member]) -> None:
    label = quantity.label
    scaled = members[0][1].normalization == "n*n!"  # alike in all of a panel
    if quantity.is_time:
        label += rf"  (units of $1/(\gamma\,{_SCALE})$)" if scaled else r"  (units of $1/\gamma$)"
    elif quantity.is_rate and scaled:
        label += rf"  (units of ${_SCALE}$)"
    axis.set_yscale(quantity.scale)
    axis.set_xlim(0, 1)
    if quantity.is_time:
        low, high = axis.get_ylim()
        # Of a bias times reach 1e300, and the margin below many decades.
        axis.set_ylim(max(low, axis.dataLim.y0 / 10), min(high, _HIGHEST_TIME))
    axis.set_ylabel(label)


def _add_key(figure: Figure | SubFigure, axis: Axes, name: str, members: Sequence[Member]) -> None:
    """Say which curve is which: a legend above the panel, or a colour bar for many degrees."""
    axis.set_title(name, loc="left", fontsize=8)
    degrees = [n for member in members if (n := _degree(member))]
    if len(degrees) > _MOST_IN_LEGEND:
        scale = ScalarMappable(Normalize(min(degrees), max(degrees)), colours())
        figure.colorbar(scale, ax=axis, pad=0.02, label="degree $n$")
        return
    columns = 5 if len(members) <= 5 else 3
    lines = ceil(len(members) / columns)
    beside = len(members) <= 3 and len(name) < 16  # else the title stands above the legend
    axis.set_title(name, loc="left", fontsize=8, pad=4 if beside else 4 + 10 * lines)
    axis.legend(
        ncols=columns,
        fontsize=7,
        loc="lower right",
        bbox_to_anchor=(1, 1),
        borderpad=0,
        handlelength=0.9,
        handletextpad=0.4,
        columnspacing=0.9,
    )
