r"""The loss of a smooth pair, its slopes and its noise by Mehler's formula, as doubles.

Of standard normals z and x with correlation c a mean is a sum over Hermite coefficients,

.. math:: E\,f(z)\,g(x) = \sum_n f_n\, g_n\, c^n,

and what is left out of it is at most the product of the lengths that both functions have there
(Cauchy-Schwarz), whatever c. Where both are analytic around the real line these fall off like an
exponential of √n, and some hundred orders are as good as doubles. Heuristic: rounding has no bound,
and coefficients are sums of the trapezoidal rule.
"""

import math
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np

from derive.pair import Pair
from numerics.doubles.arrays import Doubles, piecewise
from numerics.doubles.pair_means import (
    Means,
    MeansAt,
    combined,
    input_of,
    label_rows,
    student_rows,
)
from numerics.doubles.quadrature import REACH, Values, gaussian_mean_of

_ORDERS = (64, 128, 256, 512, 1024)
_STEP = 1 / 16  # of the trapezoidal rule
_AT_ENDS = 1e-20  # most of a mean square that may lie at the last places
# Bound on the square of what is left out, in units of both mean squares: what is left out is some
# hundred times smaller yet.
_LEFT_OUT = 1e-20
# Most by which twice the step may change a mean: the step itself is off by about its square.
_BY_TWICE_THE_STEP = 1e-5
_IN_STEP = 1e-6  # most by which another rule may change a mean square
_USUAL, _WIDEST = 1.5, 4.0  # variances of an argument: sums converge to one, none beyond the other


class _Rule(NamedTuple):
    """The trapezoidal rule, and the first Hermite polynomials times its weights.

    ``places`` from 0 on, and then these with the other sign, of the same ``weights``; polynomials
    of ``even`` and of ``odd`` orders, one a column; and these ``orders``, even ones first.
    """

    places: Doubles
    weights: Doubles
    even: Doubles
    odd: Doubles
    orders: Doubles

    def sides(self, values: Doubles) -> tuple[Doubles, Doubles]:
        """Functions, one a row, from 0 on and on the other side."""
        half = len(self.even)
        return values[:, :half], values[:, half:]


@cache
def _rule(orders: int) -> _Rule:
    half = np.arange(0, REACH + _STEP, _STEP)
    weights = _STEP * np.exp(-half * half / 2) / math.sqrt(2 * math.pi)
    weights[0] /= 2  # it is there with both signs
    polynomials = [np.ones_like(half), half]
    for n in range(1, orders - 1):
        above = half * polynomials[n] - math.sqrt(n) * polynomials[n - 1]
        polynomials.append(above / math.sqrt(n + 1))
    even, odd = (np.ascontiguousarray((np.array(polynomials[i::2]) * weights).T) for i in (0, 1))
    count = np.arange(orders)
    both = np.append(half, -half), np.append(weights, weights)
    return _Rule(*both, even, odd, np.append(count[::2], count[1::2]))


class _Expanded(NamedTuple):
    """Functions, one a row: Hermite coefficients, mean squares, and shares that these leave out."""

    rule: _Rule
    coefficients: Doubles
    squares: Doubles
    left_out: Doubles


def _expanded(values: Doubles, orders: int) -> _Expanded:
    rule = _rule(orders)
    up, down = rule.sides(values)
    coefficients = np.concatenate([(up + down) @ rule.even, (up - down) @ rule.odd], axis=1)
    squares = (values * values) @ rule.weights
    left_out = squares - np.einsum("ij,ij->i", coefficients, coefficients)
    left_out /= np.where(squares > 0, squares, 1)
    return _Expanded(rule, coefficients, squares, left_out.clip(0))


def _reaches(values: Doubles) -> bool:
    """Whether squares of functions, one a row, have next to nothing at the last places."""
    masses = values * values * _rule(_ORDERS[0]).weights
    ends = sum(side[:, -1] for side in _rule(_ORDERS[0]).sides(masses))
    return bool(np.all(ends <= _AT_ENDS * masses.sum(axis=1)))


def _resolved(values: Doubles) -> bool:
    """Whether the places are near enough to each other for the means of functions, one a row."""
    rule = _rule(_ORDERS[0])
    up, down = rule.sides(values)
    both, weights = up + down, rule.weights[: up.shape[1]]
    change = both @ weights - 2 * both[:, ::2] @ weights[::2]
    return bool(np.all(np.abs(change) <= _BY_TWICE_THE_STEP * (np.abs(values) @ rule.weights)))


def _slow(function: Values) -> bool:
    """Whether places give its mean square: no waves of a function fall in step with them."""
    found = function(_rule(_ORDERS[0]).places) ** 2 @ _rule(_ORDERS[0]).weights
    return math.isclose(found, gaussian_mean_of(lambda x: function(x) ** 2), rel_tol=_IN_STEP)


def _converges(one: _Expanded, other: _Expanded) -> bool:
    return bool(np.all(one.left_out * other.left_out <= _LEFT_OUT))


@lru_cache(maxsize=16)
def series_of(pair: Pair) -> MeansAt | None:
    r"""The means of a pair over covariance ρ and residual variance s; ``None`` if none converges.

    Arguments:
        pair: of which the misalignment is not used.

    .. math:: Q = \rho^2 + s, \quad c = \rho/\sqrt Q, \quad
              E\,y\,z\,\sigma'(\lambda) = \sum_n (z y)_n\, \sigma'_n(Q)\, c^n

    Where a sum would leave out too much it is ``None`` at that point. Raises nothing of its own.
    Source: (33), (51), (94). Heuristic.

    >>> series = series_of(Pair("tanh(x)"))
    >>> round(series(0.5, 0.25).a, 12), series(0.5, 100.0), series_of(Pair("relu"))
    (0.204564166368, None, None)
    """
    first = pair.student.value.derivative()
    functions = (pair.label, pair.student.value, first, first.derivative())
    if pair.polynomials or any(function.breaks for function in functions):
        return None  # the rules of the plane are exact, or are cut
    y, *student = map(piecewise, functions)
    places = _rule(_ORDERS[0]).places
    with np.errstate(over="ignore", invalid="ignore"):
        labels = label_rows(y(places), places)
        usual, widest = (student_rows(student, size, places)[0] for size in (_USUAL, _WIDEST))
        _, alone = student_rows(student, 1.0, places)
        if not (_reaches(labels) and _reaches(widest)):
            return None
        if not (_resolved(labels * labels) and _resolved(alone) and _slow(y) and _slow(student[0])):
            return None
        theirs = [_expanded(labels, orders) for orders in _ORDERS]
        ours = [_expanded(usual, orders) for orders in _ORDERS]
    found = [each for each, other in zip(theirs, ours, strict=True) if _converges(each, other)]
    return _series(found, student, pair.loss == "square") if found else None


def _series(labels: Sequence[_Expanded], student: Sequence[Values], squared: bool) -> MeansAt:
    @lru_cache(maxsize=1)
    def means(covariance: float, s: float) -> Means | None:
        variance, correlation = input_of(covariance, s)
        if not variance <= _WIDEST:
            return None
        rows, alone = student_rows(student, variance, labels[0].rule.places)
        if not _resolved(alone):
            return None
        for each in labels:
            ours = _expanded(rows, len(each.rule.orders))
            if _converges(each, ours):
                products = each.coefficients * ours.coefficients
                together = products @ correlation**each.rule.orders
                square = each.squares[0]
                return combined(together, alone @ each.rule.weights, square, correlation, squared)
        return None

    return means
