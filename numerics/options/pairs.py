"""Which pairs a command works on: the options that choose them, and the cases they stand for."""

import re
from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from derive.command.parser import CommandParser
from derive.command.tabular import Typeset, typeset
from derive.command.values import Degrees, accepted
from derive.drift import LABELS, NORMALIZATIONS, ClosedDrift, Drift, MeanDrift, hermite_drift
from derive.errors import InputError
from derive.grammar import parse_activation, parse_transform
from derive.pair import LOSSES, MISALIGNMENTS, Pair
from derive.pair_drift import drift_of

AnyDrift = Drift | ClosedDrift | MeanDrift


@dataclass(frozen=True)
class Case:
    """One teacher-student pair a command works on, with its drift.

    Fields: ``teacher`` and ``student`` as text; ``degree`` if it is a pure Hermite pair;
    ``labels``, ``loss``, ``misalignment`` and ``normalization`` by name; ``drift``.
    """

    teacher: str
    student: str
    degree: int | None
    labels: str
    loss: str
    misalignment: str
    normalization: str
    drift: AnyDrift

    @property
    def pair(self) -> Pair:
        """The pair itself."""
        return pair_from_text(self.teacher, self.student, self.labels, self.loss, self.misalignment)

    @property
    def description(self) -> dict[str, object]:
        """The case as the first fields of its JSON record."""
        degree = {} if self.degree is None else {"degree": self.degree}
        return degree | {
            "teacher": self.teacher,
            "student": self.student,
            "labels": self.labels,
            "loss": self.loss,
            "misalignment": self.misalignment,
            "normalization": self.normalization,
        }

    @property
    def name(self) -> Typeset:
        """The pair for a table: the student alone, or teacher and student."""
        shown, written = _written(self.student)
        if self.teacher == self.student:
            return Typeset(shown, written)
        teacher, teacher_written = _written(self.teacher)
        return Typeset(f"{teacher} -> {shown}", rf"{teacher_written} $\to$ {written}")


def _written(text: str) -> tuple[str, str]:
    pure = re.fullmatch(r"He(\d+)", text)
    return text, rf"$\mathrm{{He}}_{{{pure[1]}}}$" if pure else rf"\texttt{{{typeset(text)}}}"


def add_case_options(
    parser: CommandParser, misalignment: bool = False, simulated: bool = False
) -> None:
    """Add the options that choose the pairs: by degree, by activation, by teacher and student.

    A simulation takes several kinds of labels, and knows no normalisation but its own.
    """
    parser.add_argument(
        "--degree",
        type=Degrees,
        metavar="N",
        help="pure Hermite pairs: 5, a range 3:21 (both ends included), 3:21:2, or a list 3,5,10",
    )
    activation = accepted(parse_activation)
    parser.add_argument(
        "--activation",
        action="append",
        type=activation,
        metavar="TEXT",
        help="matched pair of this activation, such as erf, relu or 'x**3/6 + erf(x)/2'; may be "
        "repeated",
    )
    for role, other in (("teacher", "student"), ("student", "teacher")):
        parser.add_argument(
            f"--{role}", type=activation, metavar="TEXT", help=f"{role} activation, with --{other}"
        )
    known = "labels: matched, squared, or a polynomial of the teacher's output y"
    transform = accepted(parse_transform)
    if simulated:
        parser.add_argument(
            "--labels",
            action="append",
            type=transform,
            metavar="TEXT",
            help=f"{known}; may be repeated (default: matched)",
        )
    else:
        parser.add_argument(
            "--labels",
            type=transform,
            default="matched",
            metavar="TEXT",
            help=f"{known} (default: matched)",
        )
    parser.add_argument(
        "--loss", choices=LOSSES, default=LOSSES[0], help="loss of the student (default: square)"
    )
    if misalignment:
        parser.add_argument(
            "--misalignment",
            choices=MISALIGNMENTS,
            default="none",
            help="pre-trained direction off the teacher's by ν: none, linear (1-μ) or spherical "
            "(√(1-μ²)) (default: none)",
        )
    if not simulated:
        parser.add_argument(
            "--normalization",
            choices=NORMALIZATIONS,
            help="time scale of a and b: divided by n·n! as in the paper, or raw (default: n*n! "
            "with --degree, raw otherwise)",
        )


def chosen_pairs(options: Namespace) -> tuple[Sequence[int], list[tuple[str, str]]]:
    """The Hermite degrees and the other pairs of teacher and student the options choose.

    Raises ``InputError`` if they choose none or contradict each other.
    """
    if (options.teacher is None) != (options.student is None):
        raise InputError("--teacher and --student go together: give both, or --activation")
    pairs = [(text, text) for text in options.activation or []]
    if options.teacher is not None:
        pairs.append((options.teacher, options.student))
    if not pairs and not options.degree:
        raise InputError(
            "no pair is chosen: give --degree, --activation, or --teacher and --student"
        )
    return options.degree or (), pairs


def cases(options: Namespace) -> list[Callable[[], Case]]:
    """The cases the options stand for, each to be derived when its turn comes.

    Raises ``InputError`` if the options choose none or contradict each other.
    """
    degrees, pairs = chosen_pairs(options)
    if options.normalization == "n*n!" and pairs:
        raise InputError("--normalization n*n! is for pure Hermite pairs: use --degree, or raw")
    return [
        *(lambda n=n: _hermite_case(n, options) for n in degrees),
        *(lambda pair=pair: _case(pair[0], pair[1], None, options) for pair in pairs),
    ]


def _hermite_case(n: int, options: Namespace) -> Case:
    misalignment = getattr(options, "misalignment", "none")
    normalization = options.normalization or "n*n!"
    if options.labels in LABELS and options.loss == "square" and misalignment == "none":
        drift = hermite_drift(n, options.labels, normalization)
        return Case(f"He{n}", f"He{n}", n, options.labels, "square", "none", normalization, drift)
    if normalization != "raw" and options.normalization:
        raise InputError(
            "--normalization n*n! is for the square loss and matched or squared labels"
        )
    return _case(f"He{n}", f"He{n}", n, options)


def _case(teacher: str, student: str, degree: int | None, options: Namespace) -> Case:
    how = (options.labels, options.loss, getattr(options, "misalignment", "none"))
    drift = drift_of(pair_from_text(teacher, student, *how))
    return Case(teacher, student, degree, *how, "raw", drift)


def pair_from_text(teacher: str, student: str, labels: str, loss: str, misalignment: str) -> Pair:
    """The pair that the texts of its options stand for."""
    return Pair(
        parse_activation(teacher),
        parse_activation(student),
        parse_transform(labels),
        loss,
        MISALIGNMENTS[misalignment],
    )


def in_units(case: Case) -> Typeset:
    """What ``a`` and ``b`` are divided by in this case, for a table's title or row."""
    if case.normalization == "n*n!":
        return Typeset("a and b divided by n*n!", "$a$ and $b$ divided by $n\\,n!$")
    return Typeset("raw a and b", "raw $a$ and $b$")
