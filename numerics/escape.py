"""``python -m numerics.escape``: the escape time over the strength, as table or curve."""

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict
from fractions import Fraction
from math import inf, isinf
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numerics
from derive.command.group import Command
from derive.command.parser import CommandParser
from derive.command.progress import progress
from derive.command.prose import prose
from derive.command.report import Report, spread
from derive.command.tabular import Table, Typeset, rounded, typeset
from derive.errors import InputError, Undecided
from derive.tables.names import in_units, pair_name
from numerics.figures.quantities import QUANTITIES
from numerics.options.pairs import add_case_options, chosen_drifts, described
from numerics.options.shared import add_options, add_shared, option
from numerics.options.values import dimension, figure_files, refuse_idle_style

if TYPE_CHECKING:
    from derive.drift import AnyDrift
    from derive.pair import Pair
    from numerics.figures.style import Drawn

_CHOICES = (*QUANTITIES, "potential")  # which alone is not over μ


def _record(
    pair: "Pair", drift: "AnyDrift", strengths: Sequence[Fraction], dimension: int
) -> dict[str, Any]:
    """The curve of a pair as data, and the singularities between; an infinite time is ``None``."""
    curve = numerics.escape_curve(drift, strengths)
    return (
        described(pair, drift)
        | {
            "certainty": drift.certainty,
            "mu": curve.mu,
            "a": curve.a,
            "b": curve.b,
            "rate": curve.rate,
            "tau": [None if isinf(tau) else tau for tau in curve.tau],
            "dimension": dimension,
            "exit_time": [None if isinf(t) else t for t in curve.exit_time(dimension)],
            "took": asdict(curve.took),
        }
        | _between(drift, strengths)
    )


def _between(drift: "AnyDrift", strengths: Sequence[Fraction]) -> dict[str, Any]:
    """The singularities that a grid straddles; ``None`` if that is undecided."""
    from numerics.certified.straddled import straddled

    try:
        found = straddled(drift, strengths)
    except Undecided:
        return {"singularities": None, "singular_b": None}
    return {"singularities": [s.mu.mid for s in found], "singular_b": [s.b.mid for s in found]}


_CURVE = ("mu", "a", "b", "rate", "tau", "exit_time")


def _table(pair: "Pair", record: dict[str, Any]) -> Table:
    how = "{labels} labels, {loss} loss, misalignment {misalignment}".format(**record)
    name, units = pair_name(pair), in_units(record["normalization"])
    dimension = record["dimension"]
    return Table(
        name="escape",
        title=Typeset(
            f"Escape time of {name.plain}: {how}, {units.plain}",
            f"Escape time of {name.latex}: {typeset(how)}, {units.latex}",
        ),
        columns=(
            Typeset("mu", r"$\mu$"),
            Typeset("a", "$a$"),
            Typeset("b", "$b$"),
            Typeset("λ+", r"$\lambda_+$"),
            Typeset("τ", r"$\tau$"),
            Typeset(f"½ τ log {dimension}", rf"$\frac12\tau\log {dimension}$"),
        ),
        rows=tuple(
            tuple(
                rounded(inf if value is None else value, 6)
                for value in point
            )
            for point in sorted([*zip(*(record[key] for key in _CURVE), strict=True),
                                 *_singular_points(record)], key=lambda point: point[0])
        ),
        notes=tuple(_notes(record)),
    )  # fmt: skip


def _singular_points(record: dict[str, Any]) -> list[tuple[float | None, ...]]:
    """Rows for the singularities that no strength of the grid is at."""
    pairs = zip(record["singularities"] or (), record["singular_b"] or (), strict=True)
    return [(float(mu), 0.0, float(b), 0.0, None, None) for mu, b in pairs
            if float(mu) not in record["mu"]]  # fmt: skip


_SOURCES = {
    "exact": "from closed forms; every digit shown is certified",
    "certified": "by quadrature; every digit shown is certified",
}


def _notes(record: dict[str, Any]) -> list[Typeset]:
    said, singular = [_SOURCES[record["certainty"]]], record["singularities"]
    if singular is None:
        said.append("whether the escape time is infinite between these strengths is undecided")
    elif singular:
        said.append("between these strengths the escape time is infinite, certified, at mu = "
                    + ", ".join(singular))  # fmt: skip
    return [prose(note) for note in said]


_DIMENSION = option(
    dimension, "D", "input dimension d of the exit time ½ τ log d, such as 1e6", 1000
)


def _parser() -> CommandParser:
    parser = CommandParser(
        "numerics.escape",
        "Tabulate and draw the escape time of any pair over the pre-training strength.",
        (
            "--degree 3 --mu 0.1:0.9:9",
            "--activation relu --activation erf --labels squared --format json",
            "--activation x --misalignment spherical --mu 0.9",
            "--degree 3,5,7,4,10 --plot escape.pdf --output escape.txt",
            "--activation gelu --activation sigmoid --plot risk.svg --quantity frozen-risk",
            "--activation x --mu 0.1,0.5,0.9 --plot potential.pdf --quantity potential",
        ),
    )
    add_case_options(parser, misalignment=True)
    curve = parser.add_argument_group("which curve")
    add_shared(curve, "mu", default="0.1:0.9:9")
    add_options(curve, {"dimension": _DIMENSION})
    figure = parser.add_argument_group("figure")
    add_shared(figure, "plot", help="also draw --quantity as .pdf, .png or .svg, with its data "
               "beside it as .csv, and with its caption as .tex")  # fmt: skip
    add_shared(figure, "style")
    figure.add_argument(
        "--quantity",
        choices=_CHOICES,
        help="what --plot draws: over μ in (0, 1), or for the potential V(g) at the strengths of "
        f"--mu (default: {_CHOICES[0]})",
    )
    return parser


def _drawn(chosen: Sequence[tuple["Pair", "AnyDrift"]], options: Namespace) -> dict[Path, bytes]:
    """The figure and its data."""
    from numerics.figures.curves import draw_curves  # matplotlib
    from numerics.figures.potentials import draw_potentials

    def draw(form: str) -> "Drawn":
        if options.quantity == "potential":
            return draw_potentials(chosen, options.mu, form, options.source)
        quantity = options.quantity or _CHOICES[0]
        return draw_curves(chosen, quantity, options.dimension, form, options.source)

    return figure_files(options.plot, draw, options.style, options.source)


def _action(options: Namespace) -> Report:
    refuse_idle_style(options)
    if options.quantity and not options.plot:
        raise InputError("--quantity says what --plot draws: add --plot FILE")
    chosen, records = [], []
    for derived in progress(chosen_drifts(options), "pairs"):
        chosen.append(derived())
        records.append(_record(*chosen[-1], options.mu, options.dimension))
    tables = [_table(pair, record) for (pair, _), record in zip(chosen, records, strict=True)]
    rows = [row for record in records for row in spread(record, *_CURVE)]
    files = _drawn(chosen, options) if options.plot else {}
    return Report(records, tables, "exact", rows, files)


main = Command(_parser, _action)


if __name__ == "__main__":
    raise SystemExit(main())
