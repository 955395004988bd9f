"""The figures of the paper, each drawn from scratch: what it shows, and how.

``python -m numerics.figures`` writes them. Adding a figure is one function under ``@figure``.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from derive.pair import Pair
from derive.pair_drift import drift_of
from derive.polynomial_drift import hermite_drift
from derive.registry import Registry
from numerics.dynamics.sgd import Stage
from numerics.figures.biases import draw_biases
from numerics.figures.curves import draw_curves
from numerics.figures.degrees import draw_degrees
from numerics.figures.dynamics import draw_dynamics
from numerics.figures.exit_times import draw_exit_times
from numerics.figures.networks import draw_network_times
from numerics.figures.overviews import draw_escape_times, draw_trade_off
from numerics.figures.potentials import draw_potentials
from numerics.figures.quantities import Member
from numerics.figures.stages import draw_stages
from numerics.figures.style import Drawn
from numerics.simulation.design import Simulation, grid
from numerics.simulation.run import run_simulations
from numerics.simulation.simulated import SimulatedRuns

_IE1 = ("x", "erf", "relu", "sigmoid")  # the paper's activations of information exponent 1
_TENTHS = [Fraction(k, 10) for k in (1, 3, 5, 7, 9)]
_HE3: dict[str, Any] = {"learning_rate": 2e-5, "horizon": 10**6}
_GROWTH = ("loss", "scale", "overlap")
_BEFORE = 400  # most records lie after this part of a run: before, nothing moves
_RECORDS = 90


@dataclass(frozen=True)
class Request:
    """How a figure is wanted: ``form``, ``source``, whether ``quick``; ``results``, a folder that
    keeps finished cells.
    """

    form: str
    source: str
    quick: bool
    results: Path | None = None


Draw: TypeAlias = Callable[[Request], Drawn]


@dataclass(frozen=True)
class PaperFigure:
    """A figure: its ``caption``, the function that draws it, and whether that takes minutes."""

    caption: str
    draw: Draw
    costly: bool = False

    @property
    def title(self) -> str:
        """The caption with symbols as mathematics: what the full one begins with."""
        named = re.sub(r"He_(\d+)", r"$\\mathrm{He}_{\1}$", self.caption)
        return re.sub(r"\bu\b", "$u$", named)


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
    simulations = grid(pairs, mu, replicas=count, **how)
    if "records" not in how:
        simulations = [_watched_late(each) for each in simulations]
    return run_simulations(simulations, folder=request.results)


def _watched_late(simulation: Simulation) -> Simulation:
    """The same with its records where something moves."""
    last = simulation.horizon
    early, first = np.geomspace(1, last, 10), max(1, last / _BEFORE)
    late = np.geomspace(first, last, _RECORDS)
    steps = np.unique(np.append(early[early < first], late).round().astype(int))
    cell = simulation.cell(0, simulation.replicas)
    return Simulation.of_cell({**cell, "records": [0, *steps.tolist()]})


@figure("1", "The trade-off: better start, slower escape")
def _trade_off(request: Request) -> Drawn:
    """Fig. 1: loss and overlap of the linear student, and τ of four activations."""
    points = _simulated(request, ["x"], _TENTHS, signs="aligned")
    return draw_trade_off(points, _of_activations(_IE1), request.form, request.source)


@figure("2", "Escape times of Hermite students and under squared labels", costly=True)
def _singular(request: Request) -> Drawn:
    """Fig. 2: escape times of Hermite students and under squared labels; the search of He_3."""
    panels = {
        "even degrees": _of_degrees(range(2, 11, 2)),
        "odd degrees": _of_degrees(range(1, 10, 2)),
        "squared labels, activations": _of_activations(_IE1, "squared"),
        "squared labels, degrees": _of_degrees(range(1, 10), "squared"),
    }
    points = _simulated(request, [3], (0.1, 0.32, 0.5, 0.7), (6, 60), **_HE3)
    return draw_escape_times(points, panels, request.form, request.source)


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
    how: dict[str, Any] = {"learning_rate": "0.05*stable", "signs": "aligned"}
    points = [
        point
        for degree, horizon in ((2, "6*tau"), (4, "12*tau"))
        for point in _simulated(request, [degree], (0.1, 0.5, 0.8), (4, 60), horizon=horizon, **how)
    ]
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
    return draw_network_times(("x", "He2"), 4, request.form, request.source)


@figure("14", "Networks: the rank sets the final loss, not the escape", costly=True)
def _ranks(request: Request) -> Drawn:
    """Fig. 14: three neurons of activation He_2, ranks 1 to 3, at two strengths."""
    points = [
        point
        for rank in (1, 2, 3)
        for point in _simulated(
            request, [2], (0.3, 0.6), (6, 60), neurons=3, rank=rank, horizon="10*tau"
        )
    ]
    shown = ("loss", "overlap", "alignment")
    return draw_dynamics(points, request.form, request.source, shown)


@figure("exit-times", "Exit time against the logarithm of the dimension", costly=True)
def _exit_times(request: Request) -> Drawn:
    """Exit times against log d: medians and 80 % of the replicas, the fit, and the slope τ/2."""
    d = [10**k for k in ((2, 3, 4) if request.quick else (2, 3, 4, 5, 6))]
    how = {"dimension": d, "records": 0, "learning_rate": "0.05*stable"}
    points = {
        name: _simulated(request, [name], [0.5], (60, 100), **how) for name in ("x", "relu", "gelu")
    }
    return draw_exit_times(points, request.form, request.source)


@figure("degrees", "Where the singularities of Hermite students are, degrees 3 to a million")
def _over_degrees(request: Request) -> Drawn:
    """The first and the last zero of ``a`` over the degree, and what each tends to in its scale."""
    large = [int(10 ** (k / 8)) for k in range(9, 49)]
    degrees = [*range(3, 13), *(n - (n + k + 1) % 2 for k, n in enumerate(large))]  # odd, even
    return draw_degrees(degrees, request.form, request.source)


@figure("biases", "Escape time over the bias: no bias makes ReLU singular, some make GELU")
def _of_biases(request: Request) -> Drawn:
    """τ of ReLU(x - p) and GELU(x - p) over p and μ, with certified zeros of ``a``."""
    step, count = (0.2, 51) if request.quick else (0.05, 151)
    certified = np.unique(np.round([*np.arange(0.8, 2.06, step), 2.04, 2.07, 2.3], 3))
    panels = (("relu", (-0.5, 0.5, 1.5)), ("gelu", tuple(map(float, certified))))
    return draw_biases(panels, np.linspace(-1, 4, count), request.form, request.source)
