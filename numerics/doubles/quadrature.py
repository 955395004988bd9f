"""Means over one Gaussian and over the Gaussian plane as doubles, cut where nothing is smooth.

In polar coordinates of ``(z, g)`` a kink of the teacher or the student at 0 is a ray, and the
integrand smooth between rays; kinks elsewhere are lines. Heuristic: without error bounds.
"""

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from derive.pair import Pair
from numerics.doubles.arrays import Doubles, breakpoints

REACH, _RADII, _ANGLES = 13.0, 64, 24  # of the quadrature; e^(-13²/2) is 2e-37
_ENDS = (-4.0, 0.0, 4.0)
_AROUND = np.array([-6.0, -2.0, 0.0, 2.0, 6.0])  # a smoothed breakpoint, in its own widths

_legendre = cache(np.polynomial.legendre.leggauss)


def gaussian_mean_of(function: Callable[[Doubles], Doubles], breaks: ArrayLike = ()) -> float:
    """Mean of a function of a standard normal that is smooth between 0 and breakpoints. Heuristic.

    >>> round(gaussian_mean_of(lambda x: np.maximum(x - 1, 0), [1.0]), 12)
    0.083315470588
    """
    radii, weights = radial_rule()
    inside = _cuts(np.atleast_1d(breaks))
    if len(inside) > len(_ENDS):
        radii, weights = panels(np.append(inside, [-REACH, REACH]))
        return float(weights @ function(radii))
    density = weights * np.exp(-radii * radii / 2) / math.sqrt(2 * math.pi)
    return float(density @ (function(radii) + function(-radii)))


def _cuts(points: Doubles) -> Doubles:
    """Where an integral is cut: at points within reach, and where the Gaussian begins to fall."""
    return np.unique([*_ENDS, *points[np.abs(points) < REACH]])


def panels(ends: Doubles) -> tuple[Doubles, Doubles]:
    """Nodes between each two of ascending ends, and weights that hold the Gaussian density.

    The ends may be an array with an axis in front, of one rule a row.
    """
    ends = np.sort(ends, axis=-1)
    nodes, weights = _legendre(_ANGLES)
    halves = np.diff(ends)[..., None] / 2
    places = ends[..., :-1, None] + halves * (1 + nodes)
    density = halves * weights * np.exp(-places * places / 2) / math.sqrt(2 * math.pi)
    shape = (*ends.shape[:-1], -1)
    return places.reshape(shape), density.reshape(shape)


def plane_mean(pair: Pair) -> Callable[[Callable[..., Any], float, float], float]:
    """Means of functions of (z, x) at ρ and s, cut where label and student are not smooth."""
    ours, theirs = breakpoints(pair.student.value), breakpoints(pair.label)
    rays = not ours.any() and not theirs.any()

    def mean(integrand: Callable[..., Any], covariance: float, s: float) -> float:
        place, weight = (
            _polar_nodes(covariance, s) if rays else cut_nodes(theirs, ours, covariance, s)
        )
        with np.errstate(over="ignore"):  # of an exponential within a sigmoid, say
            return float(weight @ integrand(*place))

    return mean


def radial_rule() -> tuple[Doubles, Doubles]:
    """Nodes and weights on [0, ``REACH``]."""
    nodes, weights = _legendre(_RADII)
    return (nodes + 1) * REACH / 2, weights * REACH / 2


def _polar_nodes(covariance: float, s: float) -> tuple[tuple[Doubles, Doubles], Doubles]:
    """Values of (z, λ) and weights that integrate over the Gaussian plane."""
    tilt = math.atan2(-covariance, math.sqrt(s))  # of the ray λ = 0
    rays = np.sort(np.mod([math.pi / 2, 3 * math.pi / 2, tilt, tilt + math.pi], 2 * math.pi))
    ends = np.append(rays, rays[0] + 2 * math.pi)
    nodes, weights = _legendre(_ANGLES)
    halves = np.diff(ends)[:, None] / 2
    angles = (ends[:-1, None] + halves * (1 + nodes)).ravel()
    angle_weights = (halves * weights).ravel()
    radii, radius_weights = radial_rule()
    radial = radius_weights * radii * np.exp(-radii * radii / 2) / (2 * math.pi)
    teacher = np.outer(np.cos(angles), radii)
    student = covariance * teacher + math.sqrt(s) * np.outer(np.sin(angles), radii)
    return (teacher.ravel(), student.ravel()), np.outer(angle_weights, radial).ravel()


def cut_nodes(
    teacher_breaks: Doubles, student_breaks: Doubles, covariance: float, s: float
) -> tuple[tuple[Doubles, Doubles], Doubles]:
    """Values of (z, λ) and weights: λ given z has breakpoints of its own at each z."""
    spread, reach = math.sqrt(s), np.array([-REACH, REACH])
    around = np.zeros(0)
    if covariance != 0:  # seen by the teacher's argument, a student's breakpoint is smoothed
        around = ((student_breaks[:, None] + spread * _AROUND) / covariance).ravel()
    outer, outer_weights = panels(np.append(_cuts(np.append(teacher_breaks, around)), reach))
    if spread == 0:
        return (outer, covariance * outer), outer_weights
    cuts = np.clip((student_breaks - covariance * outer[:, None]) / spread, -REACH, REACH)
    fixed = np.broadcast_to([*_ENDS, *reach], (len(outer), len(_ENDS) + 2))
    inner, inner_weights = panels(np.concatenate([fixed, cuts], axis=1))
    teacher = np.broadcast_to(outer[:, None], inner.shape)
    student = covariance * teacher + spread * inner
    weights = outer_weights[:, None] * inner_weights
    return (teacher.ravel(), student.ravel()), weights.ravel()
