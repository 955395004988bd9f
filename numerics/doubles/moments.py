"""Gaussian moments of functions that may grow beyond doubles, and who is told so.

A quadrature over a fixed reach gives them where the integrand has died away at its end. Elsewhere
the same rule goes on, panel by panel, in floats of unbounded exponent. Heuristic.
"""

import math
from functools import lru_cache

import numpy as np
from mpmath import mp, mpf
from sympy import lambdify

from derive.errors import InputError, quoted
from derive.labels import MATCHED
from derive.pair import Pair
from derive.piecewise import PiecewiseAnalytic
from derive.symbols import z
from numerics.doubles.arrays import Doubles, breakpoints, piecewise
from numerics.doubles.quadrature import REACH, gaussian_mean_of, radial_rule

SMALLEST, LARGEST = 1e-280, 1e280  # of moments, which are multiplied by dimensions
_NEGLIGIBLE = 1e-6  # of a moment: what the integrand may be at the end of its reach
_END = 8  # nodes that count as the end: half a standard deviation
_PANELS = 64  # at most, each as wide as the reach in doubles


def moment(function: PiecewiseAnalytic, exponent: int, power: int = 0) -> mpf:
    r"""The moment :math:`E z^k f(z)^n` for even ``n`` and ``k``; ``inf`` if none is found.

    Arguments:
        function: without its δ.
        exponent: n.
        power: k.

    Raises nothing of its own. Heuristic.

    >>> from derive import parse_activation
    >>> round(float(moment(parse_activation("x**3").value, 2)), 9)  # 5!!
    15.0
    """
    plain = piecewise(function)

    def integrand(x: Doubles) -> Doubles:
        return x**power * plain(x) ** exponent

    with np.errstate(all="ignore"):
        value = gaussian_mean_of(integrand, breakpoints(function))
        end = radial_rule()[0][-_END:]
        last = (integrand(end) + integrand(-end)) * np.exp(-end * end / 2)
    if last.max() <= _NEGLIGIBLE * value and SMALLEST < value < LARGEST:
        return mpf(value)
    return _far_moment(function, exponent, power)


def _far_moment(function: PiecewiseAnalytic, exponent: int, power: int) -> mpf:
    pieces = [lambdify(z, piece, "mpmath", cse=True) for piece in function.pieces]
    breaks = breakpoints(function)

    def integrand(x: mpf) -> mpf:
        sides = [pieces[int(np.searchsorted(breaks, float(y), side="right"))](y) for y in (x, -x)]
        return x**power * sum(side**exponent for side in sides) * mp.exp(-x * x / 2)

    total = mpf(0)
    for panel in range(_PANELS):
        nodes, weights = radial_rule()
        values = [integrand(mpf(x + panel * REACH)) for x in nodes]
        total += sum(w * value for w, value in zip(weights, values, strict=True))
        if max(values[-_END:]) <= _NEGLIGIBLE * total:
            return total / mp.sqrt(2 * mp.pi)
    return mp.inf


@lru_cache(maxsize=64)
def insist_on_doubles(pair: Pair) -> None:
    """Raise ``InputError`` if labels or student have a mean square that leaves doubles squared."""
    labels = "the teacher" if pair.labels == MATCHED else "labels of the teacher"
    for what, text, function in (
        (labels, pair.teacher.text, pair.label),
        ("the student", pair.student.text, pair.student.value),
    ):
        if not (square := moment(function, 2)) < math.sqrt(LARGEST):
            raise beyond_doubles(f"the mean square of {what} {quoted(text)}", square)


def beyond_doubles(what: str, value: mpf) -> InputError:
    """The error to raise for a moment that doubles cannot hold."""
    size = "infinite" if value == mp.inf else f"about 10^{int(mp.nint(mp.log10(value)))}"
    smaller = "smaller argument or factor, or a lower degree" if value > 1 else "larger factor"
    return InputError(f"{what} is {size}, its square out of the range of doubles: give a {smaller}")
