"""Means over one Gaussian and over the Gaussian plane as doubles, cut where nothing is smooth.

In polar coordinates of ``(z, g)`` a kink of the teacher or the student at 0 is a ray, and the
integrand smooth between rays; kinks elsewhere are lines. Heuristic: without error bounds.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from derive.pair import Pair
from numerics.doubles.arrays import Doubles, breakpoints, piecewise

REACH, _RADII, _ANGLES = 13.0, 64, 24  # of the quadrature; e^(-13²/2) is 2e-37
_ENDS = (-4.0, 0.0, 4.0)
_AROUND = np.array([-6.0, -2.0, 0.0, 2.0, 6.0])  # a smoothed breakpoint, in its own widths
_MOST, _AGREE = 4, 1e-8  # times the nodes, until twice as many agree so well
MOST_ON_LINE = 2**12  # the same where there is but one variable
_PROBES = ((0.9, 0.1), (0.3, 0.8), (1.2, 0.1))  # covariance and residual variance

PlaneMean: TypeAlias = Callable[[Callable[..., Any], float, float], float]
Rule: TypeAlias = tuple[tuple[Doubles, Doubles], Doubles]  # values of (z, λ), and weights
Nodes: TypeAlias = Callable[[float, float], Rule]
Values: TypeAlias = Callable[[Doubles], Doubles]

_legendre = cache(np.polynomial.legendre.leggauss)
_hermite = cache(special.roots_hermitenorm)


def gaussian_mean_of(
    function: Callable[[Doubles], Doubles], breaks: ArrayLike = (), times: int | None = None
) -> float:
    """Mean of a function of a standard normal that is smooth between 0 and breakpoints. Heuristic.

    Arguments:
        function: of arrays.
        breaks: where it is not smooth.
        times: as many nodes as usual; by default as many as the function is found to need.

    >>> round(gaussian_mean_of(lambda x: np.maximum(x - 1, 0), [1.0]), 12)
    0.083315470588
    """
    points = np.atleast_1d(breaks)
    bent = bool(np.any((points != 0) & (np.abs(points) < REACH)))

    def mean(of: Callable[[Doubles], Doubles], times: int) -> float:
        if bent:
            places, weights = line_rule(points, times)
            return float(weights @ of(places))
        radii, weights = radial_rule(times)
        density = weights * np.exp(-radii * radii / 2) / math.sqrt(2 * math.pi)
        return float(density @ (of(radii) + of(-radii)))

    if times is not None:
        return mean(function, times)
    size = mean(lambda x: np.abs(function(x)), 1)
    if not 0 < size < math.inf:
        return mean(function, 1)
    return mean(
        function, fineness(partial(mean, lambda x: (function(x) / size) ** 2), MOST_ON_LINE)
    )


def fineness(estimate: Callable[[int], ArrayLike], most: int = _MOST) -> int:
    """How many times the nodes suffice: twice as many give the same; else the most. Heuristic.

    Arguments:
        estimate: positive numbers, by so many times the nodes.
        most: times that are tried.

    >>> fineness(lambda times: 1 + 1000.0**-times)
    4
    """
    times, found = 1, estimate(1)
    while times < most:
        finer = estimate(2 * times)
        if np.allclose(found, finer, rtol=_AGREE, atol=0):
            break
        times, found = 2 * times, finer
    return times


def line_rule(points: Doubles, times: int) -> tuple[Doubles, Doubles]:
    """Nodes on the line, cut at points within reach and where the Gaussian begins to fall.

    With weights, as of ``panels``.
    """
    inside = points[np.abs(points) < REACH]
    return panels(np.unique([-REACH, *_ENDS, *inside, REACH]), times)


def panels(ends: Doubles, times: int) -> tuple[Doubles, Doubles]:
    """Nodes between each two of ascending ends, and weights that hold the Gaussian density.

    The ends may be an array with an axis in front, of one rule a row.
    """
    ends, times = _divided(np.sort(ends, axis=-1), times)
    nodes, weights = _legendre(_ANGLES * times)
    halves = np.diff(ends)[..., None] / 2
    places = ends[..., :-1, None] + halves * (1 + nodes)
    density = halves * weights * np.exp(-places * places / 2) / math.sqrt(2 * math.pi)
    shape = (*ends.shape[:-1], -1)
    return places.reshape(shape), density.reshape(shape)


def _divided(ends: Doubles, times: int) -> tuple[Doubles, int]:
    """Ends of smaller panels and times that a rule of one panel may have, of many nodes."""
    parts = max(times // _MOST, 1)
    starts = np.linspace(ends[..., :-1], ends[..., 1:], parts, endpoint=False, axis=-1)
    whole = starts.reshape(*ends.shape[:-1], -1)
    return np.concatenate([whole, ends[..., -1:]], axis=-1), min(times, _MOST)


@dataclass(frozen=True)
class Plane:
    """What the means of a pair's loss, slopes and noise are over: they share places and values.

    Fields: ``mean``, of functions of (z, x), at ρ and s; ``times``, as many nodes as usual it
    takes; ``label``, of z, and ``value``, ``slope`` and ``bend`` of the student, of x, each with
    the values at the last array that it was given.
    """

    mean: PlaneMean
    times: int
    label: Values
    value: Values
    slope: Values
    bend: Values


@lru_cache(maxsize=16)
def plane_of(pair: Pair) -> Plane:
    """What the loss of a pair, its slopes and its noise are means of, with the rule for these.

    The rule is exact for polynomials. For others it is cut where label and student are not smooth,
    and as fine as the steepest of them asks, up to four times as many nodes either way. Heuristic.
    """
    first = pair.student.value.derivative()
    functions = (pair.label, pair.student.value, first, first.derivative())
    y, value, slope, bend = (_kept(piecewise(function)) for function in functions)

    def squares(t: Doubles, x: Doubles) -> Any:
        return y(t) ** 2 + value(x) ** 2

    def steep(t: Doubles, x: Doubles) -> Any:
        return squares(t, x) * (slope(x) ** 2 + bend(x) ** 2)

    def probed(times: int) -> list[float]:
        mean = _mean(pair, times)
        return [mean(f, *at) for at in _PROBES for f in (squares, steep)]

    times = 1 if pair.polynomials else fineness(probed)
    return Plane(_mean(pair, times), times, y, value, slope, bend)


def _mean(pair: Pair, times: int) -> PlaneMean:
    """Means by the rule that suits a pair, with so many times the nodes."""
    ours, theirs = breakpoints(pair.student.value), breakpoints(pair.label)
    if pair.polynomials:  # (y - σ)² σ'² has at most twice this degree, less 2
        label, student = (max(each.degree(), 1) for each in pair.polynomials)
        nodes: Nodes = partial(_hermite_nodes, max(label, student) + student)
    elif ours.any() or theirs.any():
        nodes = partial(cut_nodes, theirs, ours, times=times)
    else:
        nodes = partial(_polar_nodes, times=times)
    known = lru_cache(maxsize=1)(nodes)

    def mean(integrand: Callable[..., Any], covariance: float, s: float) -> float:
        place, weight = known(float(covariance), float(s))
        with np.errstate(over="ignore"):  # of an exponential within a sigmoid, say
            return float(weight @ integrand(*place))

    return mean


def _kept(function: Values) -> Values:
    """A function that keeps its values at the last array."""
    last = (np.empty(0), np.empty(0))

    def values(x: Doubles) -> Doubles:
        nonlocal last
        known = last  # threads that share it have each their own
        if x is not known[0]:
            last = known = x, function(x)
        return known[1]

    return values


def radial_rule(times: int = 1) -> tuple[Doubles, Doubles]:
    """Nodes and weights on [0, ``REACH``]."""
    ends, times = _divided(np.array([0, REACH]), times)
    nodes, weights = _legendre(_RADII * times)
    halves = np.diff(ends)[:, None] / 2
    return (ends[:-1, None] + (nodes + 1) * halves).ravel(), (weights * halves).ravel()


def _hermite_nodes(count: int, covariance: float, s: float) -> Rule:
    """Values of (z, λ) and weights that are exact for polynomials of degree below 2·``count``."""
    nodes, weights = _hermite(count)
    teacher = np.repeat(nodes, count)
    student = covariance * teacher + math.sqrt(s) * np.tile(nodes, count)
    return (teacher, student), np.outer(weights, weights).ravel() / (2 * math.pi)


def _polar_nodes(covariance: float, s: float, times: int) -> Rule:
    """Values of (z, λ) and weights that integrate over the Gaussian plane."""
    tilt = math.atan2(-covariance, math.sqrt(s))  # of the ray λ = 0
    rays = np.sort(np.mod([math.pi / 2, 3 * math.pi / 2, tilt, tilt + math.pi], 2 * math.pi))
    ends = np.append(rays, rays[0] + 2 * math.pi)
    nodes, weights = _legendre(_ANGLES * times)
    halves = np.diff(ends)[:, None] / 2
    angles = (ends[:-1, None] + halves * (1 + nodes)).ravel()
    angle_weights = (halves * weights).ravel()
    radii, radius_weights = radial_rule(times)
    radial = radius_weights * radii * np.exp(-radii * radii / 2) / (2 * math.pi)
    teacher = np.outer(np.cos(angles), radii)
    student = covariance * teacher + math.sqrt(s) * np.outer(np.sin(angles), radii)
    return (teacher.ravel(), student.ravel()), np.outer(angle_weights, radial).ravel()


def cut_nodes(
    teacher_breaks: Doubles, student_breaks: Doubles, covariance: float, s: float, times: int = 1
) -> Rule:
    """Values of (z, λ) and weights: λ given z has breakpoints of its own at each z.

    Arguments:
        teacher_breaks: where functions of z are not smooth.
        student_breaks: where functions of λ are not.
        covariance: of z and λ.
        s: the variance of λ given z, ≥ 0.
        times: as many nodes as usual in each panel.
    """
    spread, reach = math.sqrt(s), np.array([-REACH, REACH])
    around = np.zeros(0)
    if covariance != 0:  # seen by the teacher's argument, a student's breakpoint is smoothed
        around = ((student_breaks[:, None] + spread * _AROUND) / covariance).ravel()
    outer, outer_weights = line_rule(np.append(teacher_breaks, around), times)
    if spread == 0:
        return (outer, covariance * outer), outer_weights
    cuts = np.clip((student_breaks - covariance * outer[:, None]) / spread, -REACH, REACH)
    fixed = np.broadcast_to([*_ENDS, *reach], (len(outer), len(_ENDS) + 2))
    inner, inner_weights = panels(np.concatenate([fixed, cuts], axis=1), times)
    teacher = np.broadcast_to(outer[:, None], inner.shape)
    student = covariance * teacher + spread * inner
    weights = outer_weights[:, None] * inner_weights
    return (teacher.ravel(), student.ravel()), weights.ravel()
