"""Escape-time curves of the search phase over the pre-training strength.

``python -m numerics.escape --degree 3 --mu 0.1:0.9:9``. Drift polynomials are evaluated exactly at
rational strengths, everything else in ball arithmetic; every double printed is within one unit in
the last place of the truth. ``numerics.figures`` draws the curves.
"""

import json
from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf, isinf, log
from pathlib import Path

from flint import arb, ctx, fmpq
from sympy import Poly, Symbol

from derive import symbols
from derive.command import CommandParser, Outcome, progress, provenance, run
from derive.drift import Drift
from derive.errors import InputError, Undecided
from derive.pair import ClosedDrift, MeanDrift
from derive.tabular import Table, Typeset, as_csv, decimal, render, typeset
from numerics.balls import rational_polynomial
from numerics.cases import Case, add_case_options, cases, in_units
from numerics.enclosures import BallDrift, ball_drift, growth_rate
from numerics.options import Strengths, dimension, figure_path

_BITS = 128
_QUANTITIES = ("tau", "exit-time", "rate", "drift", "frozen-risk", "mean", "potential")
_FIRST_BITS = 80  # what a quadrature needs to give 60 bits, most of the time
_MOST_BITS = 4096


@dataclass(frozen=True)
class EscapeCurve:
    """Drift coefficients, growth rate and escape time over pre-training strengths.

    Fields, equally long: ``mu``; ``a``, ``b``; ``rate`` :math:`\\lambda_+`; ``tau`` its inverse,
    ``inf`` where there is no escape. Certified: each double is within one unit in the last place.
    ``exit_time`` gives :math:`\\tfrac12 \\tau \\log d` (9).
    """

    mu: tuple[float, ...]
    a: tuple[float, ...]
    b: tuple[float, ...]
    rate: tuple[float, ...]
    tau: tuple[float, ...]

    def exit_time(self, dimension: int) -> tuple[float, ...]:
        """Exit time to leading order in the dimension, ``½ τ log d`` (9), (61)."""
        return tuple(tau * log(dimension) / 2 for tau in self.tau)


def escape_curve(
    drift: Drift | ClosedDrift | MeanDrift, strengths: Sequence[Fraction]
) -> EscapeCurve:
    r"""Evaluate the escape time and what it is made of at rational pre-training strengths.

    Arguments: ``drift`` of any pair; ``strengths`` in [0, 1].

    .. math:: \tau = 1/\lambda_+, \qquad \lambda_+ = \tfrac12 (b + \sqrt{b^2+4(a^2+\nu^2 b^2)})

    with ν = 0 in the main model. Raises ``InputError`` for a strength outside [0, 1] and where
    ``b`` is infinite, as it may be at 0, and ``Undecided`` if an enclosure does not narrow.
    Source: (59), App. A.1. Certified.

    >>> from derive.drift import hermite_drift
    >>> escape_curve(hermite_drift(1), [Fraction(1, 2)]).tau
    (4.82842712474619,)
    """
    for strength in strengths:
        if not 0 <= strength <= 1:
            raise InputError(f"strength {strength} is not accepted: give 0 ≤ μ ≤ 1")
    point = _exact_point(drift) if isinstance(drift, Drift) else _enclosed_point(ball_drift(drift))
    rows = [(float(mu), *point(fmpq(mu.numerator, mu.denominator))) for mu in strengths]
    return EscapeCurve(*zip(*rows, strict=True)) if rows else EscapeCurve((), (), (), (), ())


def _exact_point(drift: Drift) -> Callable[[fmpq], tuple[float, ...]]:
    """Polynomial drifts: ``a``, ``b`` and ν² are rational at rational strengths."""
    square = Poly(drift.misalignment**2, symbols.mu, domain="QQ")
    a_of, b_of, square_of = (rational_polynomial(f) for f in (drift.a, drift.b, square))

    def point(mu: fmpq) -> tuple[float, ...]:
        a, b = a_of(mu), b_of(mu)
        coupling = a * a + square_of(mu) * b * b
        with ctx.workprec(_BITS):
            return _doubles(arb(a), arb(b), growth_rate(arb(b), arb(coupling)))

    return point


def _enclosed_point(drift: BallDrift) -> Callable[[fmpq], tuple[float, ...]]:
    """Other drifts: the precision is doubled until every value is known to 60 bits or zero."""

    def point(mu: fmpq) -> tuple[float, ...]:
        bits = _FIRST_BITS
        while bits <= _MOST_BITS:
            with ctx.workprec(bits):
                a, b, rate = drift.at(mu)
                if all(x.is_zero() or x.rel_accuracy_bits() >= 60 for x in (a, b, rate)):
                    return _doubles(a, b, rate)
            bits *= 2
        raise Undecided(f"a, b and the rate at μ = {mu} are not enclosed at {_MOST_BITS} bits")

    return point


def _doubles(a: arb, b: arb, rate: arb) -> tuple[float, ...]:
    tau = inf if rate.is_zero() else _double(1 / rate)
    return (*(_double(x) for x in (a, b, rate)), tau)


def _double(ball: arb) -> float:
    value = float(ball.mid())
    if isinf(value) or (value == 0) != ball.is_zero():
        raise InputError(
            f"the value {ball.str(3, radius=False)} leaves the range of doubles: choose a smaller "
            "degree, other strengths, or the normalisation n*n!"
        )
    return value


# The command.


def _record(case: Case, strengths: Sequence[Fraction], dimension: int, source: str) -> dict:
    """What the JSON format says of one case; an infinite time is ``null``."""
    curve = escape_curve(case.drift, strengths)
    return case.description | {
        "certainty": "certified" if isinstance(case.drift, MeanDrift) else "exact",
        "mu": curve.mu,
        "a": curve.a,
        "b": curve.b,
        "rate": curve.rate,
        "tau": [None if isinf(tau) else tau for tau in curve.tau],
        "dimension": dimension,
        "exit_time": [None if isinf(t) else t for t in curve.exit_time(dimension)],
        "provenance": source,
    }


_CURVE = ("mu", "a", "b", "rate", "tau", "exit_time")


def _csv(records: Sequence[dict], source: str) -> str:
    head = (
        *("teacher", "student", "labels", "loss", "misalignment", "normalization"),
        *("certainty", "dimension"),
    )
    rows = [
        [*(record[key] for key in head), *point]
        for record in records
        for point in zip(*(record[key] for key in _CURVE), strict=True)
    ]
    return as_csv([*head, *_CURVE], rows, source)


def _table(case: Case, record: dict) -> Table:
    how = f"{case.labels} labels, {case.loss} loss, misalignment {case.misalignment}"
    units, dimension = in_units(case), record["dimension"]
    return Table(
        name="escape",
        title=Typeset(
            f"Escape time of {case.name.plain}: {how}, {units.plain}",
            f"Escape time of {case.name.latex}: {typeset(how)}, {units.latex}",
        ),
        columns=(
            Symbol("mu"),
            Symbol("a"),
            Symbol("b"),
            Typeset("λ+", r"$\lambda_+$"),
            Typeset("τ", r"$\tau$"),
            Typeset(f"½ τ log {dimension}", rf"$\frac12\tau\log {dimension}$"),
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
    parser.add_argument(
        "--mu",
        type=Strengths,
        default=Strengths("0.1:0.9:9"),
        metavar="GRID",
        help="pre-training strengths: 0.3, 0.1,0.5 or START:STOP:COUNT (default: 0.1:0.9:9)",
    )
    parser.add_argument(
        "--dimension",
        type=dimension,
        default=1000,
        metavar="D",
        help="input dimension d of the exit time ½ τ log d, such as 1e6 (default: 1000)",
    )
    parser.add_argument(
        "--plot",
        type=figure_path,
        metavar="FILE",
        help="also draw --quantity as .pdf, .png or .svg, with its data beside it as .csv",
    )
    parser.add_argument(
        "--quantity",
        choices=_QUANTITIES,
        help="what --plot draws: over μ in (0, 1), or for the potential V(g) at the strengths of "
        "--mu (default: tau)",
    )
    return parser


def _drawn(chosen: Sequence[Case], options: Namespace, source: str) -> dict[Path, bytes]:
    """The figure and its data."""
    from numerics.figures.curves import (
        draw_curves,
        draw_potentials,
    )  # matplotlib, only for a figure

    form = options.plot.suffix[1:].lower()
    if options.quantity == "potential":
        figure, data = draw_potentials(chosen, options.mu, form, source)
    else:
        quantity = options.quantity or _QUANTITIES[0]
        figure, data = draw_curves(chosen, quantity, options.dimension, form, source)
    return {options.plot: figure, options.plot.with_suffix(".csv"): data}


def _shown(chosen: Sequence[Case], records: Sequence[dict], form: str, source: str) -> str:
    if form == "json":
        return json.dumps(records, indent=2, allow_nan=False)
    if form == "csv":
        return _csv(records, source)
    tables = [_table(case, record) for case, record in zip(chosen, records, strict=True)]
    return render(tables, form, source)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``python -m numerics.escape`` and return its exit code."""
    parser = _parser()

    def action(options: Namespace) -> Outcome:
        if options.plot and options.output in (options.plot, options.plot.with_suffix(".csv")):
            raise InputError("--output names a file that --plot writes: choose another name")
        if options.quantity and not options.plot:
            raise InputError("--quantity says what --plot draws: add --plot FILE")
        source = provenance(parser, options)
        chosen, records = [], []
        for derive_case in progress(cases(options), "pairs"):
            chosen.append(derive_case())
            records.append(_record(chosen[-1], options.mu, options.dimension, source))
        files = _drawn(chosen, options, source) if options.plot else {}
        return Outcome(_shown(chosen, records, options.format, source), files)

    return run(parser, action, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
