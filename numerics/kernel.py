"""``python -m numerics.kernel``: dual activations E f(x) g(y) over the correlation."""

from argparse import ArgumentTypeError, Namespace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import derive
import numerics
from derive.command.group import Command
from derive.command.parser import CommandParser
from derive.command.report import Report, spread
from derive.command.tabular import Content, Table, Typeset, decimal, formula
from derive.command.values import accepted, integer_between
from derive.errors import InputError
from derive.tables.names import function_name
from numerics.certified.strengths import parse_correlations
from numerics.options.functions import add_activation, add_digits, add_variance

if TYPE_CHECKING:
    from numerics.certified.dual import DualActivation

_CURVE = ("rho", "value", "radius", "route")
_INFINITE = Typeset("∞", r"$\infty$")


class _Correlations(tuple[Fraction, ...]):
    """Correlations read from text; ``str`` gives it back."""

    text: str

    def __new__(cls, text: str) -> "_Correlations":
        """Parse ``text``."""
        try:
            self = super().__new__(cls, parse_correlations(text))
        except InputError as error:
            raise ArgumentTypeError(str(error)) from None
        self.text = text
        return self

    def __str__(self) -> str:
        return self.text


def _record(found: "DualActivation") -> dict[str, Any]:
    values = [point.value for point in found.points]
    return {
        "activation": found.left.text,
        "other": found.right.text,
        "variance": str(found.variances[0]),
        "variance2": str(found.variances[1]),
        "derivative": found.derivative,
        "exact": None if found.expression is None else str(found.expression),
        "latex": None if found.expression is None else formula(found.expression),
        "rho": [float(point.rho) for point in found.points],
        "value": [value and value.mid for value in values],
        "radius": [value and value.radius for value in values],
        "route": [point.route for point in found.points],
    }


def _tables(found: "DualActivation") -> list[Table]:
    names = [function_name(f.text) for f in (found.left, found.right)]
    primes = f"^({found.derivative})" if found.derivative else ""
    power = f"^{{({found.derivative})}}" if found.derivative else ""
    one, two = found.variances
    title = Typeset(
        f"K{primes}(ρ) for K = E f(x) g(y), f = {names[0].plain}, g = {names[1].plain}, variances "
        f"{one} and {two}, correlation ρ",
        rf"$K{power}(\rho)$ for $K = E f(x)\,g(y)$, $f$ = {names[0].latex}, $g$ = {names[1].latex},"
        rf" variances ${formula(one)}$ and ${formula(two)}$, correlation $\rho$",
    )
    note = "Values are certified: no digit shown is off by more than its last place."
    rows: list[tuple[Content, ...]] = [
        (
            decimal(f"{float(point.rho):.6g}"),
            _INFINITE if point.value is None else decimal(point.value.mid),
            point.route,
        )
        for point in found.points
    ]
    columns = (Typeset("ρ", r"$\rho$"), Typeset(f"K{primes}", f"$K{power}$"), "how")
    whole = Table("kernel", title, columns, tuple(rows), notes=(Typeset(note, note),))
    if found.expression is None:
        return [whole]
    latex = formula(found.expression)
    closed = Table(
        "kernel-formula",
        Typeset("Its closed form, exact", "Its closed form, exact"),
        ("as", "formula"),
        (
            ("text", Typeset(str(found.expression), f"${latex}$")),
            ("LaTeX", Typeset(latex, f"${latex}$")),
        ),
        wide=1,
    )
    return [whole, closed]


def _parser() -> CommandParser:
    parser = CommandParser(
        "numerics.kernel",
        "The dual activation K(ρ) = E f(x) g(y) of one activation or two at Gaussians of "
        "correlation ρ: in closed form where there is one, and in certified digits.",
        (
            "--activation relu --rho -1:1:21",
            "--activation relu --activation tanh --rho 0.5,0.9,1 --variance 2 --variance2 1/2",
            "--activation gelu --derivative 1 --format latex",
        ),
    )
    add_activation(parser, "f, or g where it is given a second time")
    parser.add_argument(
        "--rho",
        type=_Correlations,
        default=_Correlations("-1:1:21"),
        metavar="GRID",
        help="correlations: 0.3, -0.5,0.5 or START:STOP:COUNT (default: %(default)s)",
    )
    add_variance(parser)
    parser.add_argument(
        "--variance2",
        type=accepted(lambda text: derive.parse_variance(text)),
        metavar="Q",
        help="of the second Gaussian (default: that of the first)",
    )
    parser.add_argument(
        "--derivative",
        type=integer_between(0, 20),
        default=0,
        metavar="M",
        help="how often K is differentiated by ρ (default: %(default)s)",
    )
    add_digits(parser, 15)
    return parser


def _action(options: Namespace) -> Report:
    first, *others = options.activation
    if len(others) > 1:
        raise InputError(f"{len(others) + 1} --activation were given: a kernel has one or two")
    found = numerics.dual_activation(
        first,
        others[0] if others else None,
        rho=options.rho,
        variance=options.variance,
        variance2=options.variance2,
        derivative=options.derivative,
        digits=options.digits,
    )
    record = _record(found)
    return Report(record, _tables(found), "certified", list(spread(record, *_CURVE)))


main = Command(_parser, _action)


if __name__ == "__main__":
    raise SystemExit(main())
