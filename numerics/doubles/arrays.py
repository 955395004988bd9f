"""Exact functions on arrays of doubles, by numpy and ``scipy.special``. Heuristic."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sympy import Expr, Symbol, atan2, lambdify

from derive.kinked import Kinked
from derive.symbols import z

Doubles: TypeAlias = NDArray[np.float64]


def vectorised(symbols: Sequence[Symbol], expression: Any) -> Callable[..., Any]:
    """An expression, or several, as SymPy's printer for numpy and scipy writes them."""
    function: Callable[..., Any] = lambdify(symbols, expression, "scipy", cse=True)
    return function


def array_function(expression: Expr, symbols: Sequence[Symbol]) -> Callable[..., Doubles]:
    """The real part of a closed form as a function of arrays, broadcast against each other.

    Arguments:
        expression: in the symbols.
        symbols: the arguments of the function, in order.

    >>> from sympy.abc import x, y
    >>> array_function(x + y, [x, y])([1, 2], 3).tolist()
    [4.0, 5.0]
    """
    function = vectorised(symbols, expression.rewrite(atan2))

    def values(*arguments: ArrayLike) -> Doubles:
        arrays = np.broadcast_arrays(*(np.asarray(x, dtype=float) for x in arguments))
        with np.errstate(over="ignore", invalid="ignore"):
            found = np.real(function(*arrays))
        return np.array(np.broadcast_to(found, arrays[0].shape), dtype=float)

    return values


@lru_cache(maxsize=64)
def two_sided(function: Kinked) -> Callable[[Doubles], Doubles]:
    """The function without its jump, on arrays.

    >>> two_sided(Kinked(z / 2, z / 2))(np.array([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """
    smooth, kink = (vectorised([z], part) for part in (function.smooth, function.kink))
    if function.kink == 0:
        return lambda x: np.broadcast_to(smooth(x), np.shape(x))
    return lambda x: smooth(x) + np.sign(x) * kink(x)
