"""``python -m numerics.hermite``: Hermite coefficients of any activation in certified digits."""

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
from derive.command.tabular import Content, Table, Typeset, decimal, formula
from derive.command.values import integer_between
from derive.kinds import CONVENTION_NAMES
from derive.tables.names import function_name
from numerics.options.functions import ACTIVATION, VARIANCE, digits
from numerics.options.shared import add_options, option

if TYPE_CHECKING:
    from numerics.certified.expansion import HermiteExpansion

_LARGEST_ORDER = 1000
_REST = Typeset("E(σ - Σ)²", r"$E(\sigma - \sum)^2$")


def _record(found: "HermiteExpansion") -> dict[str, Any]:
    return {
        "function": found.activation.text,
        "variance": str(found.variance),
        "hermite": found.convention,
        "coefficients": [
            {"degree": k, "value": c.mid, "radius": c.radius}
            for k, c in enumerate(found.coefficients)
        ],
        "truncation": found.truncation.mid,
        "truncation_radius": found.truncation.radius,
        "took": asdict(found.took),
    }


def _rows(record: dict[str, Any]) -> list[dict[str, Any]]:
    """A record a coefficient."""
    common = {name: value for name, value in record.items() if name != "coefficients"}
    return [common | coefficient for coefficient in record["coefficients"]]


def _table(found: Sequence["HermiteExpansion"]) -> Table:
    from derive.conventions import convention_of

    told, variance = convention_of(found[0].convention), found[0].variance
    rows: list[tuple[Content, ...]] = []
    for each in found:
        name = function_name(each.activation.text)
        for k, c in enumerate(each.coefficients):
            rows.append((name, Typeset(f"c_{k}", f"$c_{{{k}}}$"), decimal(c.mid)))
        rows.append((name, _REST, decimal(each.truncation.mid)))
    note = prose("Every digit shown is certified to one unit in the last place; the last line is "
                 "the mean square of what the series leaves out.")  # fmt: skip
    return Table(
        name="hermite",
        title=Typeset(
            f"Hermite coefficients, {told.name}: {told.series}, Q = {variance}",
            f"Hermite coefficients, {told.name}: {told.latex}, $Q = {formula(variance)}$",
        ),
        columns=("activation", "", "certified digits"),
        rows=tuple(rows),
        notes=(note,),
    )


def _parser() -> CommandParser:
    parser = CommandParser(
        "numerics.hermite",
        "Hermite coefficients of any activation, to any order, and the error of stopping there, in "
        "certified digits; closed forms are in derive.tables.",
        (
            "--activation tanh",
            "--activation tanh --order 201 --digits 20 --format csv",
            "--activation 'relu(x - 1)' --activation mish --variance 1/2 --hermite orthonormal",
        ),
    )
    order = option(integer_between(0, _LARGEST_ORDER), "N", "highest degree", 8)
    named = {"activation": ACTIVATION, "variance": VARIANCE, "order": order, "digits": digits(30)}
    add_options(parser, named)
    parser.add_argument(
        "--hermite",
        choices=CONVENTION_NAMES,
        default=CONVENTION_NAMES[0],
        help="convention: he (probabilists', c_k = E σ^(k)), h (physicists') or orthonormal "
        "(default: %(default)s)",
    )
    return parser


def _action(options: Namespace) -> Report:
    found = [
        numerics.hermite_expansion(
            text,
            options.order,
            variance=options.variance,
            convention=options.hermite,
            digits=options.digits,
        )
        for text in progress(options.activation, "activations")
    ]
    records = [_record(each) for each in found]
    rows = [row for record in records for row in _rows(record)]
    return Report(records, [_table(found)], "certified", rows)


main = Command(_parser, _action)


if __name__ == "__main__":
    raise SystemExit(main())
