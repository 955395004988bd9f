"""SymPy expressions compiled to functions of balls."""

from collections.abc import Callable, Sequence
from typing import Any

from flint import acb, arb, fmpq
from sympy import (
    Abs,
    Add,
    E,
    Expr,
    I,
    Mul,
    Pow,
    Symbol,
    asin,
    cos,
    cse,
    erf,
    erfi,
    exp,
    log,
    numbered_symbols,
    pi,
    sin,
    tanh,
)

from derive.angle import Angle
from derive.errors import InputError

Compiled = Callable[[Sequence[Any], bool], Any]
_METHODS = {
    asin: "asin",
    cos: "cos",
    erf: "erf",
    erfi: "erfi",
    exp: "exp",
    sin: "sin",
    tanh: "tanh",
}


def ball_function(
    expression: Expr, symbols: Sequence[Symbol], number: type = arb
) -> Callable[..., Any]:
    """Compile an expression to a function of balls.

    Arguments: ``expression`` of rationals, π, the given symbols, ``+``, ``*``, powers, exp, log,
    erf, erfi, asin, sin, cos, tanh and angles; ``number``, ``arb`` or ``acb``. The function takes
    one ball per symbol and the keyword ``analytic``, as ``acb.integral`` gives it.

    Raises ``InputError`` for anything else. Certified: the result contains the value at every
    point of the balls at which the expression is real, at the working precision.

    >>> from sympy.abc import x
    >>> ball_function(x**2 + exp(x), [x])(arb(0)).str(5)
    '1.0000'
    """
    # Shared parts are computed once: they join the symbols, in order.
    shared, (reduced,) = cse(expression, symbols=numbered_symbols("shared"))
    known = list(symbols)
    steps = []
    for symbol, part in shared:
        steps.append(_compile(part, known, number))
        known.append(symbol)
    last = _compile(reduced, known, number)

    def function(*values: Any, analytic: bool = False) -> Any:
        stack = list(values)
        for step in steps:
            stack.append(step(stack, analytic))
        return last(stack, analytic)

    return function


def _compile(e: Expr, symbols: list[Symbol], number: type) -> Compiled:
    if e in symbols:
        place = symbols.index(e)
        return lambda values, analytic: values[place]
    if e.is_Rational:
        rational = fmpq(int(e.p), int(e.q))
        return lambda values, analytic: number(rational)
    if e == pi:
        return lambda values, analytic: number(arb.pi())
    if e == E:
        return lambda values, analytic: number(1).exp()
    if e == I and number is acb:
        return lambda values, analytic: acb(0, 1)
    if isinstance(e, (Add, Mul, Pow, log, Angle, *_METHODS)) or (
        isinstance(e, Abs) and number is arb
    ):
        return _compile_operation(e, symbols, number)
    raise InputError(f"{e} is not compiled to ball arithmetic: it is no known function or symbol")


def _compile_operation(e: Expr, symbols: list[Symbol], number: type) -> Compiled:
    parts = [_compile(part, symbols, number) for part in e.args]
    if isinstance(e, Add):
        return lambda values, analytic: _reduce(parts, values, analytic, add=True)
    if isinstance(e, Mul):
        return lambda values, analytic: _reduce(parts, values, analytic, add=False)
    first = parts[0]
    if isinstance(e, log):
        if number is acb:
            return lambda values, analytic: first(values, analytic).log(analytic=analytic)
        return lambda values, analytic: first(values, analytic).log()
    if isinstance(e, Pow):
        return _compile_power(e, first)
    if isinstance(e, Abs):
        return lambda values, analytic: abs(first(values, analytic))
    if isinstance(e, Angle):
        return lambda values, analytic: _angle(*(part(values, analytic) for part in parts))
    method = _METHODS[type(e)]
    return lambda values, analytic: getattr(first(values, analytic), method)()


def _reduce(parts: list[Compiled], values: Sequence[Any], analytic: bool, add: bool) -> Any:
    result = parts[0](values, analytic)
    for part in parts[1:]:
        value = part(values, analytic)
        result = result + value if add else result * value
    return result


def _compile_power(e: Expr, base: Compiled) -> Compiled:
    twice = 2 * e.exp
    if not twice.is_Integer:
        raise InputError(f"{e} is not compiled to ball arithmetic: powers are multiples of 1/2")
    if e.exp.is_Integer:
        whole = int(e.exp)
        return lambda values, analytic: base(values, analytic) ** whole
    half = int(twice)
    return lambda values, analytic: _root(base(values, analytic)) ** half


def _root(radicand: Any) -> Any:
    """The square root wherever it is real: a ball at 0 reaches beyond, its function does not."""
    straddles = isinstance(radicand, arb) and radicand.contains(0)
    return (radicand.nonnegative_part() if straddles else radicand).sqrt()


def _angle(c: Any, d: Any) -> Any:
    """asin(c/√(c² + D)): an arc tangent for balls, which no pole disturbs."""
    if isinstance(c, arb):
        return arb.atan2(c, _root(d))
    return (c / (c * c + d).sqrt()).asin()
