"""From a SymPy expression to an activation: its smooth parts on either side of 0.

What is not known to be smooth there is refused: an activation is a promise that it is.
"""

from sympy import (
    Abs,
    Add,
    Expr,
    Heaviside,
    Max,
    Min,
    Mul,
    Piecewise,
    Poly,
    Pow,
    Rational,
    Symbol,
    cos,
    erf,
    exp,
    log,
    preorder_traversal,
    sign,
    sin,
    tanh,
)

from derive.activation import Activation
from derive.errors import InputError
from derive.kinked import Kinked, tidied
from derive.symbols import of_one_variable, z

_KINKS = (Abs, Heaviside, Max, Min, Piecewise, sign)


def activation_from(given: Expr | Poly) -> Activation:
    """The activation that an expression or polynomial in one symbol stands for.

    Arguments:
        given: of rational numbers, constants, powers, ``exp``, ``log``, ``erf``, ``sin``, ``cos``,
            ``tanh``, and ``Abs``, ``Max``, ``Min``, ``sign``, ``Heaviside`` and ``Piecewise``
            whose only kink is at 0.

    Raises ``InputError`` for other functions, for a kink or a pole elsewhere, and for floats.
    Exact.

    >>> from sympy.abc import t
    >>> activation_from(Abs(t) + t**2).value
    Kinked(smooth=z**2, kink=z, jump=0)
    """
    found = of_one_variable(given.as_expr() if isinstance(given, Poly) else given, z)
    text = _text(found)
    if not found.has(*_KINKS):
        _insist_on_smooth(found, text)
        return Activation(text, Kinked(found))
    size = Symbol("size", positive=True)
    right, left = (found.subs(z, side * size).subs(size, side * z) for side in (1, -1))
    for part in (right, left):
        if part.has(*_KINKS):
            raise InputError(
                f"{text[:60]} is not accepted: a kink is known at 0 alone; give one that is smooth "
                "for x > 0 and for x < 0"
            )
        _insist_on_smooth(part, text)
    value = Kinked.of_sides(right, left)
    return Activation(text, Kinked(tidied(value.smooth), tidied(value.kink)))


def _text(expression: Expr) -> str:
    return str(expression.xreplace({z: Symbol("x", real=True)}))


def _insist_on_smooth(expression: Expr, text: str) -> None:
    """Raise ``InputError`` unless the expression is known to be analytic on the real line."""
    for part in preorder_traversal(expression):
        if not _is_smooth(part):
            raise InputError(
                f"{text[:60]} is not accepted: {_text(part)[:40]} is not known to be smooth and "
                "to have a mean; give powers, exp, log, erf, sin, cos, tanh and a kink at 0"
            )


def _is_smooth(part: Expr) -> bool:
    """Whether a function is analytic where its arguments are, and grows slowly enough."""
    if not part.has(z) or part == z or isinstance(part, Add | Mul | cos | erf | sin | tanh):
        return True
    base = part.args[0]
    if isinstance(part, exp):
        if not base.is_polynomial(z):
            return True
        exponent = Poly(base, z)
        return bool(exponent.degree() < 3 and exponent.coeff_monomial(z**2) < Rational(1, 4))
    if isinstance(part, Pow) and part.exp.is_Integer:
        return bool(part.exp > 0 or base.is_nonzero)
    root = isinstance(part, Pow) and part.exp.is_Rational
    return bool(base.is_positive) and (root or isinstance(part, log))
