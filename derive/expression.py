"""From a SymPy expression to an activation: its pieces between breakpoints.

What is not known to be smooth there is refused: an activation is a promise that it is.
"""

from collections.abc import Callable

from sympy import (
    Abs,
    Add,
    And,
    Expr,
    Function,
    Heaviside,
    Max,
    Min,
    Mul,
    Or,
    Piecewise,
    Poly,
    Pow,
    Rational,
    S,
    Symbol,
    atan,
    cos,
    cosh,
    erf,
    erfc,
    exp,
    log,
    sign,
    sin,
    sinh,
    tanh,
)
from sympy.core.relational import Relational

from derive.activation import Activation
from derive.composition import chosen, insist_on_positive, inverse, largest, smallest
from derive.elementary import tidied
from derive.errors import InputError, abridged
from derive.piecewise import PiecewiseAnalytic, analytic
from derive.softplus import Softplus, recognised
from derive.symbols import of_one_variable, z

_ENTIRE = (atan, cos, erf, exp, sin, tanh, Softplus)
_WRITTEN: dict[type[Expr], Callable[[Expr], Expr]] = {
    cosh: lambda y: (exp(y) + exp(-y)) / 2,
    sinh: lambda y: (exp(y) - exp(-y)) / 2,
    erfc: lambda y: 1 - erf(y),
}


def activation_from(given: Expr | Poly) -> Activation:
    """The activation that an expression or polynomial in one symbol stands for.

    Arguments:
        given: of rational numbers, constants, powers, ``exp``, ``log``, ``erf``, ``atan``, ``sin``,
            ``cos``, ``sinh``, ``cosh``, ``tanh``, and ``Abs``, ``Max``, ``Min``, ``sign``,
            ``Heaviside`` and ``Piecewise`` whose breakpoints are found exactly.

    Raises ``InputError`` for other functions, for a pole, for what jumps, and for floats. Exact.

    >>> from sympy.abc import t
    >>> activation_from(Max(0, t - 1)).value.breaks
    (1,)
    """
    text, value = function_from(given)
    return Activation(text, value)


def function_from(given: Expr | Poly) -> tuple[str, PiecewiseAnalytic]:
    """The function of such an expression, with its text, which need be no activation. Exact.

    Raises ``InputError`` as ``activation_from``, but for what jumps or grows fast.
    """
    found = of_one_variable(given.as_expr() if isinstance(given, Poly) else given, z)
    for function, known in _WRITTEN.items():
        found = found.replace(function, known)
    text = text_of(found)
    try:
        value = _read(found)
    except InputError as reason:
        raise InputError(f"{abridged(text)} is not accepted: {reason}") from None
    return text, (value.mapped(tidied) if value.breaks else value).mapped(recognised)


def text_of(expression: Expr, variable: str = "x") -> str:
    """An expression in ``z`` as the grammar of ``derive.parser`` reads it, where that can."""
    found = expression.xreplace({z: Symbol(variable, real=True)})
    for function, name in ((Max, "max"), (Min, "min")):
        found = found.replace(function, Function(name))
    return str(found.replace(Piecewise, _chain))


def _chain(*cases: tuple[Expr, Expr]) -> Expr:
    (value, condition), *rest = cases
    return value if not rest else Function("where")(condition, value, _chain(*rest))


def _read(e: Expr) -> PiecewiseAnalytic:
    """The function, from the inside outwards."""
    if not e.has(Abs, Heaviside, Max, Min, Piecewise, sign) and _is_smooth(e):
        return analytic(e)
    if isinstance(e, Piecewise):
        return _of_conditions(list(e.args))
    parts = [_read(part) for part in e.args]
    if isinstance(e, Add | Mul):
        return _folded(lambda f, g: f + g if isinstance(e, Add) else f * g, parts)
    if isinstance(e, Max | Min):
        return _folded(largest if isinstance(e, Max) else smallest, parts)
    if isinstance(e, Pow) and e.exp.is_Rational:
        return _power(parts[0], e.exp)
    if isinstance(e, Abs):
        return chosen(parts[0], parts[0], -parts[0])
    if isinstance(e, sign | Heaviside):
        judge, *at_zero = parts
        below = analytic(-S.One if isinstance(e, sign) else S.Zero)
        others = chosen(-judge, below, at_zero[0] if at_zero else analytic(S.Zero))
        return chosen(judge, analytic(S.One), others)
    if isinstance(e, log):
        return insist_on_positive(parts[0], "a logarithm").mapped(log)
    if isinstance(e, _ENTIRE):
        return parts[0].mapped(type(e))
    raise InputError(
        f"{abridged(text_of(e))} is not known to be smooth and to have a mean; give powers, exp, "
        "log, erf, atan, sin, cos, sinh, cosh, tanh and functions made of pieces"
    )


def _folded(
    function: Callable[[PiecewiseAnalytic, PiecewiseAnalytic], PiecewiseAnalytic],
    parts: list[PiecewiseAnalytic],
) -> PiecewiseAnalytic:
    total, *others = parts
    for other in others:
        total = function(total, other).joined()
    return total


def _power(base: PiecewiseAnalytic, exponent: Rational) -> PiecewiseAnalytic:
    if exponent.q > 1:
        return insist_on_positive(base, "a root").mapped(lambda piece: piece**exponent)
    if exponent < 0:
        inverse(base)
    return base.mapped(lambda piece: piece**exponent)


def _of_conditions(cases: list[tuple[Expr, Expr]]) -> PiecewiseAnalytic:
    """The first case whose condition holds."""
    (value, condition), *rest = cases
    if condition == True:  # noqa: E712 (SymPy's)
        return _read(value)
    if not rest:
        raise InputError("a Piecewise ends with a case for all others, as in (x, True)")
    return _where(condition, _read(value), _of_conditions(rest))


def _where(condition: Expr, yes: PiecewiseAnalytic, no: PiecewiseAnalytic) -> PiecewiseAnalytic:
    """``yes`` where a condition holds, ``no`` elsewhere."""
    if isinstance(condition, And | Or):
        first, *others = condition.args
        rest = condition.func(*others)
        if isinstance(condition, And):
            return _where(first, _where(rest, yes, no), no)
        return _where(first, yes, _where(rest, yes, no))
    if not isinstance(condition, Relational) or condition.rel_op not in ("<", "<=", ">", ">="):
        raise InputError(f"the condition {abridged(text_of(condition))} is not one of <, <=, >, >=")
    gap = _read(condition.gts - condition.lts)
    return chosen(-gap, no, yes) if "=" in condition.rel_op else chosen(gap, yes, no)


def _is_smooth(e: Expr) -> bool:
    """Whether nothing in an expression without breakpoints asks for a proof."""
    if not e.has(z) or e == z:
        return True
    known = isinstance(e, (Add, Mul, *_ENTIRE))
    known = known or (isinstance(e, Pow) and e.exp.is_Integer and e.exp > 0)
    return known and all(map(_is_smooth, e.args))
