"""The grid of a simulation: its options, and the points they stand for."""

from argparse import Namespace
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import derive
from derive.command.files import OutputFile
from derive.command.parser import CommandParser
from derive.command.values import accepted, integer_between
from derive.errors import InputError
from numerics.dynamics.kinds import METHODS, NETWORK_HORIZON, SIGNS, UPDATES, USUAL_HORIZON
from numerics.options.pairs import add_case_options, chosen_pairs
from numerics.options.shared import add_options, add_shared, choice, option
from numerics.options.start import start_and_end
from numerics.options.values import Strengths, multiple_of, positive
from numerics.simulation.multiple import TIMES

if TYPE_CHECKING:  # nothing that computes is imported before the options are read
    from numerics.dynamics.sgd import Stage
    from numerics.simulation.design import Simulation

_SHARED = {
    "who learns": ("mu", "dimension", "scale", "scale-u", "start"),
    "how it learns": ("learning-rate", "batch", "noise"),
    "runs": ("exit-by", "radius", "replicas"),
    "where it is computed and kept": ("seed", "results", "scheduler", "workers"),
}
_OWN: dict[str, dict[str, dict[str, Any]]] = {
    "who learns": {
        "method": choice(METHODS, "LoRA, or full fine-tuning of the pre-trained direction, which "
                         "has no search phase and exits by teacher"),
        "neurons": option(integer_between(1, 1000), "K",
                          "neurons of a two-layer network, all of the strength --mu", 1),
        "strengths": option(Strengths, "LIST",
                            "one strength a neuron instead, such as 0.2,0.5,0.8"),
        "rank": option(integer_between(1, 1000), "R", "LoRA rank, shared by all neurons", 1),
        "signs": choice(SIGNS, "initial sign of m against that of u"),
    },
    "how it learns": {
        "update": choice(UPDATES, "tangent gradient then normalised, or the whole one"),
    },
    "runs": {
        "horizon": option(multiple_of(*TIMES), "STEPS", "steps of a run, or its time in units of τ "
                          f"log d, as 2*tau (default: {USUAL_HORIZON:g}*tau, for networks "
                          f"{NETWORK_HORIZON:g}*tau)"),
        "points": option(integer_between(0, 1000), "K", "recorded steps a run, logarithmically "
                         "spaced; with 0 runs end at their exit", 60),
    },
    "a first stage": {
        "first-labels": option(accepted(lambda text: derive.parse_transform(text)), "TEXT",
                               "labels of a first stage, such as squared (two-stage learning)"),
        "until-overlap": option(positive, "M", "|m| that ends the first stage"),
        "until-step": option(integer_between(1, 10**9), "K",
                             "step that ends the first stage at the latest"),
        "flip-at-switch": {"action": "store_true", "help": "flip the sign of u where the first "
                           "stage ends, if u·m < 0"},
    },
    "where it is computed and kept": {
        "data": option(OutputFile(("nc",), libraries=("xarray",)), "FILE.nc",
                       "also write everything recorded, as netCDF"),
    },
}  # fmt: skip

# Options that are settings of ``grid`` and of ``Simulation`` as they stand.
_OF_GRIDS = ("dimension", "seed", "learning_rate", "batch", "replicas")
_OF_SIMULATIONS = ("method", "update", "signs", "neurons", "rank", "horizon")


def add_simulation_options(parser: CommandParser) -> None:
    """Add the options that say what is simulated, where, and what is kept."""
    add_case_options(parser, misalignment=True, simulated=True)
    for title, own in _OWN.items():
        group = parser.add_argument_group(title)
        add_shared(group, *_SHARED.get(title, ()))
        add_options(group, own)
    add_shared(
        group,
        "plot",
        "style",
        help="also draw loss, overlap and alignment with the flow over them; data beside, as .csv",
    )


def grid_of(
    options: Namespace, mu: Sequence[Fraction] | None = None, **how: Any
) -> list["Simulation"]:
    """The simulations that the shared options stand for.

    Arguments:
        options: of a parser with the options of pairs, the start, the rate, the radius, the number
            of replicas and the seed.
        mu: the strengths, instead of those of the options.
        how: other settings of ``Simulation``, the same for all.

    Raises ``InputError`` for impossible combinations.
    """
    from numerics.simulation.design import checked_size, grid

    makers, labels = chosen_pairs(options), options.labels or ()
    mu = options.mu if mu is None else mu
    points = (
        len(makers) * max(len(labels), 1) * len(options.seed) * len(options.dimension) * len(mu)
    )
    checked_size(points, options.replicas)  # before any pair is made
    kind = {"loss": options.loss, "misalignment": options.misalignment}
    return grid(
        [make(**kind) for make in makers],
        mu,
        labels=labels,
        noise=options.noise or 0.0,
        **{name: getattr(options, name) for name in _OF_GRIDS},
        **start_and_end(options),
        **how,
    )


def simulations_of(options: Namespace) -> list["Simulation"]:
    """The simulations that the options of ``add_simulation_options`` stand for.

    Raises ``InputError`` for impossible combinations.
    """
    strengths = _strengths(options)
    own = {name: getattr(options, name) for name in _OF_SIMULATIONS}
    # Unequal neurons count as one point, by their mean.
    mean = None if strengths is None else [sum(strengths, Fraction(0)) / len(strengths)]
    return grid_of(
        options, mean, stage=_stage(options), strengths=strengths, records=options.points, **own
    )


def _strengths(options: Namespace) -> Strengths | None:
    """One strength a neuron, if they are given so."""
    given: Strengths | None = options.strengths
    if given is not None and options.neurons not in (1, len(given)):
        raise InputError(f"{len(given)} strengths for {options.neurons} neurons: give as many")
    return given


def _stage(options: Namespace) -> "Stage | None":
    ends = {name: getattr(options, name)
            for name in ("until_overlap", "until_step", "flip_at_switch")}  # fmt: skip
    if options.first_labels is None:
        if any(ends.values()):
            raise InputError(
                "--until-overlap, --until-step and --flip-at-switch are of a first stage: give its "
                "--first-labels"
            )
        return None
    if not (options.until_overlap or options.until_step):
        raise InputError("--first-labels needs an end: give --until-overlap or --until-step")
    from numerics.dynamics.sgd import Stage

    return Stage(options.first_labels, **{name: end for name, end in ends.items() if end})
