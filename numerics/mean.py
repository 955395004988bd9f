"""``python -m numerics.mean``: the mean of any function under any Gaussian, exact or certified.

In Python it is ``numerics.expectation``.
"""

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numerics
from derive.command.group import Command
from derive.command.parser import CommandParser
from derive.command.progress import progress
from derive.command.prose import prose
from derive.command.report import Report
from derive.command.tabular import Table, Typeset, decimal, formula
from derive.tables.names import function_name
from numerics.options.functions import ACTIVATION, CENTER, VARIANCE, digits
from numerics.options.shared import add_options

if TYPE_CHECKING:
    from numerics.certified.expectation import Expectation


def _record(found: "Expectation") -> dict[str, Any]:
    return {
        "function": found.function,
        "center": str(found.center),
        "variance": str(found.variance),
        "certainty": found.certainty,
        "exact": None if found.expression is None else str(found.expression),
        "mean": found.value.mid,
        "mean_radius": found.value.radius,
        "took": asdict(found.took),
    }


def _table(found: Sequence["Expectation"]) -> Table:
    center, variance = found[0].center, found[0].variance
    return Table(
        name="mean",
        title=Typeset(
            f"Means E f(x), x Gaussian of mean {center} and variance {variance}",
            rf"Means $E f(x)$, $x \sim N({formula(center)}, {formula(variance)})$",
        ),
        columns=("f", "digits", "certainty", "closed form"),
        rows=tuple(
            (function_name(e.function), decimal(e.value.mid), e.certainty, e.expression)
            for e in found
        ),
        notes=(prose("Every digit shown is certified to one unit in the last place."),),
        wide=3,
        share="0.3",
    )


def _parser() -> CommandParser:
    parser = CommandParser(
        "numerics.mean",
        "The mean of any function under a Gaussian: in closed form where there is one, and in "
        "certified digits.",
        (
            "--activation 'erf(2*x + 1)**2'",
            "--activation gelu --activation tanh --center 1 --variance 2",
            "--activation 'where(x < 1, 1, 0)' --center -1/2 --digits 50 --format json",
        ),
    )
    gaussian = {"center": CENTER, "variance": VARIANCE}
    add_options(parser, {"activation": ACTIVATION, **gaussian, "digits": digits(30)})
    return parser


def _action(options: Namespace) -> Report:
    found = [
        numerics.expectation(
            text, center=options.center, variance=options.variance, digits=options.digits
        )
        for text in progress(options.activation, "functions")
    ]
    return Report([_record(each) for each in found], [_table(found)], "certified")


main = Command(_parser, _action)


if __name__ == "__main__":
    raise SystemExit(main())
