"""``python -m derive.tables``: tables of the theory, typeset, computed when asked for."""

from argparse import Namespace
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import derive
from derive.command.group import Command
from derive.command.parser import CommandParser
from derive.command.progress import progress
from derive.command.report import Report
from derive.command.tabular import Table, plain
from derive.command.values import Degrees, accepted, integer_between, one_of
from derive.errors import InputError
from derive.kinds import CONVENTION_NAMES

LARGEST_TABULATED = 200  # a table of longer formulas is of no use to anyone
_DEGREES = Degrees("1:6")  # where neither degrees nor activations are given


def _names() -> list[str]:
    from derive.tables.activations import ACTIVATION_TABLES
    from derive.tables.hermite import TABLES

    return [*TABLES, *ACTIVATION_TABLES]


def _parser() -> CommandParser:
    parser = CommandParser(
        "derive.tables",
        "Typeset tables of the theory: Hermite, rescaling and squared-label coefficients, drift "
        "coefficients, limits of the escape time, for Hermite degrees or for any activation.",
        (
            "--degree 1:8 --output tables.tex",
            "--degree 1:8 --standalone --output document.tex",
            "--degree 3 --table drift --format markdown",
            "--activation erf --activation 'x**3/6 + relu' --format text",
            "--activation gelu --order 8 --variance 1 --hermite orthonormal "
            "--table activation-coefficients",
        ),
        default_format="latex",
    )
    _add_functions(parser)
    _add_expansion(parser)
    parser.add_argument(
        "--table",
        type=one_of(_names, "table", "the documentation"),
        metavar="NAME",
        help="only this table (default: all of them, one after the other)",
    )
    parser.add_argument(
        "--standalone",
        action="store_true",
        help="a complete LaTeX document instead of floats for \\input, which say above what "
        "packages they need",
    )
    return parser


def _add_functions(parser: CommandParser) -> None:
    parser.add_argument(
        "--degree",
        type=Degrees,
        metavar="N",
        help="Hermite degrees: 5, a range 1:8 (both ends included) or a list 3,5 "
        f"(default: {_DEGREES})",
    )
    parser.add_argument(
        "--activation",
        action="append",
        type=accepted(lambda text: derive.parse_activation(text)),
        metavar="TEXT",
        help="tables of this activation instead, such as erf or 'x**3/6 + relu'; may be repeated",
    )


def _add_expansion(parser: CommandParser) -> None:
    parser.add_argument(
        "--order",
        type=integer_between(0, LARGEST_TABULATED),
        metavar="N",
        help="up to which degree coefficients of an activation are listed (default: 4)",
    )
    parser.add_argument(
        "--variance",
        type=accepted(lambda text: derive.parse_variance(text)),
        metavar="Q",
        help="of the Gaussian of these coefficients, such as 1, 1/2 or 'sqrt(2)'; then also what "
        "the series leaves out (default: the symbol Q)",
    )
    parser.add_argument(
        "--hermite",
        choices=CONVENTION_NAMES,
        default=CONVENTION_NAMES[0],
        help="Hermite polynomials and coefficients: he (probabilists'), h (physicists') or "
        "orthonormal (default: %(default)s)",
    )


def _record(table: Table) -> dict[str, Any]:
    return {
        "table": table.name,
        "title": table.title.plain,
        "columns": [plain(cell) for cell in table.columns],
        "rows": [[plain(cell) for cell in row] for row in table.rows],
        "notes": [plain(note) for note in table.notes],
    }


def _chosen(options: Namespace) -> tuple[Mapping[str, Callable[[Any], Table]], Any]:
    """The tables there are for what was asked, and the activations or degrees."""
    from derive.tables.hermite import TABLES

    if options.activation:
        if options.degree:
            raise InputError("--degree and --activation exclude each other here: give one")
        return _of_activations(options), options.activation
    if options.order is not None or options.variance:
        raise InputError("--order and --variance are of the coefficients of an --activation")
    degrees = options.degree or _DEGREES
    if max(degrees) > LARGEST_TABULATED:
        raise InputError(
            f"--degree {degrees} is not accepted: tables hold degrees up to "
            f"{LARGEST_TABULATED}; numerics.singularities goes further"
        )
    how = {"convention": options.hermite}
    return {name: partial(table, **how) for name, table in TABLES.items()}, degrees


def _of_activations(options: Namespace) -> Mapping[str, Callable[[Any], Table]]:
    """The tables of activations, the coefficients as they are asked for."""
    from derive.tables.activations import ACTIVATION_TABLES, Asked, activation_coefficients_table

    asked = Asked(convention=options.hermite)
    if options.order is not None:
        asked = replace(asked, order=options.order)
    if options.variance:
        asked = replace(asked, variance=derive.parse_variance(options.variance))
    coefficients = partial(activation_coefficients_table, asked=asked)
    return ACTIVATION_TABLES | {"activation-coefficients": coefficients}


def _action(options: Namespace) -> Report:
    builders, chosen = _chosen(options)
    if options.table and options.table not in builders:
        raise InputError(f"--table {options.table} is not among {', '.join(builders)} here")
    names = [options.table] if options.table else list(builders)
    if options.format == "csv" and len(names) > 1:
        raise InputError(f"--format csv holds one table: add --table {{{','.join(builders)}}}")
    if options.standalone and options.format != "latex":
        raise InputError(f"--standalone is a LaTeX document, not {options.format}: drop one")
    tables = [builders[name](chosen) for name in progress(names, "tables")]
    records = [_record(table) for table in tables]
    rows = [dict(zip(record["columns"], row, strict=True)) for record in records
            for row in record["rows"]]  # fmt: skip
    return Report(records, tables, "exact", rows, standalone=options.standalone)


main = Command(_parser, _action)


if __name__ == "__main__":
    raise SystemExit(main())
