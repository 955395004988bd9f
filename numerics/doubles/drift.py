"""Drift coefficients and escape times as fast, vectorised doubles.

Closed forms are compiled to numpy once, polynomials to Horner's rule. Where their terms cancel by
more than ``MOST_CANCELLATION``, as next to a singularity or to an end, the double is taken from
ball arithmetic instead, point by point. Means without a closed form are interpolated in Chebyshev
points of (0, 1), zeros at the ends divided out; the trapezoidal rule gives the values there, in the
widest floats of the machine, and certified quadrature where that cannot be trusted.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import numpy as np
from numpy.polynomial import chebyshev
from numpy.polynomial.polynomial import polyval
from numpy.typing import ArrayLike, NDArray
from sympy import Add, Dummy, Expr, Piecewise, Poly, erf, erfi, exp

from derive.drift import AnyDrift
from derive.errors import InputError
from derive.means import Mean
from derive.pair_drift import DriftLike, drift_of
from derive.plane import PlaneDrift
from derive.symbols import mu, z
from numerics.certified.balls import nearest_double
from numerics.certified.drift import BallFunction, ball_drift
from numerics.doubles.arrays import Doubles, as_doubles, between, vectorised
from numerics.doubles.landscape import float_landscape

ArrayFunction = Callable[[ArrayLike], Doubles]
Judged = tuple[Doubles, NDArray[np.bool_]]  # values, and whether each can be trusted
MOST_CANCELLATION = 30.0  # keeps a sum of terms with errors of some 1e-15 within 1e-13
_LEAST = 1e-290  # terms below it lose digits
_NODES = (33, 65, 129, 257)
_TAIL = 5e-15
_REACH, _STEPS = 16, (1 / 8, 1 / 32, 1 / 128)  # of the trapezoidal rule, in standard deviations
_AT_ONCE = 64  # strengths
_WIDEST = float(np.finfo(np.longdouble).eps)  # the machine may have nothing wider than doubles
_MOST_WIDE = MOST_CANCELLATION * np.finfo(float).eps / _WIDEST
_LEAST_SHARE = 0.05  # below it, an absolute error near 5e-15 is a relative one of 1e-13


@dataclass(frozen=True)
class FastDrift:
    """Drift coefficients as functions of arrays of strengths in [0, 1].

    Fields: ``a``, ``b``; ``misalignment`` ν, or ``None``; ``unit`` of ``tau``. Heuristic: values
    agree with the certified ones to a relative 1e-13 in the tests, but carry no enclosure.
    """

    a: ArrayFunction
    b: ArrayFunction
    misalignment: ArrayFunction | None
    unit: str

    def rate(self, strengths: ArrayLike) -> Doubles:
        r"""Growth rate :math:`\\lambda_+` (59), without cancellation for negative ``b``."""
        a, b, strengths = self.a(strengths), self.b(strengths), as_doubles(strengths, "strength")
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


def fast_drift(drift: DriftLike) -> FastDrift:
    """Compile the drift of a pair to vectorised doubles.

    Arguments:
        drift: of any pair, or what ``drift_of`` takes.

    The functions take strengths in [0, 1], and raise ``InputError`` for others and where a
    coefficient is infinite, as ``b`` may be at 0.

    Raises ``InputError`` if an integrand has no known tail bound. Source: (8), (59). See
    ``FastDrift`` for what is guaranteed.

    >>> from derive.polynomial_drift import hermite_drift
    >>> fast_drift(hermite_drift(1)).tau([0.5]).tolist()
    [4.82842712474619]
    """
    return _fast(drift_of(drift))


@singledispatch
def _fast(drift: AnyDrift) -> FastDrift:
    """From functions of the strength alone."""
    balls = ball_drift(drift)
    zeros = [end for end, known in enumerate((balls.at_zero, balls.at_one)) if known]
    aligned = drift.misalignment == 0
    return FastDrift(
        evaluated(drift.derivative("a", 0), balls.a, zeros),
        evaluated(drift.derivative("b", 0), balls.b, []),
        None if aligned else vectorised([mu], drift.misalignment),
        unit=drift.unit,
    )


@_fast.register
def _(drift: PlaneDrift) -> FastDrift:
    """From the slopes of the loss where the misaligned direction is: at (μ, ν²)."""
    slopes, spread = float_landscape(drift.pair), vectorised([mu], drift.misalignment)
    a, b = (
        np.vectorize(lambda x, f=f: f(x, float(spread(x)) ** 2), otypes=[float])
        for f in (slopes.a, slopes.b)
    )
    return FastDrift(a, b, spread, unit=drift.unit)


@singledispatch
def evaluated(coefficient: Any, exact: BallFunction, zeros: Sequence[int]) -> ArrayFunction:
    """A coefficient of a drift as a function of arrays of strengths. Heuristic.

    Arguments:
        coefficient: a polynomial, a closed form, or the integrand of a Gaussian mean.
        exact: its enclosure, asked where doubles cannot be trusted.
        zeros: the ends, 0 or 1, at which it is known to vanish.

    Raises ``InputError`` for others.
    """
    raise InputError(f"{coefficient} is not accepted: give a Poly, an expression or a Mean")


def _with_balls(
    evaluate: Callable[[Doubles], Judged], exact: BallFunction, zeros: Sequence[int]
) -> ArrayFunction:
    """A form in doubles, replaced by the ball's value where it cannot be trusted."""

    def function(strengths: ArrayLike) -> Doubles:
        x = _checked(strengths)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            values, judged = evaluate(x)
        result = np.array(values, dtype=float)
        trusted = np.array(judged) & np.isfinite(result)
        for end in zeros:
            trusted |= x == end
            result[x == end] = 0.0
        for place in np.argwhere(~trusted):
            result[tuple(place)] = nearest_double(exact, float(x[tuple(place)]))
        return result

    return function


@evaluated.register
def _(coefficient: Poly, exact: BallFunction, zeros: Sequence[int]) -> ArrayFunction:
    """Horner's rule in the widest floats of the machine, zeros at the ends divided out."""
    polynomial, powers = coefficient, [0, 0]
    for end in (0, 1):
        factor = Poly(mu if end == 0 else 1 - mu, mu, domain=polynomial.domain)
        while polynomial and polynomial.eval(end) == 0:
            polynomial, powers[end] = polynomial.exquo(factor), powers[end] + 1
    coefficients = np.array(
        [np.longdouble(str(c.p)) / np.longdouble(str(c.q)) for c in polynomial.all_coeffs()[::-1]]
    )

    def evaluate(x: Doubles) -> Judged:
        wide = x.astype(np.longdouble)
        value = polyval(wide, coefficients)
        trusted = polyval(wide, np.abs(coefficients)) <= _MOST_WIDE * np.abs(value)
        return (value * wide ** powers[0] * (1 - wide) ** powers[1]).astype(float), trusted

    return _with_balls(evaluate, exact, zeros)


@evaluated.register
def _(coefficient: Expr, exact: BallFunction, zeros: Sequence[int]) -> ArrayFunction:
    """A closed form as the sum of its terms; sums within them are not to cancel either."""
    plain = coefficient.replace(exp, lambda _: Dummy())  # exponents need no relative accuracy
    within = [each for each in plain.atoms(Add) - {plain} if not _is_a_distance(each)]
    whole, *parts = (vectorised([mu], Add.make_args(each)) for each in (coefficient, *within))

    def summed(terms: Callable[..., Any], x: Doubles) -> tuple[Any, Any]:
        values = [np.broadcast_to(np.asarray(term), x.shape) for term in terms(x)]
        return sum(values), sum(np.abs(value) for value in values)

    def evaluate(x: Doubles) -> Judged:
        total, size = summed(whole, x)
        result = np.real(total)
        # A sum of 0 may have fallen below all doubles.
        trusted = (size <= MOST_CANCELLATION * np.abs(result)) & (np.abs(result) > _LEAST)
        for part, most in (summed(terms, x) for terms in parts):
            trusted &= most <= MOST_CANCELLATION * np.abs(part)
        return np.array(result, dtype=float), trusted

    return _with_balls(evaluate, exact, zeros)


def _is_a_distance(part: Expr) -> bool:
    """Whether a sum is of an integer and ±μ, as 1 - μ, which doubles hold where it is small."""
    return bool((part - mu).is_Integer or (part + mu).is_Integer)


@evaluated.register
def _(coefficient: Piecewise, exact: BallFunction, zeros: Sequence[int]) -> ArrayFunction:
    """A closed form for each stretch of strengths."""
    functions = [evaluated(expression, exact, zeros) for expression, _ in coefficient.args]
    cuts = [float(condition.gts) for _, condition in coefficient.args[:-1]]
    values = between(cuts, functions)
    return lambda strengths: values(_checked(strengths))


def _checked(strengths: ArrayLike) -> Doubles:
    x = as_doubles(strengths, "strength")
    if not np.all((x >= 0) & (x <= 1)):
        raise InputError("a strength outside [0, 1] is not accepted: give 0 ≤ μ ≤ 1")
    return x


@evaluated.register
def _(coefficient: Mean, exact: BallFunction, zeros: Sequence[int]) -> ArrayFunction:
    """Chebyshev interpolant of the mean with its zeros at the ends divided out.

    Where it is much smaller than its largest value, balls give the double.
    """

    def ends(x: Doubles) -> Doubles:
        return np.asarray(np.prod([np.abs(x - end) for end in zeros], axis=0) * np.ones_like(x))

    node_values = _with_balls(_trapezoidal(coefficient), exact, zeros)
    coefficients = _chebyshev_coefficients(lambda x: node_values(x) / ends(x))
    if coefficients is None:  # too rough for it, as where breakpoints move through the bulk
        return node_values
    least = _LEAST_SHARE * np.abs(coefficients).sum()

    def evaluate(x: Doubles) -> Judged:
        value = chebyshev.chebval(2 * x - 1, coefficients)
        return value * ends(x), np.abs(value) >= least

    return _with_balls(evaluate, exact, zeros)


def _trapezoidal(mean: Mean) -> Callable[[Doubles], Judged]:
    """The mean by the trapezoidal rule, which converges geometrically for analytic integrands.

    Steps are made smaller until half the points give the same. Not trusted where the sum cancels,
    for a kink, nor for error functions, which scipy has in doubles alone.
    """
    (first, *others) = (piece for f in mean.integrands for piece in f.pieces)
    integrand = vectorised([z, mu], first)
    smooth = not others and not first.has(erf, erfi) and _WIDEST < 1e-18

    def evaluate(x: Doubles) -> Judged:
        values, trusted = np.zeros(x.size), np.zeros(x.size, dtype=bool)
        unsettled = np.arange(x.size)
        for step in _STEPS if smooth else ():
            for some in np.array_split(unsettled, range(_AT_ONCE, len(unsettled), _AT_ONCE)):
                values[some], trusted[some], settled = _summed(integrand, x.ravel()[some], step)
                trusted[some] &= settled
                unsettled = np.setdiff1d(unsettled, some[settled])
        return values.reshape(x.shape), trusted.reshape(x.shape)

    return evaluate


def _summed(
    integrand: Callable[..., Any], x: Doubles, step: float
) -> tuple[Doubles, NDArray[np.bool_], NDArray[np.bool_]]:
    """Means by one step: values, which do not cancel, and which half the points give as well."""
    points = np.arange(-_REACH, _REACH + step / 2, step, dtype=np.longdouble)
    weights = np.exp(-points * points / 2) * step / np.sqrt(2 * np.pi)
    terms = weights * integrand(points, x.astype(np.longdouble)[..., None])
    value, half = terms.sum(-1), 2 * terms[..., ::2].sum(-1)
    # What doubles lose inside the integrand, the widest floats lose too, in their last digits.
    rough = (weights.astype(float) * integrand(points.astype(float), x[..., None])).sum(-1)
    size = np.maximum(np.abs(terms).sum(-1), np.abs(rough - value) / np.finfo(float).eps)
    most = _MOST_WIDE * np.abs(value)
    return value.astype(float), size <= most, np.abs(half - value) / _WIDEST <= most


def _chebyshev_coefficients(function: Callable[[Doubles], Doubles]) -> Doubles | None:
    """Those of the interpolant, ``None`` if they do not fall fast enough."""
    for count in _NODES:
        angles = np.pi * (np.arange(count) + 0.5) / count
        values = function((1 + np.cos(angles)) / 2)
        coefficients: Doubles = 2 / count * np.cos(np.outer(np.arange(count), angles)) @ values
        coefficients[0] /= 2
        if np.abs(coefficients[-count // 8 :]).max() <= _TAIL * np.abs(coefficients).max():
            return coefficients
    return None
