"""What the loss of a pair, its slopes and its noise are made of: means over labels and student.

``mehler`` and ``pieces`` find them, each in its way, from the same products. Heuristic.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from numerics.doubles.arrays import Doubles
from numerics.doubles.quadrature import Values

_CANCELS = 1e-6  # of what it is a difference of: a mean below it has lost digits


class Means(NamedTuple):
    """At one point: ``loss``, its slopes ``a`` and ``b``; ``noise``, the mean square of a sample's
    pull, and ``slope_square``, that of the student's slope. ``None`` for what has cancelled.
    """

    loss: float | None
    a: float
    b: float
    noise: float | None
    slope_square: float


# At a covariance and a residual variance; None where they are not found there.
MeansAt: TypeAlias = Callable[[float, float], Means | None]


def input_of(covariance: float, s: float) -> tuple[float, float]:
    """The variance Q = ρ² + s of the student's input, and its correlation ρ/√Q with the teacher's.

    >>> input_of(0.6, 0.64)
    (1.0, 0.6)
    """
    variance = covariance * covariance + s
    return variance, covariance / math.sqrt(variance) if variance > 0 else 0.0


def label_rows(y: Doubles, z: Doubles) -> Doubles:
    """What the first rows of a student are multiplied by: labels y of the teacher's input z."""
    return np.array([y, z * y, y, y * y, y])


def student_rows(student: Sequence[Values], variance: float, x: Doubles) -> tuple[Doubles, Doubles]:
    """What labels are multiplied by, and what is averaged alone.

    Arguments:
        student: the function and two slopes.
        variance: of its input.
        x: standard normals, its input in units of its deviation.
    """
    inputs = math.sqrt(variance) * x
    f, d, dd = (function(inputs) for function in student)
    square = d * d
    alone = (f * f, x * f * d, f * dd + square, f * f * square, square)
    return np.array([f, d, dd, square, f * square]), np.array(alone)


def combined(
    together: Doubles, alone: Doubles, label_square: float, correlation: float, squared: bool
) -> Means:
    r"""The means of a pair from those of ``label_rows`` times ``student_rows``, and of these alone.

    Arguments:
        together, alone: five numbers each.
        label_square: E y².
        correlation: c of both inputs.
        squared: whether the loss is the square, instead of the correlation, loss.

    .. math:: a = E\,y z \sigma' - c\,E\,x \sigma\sigma', \quad
              b = E\,y \sigma'' - E(\sigma\sigma'' + \sigma'^2)
    """
    value, a, b, noise, cross = map(float, together)
    square, pulled, bent, both, slope_square = map(float, alone)
    if not squared:
        return Means(-value, a, b, noise, slope_square)
    total = label_square + square
    return Means(
        _unless_cancelled(total / 2 - value, total),
        a - correlation * pulled,
        b - bent,
        _unless_cancelled(noise - 2 * cross + both, noise + both),
        slope_square,
    )


def _unless_cancelled(difference: float, size: float) -> float | None:
    return difference if difference >= _CANCELS * size else None
