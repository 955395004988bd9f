"""SymPy expressions compiled to functions of balls."""

from collections.abc import Callable, Sequence
from functools import reduce
from operator import add, mul
from typing import Any

from flint import acb, arb, ctx, fmpq
from sympy import Abs, Add, E, Expr, I, Mul, Pow, Symbol, cse, numbered_symbols, pi

from derive.errors import InputError
from derive.given import insist_on
from derive.symbols import exact
from numerics.certified.effort import spent
from numerics.certified.functions import FUNCTIONS, root


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
    insist_on(symbols, lambda given: isinstance(given, Sequence), "the symbols in a list")
    tape = _Tape(symbols, number)
    # Shared parts are computed once.
    shared, (reduced,) = cse(exact(expression), symbols=numbered_symbols("shared"))
    for symbol, part in shared:
        tape.places[symbol] = tape.write(part)
    last, steps, constants = tape.write(reduced), tuple(tape.steps), tape.constants_at
    blank = [None] * len(steps)

    def function(*values: Any, analytic: bool = False) -> Any:
        precision = ctx.prec
        spent(bits=precision, evaluations=1)
        stack = [analytic, *values, *blank, *constants(precision)]
        for place, operation, left, right in steps:
            stack[place] = operation(stack[left], stack[right])
        return stack[last]

    return function


def real_function(expression: Expr, symbols: Sequence[Symbol]) -> Callable[..., arb]:
    """The same of real balls, also where a real expression is a sum of complex conjugates.

    >>> from sympy.abc import x
    >>> real_function((I + x) * (I - x), [x])(arb(0))
    -1.00000000000000
    """
    if not expression.has(I):
        compiled = ball_function(expression, symbols)
        return lambda *values: compiled(*map(arb, values))
    of_complex = ball_function(expression, symbols, acb)
    return lambda *values: of_complex(*map(acb, values)).real


class _Tape:
    """Operations on two places of a stack each, in order: no calls of calls when it is run.

    On the stack are the flag ``analytic``, the symbols' values, a result for each step, and, from
    the end backwards, the constants.
    """

    def __init__(self, symbols: Sequence[Symbol], number: type) -> None:
        self.number = number
        self.places: dict[Expr, int] = {symbol: k for k, symbol in enumerate(symbols, 1)}
        self.steps: list[tuple[int, Callable[[Any, Any], Any], int, int]] = []
        self._first = 1 + len(symbols)
        self._constants: list[Callable[[], Any]] = []
        self._known: dict[int, list[Any]] = {}

    def constants_at(self, precision: int) -> list[Any]:
        """The constants, each worked out once a precision."""
        if precision not in self._known:
            self._known[precision] = [value() for value in reversed(self._constants)]
        return self._known[precision]

    def write(self, e: Expr) -> int:
        """Write what computes an expression; the place of the result."""
        if e in self.places:
            return self.places[e]
        constant = self._constant(e)
        if constant:
            self._constants.append(constant)
            self.places[e] = -len(self._constants)
            return self.places[e]
        known = isinstance(e, Add | Mul | Pow) or type(e) in FUNCTIONS
        if not known or (isinstance(e, Abs) and self.number is acb):
            raise InputError(
                f"{e} is not compiled to ball arithmetic: it is no known function or symbol"
            )
        return self._operation(e)

    def _constant(self, e: Expr) -> Callable[[], Any] | None:
        number = self.number
        if e.is_Rational:
            rational = fmpq(int(e.p), int(e.q))
            return lambda: number(rational)
        if e == pi:
            return lambda: number(arb.pi())
        if e == E:
            return lambda: number(1).exp()
        if e == I and number is acb:
            return lambda: acb(0, 1)
        return None

    def _operation(self, e: Expr) -> int:
        if isinstance(e, Pow):
            return self._step(_power(e), self.write(e.base))
        first, *others = map(self.write, e.args)
        if isinstance(e, Add | Mul):
            operation = add if isinstance(e, Add) else mul
            return reduce(lambda left, right: self._step(operation, left, right), others, first)
        enclosed = FUNCTIONS[type(e)].enclosed
        if not others:
            return self._step(enclosed, first)
        (second,) = others
        both = self._step(lambda one, two: (one, two), first, second)
        return self._step(lambda pair, analytic: enclosed(*pair, analytic), both)

    def _step(self, operation: Callable[[Any, Any], Any], left: int, right: int = 0) -> int:
        place = self._first + len(self.steps)
        self.steps.append((place, operation, left, right))
        return place


def _power(e: Expr) -> Callable[[Any, bool], Any]:
    twice = 2 * e.exp
    if e.base.is_positive and e.is_number and e.exp.is_Rational:
        exponent = fmpq(int(e.exp.p), int(e.exp.q))
        return lambda base, analytic: base**exponent
    if not twice.is_Integer:
        raise InputError(f"{e} is not compiled to ball arithmetic: powers are multiples of 1/2")
    if e.exp.is_Integer:
        whole = int(e.exp)
        return lambda base, analytic: _whole_power(base, whole)
    half = int(twice)
    return lambda base, analytic: root(base, analytic) ** half


def _whole_power(base: Any, exponent: int) -> Any:
    """A power of a ball; FLINT's real one is NaN where the middle is 0 and the radius is not."""
    found = base**exponent
    if exponent < 0 or isinstance(base, acb) or found.is_finite() or not base.is_finite():
        return found
    return (acb(base) ** exponent).real
