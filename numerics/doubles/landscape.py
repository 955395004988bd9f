r"""The population loss and its slopes over (ρ, s) as doubles, for any pair.

Closed forms of ``derive.landscape`` are compiled; the rest is integrated by the rules of
``numerics.doubles.quadrature``. Heuristic: held to independent values in the tests, without error
bounds.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import special
from sympy import Expr, I, Rational, atan2, lambdify

from derive.command.frames import axes_for
from derive.finite_rate import noise_landscape
from derive.gaussian import NoClosedForm
from derive.landscape import landscape_of
from derive.pair import Pair, PairLike
from derive.piecewise import PiecewiseAnalytic
from derive.symbols import residual, rho
from numerics.doubles.arrays import Doubles, array_function, breakpoints, piecewise
from numerics.doubles.mehler import series_of
from numerics.doubles.pair_means import MeansAt
from numerics.doubles.pieces import pieces_of
from numerics.doubles.quadrature import cut_nodes, fineness, gaussian_mean_of, plane_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Function = Callable[[float, float], float]
_LEAST_RESIDUAL = 1e-200  # a student that is zero: the slopes are those with no covariance
# Degrees from which on closed forms of polynomials are sums of large terms that cancel: that of the
# student for its noise, of label and student together for the loss.
_NOISE_CANCELS, _LOSS_CANCELS = 6, 28
_LEAST_VARIANCE = 1e-11  # slopes by Stein's lemma are 0/0 without any, and lose digits below it
_KERNEL_PROBES = ((1.0, 1.0, 0.5), (0.5, 1.2, -0.3))  # both variances and the covariance


@dataclass(frozen=True)
class FloatLandscape:
    """The loss over covariance ``rho`` and residual variance ``s`` ≥ 0, with its slopes.

    Fields: ``loss``, ``a`` = -∂L/∂ρ, ``b`` = -2 ∂L/∂s, functions of two numbers; ``size`` of what
    slopes are made of, √(E y² E σ'²), against which one may be rounding. Heuristic.
    """

    loss: Function
    a: Function
    b: Function
    size: float

    def losses(self, rhos: ArrayLike, residuals: ArrayLike) -> Doubles:
        """The loss at arrays of points, broadcast against each other. Heuristic."""
        return np.asarray(np.vectorize(self.loss, otypes=[float])(rhos, residuals))

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw lines of equal loss over ρ in [-1/2, 3/2] and s in [0, 1].

        Arguments:
            ax: where to draw; a new figure by default.
        """
        ax, rhos, residuals = axes_for(ax), np.linspace(-0.5, 1.5, 33), np.linspace(0, 1, 17)
        lines = ax.contour(rhos, residuals, self.losses(rhos, residuals[:, None]), levels=12)
        ax.clabel(lines)
        ax.set(xlabel=r"covariance $\rho$", ylabel="residual variance $s$")
        return ax


def float_landscape(pair: PairLike) -> FloatLandscape:
    r"""Compile the landscape of a pair, in closed form where there is one that does not cancel.

    Arguments:
        pair: of which the misalignment is not used.

    .. math:: L = \tfrac12 E(y - \sigma(\rho z + \sqrt s\,g))^2, \quad a = -\partial_\rho L,
              \quad b = -2\,\partial_s L

    Raises nothing of its own. Source: (33), (51), (94). Heuristic; without a closed form slopes of
    what is steep away from 0 are rough: b of ``tanh(30*x - 30)`` is off by up to 0.001.

    >>> float_landscape("x").a(0.25, 0.0)
    0.75
    """
    pair = Pair.of(pair)
    if sum(each.degree() for each in pair.polynomials or ()) >= _LOSS_CANCELS:
        return by_quadrature(pair)
    try:
        exact = landscape_of(pair)
    except NoClosedForm:
        return by_quadrature(pair)
    loss, a, b = map(_compiled, exact.derived)
    return FloatLandscape(loss, a, b, _size(pair))


def _size(pair: Pair) -> float:
    size = math.sqrt(_square(pair.label)) * math.sqrt(_square(pair.student.value.derivative()))
    return size if math.isfinite(size) else 0.0


def _square(f: PiecewiseAnalytic) -> float:
    values = piecewise(f)
    with np.errstate(over="ignore"):
        return gaussian_mean_of(lambda x: values(x) ** 2, breakpoints(f))


def float_noise(pair: PairLike, label_noise: float = 0.0) -> Function:
    r"""Compile the mean square of a sample's pull over ρ and s, in closed form where there is one.

    Arguments:
        pair: as ``derive.finite_rate.noise_landscape`` takes it.
        label_noise: standard deviation ς of noise on the labels.

    .. math:: N = E\big[\big((y - \sigma(x))^2 + \varsigma^2\big)\,\sigma'(x)^2\big]

    Raises nothing of its own. Source: (38)-(45). Heuristic.

    >>> float_noise("x", 0.5)(0.5, 0.25)
    0.75
    """
    pair, student = Pair.of(pair), Pair.of(pair).student.polynomial
    try:
        if student is None or student.degree() < _NOISE_CANCELS:
            deviation = Rational(*float(label_noise).as_integer_ratio())
            return _compiled(noise_landscape(pair, deviation))
    except NoClosedForm:
        pass
    means, squared = _means_of(pair), pair.loss == "square"

    def noise(covariance: float, s: float) -> float:
        found = means and means(float(covariance), float(s))
        if found and found.noise is not None:
            return found.noise + label_noise**2 * found.slope_square
        of = plane_of(pair)

        def pull(t: Doubles, x: Doubles) -> Doubles:
            return ((of.label(t) - squared * of.value(x)) ** 2 + label_noise**2) * of.slope(x) ** 2

        return of.mean(pull, covariance, s)

    return noise


def _compiled(expression: Expr) -> Function:
    if expression.has(I):
        general = array_function(expression, (rho, residual))
        return lambda covariance, s: float(general(covariance, max(s, _LEAST_RESIDUAL)))
    modules = [{"erfi": special.erfi}, "math"]  # which has all else, and is faster than arrays
    function = lambdify((rho, residual), expression.rewrite(atan2), modules, cse=True)

    def value(covariance: float, s: float) -> float:
        try:
            return float(function(float(covariance), max(float(s), _LEAST_RESIDUAL)))
        except (ArithmeticError, ValueError):  # far out: beyond doubles, or an infinite mean
            return math.nan

    return value


def by_quadrature(pair: Pair) -> FloatLandscape:
    """Means over the plane: by sums, or over one variable, where that does; else by nodes."""
    means, size = _means_of(pair), _size(pair)
    if means is None:
        return FloatLandscape(*_by_nodes(pair), size)

    def either(place: int) -> Function:
        def value(covariance: float, s: float) -> float:
            here = means(float(covariance), float(s))
            found = here and here[place]
            return _by_nodes(pair)[place](covariance, s) if found is None else found

        return value

    loss, a, b = map(either, range(3))
    return FloatLandscape(loss, a, b, size)


def _means_of(pair: Pair) -> MeansAt | None:
    return series_of(pair) or pieces_of(pair)


@lru_cache(maxsize=16)
def _by_nodes(pair: Pair) -> tuple[Function, Function, Function]:
    """Loss, a and b by rules that are cut where the integrand is not smooth."""
    of, squared = plane_of(pair), pair.loss == "square"
    label, student = piecewise(pair.label), piecewise(pair.student.value)
    theirs, second = breakpoints(pair.label), pair.student.value.derivative().derivative()

    def loss(covariance: float, s: float) -> float:
        if squared:
            return of.mean(lambda t, x: (of.label(t) - of.value(x)) ** 2 / 2, covariance, s)
        return of.mean(lambda t, x: -of.label(t) * of.value(x), covariance, s)

    def error(t: Doubles, x: Doubles) -> Doubles:
        return of.label(t) - squared * of.value(x)

    def a(covariance: float, s: float) -> float:
        return of.mean(lambda t, x: error(t, x) * t * of.slope(x), covariance, s)

    def b(covariance: float, s: float) -> float:
        smooth = of.mean(
            lambda t, x: error(t, x) * of.bend(x) - squared * of.slope(x) ** 2, covariance, s
        )
        deltas = zip(second.breaks, second.deltas, strict=True)
        return smooth + sum(
            float(weight) * _at_a_kink(float(p), covariance, s) for p, weight in deltas if weight
        )

    def _at_a_kink(p: float, covariance: float, s: float) -> float:
        """E[(y - σ(λ)) δ(λ - p)]: given λ = p the teacher's argument is N(ρp/Q, s/Q)."""
        variance = max(covariance**2 + s, _LEAST_RESIDUAL)
        middle, spread = covariance * p / variance, math.sqrt(s / variance)
        cuts = (theirs - middle) / spread if spread > 0 else ()
        there = squared * student(np.full(1, p))
        here = gaussian_mean_of(lambda x: label(middle + spread * x) - there, cuts, of.times)
        return here * math.exp(-(p**2) / variance / 2) / math.sqrt(2 * math.pi * variance)

    return loss, a, b


@dataclass(frozen=True)
class FloatKernel:
    r"""The mean :math:`E\,\sigma(x)\sigma(y)` of a student's two Gaussians, by quadrature.

    Fields: ``value``, its slopes ``by_first`` and ``by_cross``, functions of both variances and the
    covariance; ``power``, where both are one, and its ``slope``, functions of the variance; all of
    arrays. Heuristic.
    """

    value: Callable[..., Doubles]
    by_first: Callable[..., Doubles]
    by_cross: Callable[..., Doubles]
    power: Callable[..., Doubles]
    slope: Callable[..., Doubles]


def kernel_by_quadrature(sigma: PiecewiseAnalytic) -> FloatKernel:
    r"""The kernel of any student and its slopes, without a second derivative.

    .. math:: q_1 E\sigma''(x)\sigma(y) = E\,x\sigma'(x)\sigma(y) - q_{12} E\sigma'(x)\sigma'(y)

    Raises nothing of its own. Source: (31), by Stein's lemma. Heuristic.

    >>> from derive import parse_activation
    >>> float(kernel_by_quadrature(parse_activation("x").value).value(1.0, 1.0, 0.25).round(12))
    0.25
    """
    value, slope = piecewise(sigma), piecewise(sigma.derivative())
    breaks = breakpoints(sigma)

    def mean_by(times: int) -> Callable[..., float]:
        def mean(integrand: Callable[..., Any], first: float, second: float, cross: float) -> float:
            root, spread = math.sqrt(first), max(second - cross**2 / first, 0)
            (x, y), weight = cut_nodes(breaks / root, breaks, cross / root, spread, times)
            return float(weight @ integrand(root * x, y))

        return mean

    def steep(x: Doubles, y: Doubles) -> Any:
        return (value(x) * slope(y)) ** 2

    def probed(times: int) -> list[float]:
        mean, squares = mean_by(times), (lambda x, _: value(x) ** 2, steep)
        return [mean(f, *at) for at in _KERNEL_PROBES for f in squares]

    mean = mean_by(fineness(probed))

    def by_cross(first: float, second: float, cross: float) -> float:
        return mean(lambda x, y: slope(x) * slope(y), first, second, cross)

    def by_first(given: float, second: float, cross: float) -> float:
        first = max(given, _LEAST_VARIANCE)
        bent = mean(lambda x, y: x * slope(x) * value(y), first, second, cross)
        return (bent - cross * by_cross(first, second, cross)) / (2 * first)

    def on_line(integrand: Callable[[Doubles], Doubles], variance: float) -> float:
        root = math.sqrt(variance)
        return gaussian_mean_of(lambda x: integrand(root * x), breaks / root)

    def by_variance(given: float) -> float:
        variance = max(given, _LEAST_VARIANCE)
        return on_line(lambda x: x * value(x) * slope(x), variance) / variance

    functions = (
        lambda *at: mean(lambda x, y: value(x) * value(y), *at),
        by_first,
        by_cross,
        lambda q: on_line(lambda x: value(x) ** 2, max(q, _LEAST_RESIDUAL)),
        by_variance,
    )
    return FloatKernel(*(np.vectorize(f, otypes=[float]) for f in functions))
