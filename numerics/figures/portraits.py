r"""Phase portraits of the flow: what rests, what each is, and the curves that part the basins.

They are drawn over u and φ = arcsin m, in which the flow is a gradient and the directions of a rest
point are orthogonal. Rest points and what they are come from exact lists; curves are followed in
doubles, heuristic. At a singularity a whole line rests: solid where it attracts, dotted where not.
"""

from collections.abc import Iterator, Sequence, Set
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from scipy.integrate import solve_ivp

from derive.command.palette import OKABE_ITO
from derive.pair import Pair
from numerics.certified.flow import BallFlow
from numerics.certified.rest_points import Placed, SingularLine, placed, singular_lines
from numerics.doubles.arrays import Doubles
from numerics.dynamics.flow import Flow, flow_of
from numerics.figures.caption import number, sentences, shown_pair
from numerics.figures.style import (
    Drawn,
    column_width,
    drawn,
    letter_panels,
    own_style,
    small,
)

_MARKS = {"sink": ("o", True), "saddle": ("X", True), "source": ("o", False),
          "degenerate": ("D", False)}  # fmt: skip
_SHADES = {"stable": OKABE_ITO["purple"], "unstable": OKABE_ITO["green"],
           "u at rest": OKABE_ITO["blue"], "m at rest": OKABE_ITO["orange"]}  # fmt: skip
_RESTS = {"u at rest": (r"$\dot u=0$", ":"), "m at rest": (r"$\dot m=0$", "-.")}
_GRID = 121  # points a side for nullclines
_ASIDE = 1e-3  # of a saddle, where its curves begin
_TIME = 60.0  # over the slower rate of a saddle, for which its curves are followed
_MARGIN = 1.2  # of u, beyond all that rests
_STUB = 0.09  # of a direction, by the height of a panel
_TICKS = (-1.0, -0.8, -0.5, 0.0, 0.5, 0.8, 1.0)  # of m
Rows = list[tuple[Any, ...]]


def draw_portrait(
    pair: Pair,
    flow: BallFlow,
    form: str,
    source: str,
    enclosed: Sequence[tuple[float, float, float]] = (),
) -> Drawn:
    """Draw the phase portrait of a pair at a strength and, below, at its nearest singularity.

    Arguments:
        pair: of polynomials.
        flow: its flow, at the strength.
        form: ``pdf``, ``png`` or ``svg``.
        source: provenance that is written into both.
        enclosed: u and the ends in m of crossings of separatrices, as bars; certified.

    The result is the figure's file, its data as CSV and its caption. Rest points are exact, curves
    heuristic.
    """
    mu = float(flow.mu.p) / float(flow.mu.q)
    lines = sorted(singular_lines(flow), key=lambda line: abs(float(line.rho) - mu))[:1]
    with own_style():
        size = (column_width(), 2.6 * (1 + len(lines)) + 0.5)
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.subplots(1 + len(lines), sharex=True, squeeze=False)[:, 0]
        at = [flow, *(replace(flow, mu=line.rho.mid().fmpq()) for line in lines)]
        # Panels share their range of u: that of all that rests off their lines.
        widest = _MARGIN * max([1e-3, *(abs(float(p.u)) for each in at for p in placed(each))])
        rows = [*_panel(axes[0], pair, flow, widest), *_draw_enclosed(axes[0], mu, enclosed)]
        titles = [rf"{shown_pair(pair)}, $\mu={number(mu, 4)}$"]
        for axis, singular, line in zip(axes[1:], at[1:], lines, strict=True):
            rows += _panel(axis, pair, singular, widest, line)
            titles.append(rf"at the singularity, $\mu={number(float(line.rho), 4)}$")
        if lines:
            letter_panels(axes, titles)
        else:
            axes[0].set_title(titles[0])
        axes[-1].set_xlabel("scale $u$")
        handles = _legend({row[1] for row in rows}, bool(lines), bool(enclosed))
        figure.legend(handles=handles, loc="outside upper center", ncols=3,
                      fontsize=small(), handlelength=1.8)  # fmt: skip
        head = ("mu", "what", "of_rho", "of_residual", "u", "m")
        return drawn(figure, form, source, head, rows, _told(pair, mu, lines, bool(enclosed)))


def _told(pair: Pair, mu: float, lines: Sequence[SingularLine], enclosed: bool) -> str:
    return sentences(
        f"Phase portrait of {shown_pair(pair)} at $\\mu={number(mu, 4)}$ in the scale $u$ and the "
        "overlap $m$",
        "Marks are all rest points of the flow, from exact lists, with their directions: filled "
        "circles attract, crosses are saddles, open circles repel. Solid curves part the basins, "
        "dashed ones lead out of saddles, on dotted ones $u$ rests, on dash-dotted ones $m$; "
        "curves and grey directions are computed in doubles, heuristic",
        "Black bars enclose where separatrices cross a scale, certified" if enclosed else "",
        "(b) The same at the nearest singularity, where a whole line rests (thick; solid where it "
        "attracts)" if lines else "",
    )  # fmt: skip


def _panel(
    axis: Axes, pair: Pair, ball_flow: BallFlow, widest: float, line: SingularLine | None = None
) -> Rows:
    """One portrait; at a singularity without the search phase and the edge that are on its line."""
    mu = float(ball_flow.mu.p) / float(ball_flow.mu.q)
    flow = flow_of(pair, mu)
    points = [p for p in placed(ball_flow) if line is None or abs(float(p.u)) > 1e-9]
    _draw_field(axis, flow, widest)
    rows: Rows = []
    for point in points:
        for sign in (1, -1):
            if point.stability == "saddle":
                rows += _draw_curves(axis, flow, point, sign, widest)
            rows.append(_draw_point(axis, mu, point, sign, widest))
    if line is not None:
        rows += _draw_line(axis, mu, line)
    axis.set_xlim(-widest, widest)
    axis.set_ylim(-1.05 * np.pi / 2, 1.05 * np.pi / 2)
    axis.set_yticks(np.arcsin(_TICKS), [f"${m:g}$" for m in _TICKS])
    axis.set_ylabel("overlap $m$ (arcsine scale)")
    return rows


# The field.


def _velocity(flow: Flow, u: float, turn: float) -> tuple[float, float]:
    """The flow in u and φ, and what of φ's velocity is not the factor w u."""
    m, w = np.sin(turn), np.cos(turn)
    rho, s = flow.mu + u * m, (u * w) ** 2
    a, b = flow.landscape.a(rho, s), flow.landscape.b(rho, s)
    return a * m + b * u * w * w, a - b * u * m


def _draw_field(axis: Axes, flow: Flow, widest: float) -> None:
    """Directions in grey, and where u̇ = 0 and φ̇ = 0; besides, φ rests at u = 0 and m² = 1."""
    places = np.linspace(-widest, widest, _GRID), np.linspace(-np.pi / 2, np.pi / 2, _GRID)
    u, turn = np.meshgrid(*places)
    by_u, factor = np.vectorize(lambda x, y: _velocity(flow, x, y), otypes=[float, float])(u, turn)
    coarse = slice(None, None, 4)
    by_turn = np.cos(turn) * u * factor
    axis.streamplot(places[0][coarse], places[1][coarse], by_u[coarse, coarse],
                    by_turn[coarse, coarse], color="0.82", linewidth=0.4, arrowsize=0.5,
                    density=0.9, zorder=0)  # fmt: skip
    rounding = 1e-12 * max(np.abs(by_u).max(), np.abs(factor).max())  # m may rest everywhere
    for values, name in ((by_u, "u at rest"), (factor, "m at rest")):
        if values.min() < -rounding and values.max() > rounding:
            axis.contour(u, turn, values, levels=[0.0], colors=[_SHADES[name]],
                         linestyles=_RESTS[name][1], linewidths=0.9, zorder=1)  # fmt: skip


def _draw_line(axis: Axes, mu: float, line: SingularLine) -> Rows:
    """The line u = 0 of rest points: solid where it attracts."""
    turn = 1.0 if line.turn is None else float(line.turn)
    rows: Rows = []
    for low, high, inner in ((-turn, turn, True), (turn, 1.0, False), (-1.0, -turn, False)):
        attracts = bool((line.b < 0) == inner)
        axis.plot([0, 0], np.arcsin([low, high]), ls="-" if attracts else ":", color="k",
                  lw=2.4, zorder=4)  # fmt: skip
        what = "line that attracts" if attracts else "line that repels"
        rows += [(mu, what, mu, 0.0, 0.0, m) for m in (low, high) if low < high]
    return rows


# Rest points and their curves.


def _place(point: Placed, sign: int) -> Doubles:
    """u and φ of a rest point or its mirror image."""
    return sign * np.array([float(point.u), np.pi / 2 - float(point.angle)])


def _directions(point: Placed) -> list[Doubles]:
    return [np.array([float(along), -float(turn)]) for along, turn in point.directions]


def _draw_point(axis: Axes, mu: float, point: Placed, sign: int, widest: float) -> tuple[Any, ...]:
    """A rest point with its directions; its row of data."""
    place = _place(point, sign)
    scale = np.array([widest, np.pi / 2])
    for direction in _directions(point):
        reach = _STUB * scale * direction / np.linalg.norm(direction)
        ends = np.array([place - reach, place + reach])
        axis.plot(*ends.T, "-", color="0.25", lw=0.6, zorder=5, clip_on=False)
    mark, filled = _MARKS[point.stability]
    axis.plot(*place, mark, color="k", mfc="k" if filled else "w", ms=4.5, mew=0.7, zorder=6,
              clip_on=False)  # fmt: skip
    return (mu, point.stability, float(point.rho), float(point.residual), place[0],
            float(np.sin(place[1])))  # fmt: skip


def _draw_curves(axis: Axes, flow: Flow, point: Placed, sign: int, widest: float) -> Rows:
    """The stable and the unstable curves of a saddle, followed in doubles."""
    rows: Rows = []
    for rate, direction in zip(point.eigenvalues, _directions(point), strict=True):
        name = "stable" if rate < 0 else "unstable"
        style = "-" if name == "stable" else "--"
        for begin in _beside(_place(point, sign), direction):
            path = _followed(flow, begin, -1 if rate < 0 else 1, abs(float(rate)), widest)
            axis.plot(*path.T, style, color=_SHADES[name], lw=1.3, zorder=3)
            rows += [(flow.mu, f"{name} curve", float(point.rho), float(point.residual), u,
                      float(np.sin(turn))) for u, turn in path]  # fmt: skip
    return rows


def _beside(place: Doubles, direction: Doubles) -> Iterator[Doubles]:
    """Starts on both sides of a saddle, within |φ| ≤ π/2."""
    for way in (1, -1):
        begin = place + way * _ASIDE * direction
        if abs(begin[1]) <= np.pi / 2:
            yield begin


def _followed(flow: Flow, begin: Doubles, way: int, rate: float, widest: float) -> Doubles:
    """An orbit, forwards or backwards in time, until it leaves the panel."""

    def field(_: float, state: Doubles) -> list[float]:
        u, turn = state
        by_u, factor = _velocity(flow, u, turn)
        return [way * by_u, way * np.cos(turn) * u * factor]

    def outside(_: float, state: Doubles) -> float:
        return 1.1 * widest - abs(float(state[0]))

    outside.terminal = True  # type: ignore[attr-defined]
    found = solve_ivp(field, (0.0, _TIME / rate), begin, method="LSODA", rtol=1e-8, atol=1e-10,
                      events=outside)  # fmt: skip
    return np.asarray(found.y.T)


def _draw_enclosed(axis: Axes, mu: float, enclosed: Sequence[tuple[float, float, float]]) -> Rows:
    """Crossings of separatrices, and their mirror images, as bars."""
    rows: Rows = []
    for u, low, high in enclosed:
        for sign in (1, -1):
            ends = sign * np.arcsin([low, high])
            axis.plot([sign * u] * 2, ends, "-", color="k", marker="_", ms=5, lw=0.9, zorder=7)
            rows += [(mu, "separatrix, enclosed", None, None, sign * u, sign * m)
                     for m in (low, high)]  # fmt: skip
    return rows


def _legend(drawn_of: Set[str], with_line: bool, enclosed: bool) -> list[Line2D]:
    """What marks and lines mean, of those that are drawn."""
    marks = [
        Line2D([], [], color="k", marker=mark, mfc="k" if filled else "w", ls="", ms=4, label=name)
        for name, (mark, filled) in _MARKS.items()
        if name in drawn_of
    ]
    styles: Sequence[tuple[str, str, str]] = (
        ("stable", "-", "separatrix"), ("unstable", "--", "way out"),
        *((name, dash, label) for name, (label, dash) in _RESTS.items()),
    )  # fmt: skip
    lines = [Line2D([], [], color=_SHADES[name], ls=style, label=label)
             for name, style, label in styles]  # fmt: skip
    extra = [Line2D([], [], color="k", lw=2.4, label="line of rest points")] if with_line else []
    if enclosed:
        extra.append(Line2D([], [], color="k", marker="_", ms=5, ls="", label="enclosed"))
    return [*marks, *lines, *extra]
