"""Numbers of many digits that formulas show by name, such as the two that define SELU."""

from dataclasses import replace
from decimal import Context, Decimal, Inexact
from typing import Any

from sympy import Expr, Rational, ceiling, floor
from sympy.core.expr import AtomicExpr
from sympy.core.numbers import NumberSymbol

from derive.activation import Activation
from derive.catalogue import CATALOGUE, known_name
from derive.errors import InputError
from derive.pair import Pair


class Constant(NumberSymbol):
    """A positive rational number that is printed as its name.

    Arguments:
        name: of one Greek letter, as in ``alpha``.
        value: what it stands for.

    Its sign, its digits and its order among numbers are known; it stays a letter. Raises
    ``InputError`` for a value that is not positive. Exact.

    >>> alpha = Constant("alpha", Rational(3, 2))
    >>> alpha**2 > 2, alpha / 2, floor(alpha), int(alpha)
    (True, alpha/2, 1, 1)
    """

    __slots__ = ("name", "value")
    is_rational = True
    is_positive = True

    def __new__(cls, name: str, value: Rational) -> "Constant":
        """The constant."""
        if not value > 0:
            raise InputError(f"{name} = {value} is not accepted: give a positive rational number")
        made: Constant = AtomicExpr.__new__(cls)
        made.name, made.value = name, value
        return made

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Constant) and self._known() == other._known()

    def __hash__(self) -> int:
        return hash(self._known())

    def _known(self) -> tuple[Any, ...]:
        return (self.name, self.value)

    _hashable_content = __getnewargs__ = _known  # as SymPy and pickle ask for it

    def __int__(self) -> int:
        return int(self.value)

    def approximation_interval(self, number_cls: type) -> tuple[Rational, Rational]:
        """The nearest integers that it lies between: SymPy asks for no other kind of numbers."""
        return floor(self.value), ceiling(self.value)

    def _as_mpf_val(self, prec: int) -> Any:
        return self.value._as_mpf_val(prec)

    def _sympystr(self, printer: Any) -> str:
        return str(self.name)

    def _latex(self, printer: Any) -> str:
        return rf"\{self.name}"


def in_constants(activation: Activation) -> Activation:
    """The activation with the constants of its definition by name, if it has any. Exact.

    >>> in_constants(Activation.named("selu")).value.pieces[1]
    lambda*z
    """
    entry = CATALOGUE.get(known_name(activation.text) or "")
    if entry is None or not entry.constants:
        return activation
    named = (Constant(name, value) for name, value in entry.constants.items())
    return Activation(activation.text, entry.build(*named))


def pair_in_constants(pair: Pair) -> Pair:
    """The pair with the constants of its activations by name. Exact."""
    return replace(pair, teacher=in_constants(pair.teacher), student=in_constants(pair.student))


def definitions(*expressions: Expr) -> dict[Constant, Rational]:
    """The constants in expressions and what they stand for, by name."""
    found = {c for expression in expressions for c in expression.atoms(Constant)}
    return {c: c.value for c in sorted(found, key=str)}


def decimal_text(value: Rational) -> str:
    """All decimal digits of a rational number that has at most 60.

    Raises ``InputError`` for one that has more, or no end of them. Exact.

    >>> decimal_text(Rational(1, 8))
    '0.125'
    """
    exact = Context(prec=60, traps=[Inexact])
    try:
        return str(exact.divide(Decimal(int(value.p)), Decimal(int(value.q))))
    except Inexact:
        raise InputError(
            f"{value} is not accepted: give a number of at most 60 decimal digits"
        ) from None
