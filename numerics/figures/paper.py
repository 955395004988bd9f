"""The figures of the paper, each drawn from scratch: what it shows, and how.

``python -m numerics.figures`` writes them. Adding a figure is one function under ``@figure``.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import log
from typing import Any, TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from derive.pair import Pair
from derive.pair_drift import drift_of
from derive.polynomial_drift import hermite_drift
from derive.registry import Registry
from numerics.certified.singularities import find_singularities
from numerics.dynamics.network_flow import NetworkState, integrate_network, network_flow
from numerics.dynamics.sgd import Stage
from numerics.figures.biases import draw_biases
from numerics.figures.curves import STRENGTH_LABEL, draw_curves, draw_panel, draw_potentials
from numerics.figures.dynamics import (
    DATA_HEAD,
    draw_dynamics,
    draw_point,
    draw_stages,
    finish_panels,
    shade,
)
from numerics.figures.quantities import Member
from numerics.figures.style import PAGE_WIDTH, Drawn, drawn, own_style
from numerics.simulation.design import grid
from numerics.simulation.exits import quantile
from numerics.simulation.run import run_simulations
from numerics.simulation.simulated import SimulatedRuns, fit_of

_IE1 = ("x", "erf", "relu", "sigmoid")  # the paper's activations of information exponent 1
_TENTHS = [Fraction(k, 10) for k in (1, 3, 5, 7, 9)]
_HE3: dict[str, Any] = {"learning_rate": 2e-5, "horizon": 10**6}
_GROWTH = ("loss", "scale", "overlap")


@dataclass(frozen=True)
class Request:
    """How a figure is wanted: ``form``, ``source`` and whether ``quick``."""

    form: str
    source: str
    quick: bool


Draw: TypeAlias = Callable[[Request], Drawn]


@dataclass(frozen=True)
class PaperFigure:
    """A figure: its ``caption``, the function that draws it, and whether that takes minutes."""

    caption: str
    draw: Draw
    costly: bool = False


FIGURES: Registry[PaperFigure] = Registry()


def figure(name: str, caption: str, costly: bool = False) -> Callable[[Draw], Draw]:
    """Enter a function as the one that draws a figure.

    Arguments:
        name: of the figure, a new one.
        caption: one line.
        costly: whether it takes minutes with all replicas.
    """

    def enter(draw: Draw) -> Draw:
        FIGURES[name] = PaperFigure(caption, draw, costly)
        return draw

    return enter


def _of_degrees(degrees: Iterable[int], labels: str = "matched") -> list[Member]:
    return [(Pair(n, labels=labels), hermite_drift(n, labels, "n*n!")) for n in degrees]


def _of_activations(texts: Sequence[str], labels: str = "matched") -> list[Member]:
    pairs = [Pair(text, labels=labels) for text in texts]
    return [(pair, drift_of(pair)) for pair in pairs]


def _simulated(
    request: Request,
    pairs: Sequence[Pair | str | int],
    mu: Sequence[float | Fraction],
    replicas: tuple[int, int] = (20, 200),
    **how: Any,
) -> list[SimulatedRuns]:
    """Run a grid, with the first number of replicas if quick and the second if not."""
    count = replicas[0] if request.quick else replicas[1]
    return run_simulations(grid(pairs, mu, replicas=count, **how))


@figure("1", "The trade-off: better start, slower escape")
def _trade_off(request: Request) -> Drawn:
    """Fig. 1: loss and overlap of the linear student, and τ of four activations."""
    points = _simulated(request, ["x"], _TENTHS, signs="aligned")
    with own_style():
        figure = Figure(figsize=(PAGE_WIDTH, 2.1), layout="constrained")
        axes = figure.subplots(1, 3)
        strengths = [point.simulation.mu for point in points]
        rows: list[tuple[Any, ...]] = []
        for point in points:
            colour = shade(point.simulation.mu, strengths)
            rows += draw_point(axes[:2], point, ("loss", "overlap"), colour, True)
            axes[0].plot([], [], color=colour, label=rf"$\mu={point.simulation.mu:.1f}$")
        finish_panels(axes[:2], ("loss", "overlap"))
        for axis, label in zip(axes, ("loss", "overlap $|m|$"), strict=False):
            axis.set_ylabel(label)
            axis.set_xlabel(r"time $t$ (units of $1/\gamma$)")
        axes[0].set_title("x, $d=1000$", loc="left", fontsize=8)
        axes[0].legend(fontsize=6, loc="lower left", handlelength=1)
        head, curve = draw_panel(figure, axes[2], "", _of_activations(_IE1), "tau", 1000)
        for place in (dict(zip(head, row, strict=True)) for row in curve):
            known = {**place, "observable": "tau", "median": place["tau"]}
            rows.append(tuple(known.get(name, "") for name in DATA_HEAD))
        axes[2].set_xlabel(STRENGTH_LABEL)
        return drawn(figure, request.form, request.source, DATA_HEAD, rows)


@figure("2", "Escape times of Hermite students and under squared labels", costly=True)
def _singular(request: Request) -> Drawn:
    """Fig. 2: escape times of Hermite students and under squared labels; the search of He_3."""
    panels = (
        ("(a) even degrees", _of_degrees(range(2, 11, 2))),
        ("(b) odd degrees", _of_degrees(range(1, 10, 2))),
        ("(c) squared labels", _of_activations(_IE1, "squared")),
        ("(d) squared labels", _of_degrees(range(1, 10), "squared")),
    )
    points = _simulated(request, [3], (0.1, 0.32, 0.5, 0.7), (6, 60), **_HE3)
    with own_style():
        figure = Figure(figsize=(PAGE_WIDTH, 4.6), layout="constrained")
        axes = figure.subplots(2, 2)
        rows: list[tuple[Any, ...]] = []
        for axis, (title, members) in zip(axes.ravel(), panels, strict=True):
            head, curve = draw_panel(figure, axis, title, members, "tau", 1000)
            rows += [("tau", *point) for point in curve]
            axis.set_xlabel(STRENGTH_LABEL)
        rows += _search_of_cubic(axes[1, 0].inset_axes((0.2, 0.56, 0.5, 0.36)), points)
        return drawn(figure, request.form, request.source, ("what", *head), rows)


def _search_of_cubic(inset: Axes, points: Sequence[SimulatedRuns]) -> list[tuple[Any, ...]]:
    strengths, rows = [point.simulation.mu for point in points], []
    for point, mu in zip(points, strengths, strict=True):
        overlap = np.median(point["overlap"], axis=0)
        colour = shade(mu, strengths)
        inset.plot(point.times[1:], overlap[1:], color=colour, lw=0.9, label=rf"$\mu={mu:g}$")
        rows += [
            ("overlap", "He3", "He3", "matched", "raw", mu, t, m, "", "")
            for t, m in zip(point.times, overlap, strict=True)
        ]
    inset.set_xscale("log")
    inset.set_xlim(left=1e-2)
    inset.set_title("overlap $|m|$ of He$_3$ over time", fontsize=6, pad=2)
    inset.legend(fontsize=5, handlelength=0.8)
    inset.tick_params(labelsize=5)
    return rows


@figure("3", "Misaligned pre-training")
def _misaligned(request: Request) -> Drawn:
    points = _simulated(request, [Pair("x", misalignment="linear")], _TENTHS)
    return draw_dynamics(points, request.form, request.source)


@figure(
    "4", "Two-stage labels: He_3 recovers the teacher if u is flipped at the switch", costly=True
)
def _two_stages(request: Request) -> Drawn:
    """Fig. 4: He_3 near its singularity; squared labels first, u flipped or not, or none at all."""
    rate, switch, last = 2e-5, 500_000, 700_000
    how = {"learning_rate": rate, "batch": 64, "horizon": last}
    records = np.unique(np.append(np.linspace(0, last, 141), [switch - 1, switch + 1]).astype(int))
    stages = {
        "original labels alone": None,
        "squared labels first": Stage("squared", until_step=switch),
        "squared first, $u$ flipped at the switch": Stage("squared", np.inf, switch, True),
    }
    points = {
        name: _simulated(request, [3], [0.325], (4, 30), stage=stage, records=records, **how)[0]
        for name, stage in stages.items()
    }
    return draw_stages(points, switch * rate, request.form, request.source)


@figure("5", "Loss, overlap and alignment of four activations")
def _four(request: Request) -> Drawn:
    points = _simulated(request, _IE1, (0.1, 0.5, 0.9), (10, 200))
    return draw_dynamics(points, request.form, request.source)


@figure("6", "Mean of even Hermite students")
def _means(request: Request) -> Drawn:
    return draw_curves(_of_degrees(range(2, 11, 2)), "mean", 1000, request.form, request.source)


@figure("7", "Plateau of even students", costly=True)
def _plateau(request: Request) -> Drawn:
    how = {"learning_rate": "0.05*stable", "signs": "aligned", "horizon": "8*tau"}
    points = _simulated(request, [2, 4], (0.1, 0.5, 0.8), (8, 100), **how)
    return draw_dynamics(points, request.form, request.source, _GROWTH)


@figure("8", "Mechanical potential of the linear student")
def _potentials(request: Request) -> Drawn:
    return draw_potentials(_of_activations(["x"]), _TENTHS, request.form, request.source)


@figure("9", "Delay of He_3 near its singularity", costly=True)
def _delay(request: Request) -> Drawn:
    points = _simulated(request, [3], (0.1, 0.3, 0.5, 0.7), (6, 60), **_HE3)
    return draw_dynamics(points, request.form, request.source, _GROWTH)


@figure("13", "Escape time of networks: theory, and the flow at several ranks")
def _networks(request: Request) -> Drawn:
    """Fig. 13: 1/λ₊ of four neurons over their strength, and the growth of the flow."""
    strengths, rows = np.linspace(0.1, 0.9, 9), []
    with own_style():
        figure = Figure(figsize=(PAGE_WIDTH / 2, 2.4), layout="constrained")
        axis = figure.subplots()
        for place, name in enumerate(("x", "He2")):
            pair, colour = Pair(name), shade(place, (0, 1.4))
            systems = [network_flow(pair, (round(float(mu), 3),) * 4, 1) for mu in strengths]
            theory = [1 / system.rate() for system in systems]
            axis.plot(strengths, theory, color=colour, label=f"{name}: theory")
            for rank, mark in ((1, "o"), (2, "s"), (4, "^")):
                times = [
                    _flow_time(pair, (round(float(mu), 3),) * 4, rank, tau)
                    for mu, tau in zip(strengths, theory, strict=True)
                ]
                axis.plot(strengths, times, mark, ms=2 + rank, mfc="none", color=colour)
                values = zip(strengths, theory, times, strict=True)
                rows += [(name, rank, *value) for value in values]
        for rank, mark in ((1, "o"), (2, "s"), (4, "^")):
            axis.plot([], [], mark, ms=2 + rank, mfc="none", color="0.4", label=f"flow, $r={rank}$")
        axis.set_yscale("log")
        axis.set_xlabel(STRENGTH_LABEL)
        axis.set_ylabel(r"$1/\lambda_+$  (units of $1/\gamma$)")
        axis.legend(fontsize=6)
        head = ("activation", "rank", "mu", "theory", "flow")
        return drawn(figure, request.form, request.source, head, rows)


def _flow_time(pair: Pair, strengths: tuple[float, ...], rank: int, tau: float) -> float:
    """Time in which the full flow's early states grow by a factor e."""
    neurons = len(strengths)
    small = np.full((neurons, rank), 1e-6)
    start = NetworkState(small, small, np.eye(rank))
    path = integrate_network(network_flow(pair, strengths, rank), start, 7 * tau)
    sizes = np.linalg.norm(path.at(np.array([6.0, 7.0]) * tau)[:, : neurons * rank], axis=1)
    return float(tau / np.log(sizes[1] / sizes[0]))


@figure("14", "Networks: the rank sets the final loss, not the escape", costly=True)
def _ranks(request: Request) -> Drawn:
    """Fig. 14: three neurons of activation He_2, ranks 1 to 3, at two strengths."""
    points = [
        point
        for rank in (1, 2, 3)
        for point in _simulated(
            request, [2], (0.3, 0.6), (6, 60), neurons=3, rank=rank, horizon="4*tau"
        )
    ]
    return draw_dynamics(points, request.form, request.source, _GROWTH, with_flow=False)


@figure("exit-times", "Exit time against the logarithm of the dimension", costly=True)
def _exit_times(request: Request) -> Drawn:
    """Exit times against log d: medians and 80 % of the replicas, the fit, and the slope τ/2."""
    d = np.array([10**k for k in ((2, 3, 4) if request.quick else (2, 3, 4, 5, 6))])
    how = {"dimension": d.tolist(), "records": 0, "learning_rate": "0.05*stable"}
    with own_style():
        figure = Figure(figsize=(PAGE_WIDTH / 2, 2.4), layout="constrained")
        axis = figure.subplots()
        rows: list[tuple[Any, ...]] = []
        names = ("x", "relu", "gelu")
        for rank, name in enumerate(names):
            points = _simulated(request, [name], [0.5], (60, 100), **how)
            colour, fit = shade(rank, range(len(names))), fit_of(points)
            low, median, high = np.array(
                [[quantile(point.exit_times, q) for point in points] for q in (0.1, 0.5, 0.9)]
            )
            bars = [median - low, high - median]
            axis.errorbar(d, median, bars, fmt="o", ms=3, color=colour, capsize=2, lw=0.8)
            if fit:
                slope = rf"${fit.slope:.2f}\pm{fit.error:.2f}$"
                label = rf"{name}: slope {slope}, $\tau/2={fit.half_tau:.2f}$"
                line = median[0] + fit.half_tau * np.log(d / d[0])
                axis.plot(d, line, "--", color=colour, lw=0.9, label=label)
            rows += [(name, *row, fit and fit.slope, fit and fit.half_tau)
                     for row in zip(d, low, median, high, strict=True)]  # fmt: skip
        axis.set_xscale("log")
        axis.set_xlabel("dimension $d$")
        axis.set_ylabel(r"exit time (units of $1/\gamma$)")
        axis.legend(fontsize=6)
        head = ("student", "dimension", "low", "median", "high", "slope", "half_tau")
        return drawn(figure, request.form, request.source, head, rows)


@figure("degrees", "Where the singularities of Hermite students are, degrees 3 to a million")
def _over_degrees(request: Request) -> Drawn:
    """The first and the last zero of ``a`` over the degree, and what each tends to in its scale."""
    spread = {int(10 ** (k / 12)) for k in range(6, 73)}
    rows = [row for n in sorted(spread | {n + 1 for n in spread}) for row in _places(n)]
    head = ("degree", "which", "mu", "scaled")
    with own_style():
        figure = Figure(figsize=(PAGE_WIDTH, 2.3), layout="constrained")
        axes = figure.subplots(1, 2)
        for which, marker in (("first", "v"), ("last", "o")):
            found = [row for row in rows if row[1] == which]
            for axis, column in zip(axes, (2, 3), strict=True):
                points = ([row[0] for row in found], [row[column] for row in found])
                axis.semilogx(*points, marker, markersize=2.5, label=f"{which} singularity")
                axis.set_xlabel("degree $n$")
        axes[0].set_ylabel(r"$\mu_\star$")
        axes[1].set_ylabel(r"$n\,(1-\mu_\star)$ and $2n\,\mu_\star^2/\log\,4n$")
        axes[0].legend(fontsize=6)
        return drawn(figure, request.form, request.source, head, rows)


@figure("biases", "Escape time over the bias: no bias makes ReLU singular, some make GELU")
def _of_biases(request: Request) -> Drawn:
    """τ of ReLU(x - p) and GELU(x - p) over p and μ, with certified zeros of ``a``."""
    step, count = (0.2, 51) if request.quick else (0.05, 151)
    certified = np.unique(np.round([*np.arange(0.8, 2.06, step), 2.04, 2.07, 2.3], 3))
    panels = (("relu", (-0.5, 0.5, 1.5)), ("gelu", tuple(map(float, certified))))
    return draw_biases(panels, np.linspace(-1, 4, count), request.form, request.source)


def _places(n: int) -> list[tuple[int, str, float, float]]:
    """The zeros of one degree, each with what tends to a constant."""
    found = [float(s.mu) for s in find_singularities(hermite_drift(n), 12)]
    last = [(n, "last", mu, n * (1 - mu)) for mu in found[-1:]]
    return [(n, "first", mu, 2 * n * mu**2 / log(4 * n)) for mu in found[:-1]] + last
