"""Functions of one variable compiled to machine code, for loops that call them by the billion.

Closed expressions become numba functions; polynomials are put in Horner's form first. Heuristic:
plain doubles.
"""

import math
from collections.abc import Callable
from functools import lru_cache

import numba
from sympy import Expr, N, horner, lambdify

from derive.kinked import Kinked
from derive.symbols import z

_DIGITS = 17


@lru_cache(maxsize=256)  # each new one makes numba compile all that takes it
def compiled(function: Kinked) -> Callable[[float], float]:
    """The function without its jump as a numba function of a double. Heuristic.

    Arguments:
        function: free of parameters.

    Raises nothing of its own.

    >>> compiled(Kinked(z / 2, z / 2))(-3.0)
    0.0
    """
    smooth = _machine_code(function.smooth)
    if function.kink == 0:
        return smooth
    kink = _machine_code(function.kink)
    both: Callable[[float], float] = numba.njit(
        lambda x: smooth(x) + math.copysign(1.0, x) * kink(x)
    )
    return both


def _machine_code(expression: Expr) -> Callable[[float], float]:
    numeric = N(expression, _DIGITS)  # numba has no integers beyond 64 bits
    if expression.is_polynomial(z):
        numeric = horner(numeric, z) if expression.has(z) else numeric
    fast: Callable[[float], float] = numba.njit(lambdify(z, 1.0 * numeric, "math", cse=True))
    return fast
