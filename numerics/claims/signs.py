"""What is known of the sign of an expression: true, false or, where it is open, neither."""

from collections.abc import Iterable

from sympy import Expr, Integer, Rational, Symbol, expand, numer, simplify, together
from sympy.core.logic import fuzzy_and

from derive.errors import Undecided, abridged
from derive.leading import LeadingTerm
from derive.notation import unwritten
from numerics.certified.balls import Enclosure


def positive(value: Expr | Enclosure | LeadingTerm) -> bool | None:
    """Whether an expression, an enclosed number or a leading term is positive; ``None`` if open."""
    if isinstance(value, LeadingTerm):
        return positive(value.coefficient)
    if isinstance(value, Enclosure):
        ball = value.ball()
        return True if ball > 0 else False if ball <= 0 else None
    known: bool | None = value.is_positive
    return known


def all_positive(values: Iterable[Expr]) -> bool | None:
    """Whether all these expressions are positive; ``None`` if open."""
    known: bool | None = fuzzy_and(map(positive, values))
    return known


def negative(value: Expr | Enclosure | LeadingTerm) -> bool | None:
    """Whether an expression, an enclosed number or a leading term is negative; ``None`` if open."""
    if isinstance(value, LeadingTerm):
        return negative(value.coefficient)
    if isinstance(value, Enclosure):
        ball = value.ball()
        return True if ball < 0 else False if ball >= 0 else None
    known: bool | None = value.is_negative
    return known


def is_zero(expression: Expr) -> bool:
    """Whether an expression vanishes identically: proved, or refuted at a rational point.

    Raises ``Undecided`` if neither succeeds.
    """
    plain = unwritten(expression)
    if any(expand(numer(together(form))) == 0 for form in (plain, expression)):
        return True
    if simplify(expression) == 0:
        return True
    symbols = sorted(expression.free_symbols, key=str)
    point = {symbol: _value_for(symbol, k) for k, symbol in enumerate(symbols)}
    value = expression.subs(point).evalf(40)
    if value.is_number and abs(value) > Rational(1, 10**20):
        return False
    raise Undecided(f"whether {abridged(expression)} vanishes is neither proved nor refuted")


def _value_for(symbol: Symbol, k: int) -> Expr:
    """A number that a symbol may take, another for each k."""
    size = Integer(k + 3) if symbol.is_integer else Rational(2 * k + 3, 3 * k + 7)
    return -size if symbol.is_negative else size
