"""``python -m numerics.report ACTIVATION``: what is known of a pair, one HTML file."""

from argparse import Namespace
from functools import partial
from pathlib import Path

import derive
from derive.command.group import Command
from derive.command.parser import CommandParser
from derive.command.progress import progress
from derive.command.report import Report, page_written
from derive.command.values import accepted
from derive.kinds import LOSSES
from numerics.options.shared import add_options, add_shared, option
from numerics.options.values import dimension, seed

_LIBRARIES = ("sympy", "python-flint", "numpy", "scipy", "numba", "matplotlib", "jinja2",
              "math-core")  # fmt: skip
_DIMENSION = option(dimension, "D", "input dimension of samples and simulation, as 1e6", 1000)
_SEED = option(seed, "N", "of all random streams", 0)


def _parser() -> CommandParser:
    parser = CommandParser(
        "numerics.report",
        "Report on a pair: verdict, formulas, figure, singularities, samples, a simulation that "
        "checks them, LaTeX and BibTeX, in one HTML file.",
        ("relu", "'tanh(2*x)' --output report.html", "He3 --labels squared --dimension 1e6"),
        libraries=_LIBRARIES,
        output=Path("report.html"),
    )
    activation = accepted(lambda text: derive.parse_activation(text))
    parser.add_argument("activation", type=activation, metavar="ACTIVATION",
                        help="of the student, and of the teacher unless that is given, such as "
                        "relu, He3 or 'x**3/6 + erf(x)/2'")  # fmt: skip
    pair = parser.add_argument_group("which pair")
    pair.add_argument("--teacher", type=activation, metavar="TEXT", help="another teacher")
    pair.add_argument("--labels", type=accepted(lambda text: derive.parse_transform(text)),
                      metavar="TEXT", default="matched",
                      help="matched, squared, or a function of the teacher's output y "
                      "(default: %(default)s)")  # fmt: skip
    pair.add_argument("--loss", choices=LOSSES, default=LOSSES[0],
                      help="loss of the student (default: %(default)s)")  # fmt: skip
    checked = parser.add_argument_group("samples and simulation")
    add_options(checked, {"dimension": _DIMENSION})
    add_shared(checked, "replicas", default=200)
    add_options(checked, {"seed": _SEED})
    return parser


def _action(options: Namespace) -> Report:
    from derive.pair import Pair
    from numerics.reported.report import report_of

    teacher = options.teacher or options.activation
    pair = Pair(teacher, options.activation, options.labels, options.loss)
    numbers = (options.dimension, options.replicas, options.seed)
    in_turn = partial(progress, what="sections")
    html = report_of(pair, *numbers, options.source, in_turn)
    return page_written(options, "report", html, **pair.texts)


main = Command(_parser, _action)


if __name__ == "__main__":
    raise SystemExit(main())
