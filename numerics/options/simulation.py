"""The grid of a simulation: its options, and the points they stand for."""

from argparse import Namespace
from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from math import ceil, log, prod
from pathlib import Path
from typing import Any

import numpy as np

from derive.command.files import OutputFile
from derive.command.parser import CommandParser
from derive.command.progress import progress
from derive.command.values import accepted, integer_between
from derive.errors import InputError
from derive.grammar import parse_transform
from derive.pair import Pair
from numerics.dynamics.flow import EXIT_RADIUS
from numerics.dynamics.sgd import SIGNS, UPDATES
from numerics.dynamics.stability import stable_learning_rate
from numerics.options.pairs import add_case_options, chosen_pairs
from numerics.options.values import Dimensions, Multiple, Seeds, Strengths, figure_path, multiple_of
from numerics.simulation.block import BLOCK, learner_of, pair_of, system_of

_MOST_STEPS = 10**12
_MOST_CELLS = 10**5  # blocks of replicas


def add_simulation_options(parser: CommandParser) -> None:
    """Add the options that say what is simulated, where, and what is kept."""
    add_case_options(parser, misalignment=True, simulated=True)
    _add_learner_options(parser)
    _add_run_options(parser)


def _add_learner_options(parser: CommandParser) -> None:
    small = integer_between(1, 10**8)
    parser.add_argument(
        "--mu",
        type=Strengths,
        default=Strengths("0.1,0.5,0.9"),
        metavar="GRID",
        help="pre-training strengths: 0.3, 0.1,0.5 or START:STOP:COUNT (default: 0.1,0.5,0.9)",
    )
    parser.add_argument(
        "--neurons",
        type=integer_between(1, 1000),
        default=1,
        metavar="K",
        help="neurons of a two-layer network, all of the strength --mu (default: 1)",
    )
    parser.add_argument(
        "--strengths",
        type=Strengths,
        metavar="LIST",
        help="one strength a neuron instead, such as 0.2,0.5,0.8",
    )
    parser.add_argument(
        "--rank",
        type=integer_between(1, 1000),
        default=1,
        metavar="R",
        help="LoRA rank, shared by all neurons (default: 1)",
    )
    parser.add_argument(
        "--dimension",
        type=Dimensions,
        default=Dimensions("1e3"),
        metavar="D",
        help="input dimensions, such as 1000 or 1e3,1e6,1e9 (default: 1e3)",
    )
    parser.add_argument(
        "--batch", type=small, default=16, metavar="B", help="samples a step (default: 16)"
    )
    parser.add_argument(
        "--learning-rate",
        type=multiple_of("/d", "*stable"),
        default=Multiple(0.1, "*stable", "0.1*stable"),
        metavar="RATE",
        help="γ: a number, 5/d, or 0.1*stable in units of the largest "
        "stable one (default: 0.1*stable)",
    )
    parser.add_argument(
        "--replicas",
        type=small,
        default=100,
        metavar="R",
        help="independent runs a point (default: 100)",
    )
    parser.add_argument(
        "--horizon",
        type=multiple_of("*tau"),
        metavar="STEPS",
        help="steps of a run, or 2*tau for 2 τ log d (default: 1.5*tau, for networks 6*tau)",
    )
    parser.add_argument(
        "--points",
        type=integer_between(0, 1000),
        default=60,
        metavar="K",
        help="recorded steps a run, logarithmically spaced; with 0 runs end at "
        "their exit (default: 60)",
    )
    parser.add_argument(
        "--radius",
        type=_positive,
        default=Multiple(EXIT_RADIUS, "", str(EXIT_RADIUS)),
        metavar="R",
        help="|(u, m)| that counts as exit (default: 0.5)",
    )
    parser.add_argument(
        "--update",
        choices=UPDATES,
        default=UPDATES[0],
        help="tangent gradient then normalised, or the whole one (default: spherical)",
    )
    parser.add_argument(
        "--noise",
        type=_positive,
        metavar="SD",
        help="standard deviation of noise on the labels (default: none)",
    )
    parser.add_argument(
        "--signs",
        choices=SIGNS,
        default=SIGNS[0],
        help="initial sign of m against that of u (default: random)",
    )
    parser.add_argument(
        "--scale",
        type=_positive,
        default=Multiple(1.0, "", "1"),
        metavar="S",
        help="initial u, and overlap, in units of 1/√d (default: 1)",
    )
    parser.add_argument(
        "--first-labels",
        type=accepted(parse_transform),
        metavar="TEXT",
        help="labels of a first stage, such as squared (two-stage learning)",
    )
    parser.add_argument(
        "--until-overlap", type=_positive, metavar="M", help="|m| that ends the first stage"
    )
    parser.add_argument(
        "--until-step",
        type=integer_between(1, 10**9),
        metavar="K",
        help="step that ends the first stage at the latest",
    )


def _add_run_options(parser: CommandParser) -> None:
    parser.add_argument(
        "--seed",
        type=Seeds,
        default=Seeds("0"),
        metavar="N",
        help="of all random streams, or several: 0,1,2 (default: 0)",
    )
    parser.add_argument(
        "--results",
        type=Path,
        metavar="FOLDER",
        help="keep finished cells there, and compute only missing ones",
    )
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="of a Dask cluster that does the work"
    )
    parser.add_argument(
        "--workers",
        type=integer_between(1, 4096),
        metavar="N",
        help="local processes (default: one a core)",
    )
    parser.add_argument(
        "--data",
        type=OutputFile(("nc",), libraries=("xarray",)),
        metavar="FILE.nc",
        help="also write everything recorded, as netCDF",
    )
    parser.add_argument(
        "--plot",
        type=figure_path,
        metavar="FILE",
        help="also draw loss, overlap and alignment with the flow over them; data beside, as .csv",
    )


def _positive(text: str) -> Multiple:
    return multiple_of()(text)


def grid_of(options: Namespace) -> list[dict[str, Any]]:
    """The points of the grid that the options stand for, as parameters of cells.

    Raises ``InputError`` for impossible combinations.
    """
    how = {"loss": options.loss, "misalignment": options.misalignment}
    pairs = [
        make(labels=labels, **how)
        for make, labels in product(chosen_pairs(options), options.labels or ["matched"])
    ]
    axes: Sequence[Sequence[Any]] = (pairs, options.seed, options.dimension, _mus(options))
    points, blocks = prod(map(len, axes)), ceil(options.replicas / BLOCK)
    if points * blocks > _MOST_CELLS:
        raise InputError(
            f"{points} points of {options.replicas} replicas are too many: give at most "
            f"{_MOST_CELLS * BLOCK} replicas in all, in at most {_MOST_CELLS} points"
        )
    return [
        _parameters(pair, float(mu), dimension, seed, options)
        for pair, seed, dimension, mu in progress(list(product(*axes)), "points")
    ]


def _mus(options: Namespace) -> Strengths | list[Fraction]:
    """The strengths of the grid; those of unequal neurons count as one point, by their mean."""
    if options.strengths is None:
        return options.mu
    return [sum(options.strengths, Fraction(0)) / len(options.strengths)]


def _parameters(
    pair: Pair,
    mu: float,
    dimension: int,
    seed: int,
    options: Namespace,
) -> dict[str, Any]:
    cell: dict[str, Any] = {
        **pair.texts,
        "mu": mu,
        "dimension": dimension,
        "batch": options.batch,
        "update": options.update,
        "noise": options.noise.value if options.noise else 0.0,
        "scale": options.scale.value,
        "signs": options.signs,
        "stage": _stage(options),
        "radius": options.radius.value,
        "seed": seed,
        "rank": options.rank,
        "strengths": _strengths(mu, options),
    }
    cell["learning_rate"] = _learning_rate(options.learning_rate, cell)
    learner_of(cell)  # refuses what is impossible before anything is computed
    cell["horizon"] = _horizon(horizon_of(options), cell)
    steps = np.geomspace(1, cell["horizon"], max(options.points - 1, 1)).round().astype(int)
    cell["records"] = [0, *np.unique(steps).tolist()] if options.points else []
    return cell


def _strengths(mu: float, options: Namespace) -> list[float] | None:
    """One strength a neuron for networks, ``None`` for the single-index model."""
    if options.strengths is not None:
        given = [float(value) for value in options.strengths]
        if options.neurons not in (1, len(given)):
            raise InputError(f"{len(given)} strengths for {options.neurons} neurons: give as many")
        return given
    return None if options.neurons == options.rank == 1 else [mu] * options.neurons


def _stage(options: Namespace) -> dict[str, Any] | None:
    ends = {"until_overlap": options.until_overlap, "until_step": options.until_step}
    given = {name: value for name, value in ends.items() if value is not None}
    if options.first_labels is None:
        if given:
            raise InputError("--until-overlap and --until-step end a first stage: --first-labels")
        return None
    if not given:
        raise InputError("--first-labels needs an end: give --until-overlap or --until-step")
    values = {name: getattr(value, "value", value) for name, value in given.items()}
    return {"labels": options.first_labels, **values}


def _learning_rate(rate: Multiple, cell: dict[str, Any]) -> float:
    if rate.unit == "/d":
        return rate.value / cell["dimension"]
    if rate.unit == "*stable":
        numbers = (cell["mu"], cell["dimension"], cell["batch"])
        return rate.value * stable_learning_rate(pair_of(cell), *numbers)
    return rate.value


def horizon_of(options: Namespace) -> Multiple:
    """The horizon that the options stand for.

    A network's columns learn one after another, each from the plateau that those before it reach:
    for erf, ReLU and He2 in up to four times what one column takes.
    """
    if options.horizon:
        return options.horizon
    network = options.strengths is not None or options.neurons > 1 or options.rank > 1
    return Multiple(6.0, "*tau", "6*tau") if network else Multiple(1.5, "*tau", "1.5*tau")


def _horizon(horizon: Multiple, cell: dict[str, Any]) -> int:
    steps = horizon.value
    if horizon.unit:
        rate = system_of(cell).rate()
        if not rate > 1e-14:
            raise InputError(
                f"no escape at μ = {cell['mu']:g}, so τ is no unit: give --horizon in steps"
            )
        steps *= log(cell["dimension"]) / rate / cell["learning_rate"]
    if not 1 <= steps <= _MOST_STEPS:
        raise InputError(f"a horizon of {steps:.3g} steps is not accepted: give 1 to 1e12")
    return ceil(steps)
