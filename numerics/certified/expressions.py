"""SymPy expressions compiled to functions of balls."""

from collections.abc import Callable, Sequence
from typing import Any

from flint import acb, arb, fmpq
from sympy import Abs, Add, E, Expr, I, Mul, Pow, Symbol, cse, numbered_symbols, pi

from derive.errors import InputError
from numerics.certified.functions import FUNCTIONS, root

Compiled = Callable[[Sequence[Any], bool], Any]


def ball_function(
    expression: Expr, symbols: Sequence[Symbol], number: type = arb
) -> Callable[..., Any]:
    """Compile an expression to a function of balls.

    Arguments:
        expression: of rationals, π, the given symbols, ``+``, ``*``, powers and ``FUNCTIONS``.
        symbols: what the function takes a ball for, each.
        number: ``arb`` or ``acb``.

    The function also takes the keyword ``analytic``, as ``acb.integral`` gives it.

    Raises ``InputError`` for anything else. Certified: the result contains the value at every
    point of the balls at which the expression is real, at the working precision.

    >>> from sympy import exp
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
    known = isinstance(e, Add | Mul | Pow) or type(e) in FUNCTIONS
    if known and not (isinstance(e, Abs) and number is acb):
        return _compile_operation(e, symbols, number)
    raise InputError(f"{e} is not compiled to ball arithmetic: it is no known function or symbol")


def _compile_operation(e: Expr, symbols: list[Symbol], number: type) -> Compiled:
    parts = [_compile(part, symbols, number) for part in e.args]
    if isinstance(e, Add):
        return lambda values, analytic: _reduce(parts, values, analytic, add=True)
    if isinstance(e, Mul):
        return lambda values, analytic: _reduce(parts, values, analytic, add=False)
    if isinstance(e, Pow):
        return _compile_power(e, parts[0])
    function = FUNCTIONS[type(e)].enclosed
    return lambda values, analytic: function(
        *(part(values, analytic) for part in parts), analytic=analytic
    )


def _reduce(parts: list[Compiled], values: Sequence[Any], analytic: bool, add: bool) -> Any:
    result = parts[0](values, analytic)
    for part in parts[1:]:
        value = part(values, analytic)
        result = result + value if add else result * value
    return result


def _compile_power(e: Expr, base: Compiled) -> Compiled:
    twice = 2 * e.exp
    if e.base.is_positive and e.is_number and e.exp.is_Rational:
        exponent = fmpq(int(e.exp.p), int(e.exp.q))
        return lambda values, analytic: base(values, analytic) ** exponent
    if not twice.is_Integer:
        raise InputError(f"{e} is not compiled to ball arithmetic: powers are multiples of 1/2")
    if e.exp.is_Integer:
        whole = int(e.exp)
        return lambda values, analytic: base(values, analytic) ** whole
    half = int(twice)
    return lambda values, analytic: root(base(values, analytic), analytic) ** half
