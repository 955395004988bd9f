"""Exact functions on arrays of doubles, by numpy and ``scipy.special``. Heuristic."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sympy import Abs, Expr, Max, Min, S, Symbol, Wild, atan2, exp, gcd, lambdify, log

from derive.errors import InputError, quoted
from derive.piecewise import PiecewiseAnalytic
from derive.symbols import z

Doubles: TypeAlias = NDArray[np.float64]
# Bounds on exponents: e^110 to the sixth power is a double. What both give is the value, as far as
# doubles tell: relative, and absolute where the value is a difference of ones.
LEVEL, LEVELS = Symbol("LEVEL", real=True), (100.0, 110.0)
SAME, SAME_AS_NONE = 1e-8, 1e-9
_FAR = np.linspace(-50, 50, 401)


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
    pieces = [_finite(piece) for piece in function.pieces]
    if not function.breaks:
        return _whole(*pieces)
    return between(breakpoints(function), pieces)


def _whole(function: Callable[[Doubles], Doubles]) -> Callable[[Doubles], Doubles]:
    """A function on arrays, also where it is constant: its powers would leave 64 bits unsaid."""

    def values(x: Doubles) -> Doubles:
        found = np.asarray(function(x), dtype=float)
        return found if found.shape == np.shape(x) else np.broadcast_to(found, np.shape(x))

    return values


def _finite(expression: Expr) -> Callable[[Doubles], Doubles]:
    """A function of ``z`` on arrays, also where exponentials in it that cancel leave doubles."""
    plain, spare = vectorised([z], expression), held(expression)
    if spare is None:
        return np.errstate(over="ignore", invalid="ignore")(plain)  # of a sigmoid typed out, say
    rare = vectorised([z, LEVEL], spare)

    def values(x: Doubles) -> Doubles:
        with np.errstate(over="ignore", invalid="ignore"):
            found = np.array(np.broadcast_to(plain(x), np.shape(x)), dtype=float)
            lost = ~np.isfinite(found)
            one, two = (rare(x[lost], level) for level in LEVELS)
        found[lost] = np.where(np.isclose(one, two, SAME, SAME_AS_NONE), two, found[lost])
        return found

    return values


def held(expression: Expr) -> Expr | None:
    """A form of a function of ``z`` whose exponentials leave doubles: held within e^±``LEVEL``.

    Those of multiples of one argument are powers of one exponential, so where both ``LEVELS`` give
    the same, that is the value. ``None`` if none is needed, or there are other arguments too.

    >>> held(1 / (1 + exp(-z))), held(exp(90 * z) / (1 + exp(180 * z)))
    (None, exp(Max(-LEVEL, Min(LEVEL, 90*z)))/(exp(2*Max(-LEVEL, Min(LEVEL, 90*z))) + 1))
    """
    written = expression.rewrite(log)  # of a softplus
    if not written.has(exp):
        return None
    with np.errstate(all="ignore"):
        if np.isfinite(vectorised([z], expression)(_FAR)).all():
            return None
    w = Wild("w")
    apart = written.replace(log(1 + exp(w)), Max(w, 0) + log(1 + exp(-Abs(w))))
    contents: dict[Expr, Expr] = {}
    for each in apart.atoms(exp):
        size, rest = _content(each.args[0])
        contents[rest] = gcd(contents.get(rest, S.Zero), size)

    if len(contents) > 1:  # held apart, they would no longer be what they are to one another
        return None

    def within(y: Expr) -> Expr:
        size, rest = _content(y)
        least = abs(contents[rest])
        return exp(size / least * Max(-LEVEL, Min(least * rest, LEVEL)))

    return apart.replace(exp, within)


def _content(argument: Expr) -> tuple[Expr, Expr]:
    """A rational factor of either sign, and the rest."""
    size, rest = argument.primitive()
    return (-size, -rest) if rest.could_extract_minus_sign() else (size, rest)


def between(
    cuts: ArrayLike, functions: Sequence[Callable[[Doubles], Doubles]]
) -> Callable[[ArrayLike], Doubles]:
    """One function between each two cuts, on arrays; at a cut from the right. Heuristic."""

    def values(given: ArrayLike) -> Doubles:
        x = np.asarray(given, dtype=float)
        flat = x.ravel()
        found, left = np.empty(flat.shape), np.ones(flat.shape, dtype=bool)
        for function, cut in zip(functions, (*np.asarray(cuts), np.nan), strict=True):
            beyond = flat >= cut  # nothing is beyond the last
            here = np.flatnonzero(left & ~beyond)  # places are quicker than masks
            found[here], left = function(flat[here]), beyond
        return found.reshape(x.shape)

    return values


def breakpoints(function: PiecewiseAnalytic) -> Doubles:
    """Where a function breaks, as doubles. Heuristic."""
    return np.array([float(point) for point in function.breaks])
