"""Functions of one variable compiled to machine code, for loops that call them by the billion.

Closed expressions become numba functions; polynomials are put in Horner's form first. Heuristic:
plain doubles.
"""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NoReturn

import numba
from numba.core import config
from numba.core.registry import CPUDispatcher
from sympy import Expr, N, horner, lambdify

from derive.piecewise import PiecewiseAnalytic
from derive.symbols import z
from numerics.doubles.arrays import LEVEL, LEVELS, SAME, SAME_AS_NONE, held

_DIGITS = 17
# What lets C call a function is not compiled, nor what lets Python call a part of a loop: together
# they are a third of the time.
_FOR_PYTHON: dict[str, Any] = {"no_cfunc_wrapper": True}
_WITHIN = {"nopython": True, "nogil": True, "no_cfunc_wrapper": True, "no_cpython_wrapper": True}
_function = numba.njit(**_FOR_PYTHON)
kernel = numba.njit(nogil=True, **_FOR_PYTHON)


class _Part(CPUDispatcher):
    def __call__(self, *args: object, **named: object) -> NoReturn:
        """Refused, for it would end the process."""
        name = self.py_func.__name__
        raise TypeError(f"only machine code calls {name}: from Python call {name}.py_func")


def part_of_kernel(function: Any) -> Any:
    """A function in machine code that only machine code calls: a step of a ``kernel``."""
    if config.DISABLE_JIT:  # type: ignore[attr-defined]  # as numba's own decorators
        return function
    return _Part(function, targetoptions=dict(_WITHIN))


@lru_cache(maxsize=256)  # each new one makes numba compile all that takes it
def compiled(function: PiecewiseAnalytic) -> Callable[[float], float]:
    """The function without its δ as a numba function of a double. Heuristic.

    Arguments:
        function: free of parameters.

    Raises nothing of its own.

    >>> from sympy import S
    >>> compiled(PiecewiseAnalytic((S.Zero, z), (S.Zero,)))(-3.0)
    0.0
    """
    first, *others = map(_machine_code, function.pieces)
    for point, piece in zip(function.breaks, others, strict=True):
        first = _either(first, float(point), piece)
    return first


def _either(
    left: Callable[[float], float], point: float, right: Callable[[float], float]
) -> Callable[[float], float]:
    both: Callable[[float], float] = _function(lambda x: left(x) if x < point else right(x))
    return both


def _machine_code(expression: Expr) -> Callable[[float], float]:
    numeric = N(expression, _DIGITS)  # numba has no integers beyond 64 bits
    if expression.is_polynomial(z):
        numeric = horner(numeric, z) if expression.has(z) else numeric
    fast: Callable[[float], float] = _function(lambdify(z, 1.0 * numeric, "math", cse=True))
    spare = held(expression)
    return fast if spare is None else _finite(fast, N(spare, _DIGITS))


def _finite(fast: Callable[[float], float], spare: Expr) -> Callable[[float], float]:
    """The same, also where exponentials in it that cancel leave doubles."""
    rare: Callable[[float, float], float] = _function(lambdify([z, LEVEL], spare, "math", cse=True))
    low, high = LEVELS

    def value(x: float) -> float:
        found = fast(x)
        if not math.isfinite(found):
            one, two = rare(x, low), rare(x, high)
            if abs(one - two) <= SAME * abs(two) + SAME_AS_NONE:
                return two
        return found

    checked: Callable[[float], float] = _function(value)
    return checked
