"""Which pairs a command works on: the options that choose them, and the drifts of the pairs."""

from argparse import Namespace
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, get_args

import derive
from derive.command.parser import CommandParser
from derive.command.values import LARGEST_DEGREE, Degrees, accepted
from derive.errors import InputError
from derive.kinds import LOSSES, NORMALIZATIONS, Misalignment, Normalization
from numerics.options.shared import Settings, add_options, choice, option

if TYPE_CHECKING:  # names of derive are imported when they are used: no option waits for them
    from derive.drift import AnyDrift
    from derive.pair import Pair


def add_case_options(
    parser: CommandParser,
    misalignment: bool = False,
    simulated: bool = False,
    largest_degree: int = LARGEST_DEGREE,
) -> None:
    """Add the options that choose the pairs: by degree, by activation, by teacher and student.

    Arguments:
        parser: that gets them.
        misalignment: whether there is an option for it.
        simulated: whether it is a simulation's.
        largest_degree: that is taken.

    A simulation takes several kinds of labels, and knows no normalisation but its own.
    """
    group = parser.add_argument_group("which pairs")
    add_function_options(group, largest_degree)
    text = accepted(lambda given: derive.parse_transform(given))
    told = "labels: matched, squared, or a function of the teacher's output y"
    several = option(text, "TEXT", f"{told}; may be repeated (default: matched)", action="append")
    options: dict[str, Settings] = {
        "labels": several if simulated else option(text, "TEXT", told, "matched"),
        "loss": choice(LOSSES, "loss of the student"),
    }
    if misalignment:
        options["misalignment"] = choice(
            get_args(Misalignment), "pre-trained direction off the teacher's by ν: none, linear "
            "(1-μ) or spherical (√(1-μ²))",
        )  # fmt: skip
    if not simulated:
        options["normalization"] = {
            "choices": NORMALIZATIONS, "help": "time scale of a and b: divided by n·n! as in the "
            "paper, or raw (default: n*n! with --degree, raw otherwise)",
        }  # fmt: skip
    add_options(group, options)


def add_function_options(group: Any, largest_degree: int = LARGEST_DEGREE) -> None:
    """Add the options that choose teachers and students."""
    activation = accepted(lambda text: derive.parse_activation(text))
    add_options(group, {
        "degree": option(partial(Degrees, largest=largest_degree), "N", "pure Hermite pairs: 5, a "
                         "range 3:21 (both ends included), 3:21:2, or a list 3,5,10"),
        "activation": option(activation, "TEXT", "matched pair of this activation, such as erf, "
                             "relu or 'x**3/6 + erf(x)/2'; may be repeated", action="append"),
        "teacher": option(activation, "TEXT", "teacher activation, with --student"),
        "student": option(activation, "TEXT", "student activation, with --teacher"),
    })  # fmt: skip


def chosen_pairs(options: Namespace) -> list[Callable[..., "Pair"]]:
    """The pairs of teacher and student that the options choose, Hermite degrees first.

    Each is to be made when its turn comes, with its labels, loss and misalignment. Raises
    ``InputError`` if the options choose none or contradict each other.
    """
    if (options.teacher is None) != (options.student is None):
        raise InputError("--teacher and --student go together: give both, or --activation")
    chosen: list[Callable[..., Pair]] = [
        partial(derive.Pair, function)
        for function in [*(options.degree or ()), *(options.activation or ())]
    ]
    if options.teacher is not None:
        chosen.append(partial(derive.Pair, options.teacher, options.student))
    if not chosen:
        raise InputError(
            "no pair is chosen: give --degree, --activation, or --teacher and --student"
        )
    return chosen


def chosen_drifts(options: Namespace) -> list[Callable[[], tuple["Pair", "AnyDrift"]]]:
    """The pairs that the options choose with their drifts, each to be derived when its turn comes.

    Raises ``InputError`` as ``chosen_pairs``, and for a normalisation that a pair does not have.
    """
    from derive.labels import Labels
    from derive.polynomial_drift import LABELS

    how = {
        "labels": options.labels,
        "loss": options.loss,
        "misalignment": getattr(options, "misalignment", "none"),
    }
    scaled = options.loss == "square" and how["misalignment"] == "none"
    hermite = scaled and Labels.of(options.labels).text in LABELS
    degrees = len(options.degree or ())
    pairs = chosen_pairs(options)
    if options.normalization == "n*n!" and len(pairs) > degrees:
        raise InputError("--normalization n*n! is for pure Hermite pairs: use --degree, or raw")
    if options.normalization == "n*n!" and not hermite:
        raise InputError(
            "--normalization n*n! is for the square loss and matched or squared labels"
        )
    unit: Normalization = options.normalization or "n*n!"

    def derived(make: Callable[..., "Pair"], known: bool) -> tuple["Pair", "AnyDrift"]:
        pair = make(**how)
        if known and pair.degree:
            return pair, derive.hermite_drift(pair.degree, pair.labels.text, unit)
        return pair, derive.drift_of(pair)

    return [partial(derived, make, hermite and place < degrees) for place, make in enumerate(pairs)]


def described(pair: "Pair", drift: "AnyDrift") -> dict[str, Any]:
    """A pair and the unit of its drift as the first fields of a record."""
    degree: dict[str, Any] = {} if pair.degree is None else {"degree": pair.degree}
    return degree | pair.texts | {"normalization": drift.normalization}
