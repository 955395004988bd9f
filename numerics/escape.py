"""Escape-time curves of the search phase over the pre-training strength.

``python -m numerics.escape --degree 3 --mu 0.1:0.9:9``. Drift polynomials are evaluated exactly at
rational strengths, the square root in ball arithmetic; every double printed is within one unit in
the last place of the truth. ``numerics.figures`` draws the curves.
"""

import json
import re
from argparse import ArgumentTypeError, Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf, isinf
from pathlib import Path

from flint import arb, ctx, fmpq
from sympy import Symbol

from derive.command import (
    CommandParser,
    Degrees,
    output_path,
    progress,
    provenance,
    run,
)
from derive.drift import LABELS, NORMALIZATIONS, Drift, hermite_drift
from derive.errors import InputError
from derive.tabular import Table, Typeset, as_csv, decimal, render
from numerics.balls import rational_polynomial

_BITS = 128
FIGURE_FORMATS = ("pdf", "png", "svg")


@dataclass(frozen=True)
class EscapeCurve:
    """Drift coefficients, growth rate and escape time over pre-training strengths.

    Fields, equally long: ``mu``; ``a``, ``b``; ``rate`` :math:`\\lambda_+`; ``tau`` its inverse,
    ``inf`` where there is no escape. Certified: each double is within one unit in the last place.
    """

    mu: tuple[float, ...]
    a: tuple[float, ...]
    b: tuple[float, ...]
    rate: tuple[float, ...]
    tau: tuple[float, ...]


def escape_curve(drift: Drift, strengths: Sequence[Fraction]) -> EscapeCurve:
    r"""Evaluate the escape time and what it is made of at rational pre-training strengths.

    Arguments: ``drift`` with polynomial coefficients; ``strengths`` in (0, 1].

    .. math:: \tau = 1/\lambda_+, \qquad \lambda_+ = \tfrac12 (b + \sqrt{b^2+4a^2})

    Raises ``InputError`` for a strength outside (0, 1]. Source: (59). Certified.

    >>> escape_curve(hermite_drift(1), [Fraction(1, 2)]).tau
    (4.82842712474619,)
    """
    for strength in strengths:
        if not 0 < strength <= 1:
            raise InputError(f"strength {strength} is not accepted: give 0 < μ ≤ 1")
    a_of, b_of = rational_polynomial(drift.a), rational_polynomial(drift.b)
    rows = []
    with ctx.workprec(_BITS):
        for strength in strengths:
            mu = fmpq(strength.numerator, strength.denominator)
            a, b = a_of(mu), b_of(mu)
            rate = _rate(a, b)
            tau = inf if rate.is_zero() else float((1 / rate).mid())
            rows.append((float(strength), *(float(arb(x).mid()) for x in (a, b, rate)), tau))
    return EscapeCurve(*zip(*rows, strict=True)) if rows else EscapeCurve((), (), (), (), ())


def _rate(a: fmpq, b: fmpq) -> arb:
    """λ₊ without cancellation: for negative b the sum b + √(b²+4a²) is 4a²/(√(b²+4a²) - b)."""
    root = arb(b * b + 4 * a * a).sqrt()
    if b > 0:
        return (b + root) / 2
    return arb(0) if a == 0 else 2 * a * a / (root - b)


# The command.


class Strengths(tuple[Fraction, ...]):
    """Pre-training strengths read from text: ``0.3``, ``0.1,0.5`` or ``START:STOP:COUNT``.

    Numbers are decimals in (0, 1], taken exactly. Raises ``argparse.ArgumentTypeError`` otherwise.

    >>> [str(mu) for mu in Strengths("0.1:0.5:3")]
    ['1/10', '3/10', '1/2']
    """

    text: str

    def __new__(cls, text: str) -> "Strengths":
        """Parse ``text``."""
        accepted = "give decimals in (0, 1]: one (0.3), a list (0.1,0.5) or START:STOP:COUNT"
        number = r"(\d{0,3}\.?\d{1,30})"
        if grid := re.fullmatch(rf"{number}:{number}:(\d{{1,6}})", text, re.ASCII):
            first, last, count = Fraction(grid[1]), Fraction(grid[2]), int(grid[3])
            if count < 2 or last <= first:
                raise ArgumentTypeError(f"{text!r} is no grid: {accepted}, with STOP > START")
            values = [first + (last - first) * i / (count - 1) for i in range(count)]
        elif re.fullmatch(rf"{number}(,{number})*", text[:100_000], re.ASCII):
            values = [Fraction(part) for part in text.split(",")]
        else:
            raise ArgumentTypeError(f"{text[:40]!r} is not accepted: {accepted}")
        if not all(0 < value <= 1 for value in values):
            raise ArgumentTypeError(f"{text[:40]!r} leaves the range: {accepted}")
        self = super().__new__(cls, values)
        self.text = text
        return self

    def __str__(self) -> str:
        return self.text


def figure_path(text: str) -> Path:
    """Option type for a figure to write, in one of ``FIGURE_FORMATS``."""
    path = output_path(text)
    if path.suffix[1:].lower() not in FIGURE_FORMATS:
        raise ArgumentTypeError(f"{text!r} is no figure: end it in .pdf, .png or .svg")
    return path


def _record(degree: int, options: Namespace, source: str) -> dict:
    """What the JSON format says of one degree; an infinite escape time is ``null``."""
    drift = hermite_drift(degree, options.labels, options.normalization)
    curve = escape_curve(drift, options.mu)
    return {
        "teacher": f"He{degree}" + ("**2" if options.labels == "squared" else ""),
        "student": f"He{degree}",
        "labels": options.labels,
        "loss": "square",
        "normalization": options.normalization,
        "certainty": "certified",
        "mu": curve.mu,
        "a": curve.a,
        "b": curve.b,
        "rate": curve.rate,
        "tau": [None if isinf(tau) else tau for tau in curve.tau],
        "provenance": source,
    }


_CURVE = ("mu", "a", "b", "rate", "tau")


def _csv(records: Sequence[dict], source: str) -> str:
    head = ("teacher", "student", "labels", "loss", "normalization", "certainty")
    rows = [
        [*(record[key] for key in head), *point]
        for record in records
        for point in zip(*(record[key] for key in _CURVE), strict=True)
    ]
    return as_csv([*head, *_CURVE], rows, source)


def _table(record: dict) -> Table:
    title = f"student {record['student']}, {record['labels']} labels, normalisation"
    return Table(
        name="escape",
        title=Typeset(
            f"Escape time: {title} {record['normalization']}",
            f"Escape time: {title} ${record['normalization'].replace('*', chr(92) + ',')}$",
        ),
        columns=(
            Symbol("mu"),
            Symbol("a"),
            Symbol("b"),
            Typeset("λ+", r"$\lambda_+$"),
            Typeset("τ", r"$\tau$"),
        ),
        rows=tuple(
            tuple(
                Typeset("∞", r"$\infty$") if value is None else decimal(f"{value:.6g}")
                for value in point
            )
            for point in zip(*(record[key] for key in _CURVE), strict=True)
        ),
    )


def _parser() -> CommandParser:
    parser = CommandParser(
        "numerics.escape",
        "Tabulate and draw the escape time of pure Hermite students over the pre-training "
        "strength.",
        (
            "--degree 3 --mu 0.1:0.9:9",
            "--degree 1:5 --mu 0.3207 --format json",
            "--degree 3,5,7,4,10 --plot escape.pdf --output escape.txt",
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
        "--mu",
        type=Strengths,
        default=Strengths("0.1:0.9:9"),
        metavar="GRID",
        help="pre-training strengths: 0.3, 0.1,0.5 or START:STOP:COUNT (default: 0.1:0.9:9)",
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
        "--plot",
        type=figure_path,
        metavar="FILE",
        help="also draw τ over (0, 1) as .pdf, .png or .svg, with its data beside it as .csv",
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``python -m numerics.escape`` and return its exit code."""
    parser = _parser()

    def action(options: Namespace) -> str:
        source = provenance(parser, options)
        records = [_record(n, options, source) for n in progress(options.degree, "degrees")]
        if options.plot:
            from numerics.figures import draw_escape_times  # matplotlib, only for a figure

            draw_escape_times(
                options.degree, options.labels, options.normalization, options.plot, source
            )
        if options.format == "json":
            return json.dumps(records, indent=2)
        if options.format == "csv":
            return _csv(records, source)
        return render([_table(record) for record in records], options.format, source)

    return run(parser, action, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
