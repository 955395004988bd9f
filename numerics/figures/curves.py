"""Curves of a pair over the pre-training strength: escape time, drift, risk, mean.

``draw_curves`` draws one quantity of several pairs, with certified singularities as vertical lines.
The quantities are in ``numerics.figures.quantities``.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from math import ceil, log10, sqrt
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from derive.errors import InputError, quoted
from numerics.certified.singularities import Singularity, find_singularities
from numerics.figures.caption import (
    letter,
    listed,
    sentences,
    shown_name,
    shown_pair,
    spanned,
    unusual,
)
from numerics.figures.quantities import QUANTITIES, Lines, Member, Quantity
from numerics.figures.style import (
    MOST_IN_LEGEND,
    STRENGTH_LABEL,
    Drawn,
    add_degree_bar,
    column_width,
    degree_colours,
    degree_scale,
    drawn,
    looks_of,
    own_style,
    style_for,
)

_HIGHEST_TIME = 1e6  # the divergences are cut there, and marked by their certified place
SCALE = r"n\,n\mathrm{!}"  # what a and b of pure Hermite pairs are divided by
_MOST_TOLD = 8  # singularities that a caption lists


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

    The result is the figure's file, its data as CSV and its caption. After Fig. 1 (right), Fig. 2,
    Fig. 6. Curves are certified doubles; dotted vertical lines are certified singularities.
    """
    panels: dict[str, list[Member]] = {}
    for member in chosen:
        panels.setdefault(_panel(member), []).append(member)
    rows: list[tuple[Any, ...]] = []
    with own_style():
        figure = Figure(figsize=(column_width(), 1.9 * len(panels) + 0.4), layout="constrained")
        axes = figure.subplots(len(panels), sharex=True, squeeze=False)[:, 0]
        several = len(panels) > 1
        for place, (axis, (title, members)) in enumerate(zip(axes, panels.items(), strict=True)):
            alone = ", ".join(unusual(members[0][0]))  # which kinds they are, the legend says
            shown = f"({letter(place)}) {title}" if several else alone
            head, points = draw_panel(axis, shown, members, name, dimension)
            rows += points
        axes[-1].set_xlabel(STRENGTH_LABEL)
        if len({drift.normalization for _, drift in chosen}) == 1:
            share_range(list(axes))
        told = curves_told(panels, name, dimension)
        return drawn(figure, form, source, head, rows, told)


def draw_panel(
    axis: Axes,
    title: str,
    members: Sequence[Member],
    name: str,
    dimension: int,
    with_key: bool = True,
) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    """Draw a quantity of several pairs into one panel; return the head and rows of its data.

    Arguments:
        axis: where.
        title: above it.
        members: the pairs with their drifts.
        name: of the quantity.
        dimension: of an exit time.
        with_key: whether it says which line is which.
    """
    quantity, rows = QUANTITIES[name], []
    heights: list[np.ndarray] = []
    for member, look in zip(members, _looks(members, quantity), strict=True):
        lines = _draw_member(axis, member, quantity, dimension, look)
        heights += [_inside(lines["mu"], lines[each]) for each in quantity.drawn]
        points = zip(*lines.values(), strict=True)
        texts = member[0].texts
        names = (texts["teacher"], texts["student"], texts["labels"], member[1].normalization)
        rows += [(*names, *point) for point in points]
    _finish(axis, quantity, members, heights)
    axis.set_title(title)
    if with_key:
        _add_key(axis.figure, axis, title, members)
    return ("teacher", "student", "labels", "normalization", *lines), rows


def share_range(axes: Sequence[Axes]) -> None:
    """One range for panels that compare."""
    lows, highs = zip(*(axis.get_ylim() for axis in axes), strict=True)
    for axis in axes:
        axis.set_ylim(min(lows), max(highs))


def curves_told(
    panels: Mapping[str, Sequence[Member]], name: str, dimension: int, first: int = 0
) -> str:
    """The caption of curves: what each panel draws, in which units, and what its lines are.

    Arguments:
        panels: what each draws, by title.
        name: of a quantity.
        dimension: of the inputs.
        first: the place of the first letter, if there are several panels.
    """
    quantity, members = QUANTITIES[name], [m for panel in panels.values() for m in panel]
    several = len(panels) > 1
    parts = [
        (f"({letter(place)}) " if several else "") + _members_told(panel)
        for place, panel in enumerate(panels.values(), first)
    ]
    at = f" for {spanned('d', [dimension])}" if name == "exit-time" else ""
    return sentences(
        f"{quantity.said or quantity.label}{at} over the pre-training strength $\\mu$: "
        + "; ".join(parts),
        _units_told(quantity, members),
        "Curves are rounded from certified enclosures",
        *singularities_told(members, quantity),
    )


def _units_told(quantity: Quantity, members: Sequence[Member]) -> str:
    """In which units times and rates are."""
    scaled = {_degree(member) is not None for member in members}
    usual = r"times are in units of $1/\gamma$" if quantity.is_time else ""
    if True not in scaled or not (quantity.is_time or quantity.is_rate):
        return usual[:1].upper() + usual[1:]
    divided = rf"Of Hermite polynomials $a$ and $b$ are divided by ${SCALE}$"
    own = rf", and times are in units of $1/(\gamma\,{SCALE})$" if quantity.is_time else ""
    return divided + own + (f"; other {usual}" if usual and False in scaled else "")


def _members_told(members: Sequence[Member]) -> str:
    degrees = [n for member in members if (n := _degree(member))]
    own = unusual(members[0][0])
    if len(degrees) == len(members):
        low, high = min(degrees), max(degrees)
        whole = high - low > 2 and set(degrees) == set(range(low, high + 1))
        shown = f"{low} to {high}" if whole or len(degrees) > 10 else listed(map(str, degrees))
        own += ["even ones dashed"] if len({n % 2 for n in degrees}) > 1 else []
        return ", ".join([f"Hermite polynomials of degree $n=$ {shown}", *own])
    return ", ".join([listed(shown_name(pair) for pair, _ in members), *own])


def singularities_told(members: Sequence[Member], quantity: Quantity) -> list[str]:
    """What a caption says of the vertical lines, with their places if they are few."""
    if not quantity.is_time:
        return []
    found = [(member, s) for member in members for s in _diverging(*member)]
    if not found:
        return []
    places = listed(
        rf"$\mu_\star={float(s.mu):.4f}$ ({shown_pair(member[0])})" for member, s in found
    )
    told = f": {places}" if len(found) <= _MOST_TOLD else ""
    return [f"Dotted vertical lines are certified singularities, where the time is infinite{told}"]


def draw_on(ax: Axes | None, chosen: Sequence[Member], name: str, dimension: int = 1000) -> Axes:
    """Draw a quantity over μ on given axes, or on those of a new figure of column width.

    Arguments:
        ax: given axes, or ``None`` for those of a new figure of column width.
        chosen: pairs, each with its drift.
        name: of a quantity.
        dimension: of the inputs.

    On given axes the settings of matplotlib that are in force stay.

    Raises ``InputError`` for a quantity that there is not.
    """
    if name not in QUANTITIES:
        raise InputError(
            f"quantity {quoted(name)} is not known: choose from {', '.join(QUANTITIES)}"
        )
    with style_for(ax):
        if ax is None:
            ax = Figure(figsize=(column_width(), 2.2), layout="constrained").subplots()
        draw_panel(ax, "", chosen, name, dimension)
        ax.set_xlabel(STRENGTH_LABEL)
    return ax


Style = dict[str, Any]


def _looks(members: Sequence[Member], quantity: Quantity) -> list[Style]:
    """How each pair is drawn: degrees by their colours, with dashes for even ones among odd ones;
    others by their activation's colour and, if one line is drawn of each, its dashes.
    """
    degrees = [_degree(member) for member in members]
    known = [n for n in degrees if n]
    mixed = len({n % 2 for n in known}) > 1
    named = iter(looks_of([_key(m) for m, n in zip(members, degrees, strict=True) if not n]))
    scale = degree_scale(known)
    styles: list[Style] = []
    for n in degrees:
        if n:
            dash: Any = (0, (4, 1.2)) if mixed and n % 2 == 0 else "-"
            styles.append({"color": degree_colours()(scale(n)), "linestyle": dash})
        else:
            look = next(named)
            styles.append({"color": look.colour, "linestyle": look.dash})
    return styles if len(quantity.drawn) == 1 else [{"color": s["color"]} for s in styles]


def _key(member: Member) -> str:
    texts = member[0].texts
    teacher, student = texts["teacher"], texts["student"]
    return student if teacher == student else f"{teacher} -> {student}"


def _degree(member: Member) -> int | None:
    """The degree of a pure Hermite pair in its own unit of time; others are told by name."""
    pair, drift = member
    return pair.degree if drift.normalization == "n*n!" else None


def _panel(member: Member) -> str:
    degree = _degree(member)
    kind = "activations" if degree is None else ("even degrees", "odd degrees")[degree % 2]
    return ", ".join([kind, *unusual(member[0])])


def _draw_member(
    axis: Axes, member: Member, quantity: Quantity, dimension: int, look: Style
) -> Lines:
    pair = member[0]
    singular = _diverging(*member) if quantity.is_time else ()
    lines = _lines(member, quantity, _strengths(singular), dimension)
    degree = _degree(member)
    label = f"$n={degree}$" if degree else shown_name(pair)
    several = len(quantity.drawn) > 1
    for name, dash in zip(quantity.drawn, ("-", "--"), strict=False):
        settings = {**look, "linestyle": dash} if several else look
        axis.plot(lines["mu"], lines[name], **settings, label=label)
        label = "_nolegend_"
    for s in singular:
        axis.axvline(float(s.mu), color=look["color"], linewidth=0.6, linestyle=":")
    return lines


@lru_cache(maxsize=256)  # a figure draws them, and its caption lists them
def _diverging(pair: Any, drift: Any) -> tuple[Singularity, ...]:
    """Where the escape time of a pair is infinite.

    Off the teacher's direction the escape goes on through κ where a = 0: nothing diverges there.
    """
    if pair.misalignment != 0:
        return ()
    return tuple(s for s in find_singularities(drift, digits=20) if s.diverges)


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


def _inside(mu: Sequence[float], values: Sequence[float]) -> np.ndarray:
    """The values at the even grid, away from the ends."""
    found = [v for x, v in zip(mu, values, strict=True)
             if 0.02 <= x <= 0.98 and abs(200 * x - round(200 * x)) < 1e-9]  # fmt: skip
    return np.array(found or list(values), dtype=float)


def _finish(
    axis: Axes, quantity: Quantity, members: Sequence[Member], heights: Sequence[np.ndarray]
) -> None:
    label = quantity.label
    scaled = members[0][1].normalization == "n*n!"  # alike in all of a panel
    if quantity.is_time:
        label += rf"  (units of $1/(\gamma\,{SCALE})$)" if scaled else r"  (units of $1/\gamma$)"
    elif quantity.is_rate and scaled:
        label += rf"  (units of ${SCALE}$)"
    axis.set_yscale(quantity.scale)
    axis.set_xlim(0, 1)
    if quantity.is_time:
        axis.set_ylim(*_shown_times(heights))
    elif quantity.scale == "log":
        axis.set_ylim(bottom=min(float(each.min()) for each in heights) / 2)
    axis.set_ylabel(label)


def _shown_times(heights: Sequence[np.ndarray]) -> tuple[float, float]:
    """The interesting part of times: a divergence at an end is not to squash all else.

    From the shortest to ten times what nine tenths of the strengths stay below.
    """
    low = min(float(each.min()) for each in heights)
    high = max(float(np.quantile(each, 0.9)) for each in heights)
    return low / 1.5, min(max(10 * high, 100 * low), max(_HIGHEST_TIME, 1.5 * low))


def _add_key(figure: Figure | SubFigure, axis: Axes, title: str, members: Sequence[Member]) -> None:
    """Say which curve is which: a legend above the panel, or a colour bar for many degrees."""
    degrees = [n for member in members if (n := _degree(member))]
    if len(degrees) > MOST_IN_LEGEND:
        add_degree_bar(figure, axis, degrees, pad=0.02)
        return
    legend = None
    for columns in range(min(len(members), 6), 0, -1):
        legend = axis.legend(ncols=columns, loc="lower left", bbox_to_anchor=(0, 1), borderpad=0)
        if columns == 1 or legend.get_window_extent().width < 0.8 * _room(axis):
            break
    lines = ceil(len(members) / columns)
    axis.set_title(title, pad=6 + 11 * lines)


def _room(axis: Axes) -> float:
    """Pixels of a column of panels."""
    place = axis.get_subplotspec()
    assert axis.figure is not None
    width: float = axis.figure.bbox.width
    return width / place.get_gridspec().ncols if place else width
