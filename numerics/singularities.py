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
from sympy import Symbol

from derive.command import (
    CommandParser,
    Degrees,
    integer_between,
    progress,
    provenance,
    run,
)
from derive.drift import LABELS, NORMALIZATIONS, Drift, hermite_drift
from derive.errors import InputError
from derive.escape import local_law
from derive.tabular import Table, Typeset, as_csv, decimal, render
from numerics.balls import Enclosure, bits_for, enclosure, evaluate, rational_polynomial
from numerics.roots import RealRoot, enclose_root, enclose_roots, isolate_roots, vanishes_at


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


def find_singularities(drift: Drift, digits: int = 30) -> tuple[Singularity, ...]:
    r"""Find every zero of ``a`` in the open interval (0, 1), in increasing order.

    Arguments: ``drift`` with polynomial coefficients; ``digits`` ≥ 1 of relative accuracy for the
    zeros, for ``b`` and for the constants of the local law.

    Raises ``InputError`` if ``a`` vanishes identically. Source: Sec. 3.1, Prop. 2. Certified: the
    list is complete, every enclosure contains the truth, every sign is proved.

    >>> only, = find_singularities(hermite_drift(3), digits=10)
    >>> only.mu.mid, only.diverges
    ('0.3207243473', True)
    """
    if digits < 1:
        raise InputError(f"digits {digits} is not accepted: give an integer ≥ 1")
    if drift.a.is_zero:
        raise InputError("a vanishes identically: every μ is a zero, there is nothing to isolate")
    roots = isolate_roots(rational_polynomial(drift.a).numer())
    bits = bits_for(digits)
    return tuple(_singularity(drift, root, bits, digits) for _, root in enclose_roots(roots, bits))


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


def _record(degree: int, options: Namespace, source: str) -> dict:
    """What the JSON format says of one degree."""
    drift = hermite_drift(degree, options.labels, options.normalization)
    return {
        "degree": degree,
        "labels": options.labels,
        "normalization": options.normalization,
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
            for s in find_singularities(drift, options.digits)
        ],
        "provenance": source,
    }


_SHORT = 10  # digits of the less important columns where people read them
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
    """One row per singularity; a degree that provably has none keeps a row with empty fields."""
    head = ("degree", "labels", "normalization", "complete", "count")
    rows = []
    for record in records:
        found = record["singularities"]
        common = [record[key] for key in head[:-1]] + [len(found)]
        for s in found or [{}]:
            rows.append([*common, *(s.get(field) for field in _FIELDS)])
    return as_csv([*head, *_FIELDS], rows, source)


def _shortened(mid: str, radius: str) -> str:
    """The first digits of an enclosed number, all certain; the other formats hold the rest."""
    return enclosure(Enclosure(mid, radius).ball(), _SHORT).mid


def _table(records: Sequence[dict], options: Namespace) -> Table:
    divisor = (
        Typeset("n*n!", r"$n\,n!$") if options.normalization == "n*n!" else Typeset("1", "$1$")
    )
    rows: list[tuple] = []
    for record in records:
        n = record["degree"]
        for s in record["singularities"]:
            fate = "diverges" if s["diverges"] else "finite, 1/b"
            if s["multiplicity"] > 1:
                fate += f", as the power {2 * s['multiplicity']}"
            b = decimal(_shortened(s["b"], s["b_radius"]))
            constant = s["constant"] and decimal(_shortened(s["constant"], s["constant_radius"]))
            rows.append((n, decimal(s["mu"]), b, fate, constant))
        if not record["singularities"]:
            rows.append((n, Typeset("none: proved", "none: proved"), None, "finite", None))
    n = Symbol("n")
    return Table(
        name="singularities",
        title=Typeset(
            f"Zeros of a(μ) in (0,1): Hermite student, {options.labels} labels, "
            f"a and b divided by {divisor.plain}",
            rf"Zeros of $a(\mu)$ in $(0,1)$: Hermite student, {options.labels} labels, "
            rf"$a$ and $b$ divided by {divisor.latex}",
        ),
        columns=(
            n,
            Typeset("zero μ*", r"$\mu_\star$"),
            Typeset("b(μ*)", r"$b(\mu_\star)$"),
            Typeset("escape time", r"$\tau$"),
            Typeset("C in τ ≈ C/(μ-μ*)²", r"$C$ in $\tau \approx C/(\mu-\mu_\star)^2$"),
        ),
        rows=tuple(rows),
        notes=(
            Typeset(
                "Every list is complete (exact root isolation); every digit shown is certified to "
                "one unit in the last place.",
                "Every list is complete (exact root isolation); every digit shown is certified to "
                "one unit in the last place.",
            ),
        ),
    )


def _parser() -> CommandParser:
    parser = CommandParser(
        "numerics.singularities",
        "Find, with proof, every zero of the drift coefficient a in (0, 1), where the escape time "
        "of a pure Hermite student may diverge.",
        (
            "--degree 5",
            "--degree 3:21 --digits 50",
            "--degree 3,5,10 --format json",
            "--degree 1:12 --labels squared --format latex --output singularities.tex",
        ),
    )
    parser.add_argument(
        "--degree",
        type=Degrees,
        required=True,
        metavar="N",
        help="Hermite degree: 5, a range 3:21 (both ends included), 3:21:2, or a list 3,5,10",
    )
    parser.add_argument(
        "--labels",
        choices=LABELS,
        default=LABELS[0],
        help="labels of the teacher He_n: as they are, or squared (default: matched)",
    )
    parser.add_argument(
        "--normalization",
        choices=NORMALIZATIONS,
        default=NORMALIZATIONS[0],
        help="time scale of a and b: divided by n·n! as in the paper, or raw (default: n*n!)",
    )
    parser.add_argument(
        "--digits",
        type=integer_between(1, 10_000),
        default=30,
        help="significant digits, all certified (default: 30)",
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``python -m numerics.singularities`` and return its exit code."""
    parser = _parser()

    def action(options: Namespace) -> str:
        source = provenance(parser, options)
        degrees = progress(options.degree, "degrees")
        records = [_record(degree, options, source) for degree in degrees]
        if options.format == "json":
            return json.dumps(records, indent=2)
        if options.format == "csv":
            return _csv(records, source)
        return render([_table(records, options)], options.format, source)

    return run(parser, action, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
