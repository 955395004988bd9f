"""``python -m numerics.report ACTIVATION``: what is known of a pair, one HTML file."""

from argparse import Namespace
from pathlib import Path

import derive
from derive.command.extras import missing
from derive.command.group import Command
from derive.command.parser import CommandParser
from derive.command.progress import progress
from derive.command.report import Report
from derive.command.tabular import Table, Typeset
from derive.command.values import accepted
from derive.errors import InputError
from derive.kinds import LOSSES
from numerics.options.shared import add_options, add_shared, option
from numerics.options.values import dimension

_LIBRARIES = ("sympy", "python-flint", "numpy", "scipy", "numba", "matplotlib")
_NEEDED = ("jinja2", "math_core")  # of the extra reproduce
_DIMENSION = option(dimension, "D", "input dimension of samples and simulation, as 1e6", 1000)


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
    checked.add_argument("--seed", type=int, default=0, metavar="N",
                         help="of all random streams (default: %(default)s)")  # fmt: skip
    return parser


def _action(options: Namespace) -> Report:
    if why := missing("numerics.report", "reproduce", _NEEDED):  # before any work
        raise InputError(why)
    from derive.pair import Pair
    from derive.pair_drift import drift_of
    from numerics.reported.page import page
    from numerics.reported.sections import Asked, section_makers

    teacher = options.teacher or options.activation
    pair = Pair(teacher, options.activation, options.labels, options.loss)
    asked = Asked(pair, drift_of(pair), options.dimension, options.replicas, options.seed,
                  options.source)  # fmt: skip
    found = [make() for make in progress(section_makers(asked), "sections")]
    html = page(asked.name, found, options.source).encode()
    record = {"file": str(options.output), "bytes": len(html), **pair.texts}
    target, options.output = options.output, None  # the page goes there, not what is told of it
    title = Typeset("The report", "The report")
    table = Table("report", title, tuple(record), (tuple(map(str, record.values())),))
    return Report(record, [table], "heuristic", files={target: html})


main = Command(_parser, _action)


if __name__ == "__main__":
    raise SystemExit(main())
