"""Exact functions on arrays of doubles, by numpy and ``scipy.special``. Heuristic."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sympy import Expr, Symbol, atan2, lambdify

from derive.errors import InputError, quoted
from derive.piecewise import PiecewiseAnalytic
from derive.symbols import z

Doubles: TypeAlias = NDArray[np.float64]


def as_doubles(given: ArrayLike, name: str) -> Doubles:
    """Numbers, one or in an array of any shape; raises ``InputError`` for what is none.

    >>> as_doubles([1, 2], "time").tolist()
    [1.0, 2.0]
    """
    try:
        return np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        raise InputError(f"{name} {quoted(given)} is not accepted: give numbers") from None


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
def piecewise(function: PiecewiseAnalytic) -> Callable[[Doubles], Doubles]:
    """The function without its δ, on arrays; at a breakpoint from the right.

    >>> from sympy import S
    >>> relu = piecewise(PiecewiseAnalytic((S.Zero, z), (S.Zero,)))
    >>> relu(np.array([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """
    pieces = [vectorised([z], piece) for piece in function.pieces]
    if not function.breaks:
        (smooth,) = pieces
        return lambda x: np.broadcast_to(smooth(x), np.shape(x))
    return between(breakpoints(function), pieces)


def between(
    cuts: ArrayLike, functions: Sequence[Callable[[Doubles], Doubles]]
) -> Callable[[ArrayLike], Doubles]:
    """One function between each two cuts, on arrays; at a cut from the right. Heuristic."""

    def values(given: ArrayLike) -> Doubles:
        x = np.asarray(given, dtype=float)
        place, found = np.searchsorted(cuts, x, side="right"), np.empty(x.shape)
        for i, function in enumerate(functions):
            found[place == i] = function(x[place == i])
        return found

    return values


def breakpoints(function: PiecewiseAnalytic) -> Doubles:
    """Where a function breaks, as doubles. Heuristic."""
    return np.array([float(point) for point in function.breaks])
