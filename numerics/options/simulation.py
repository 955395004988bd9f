"""The grid of a simulation: its options, and the points they stand for."""

from argparse import Namespace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import derive
from derive.command.files import OutputFile
from derive.command.parser import CommandParser
from derive.command.values import accepted, integer_between
from derive.errors import InputError
from numerics.dynamics.kinds import (
    EXIT_RADIUS,
    NETWORK_HORIZON,
    SIGNS,
    UPDATES,
    USUAL_HORIZON,
)
from numerics.options.pairs import add_case_options, chosen_pairs
from numerics.options.values import Dimensions, Seeds, Strengths, figure_path, multiple_of
from numerics.simulation.multiple import RATES, TIMES, multiple

if TYPE_CHECKING:  # nothing that computes is imported before the options are read
    from numerics.dynamics.sgd import Stage
    from numerics.simulation.design import Simulation


def add_simulation_options(parser: CommandParser) -> None:
    """Add the options that say what is simulated, where, and what is kept."""
    add_case_options(parser, misalignment=True, simulated=True)
    _add_who_learns(parser)
    _add_how_it_learns(parser)
    _add_runs(parser)
    _add_first_stage(parser)
    _add_where(parser)


_small = integer_between(1, 10**8)


def _add_who_learns(parser: CommandParser) -> None:
    learner = parser.add_argument_group("who learns")
    add_start_options(learner)
    learner.add_argument(
        "--neurons",
        type=integer_between(1, 1000),
        default=1,
        metavar="K",
        help="neurons of a two-layer network, all of the strength --mu (default: %(default)s)",
    )
    learner.add_argument(
        "--strengths",
        type=Strengths,
        metavar="LIST",
        help="one strength a neuron instead, such as 0.2,0.5,0.8",
    )
    learner.add_argument(
        "--rank",
        type=integer_between(1, 1000),
        default=1,
        metavar="R",
        help="LoRA rank, shared by all neurons (default: %(default)s)",
    )
    learner.add_argument(
        "--signs",
        choices=SIGNS,
        default=SIGNS[0],
        help="initial sign of m against that of u (default: %(default)s)",
    )


def _add_how_it_learns(parser: CommandParser) -> None:
    how = parser.add_argument_group("how it learns")
    add_rate_options(how)
    how.add_argument(
        "--update",
        choices=UPDATES,
        default=UPDATES[0],
        help="tangent gradient then normalised, or the whole one (default: %(default)s)",
    )


def _add_runs(parser: CommandParser) -> None:
    runs = parser.add_argument_group("runs")
    add_radius(runs)
    add_replicas(runs)
    runs.add_argument(
        "--horizon",
        type=multiple_of(*TIMES),
        metavar="STEPS",
        help="steps of a run, or its time in units of τ log d, as 2*tau (default: "
        f"{USUAL_HORIZON:g}*tau, for networks {NETWORK_HORIZON:g}*tau)",
    )
    runs.add_argument(
        "--points",
        type=integer_between(0, 1000),
        default=60,
        metavar="K",
        help="recorded steps a run, logarithmically spaced; with 0 runs end at "
        "their exit (default: %(default)s)",
    )


def _add_first_stage(parser: CommandParser) -> None:
    stage = parser.add_argument_group("a first stage")
    stage.add_argument(
        "--first-labels",
        type=accepted(lambda text: derive.parse_transform(text)),
        metavar="TEXT",
        help="labels of a first stage, such as squared (two-stage learning)",
    )
    stage.add_argument(
        "--until-overlap", type=multiple_of(), metavar="M", help="|m| that ends the first stage"
    )
    stage.add_argument(
        "--until-step",
        type=integer_between(1, 10**9),
        metavar="K",
        help="step that ends the first stage at the latest",
    )
    stage.add_argument(
        "--flip-at-switch",
        action="store_true",
        help="flip the sign of u where the first stage ends, if u·m < 0",
    )


def _add_where(parser: CommandParser) -> None:
    where = parser.add_argument_group("where it is computed and kept")
    add_computing_options(where)
    where.add_argument(
        "--data",
        type=OutputFile(("nc",), libraries=("xarray",)),
        metavar="FILE.nc",
        help="also write everything recorded, as netCDF",
    )
    where.add_argument(
        "--plot",
        type=figure_path,
        metavar="FILE",
        help="also draw loss, overlap and alignment with the flow over them; data beside, as .csv",
    )


# Options that other commands share.


def add_start_options(group: Any) -> None:
    """Add the strength, the dimension and the size of the start."""
    group.add_argument(
        "--mu",
        type=Strengths,
        default=Strengths("0.1,0.5,0.9"),
        metavar="GRID",
        help="pre-training strengths: 0.3, 0.1,0.5 or START:STOP:COUNT (default: %(default)s)",
    )
    group.add_argument(
        "--dimension",
        type=Dimensions,
        default=Dimensions("1e3"),
        metavar="D",
        help="input dimensions, such as 1000 or 1e3,1e6,1e9 (default: %(default)s)",
    )
    group.add_argument(
        "--scale",
        type=multiple_of(),
        default=multiple("1"),
        metavar="S",
        help="initial u, and overlap, in units of 1/√d (default: %(default)s)",
    )


def add_rate_options(group: Any) -> None:
    """Add the learning rate, the batch and the noise."""
    group.add_argument(
        "--batch",
        type=_small,
        default=16,
        metavar="B",
        help="samples a step (default: %(default)s)",
    )
    group.add_argument(
        "--learning-rate",
        type=multiple_of(*RATES),
        default=multiple("0.1*stable", RATES),
        metavar="RATE",
        help="γ: a number, 5/d, or 0.1*stable in units of the largest "
        "stable one (default: %(default)s)",
    )
    group.add_argument(
        "--noise",
        type=multiple_of(),
        metavar="SD",
        help="standard deviation of noise on the labels (default: none)",
    )


def add_radius(group: Any) -> None:
    """Add the exit radius."""
    group.add_argument(
        "--radius",
        type=multiple_of(),
        default=multiple(str(EXIT_RADIUS)),
        metavar="R",
        help="|(u, m)| that counts as exit (default: %(default)s)",
    )


def add_replicas(group: Any) -> None:
    """Add the number of runs."""
    group.add_argument(
        "--replicas",
        type=_small,
        default=100,
        metavar="R",
        help="independent runs a point (default: %(default)s)",
    )


def add_computing_options(group: Any) -> None:
    """Add seeds, the folder of finished cells, and who computes."""
    group.add_argument(
        "--seed",
        type=Seeds,
        default=Seeds("0"),
        metavar="N",
        help="of all random streams, or several: 0,1,2 (default: %(default)s)",
    )
    group.add_argument(
        "--results",
        type=Path,
        metavar="FOLDER",
        help="keep finished cells there, and compute only missing ones",
    )
    group.add_argument(
        "--scheduler", metavar="ADDRESS", help="of a Dask cluster that does the work"
    )
    group.add_argument(
        "--workers",
        type=integer_between(1, 4096),
        metavar="N",
        help="local processes (default: one a core)",
    )


def simulations_of(options: Namespace) -> list["Simulation"]:
    """The simulations that the options stand for.

    Raises ``InputError`` for impossible combinations.
    """
    from numerics.simulation.design import checked_size, grid

    makers, labels = chosen_pairs(options), options.labels or ()
    mu, strengths = options.mu, _strengths(options)
    if strengths is not None:  # unequal neurons count as one point, by their mean
        mu = [sum(strengths, Fraction(0)) / len(strengths)]
    points = (
        len(makers) * max(len(labels), 1) * len(options.seed) * len(options.dimension) * len(mu)
    )
    checked_size(points, options.replicas)
    kind = {"loss": options.loss, "misalignment": options.misalignment}
    return grid(
        [make(**kind) for make in makers],
        mu,
        labels=labels,
        dimension=options.dimension,
        seed=options.seed,
        learning_rate=options.learning_rate,
        batch=options.batch,
        update=options.update,
        noise=options.noise.value if options.noise else 0.0,
        scale=options.scale.value,
        signs=options.signs,
        stage=_stage(options),
        strengths=strengths,
        neurons=options.neurons,
        rank=options.rank,
        radius=options.radius.value,
        horizon=options.horizon,
        records=options.points,
        replicas=options.replicas,
    )


def _strengths(options: Namespace) -> Strengths | None:
    """One strength a neuron, if they are given so."""
    given: Strengths | None = options.strengths
    if given is not None and options.neurons not in (1, len(given)):
        raise InputError(f"{len(given)} strengths for {options.neurons} neurons: give as many")
    return given


def _stage(options: Namespace) -> "Stage | None":
    overlap, step = options.until_overlap, options.until_step
    if options.first_labels is None:
        if overlap or step or options.flip_at_switch:
            raise InputError(
                "--until-overlap, --until-step and --flip-at-switch are of a first stage: give its "
                "--first-labels"
            )
        return None
    if not (overlap or step):
        raise InputError("--first-labels needs an end: give --until-overlap or --until-step")
    given = {
        "until_overlap": overlap and overlap.value,
        "until_step": step,
        "flip_at_switch": options.flip_at_switch,
    }
    from numerics.dynamics.sgd import Stage

    return Stage(options.first_labels, **{name: end for name, end in given.items() if end})
