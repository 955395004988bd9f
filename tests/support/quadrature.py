r"""Certified drifts of a text against a quadrature that shares nothing with ours.

Functions and slopes are those of ``functions.py``, dual numbers of numpy, and the rule is composite
Gauss-Legendre. There ``b`` needs no second derivative, hence no δ: by parts

.. math:: b = \big(a - E\,\phi'(z)\,\sigma'(\mu z)\big)/\mu.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from flint import arb, ctx
from functions import Array, Dual, Read

from derive.errors import Undecided
from derive.grammar import parse_activation
from derive.pair import Pair
from derive.pair_drift import drift_of
from numerics.certified.drift import BallDrift, ball_drift
from numerics.certified.zeros import enclose_zero, isolate_zeros

ACCURACY = 2e-8  # of the rule, for the steepest
STRENGTHS = (0.125, 0.5, 0.90625)
GRID = np.unique([*np.linspace(0.01, 0.99, 197), *np.geomspace(0.002, 0.01, 9),
                  *(1 - np.geomspace(0.002, 0.01, 9))])  # fmt: skip


@dataclass
class Comparison:
    """What differs, in words; what is undecided, and why; the zeros; how long they took."""

    disagreements: list[str] = field(default_factory=list)
    undecided: str = ""
    zeros: list[float] = field(default_factory=list)
    seconds: float = 0.0


def _rule(breaks: Sequence[float]) -> tuple[Array, Array]:
    """Nodes and Gaussian weights between panels that are cut at breakpoints."""
    ends = np.unique([*np.arange(-13, 13.01, 0.1), *breaks])
    nodes, weights = np.polynomial.legendre.leggauss(14)
    halves = np.diff(ends) / 2
    places = (ends[:-1, None] + halves[:, None] * (1 + nodes)).ravel()
    density = np.exp(-places * places / 2) / np.sqrt(2 * np.pi)
    return places, (halves[:, None] * weights).ravel() * density


def by_quadrature(function: Read, breaks: Sequence[float], strength: float) -> tuple[float, ...]:
    """a and b of the matched pair, and the size of what they are sums of."""
    inside = [p for q in breaks for p in (q, q / strength) if abs(p) < 13]
    z, weights = _rule(inside)
    label, student = (
        function(Dual(z, np.ones_like(z))),
        function(Dual(strength * z, np.ones_like(z))),
    )
    error = label.value - student.value
    a = weights @ (error * z * student.slope)
    size = weights @ (np.abs(error * z * student.slope) + np.abs(label.slope * student.slope))
    return a, (a - weights @ (label.slope * student.slope)) / strength, size


def compared(text: str, function: Read) -> Comparison:
    """The certified a, b and zeros of the matched pair of a text beside the quadrature's."""
    activation = parse_activation(text)
    breaks = [float(p) for p in activation.value.breaks]
    found = Comparison()
    start = time.process_time()
    drift = drift_of(Pair(activation))
    balls = ball_drift(drift)
    try:
        zeros = isolate_zeros(balls) if not drift.is_zero else []
        found.zeros = [float(enclose_zero(balls, zero, 40).mid()) for zero in zeros]
    except Undecided as reason:
        found.undecided = str(reason)
    found.seconds = time.process_time() - start
    found.disagreements += _of_values(balls, function, breaks)
    if not found.undecided:
        found.disagreements += _of_zeros(found.zeros, function, breaks)
    return found


def _of_values(balls: BallDrift, function: Read, breaks: Sequence[float]) -> list[str]:
    found = []
    for strength in STRENGTHS:
        a, b, size = by_quadrature(function, breaks, strength)
        with ctx.workprec(80):
            ours = balls.a(arb(strength)), balls.b(arb(strength))
        for name, ball, theirs in zip("ab", ours, (a, b), strict=True):
            if not abs(float(ball.mid()) - theirs) < ACCURACY * (1 + size) / strength:
                found.append(f"{name}({strength}) is {float(ball.mid())}, not {theirs}")
            if not ball.rad() < 1e-12 * (1 + size):
                found.append(f"{name}({strength}) is known to {ball.rad()} only")
    return found


def _of_zeros(zeros: list[float], function: Read, breaks: Sequence[float]) -> list[str]:
    """Changes of sign on a grid against the zeros that are listed between its points."""
    rows = [by_quadrature(function, breaks, mu) for mu in GRID]
    values, sizes = np.array([a for a, *_ in rows]), np.array([s for *_, s in rows])
    points = [i for i in range(len(GRID)) if abs(values[i]) > ACCURACY * (1 + sizes[i])]
    found = []
    for i, j in pairwise(points):
        between = [zero for zero in zeros if GRID[i] < zero < GRID[j]]
        if (values[i] * values[j] < 0) != len(between) % 2:
            found.append(f"zeros {between} between {GRID[i]:.4f} and {GRID[j]:.4f}")
    return found
