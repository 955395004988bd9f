r"""The registry of formulas, and how equations and tables are typeset.

An entry is one decorated function that returns LaTeX or a ``Table``; its name, with hyphens, is
what ``{derived}`` takes. Only left-hand sides and definitions are typed; what is equal to them is
built from ``derive``. Where an entry states an equality, a wrong one fails the build.
"""

from collections.abc import Callable, Sequence

from sympy import Expr, Integer, Symbol, latex, symbols

from derive.command.tabular import Table, Typeset, formula
from derive.grammar import parse_activation
from derive.loss import PopulationLoss
from derive.pair import Pair
from derive.registry import Registry
from derive.symbols import Q, mu, rho

Built = str | Table
FORMULAS = Registry[Callable[[], Built]]()
A, B = symbols("a b", real=True)
L_Q, L_RHO = Symbol("L_Q", real=True), Symbol(r"L_\rho", real=True)  # slopes of any loss


def enter(build: Callable[[], Built]) -> Callable[[], Built]:
    """Enter a builder under its own name, with hyphens and without an underscore in front."""
    FORMULAS[build.__name__.removeprefix("_").replace("_", "-")] = build
    return build


def enter_short(**builders: Callable[[], Built]) -> None:
    """Enter builders of one line each, under their names with hyphens."""
    for name, build in builders.items():
        FORMULAS[name.replace("_", "-")] = build


def lines(*equations: tuple[str, Expr | str]) -> str:
    """Equations below each other, aligned at the sign of equality."""
    rows = (
        f"{left} &= {right if isinstance(right, str) else latex(right)}"
        for left, right in equations
    )
    return r"\begin{aligned}" + r" \\ ".join(rows) + r"\end{aligned}"


def table(name: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """A table of LaTeX text; the page says what it shows."""

    def cells(row: Sequence[str]) -> tuple[Typeset, ...]:
        return tuple(Typeset(text, text) for text in row)

    return Table(name, Typeset("", ""), cells(columns), tuple(map(cells, rows)))


def of_activations(
    name: str, columns: Sequence[str], texts: Sequence[str], value: Callable[[str], Expr]
) -> Table:
    """A table of one expression of each activation."""
    return table(name, columns, [(rf"$\texttt{{{t}}}$", mathematics(value(t))) for t in texts])


def mathematics(expression: Expr) -> str:
    """An expression between dollars, for a table."""
    return f"${formula(expression)}$"


def checked(holds: bool, statement: str) -> str:
    """A statement that holds; raises ``ArithmeticError`` if it does not."""
    if not holds:
        raise ArithmeticError(f"{statement} does not hold")
    return statement


def matched(text: str, **how: object) -> Pair:
    """The matched pair of an activation."""
    activation = parse_activation(text)
    return Pair(activation, activation, **how)


def any_loss() -> PopulationLoss:
    """A loss known by its slopes and curvatures at the start: all that a flow sees there."""
    by_qq, by_mixed, by_rho = symbols("L_QQ L_Qrho L_rhorho", real=True)
    q, r = Q - mu**2, rho - mu
    curved = by_qq * q**2 / 2 + by_mixed * q * r + by_rho * r**2 / 2
    return PopulationLoss(Integer(0), Integer(0), -(L_Q * q + L_RHO * r + curved))
