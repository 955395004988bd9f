"""``python -m numerics.kernel``: dual activations E f(x) g(y) over the correlation."""

from argparse import Namespace
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numerics
from derive.command.group import Command
from derive.command.parser import CommandParser
from derive.command.prose import prose
from derive.command.report import Report, spread
from derive.command.tabular import Content, Table, Typeset, decimal, formula, rounded
from derive.command.values import integer_between
from derive.errors import InputError
from derive.tables.names import function_name
from numerics.options.functions import ACTIVATION, VARIANCE, digits
from numerics.options.shared import add_options, option
from numerics.options.values import Correlations

if TYPE_CHECKING:
    from numerics.certified.dual import DualActivation

_CURVE = ("rho", "value", "radius", "route")
_INFINITE = Typeset("∞", r"$\infty$")


def _record(found: "DualActivation") -> dict[str, Any]:
    values = [point.value for point in found.points]
    return {
        "function": found.left.text,
        "function2": found.right.text,
        "variance": str(found.variances[0]),
        "variance2": str(found.variances[1]),
        "derivative": found.derivative,
        "exact": None if found.expression is None else str(found.expression),
        "latex": None if found.expression is None else formula(found.expression),
        "rho": [float(point.rho) for point in found.points],
        "value": [value and value.mid for value in values],
        "radius": [value and value.radius for value in values],
        "route": [point.route for point in found.points],
        "took": asdict(found.took),
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
    note = prose("Values are certified: no digit shown is off by more than its last place.")
    rows: list[tuple[Content, ...]] = [
        (
            rounded(float(point.rho), 6),
            _INFINITE if point.value is None else decimal(point.value.mid),
            point.route,
        )
        for point in found.points
    ]
    columns = (Typeset("ρ", r"$\rho$"), Typeset(f"K{primes}", f"$K{power}$"), "how")
    whole = Table("kernel", title, columns, tuple(rows), notes=(note,))
    if found.expression is None:
        return [whole]
    latex = formula(found.expression)
    closed = Table(
        "kernel-formula",
        prose("Its closed form, exact"),
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
    second = {"default": None, "help": "that of the second Gaussian (default: of the first)"}
    grid = "correlations: 0.3, -0.5,0.5 or START:STOP:COUNT"
    add_options(parser, {
        "activation": ACTIVATION | {"help": "f, such as relu, and g if it is given twice"},
        "rho": option(Correlations, "GRID", grid, "-1:1:21"),
        "variance": VARIANCE,
        "variance2": VARIANCE | second,
        "derivative": option(integer_between(0, 20), "M", "how often ρ differentiates K", 0),
        "digits": digits(15),
    })  # fmt: skip
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
    return Report([record], _tables(found), "certified", list(spread(record, *_CURVE)))


main = Command(_parser, _action)


if __name__ == "__main__":
    raise SystemExit(main())
