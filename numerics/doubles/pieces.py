"""Means of a pair whose labels are polynomials between breakpoints, by one integral, as doubles.

Given the student's input ``λ = √Q x`` the teacher's is normal with mean ``c x`` and variance
``1 - c²``, and means of such labels are closed: powers of normals between breakpoints. What is left
is an integral over ``x``, cut where the student or these means bend. Heuristic: without error
bounds.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr
from sympy import Expr, Poly

from derive.pair import Pair
from derive.symbols import z
from numerics.doubles.arrays import Doubles, breakpoints, piecewise
from numerics.doubles.pair_means import Means, MeansAt, combined, input_of, student_rows
from numerics.doubles.quadrature import Values, fineness, line_rule

_HIGHEST = 4  # degree of labels: powers of higher ones would cancel
_AROUND = np.array([-9.0, -4.0, 0.0, 4.0, 9.0])  # a breakpoint of labels, in units of its blur
_NEAR = np.array([-16.0, -4.0, -1.0, 0.0, 1.0, 4.0, 16.0])  # to what bends the student
_FAR = 40.0  # as good as infinity to a normal
_LEAST = 1e-8  # variance of the student's input below which a kink of it at 0 is no function
_MOST = 16  # times the nodes that a steep student may take
_USUAL = (0.5, 4.0)  # variances of the student's input


class _Pieces(NamedTuple):
    """Labels: breakpoints, and the coefficients of y, z y and y² in each piece, one power a column.

    The last is an array of shape (3, pieces, powers).
    """

    breaks: Doubles
    coefficients: Doubles

    def means(self, middle: Doubles, spread: float) -> Doubles:
        r"""Of y, z y and y² under normals of some means m and one deviation v, a row each.

        The means of powers in a piece follow from each other, by parts:

        .. math:: M_j = m M_{j-1} + (j-1) v^2 M_{j-2}
                  + v\,\big[l^{j-1} \varphi(\tfrac{l-m}v) - r^{j-1} \varphi(\tfrac{r-m}v)\big]
        """
        t: Doubles = np.clip((self.breaks[:, None] - middle) / max(spread, 1e-300), -_FAR, _FAR)
        edges = spread / math.sqrt(2 * math.pi) * np.exp(-t * t / 2)
        none, powers = np.zeros((1, len(middle))), [_shares(t)]
        for j in range(1, self.coefficients.shape[2]):
            jumps = np.concatenate([none, edges, none])
            following = middle * powers[-1] + jumps[:-1] - jumps[1:]
            if j > 1:
                following += (j - 1) * spread**2 * powers[-2]
            powers.append(following)
            edges = edges * self.breaks[:, None]
        found: Doubles = np.einsum("rpj,jpn->rn", self.coefficients, np.array(powers))
        return found


def _shares(t: Doubles) -> Doubles:
    """What a standard normal has between each two of ascending points, and beyond them."""
    tails, none = ndtr(-np.abs(t)), np.zeros((1, t.shape[1]))
    below = np.concatenate([none, np.where(t < 0, tails, 0), none])
    above = np.concatenate([none, np.where(t < 0, 0, tails), none])
    past = np.concatenate([none, np.where(t < 0, 0, 1), none + 1])  # on which side of the middle
    found: Doubles = below[1:] - below[:-1] + above[:-1] - above[1:] + past[1:] - past[:-1]
    return found


@lru_cache(maxsize=16)
def pieces_of(pair: Pair) -> MeansAt | None:
    r"""The means of a pair over covariance ρ and residual variance s; ``None`` for other labels.

    Arguments:
        pair: of which the misalignment is not used.

    .. math:: E\,y\,\sigma(\lambda) = \int \varphi(x)\, \sigma(\sqrt Q x)\,
              E\,y\big(c x + \sqrt{1 - c^2}\, g\big)\, dx

    A kink of the student at 0 has no b where its input hardly varies: ``None`` there. Raises
    nothing of its own. Source: (33), (51), (94). Heuristic.

    >>> round(pieces_of(Pair("hardtanh"))(0.5, 0.25).a, 12), pieces_of(Pair("tanh(x)"))
    (0.266449228067, None)
    """
    coefficients = [_coefficients(piece) for piece in pair.label.pieces]
    if pair.polynomials or not all(0 < len(each) <= _HIGHEST + 1 for each in coefficients):
        return None
    count = 2 * max(map(len, coefficients))
    labels = _Pieces(breakpoints(pair.label), np.zeros((3, len(coefficients), count)))
    for piece, each in enumerate(coefficients):
        labels.coefficients[0, piece, : len(each)] = each
        labels.coefficients[1, piece, 1 : 1 + len(each)] = each
        labels.coefficients[2, piece, : 2 * len(each) - 1] = np.convolve(each, each)
    return _means(labels, pair)


def _coefficients(piece: Expr) -> list[float]:
    """Those of a polynomial, the constant first; none of another function."""
    return [*map(float, reversed(Poly(piece, z).all_coeffs()))] if piece.is_polynomial(z) else []


def _means(labels: _Pieces, pair: Pair) -> MeansAt:
    first = pair.student.value.derivative()
    second = first.derivative()
    student = [*map(piecewise, (pair.student.value, first, second))]
    kinks, weights = breakpoints(second), np.array(second.deltas, dtype=float)
    at_kinks, squared = student[0](kinks), pair.loss == "square"
    label_square, times = float(labels.means(np.zeros(1), 1.0)[2, 0]), _times(student, kinks)

    @lru_cache(maxsize=1)
    @np.errstate(over="ignore", invalid="ignore")  # far out, where a student leaves doubles
    def means(covariance: float, s: float) -> Means | None:
        variance, correlation = input_of(covariance, s)
        if variance < _LEAST:
            return None
        deviation, blur = math.sqrt(variance), math.sqrt(s / variance)
        bends, cuts = kinks / deviation, kinks
        if variance > _USUAL[-1]:  # where the student bends is a small part of a wide input
            cuts = (np.append(kinks, 0.0)[:, None] + _NEAR).ravel()
        blurred = np.empty(0)
        if correlation != 0:
            blurred = ((labels.breaks[:, None] + blur * _AROUND) / correlation).ravel()
        x, mass = line_rule(np.append(cuts / deviation, blurred), times)
        y, zy, yy = labels.means(correlation * np.append(x, bends), blur)
        y, y_at_kinks, zy, yy = y[: len(x)], y[len(x) :], zy[: len(x)], yy[: len(x)]
        rows, alone = student_rows(student, variance, x)
        together, own = (rows * (y, zy, y, yy, y)) @ mass, alone @ mass
        density = weights * np.exp(-bends * bends / 2) / math.sqrt(2 * math.pi * variance)
        together[2] += density @ y_at_kinks
        own[2] += density @ at_kinks
        return combined(together, own, label_square, correlation, squared)

    return means


def _times(student: Sequence[Values], kinks: Doubles) -> int:
    """As many nodes as the student's steepest part asks for."""

    @np.errstate(over="ignore", invalid="ignore")
    def probed(times: int) -> list[float]:
        found = []
        for variance in _USUAL:
            x, mass = line_rule(kinks / math.sqrt(variance), times)
            rows, _ = student_rows(student, variance, x)
            found += [*((rows * rows) @ mass)]
        return found

    return fineness(probed, _MOST)
