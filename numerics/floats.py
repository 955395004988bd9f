"""Drift coefficients and escape times as fast, vectorised doubles.

Closed forms are compiled to numpy once. Each is a sum of a few terms; where they cancel by more
than ``_MOST_CANCELLATION``, as next to a singularity or to an end, the double is taken from ball
arithmetic instead, point by point. Means without a closed form are interpolated in Chebyshev points
of (0, 1), zeros at the ends divided out, from certified values at the nodes.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from flint import arb, ctx
from numpy.polynomial import chebyshev
from numpy.typing import ArrayLike, NDArray
from scipy import special
from sympy import Abs, Add, Expr, Poly, lambdify

from derive.drift import Drift
from derive.errors import InputError, Undecided
from derive.pair import ClosedDrift, MeanDrift
from derive.symbols import mu
from numerics.enclosures import BallDrift, BallFunction, ball_drift

Doubles = NDArray[np.float64]
_MOST_CANCELLATION = 30.0  # keeps a sum of terms with errors of some 1e-15 within 1e-13
_MOST_BITS = 4096
_NODES = (33, 65, 129, 257)
_TAIL = 5e-15
_MODULES = [{"erf": special.erf, "erfi": special.erfi}, "numpy"]
_LEAST_SHARE = 0.05  # below it, an absolute error near 5e-15 is a relative one of 1e-13


@dataclass(frozen=True)
class FastDrift:
    """Drift coefficients as functions of arrays of strengths in (0, 1].

    Fields: ``a``, ``b``; ``misalignment`` ν, or ``None``. Heuristic: values agree with the
    certified ones to a relative 1e-13 in the tests, but carry no enclosure.
    """

    a: Callable[[ArrayLike], Doubles]
    b: Callable[[ArrayLike], Doubles]
    misalignment: Callable[[ArrayLike], Doubles] | None = None

    def rate(self, strengths: ArrayLike) -> Doubles:
        r"""Growth rate :math:`\\lambda_+` (59), without cancellation for negative ``b``."""
        a, b = self.a(strengths), self.b(strengths)
        extra = self.misalignment(strengths) * b if self.misalignment else np.zeros_like(b)
        coupling = np.hypot(a, extra)
        root = np.hypot(b, 2 * coupling)
        with np.errstate(divide="ignore", invalid="ignore"):
            small = np.where(coupling > 0, 2 * coupling * (coupling / (root - b)), 0.0)
        return np.where(b > 0, (b + root) / 2, small)

    def tau(self, strengths: ArrayLike) -> Doubles:
        """Escape time ``1/λ₊``; ``inf`` where there is no escape."""
        with np.errstate(divide="ignore"):
            return 1 / self.rate(strengths)


def fast_drift(drift: Drift | ClosedDrift | MeanDrift) -> FastDrift:
    """Compile the drift of a pair to vectorised doubles.

    Arguments: ``drift`` of any pair; the functions take strengths in (0, 1].

    Raises ``InputError`` if an integrand has no known tail bound, or its interpolation does not
    converge. Source: (8), (59). See ``FastDrift`` for what is guaranteed.

    >>> from derive.drift import hermite_drift
    >>> fast_drift(hermite_drift(1)).tau([0.5]).tolist()
    [4.82842712474619]
    """
    balls = ball_drift(drift)
    if isinstance(drift, MeanDrift):
        return FastDrift(
            _interpolated(balls.a, balls.at_zero is not None, balls.at_one is not None),
            _interpolated(balls.b, False, False),
        )
    a, b = (f.as_expr() if isinstance(f, Poly) else f for f in (drift.a, drift.b))
    nu = None
    if isinstance(drift, ClosedDrift) and drift.misalignment != 0:
        nu = lambdify(mu, drift.misalignment, "numpy")
    return FastDrift(_compiled(a, balls, "a"), _compiled(b, balls, "b"), nu)


def _compiled(expression: Expr, balls: BallDrift, name: str) -> Callable[[ArrayLike], Doubles]:
    terms = Add.make_args(expression)
    value = lambdify(mu, expression, _MODULES)
    size = lambdify(mu, Add(*(Abs(term) for term in terms)), _MODULES)
    exact = getattr(balls, name)
    vanishes_at_one = name == "a" and balls.at_one is not None

    def function(strengths: ArrayLike) -> Doubles:
        x = _checked(strengths)
        with np.errstate(over="ignore", invalid="ignore"):
            result = np.broadcast_to(np.asarray(np.real(value(x)), dtype=float), x.shape).copy()
            cancelled = ~(np.broadcast_to(size(x), x.shape) <= _MOST_CANCELLATION * np.abs(result))
        for place in np.argwhere(cancelled):
            point = x[tuple(place)]
            zero = vanishes_at_one and point == 1
            result[tuple(place)] = 0.0 if zero else _double(exact, float(point))
        return result

    return function


def _checked(strengths: ArrayLike) -> Doubles:
    x = np.asarray(strengths, dtype=float)
    if not np.all((x > 0) & (x <= 1)):
        raise InputError("a strength outside (0, 1] is not accepted: give 0 < μ ≤ 1")
    return x


def _double(function: BallFunction, point: float) -> float:
    """The value at a double, correct to its last place."""
    bits = 72
    while bits <= _MOST_BITS:
        with ctx.workprec(bits):
            value = function(arb(point))
            if value.is_zero() or value.rel_accuracy_bits() >= 60:
                return float(value.mid())
        bits *= 2
    raise Undecided(f"the value at μ = {point} is not enclosed at {_MOST_BITS} bits")


def _interpolated(
    function: BallFunction, zero_at_zero: bool, zero_at_one: bool
) -> Callable[[ArrayLike], Doubles]:
    """Chebyshev interpolant of the function with its zeros at the ends divided out.

    Where it is much smaller than its largest value, balls give the double.
    """

    def ends(x: Doubles) -> Doubles:
        result = np.ones_like(x)
        if zero_at_zero:
            result *= x
        return result * (1 - x) if zero_at_one else result

    coefficients = _chebyshev_coefficients(function, ends)
    least = _LEAST_SHARE * np.abs(coefficients).sum()

    def interpolant(strengths: ArrayLike) -> Doubles:
        x = _checked(strengths)
        value = chebyshev.chebval(2 * x - 1, coefficients)
        result = value * ends(x)
        for place in np.argwhere((np.abs(value) < least) & (result != 0)):
            result[tuple(place)] = _double(function, float(x[tuple(place)]))
        return result

    return interpolant


def _chebyshev_coefficients(function: BallFunction, ends: Callable[[Doubles], Doubles]) -> Doubles:
    for count in _NODES:
        angles = np.pi * (np.arange(count) + 0.5) / count
        nodes = (1 + np.cos(angles)) / 2
        values = np.array([_double(function, float(x)) for x in nodes]) / ends(nodes)
        coefficients = 2 / count * np.cos(np.outer(np.arange(count), angles)) @ values
        coefficients[0] /= 2
        if np.abs(coefficients[-count // 8 :]).max() <= _TAIL * np.abs(coefficients).max():
            return coefficients
    raise InputError(
        f"the drift is too rough to interpolate in {_NODES[-1]} points: use ball_drift instead"
    )
