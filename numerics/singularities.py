"""``python -m numerics.singularities``: every zero of ``a`` in (0, 1), with proofs."""

import json
from argparse import Namespace
from collections.abc import Sequence

from flint import arb

from derive.command.parser import CommandParser
from derive.command.progress import progress
from derive.command.provenance import provenance
from derive.command.run import Outcome, run
from derive.command.tabular import Table, Typeset, as_csv, decimal, render, typeset
from derive.command.values import integer_between
from derive.drift import AnyDrift
from derive.pair import Pair
from derive.tables.names import in_units, pair_name
from numerics.certified.balls import enclosure
from numerics.certified.singularities import find_singularities
from numerics.options.pairs import add_case_options, chosen_drifts, described


def _record(pair: Pair, drift: AnyDrift, digits: int, source: str) -> dict:
    """What the JSON format says of one pair. An incomplete list is an error, so none gets here."""
    return described(pair, drift) | {
        "certainty": "certified",
        "complete": True,
        "singularities": [
            {
                "mu": s.mu.mid,
                "radius": s.mu.radius,
                "b": s.b.mid,
                "b_radius": s.b.radius,
                "diverges": s.diverges,
                "constant": s.constant and s.constant.mid,
                "constant_radius": s.constant and s.constant.radius,
                "multiplicity": s.multiplicity,
                "interval": [str(end) for end in s.interval],
            }
            for s in find_singularities(drift, digits)
        ],
        "provenance": source,
    }


_SHORT = 10  # most digits of the less important columns where people read them

_FIELDS = (
    "mu",
    "radius",
    "b",
    "b_radius",
    "diverges",
    "constant",
    "constant_radius",
    "multiplicity",
)


def _csv(records: Sequence[dict], source: str) -> str:
    """One row per singularity; a case that provably has none keeps a row with empty fields."""
    head = ("degree", "teacher", "student", "labels", "loss", "normalization", "complete", "count")
    rows = []
    for record in records:
        found = record["singularities"]
        common = [record.get(key) for key in head[:-1]] + [len(found)]
        for s in found or [{}]:
            rows.append([*common, *(s.get(field) for field in _FIELDS)])
    return as_csv([*head, *_FIELDS], rows, source)


def _shown(mid: str, digits: int) -> Typeset:
    """The first digits of an enclosed number, whose ``mid`` has them all and perhaps more."""
    return decimal(enclosure(arb(mid), min(digits, _SHORT)).mid)


def _rows(name: Typeset, record: dict, digits: int) -> list[tuple]:
    rows: list[tuple] = []
    for s in record["singularities"]:
        fate = "diverges" if s["diverges"] else "finite, 1/b"
        if s["multiplicity"] > 1:
            fate += f", as the power {2 * s['multiplicity']}"
        constant = s["constant"] and _shown(s["constant"], digits)
        rows.append((name, decimal(s["mu"]), _shown(s["b"], digits), fate, constant))
    return rows or [(name, "none: proved", None, "finite", None)]


def _table(chosen: Sequence[Pair], records: Sequence[dict], digits: int) -> Table:
    labels = "{labels} labels, {loss} loss".format(**records[0])
    units = {in_units(record["normalization"]) for record in records}
    mixed = len(units) > 1
    each = Typeset("a and b as each row says", "$a$ and $b$ as each row says")
    own = each if mixed else units.pop()
    note = (
        "Every list is proved complete; every digit shown is certified to one unit in the last "
        "place."
    )
    return Table(
        name="singularities",
        title=Typeset(
            f"Zeros of a(μ) in (0,1): {labels}, {own.plain}",
            rf"Zeros of $a(\mu)$ in $(0,1)$: {typeset(labels)}, {own.latex}",
        ),
        columns=(
            "pair",
            Typeset("zero μ*", r"$\mu_\star$"),
            Typeset("b(μ*)", r"$b(\mu_\star)$"),
            Typeset("escape time", r"$\tau$"),
            Typeset("C in τ ≈ C/(μ-μ*)²", r"$C$ in $\tau \approx C/(\mu-\mu_\star)^2$"),
            *(["units"] if mixed else []),
        ),
        rows=tuple(
            (*row, in_units(record["normalization"])) if mixed else row
            for pair, record in zip(chosen, records, strict=True)
            for row in _rows(pair_name(pair), record, digits)
        ),
        notes=(Typeset(note, note),),
    )


def _parser() -> CommandParser:
    parser = CommandParser(
        "numerics.singularities",
        "Find, with proof, every zero of the drift coefficient a in (0, 1), where the escape time "
        "may diverge.",
        (
            "--degree 5",
            "--degree 3:21 --digits 50",
            "--degree 3,5,10 --format json",
            "--degree 1:12 --labels squared --format latex --output singularities.tex",
            "--activation erf --activation 'He3 + He4'",
            "--teacher relu --student tanh --labels 'y**2 - y'",
        ),
    )
    add_case_options(parser)
    parser.add_argument(
        "--digits",
        type=integer_between(1, 10_000),
        default=30,
        help="significant digits of every number, all certified; tables show at most "
        f"{_SHORT} of b and C (default: 30)",
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``python -m numerics.singularities`` and return its exit code."""
    parser = _parser()

    def action(options: Namespace) -> Outcome:
        source = provenance(parser, options)
        chosen, records = [], []
        for derived in progress(chosen_drifts(options), "pairs"):
            pair, drift = derived()
            chosen.append(pair)
            records.append(_record(pair, drift, options.digits, source))
        if options.format == "json":
            return Outcome(json.dumps(records, indent=2))
        if options.format == "csv":
            return Outcome(_csv(records, source))
        return Outcome(render([_table(chosen, records, options.digits)], options.format, source))

    return run(parser, action, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
