"""Singularities of the escape time: every zero of ``a`` in (0, 1), with proofs.

``python -m numerics.singularities --degree 5``. The drift polynomials come from ``derive``, exact;
their roots are isolated and refined in ``numerics.roots``; the sign of ``b`` at a root is decided
by exact arithmetic if it is zero and by an enclosure that excludes zero if it is not.
"""

import json
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass

from flint import arb, ctx
from sympy import simplify

from derive.command import CommandParser, Outcome, integer_between, progress, provenance, run
from derive.drift import Drift
from derive.errors import InputError
from derive.escape import local_law
from derive.pair import ClosedDrift, MeanDrift
from derive.tabular import Table, Typeset, as_csv, decimal, render, typeset
from numerics.balls import Enclosure, bits_for, enclosure, evaluate, rational_polynomial
from numerics.cases import Case, add_case_options, cases, in_units
from numerics.enclosures import ball_drift
from numerics.roots import RealRoot, enclose_root, isolate_roots, vanishes_at
from numerics.zeros import isolate_zeros, values_at_zero


@dataclass(frozen=True)
class Singularity:
    """A zero of ``a`` in (0, 1) and what the escape time does there.

    Fields: ``mu`` the zero and ``b`` the other drift coefficient there, enclosed; ``diverges``
    whether the escape time is infinite there (``b ≤ 0``) rather than ``1/b``; ``constant`` the
    enclosed ``C`` of ``τ ≈ C/(μ-μ*)^(2·multiplicity)``, ``None`` unless ``b < 0``;
    ``multiplicity`` of the zero; ``interval``, rational bounds between which it is the only zero.
    """

    mu: Enclosure
    b: Enclosure
    diverges: bool
    constant: Enclosure | None
    multiplicity: int
    interval: tuple[str, str]


def find_singularities(
    drift: Drift | ClosedDrift | MeanDrift, digits: int = 30
) -> tuple[Singularity, ...]:
    r"""Find every zero of ``a`` in the open interval (0, 1), in increasing order.

    Arguments: ``drift`` of any pair; ``digits`` ≥ 1 of relative accuracy for the zeros, for ``b``
    and for the constants of the local law.

    Raises ``InputError`` if ``a`` vanishes identically or grows too fast for its tail bound and for
    misaligned pre-training, where the escape goes on through κ, and ``Undecided`` if enclosures do
    not settle the question (polynomial drifts are always decided).
    Source: Sec. 3.1, Prop. 2. Certified: the list is complete, every enclosure contains the truth,
    every sign is proved.

    >>> from derive.drift import hermite_drift
    >>> only, = find_singularities(hermite_drift(3), digits=10)
    >>> only.mu.mid, only.diverges
    ('0.3207243473', True)
    """
    if digits < 1:
        raise InputError(f"digits {digits} is not accepted: give an integer ≥ 1")
    if not isinstance(drift, MeanDrift) and drift.misalignment != 0:
        raise InputError("singularities are those of aligned pre-training: give no misalignment")
    if not isinstance(drift, Drift):
        return _from_enclosures(drift, digits)
    if drift.a.is_zero:
        raise InputError(_NOTHING)
    roots = isolate_roots(rational_polynomial(drift.a).numer())
    in_order = sorted(roots, key=lambda root: root.lower + root.upper)  # intervals are disjoint
    return tuple(_singularity(drift, root, bits_for(digits), digits) for root in in_order)


_NOTHING = "a vanishes identically: every μ is a zero, there is nothing to isolate"


def _from_enclosures(drift: ClosedDrift | MeanDrift, digits: int) -> tuple[Singularity, ...]:
    if isinstance(drift, ClosedDrift) and simplify(drift.a) == 0:
        raise InputError(_NOTHING)
    balls, bits, found = ball_drift(drift), bits_for(digits), []
    for interval in isolate_zeros(balls):
        mu, b, slope = values_at_zero(balls, interval, bits)
        with ctx.workprec(2 * bits):
            constant = enclosure(-b / slope**2, digits) if b < 0 else None
        found.append(
            Singularity(
                mu=enclosure(mu, digits),
                b=enclosure(b, digits),
                diverges=not b > 0,
                constant=constant,
                multiplicity=1,
                interval=(str(interval[0]), str(interval[1])),
            )
        )
    return tuple(found)


def _singularity(drift: Drift, root: RealRoot, bits: int, digits: int) -> Singularity:
    minus_b, slope = (rational_polynomial(f) for f in local_law(drift, root.multiplicity))
    flat = vanishes_at(minus_b.numer(), root)
    precision, accuracy = bits, 0
    while accuracy < bits:  # polynomials of high degree cancel: double until enough is left
        precision *= 2
        with ctx.workprec(precision):
            mu = enclose_root(root, precision // 2 + bits // 2)
            b = arb(0) if flat else -evaluate(minus_b, mu)
            constant = -b / evaluate(slope, mu) ** 2
            accuracy = min(x.rel_accuracy_bits() for x in (mu, b, constant) if not x.is_zero())
    return Singularity(
        mu=enclosure(mu, digits),
        b=enclosure(b, digits),
        diverges=not b > 0,
        constant=enclosure(constant, digits) if b < 0 else None,
        multiplicity=root.multiplicity,
        interval=(str(root.lower), str(root.upper)),
    )


# The command.


def _record(case: Case, digits: int, source: str) -> dict:
    """What the JSON format says of one case. An incomplete list is an error, so none gets here."""
    return case.description | {
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
                "interval": list(s.interval),
            }
            for s in find_singularities(case.drift, digits)
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


def _table(chosen: Sequence[Case], records: Sequence[dict], digits: int) -> Table:
    labels = f"{chosen[0].labels} labels, {chosen[0].loss} loss"
    units = {in_units(case) for case in chosen}
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
            (*row, in_units(case)) if mixed else row
            for case, record in zip(chosen, records, strict=True)
            for row in _rows(case.name, record, digits)
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
        for derive_case in progress(cases(options), "pairs"):
            chosen.append(derive_case())
            records.append(_record(chosen[-1], options.digits, source))
        if options.format == "json":
            return Outcome(json.dumps(records, indent=2))
        if options.format == "csv":
            return Outcome(_csv(records, source))
        return Outcome(render([_table(chosen, records, options.digits)], options.format, source))

    return run(parser, action, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
