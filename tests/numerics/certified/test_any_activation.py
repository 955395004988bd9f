r"""Any activation that can be typed, against a quadrature that shares nothing with ours.

Functions and slopes are those of ``tests/support/functions.py``, dual numbers of numpy, and the
rule is composite Gauss-Legendre. There ``b`` needs no second derivative, hence no δ: by parts

.. math:: b = \big(a - E\,\phi'(z)\,\sigma'(\mu z)\big)/\mu.
"""

import time

import numpy as np
import pytest
from flint import arb, ctx
from functions import Dual, all_texts

from derive.catalogue import CATALOGUE
from derive.grammar import parse_activation
from derive.pair import Pair
from derive.pair_drift import drift_of
from numerics.certified.drift import ball_drift
from numerics.certified.zeros import enclose_zero, isolate_zeros

TEXTS = all_texts()
ACCURACY = 2e-8  # of the rule, for the steepest
GRID = np.linspace(0.02, 0.98, 97)


def _rule(breaks):
    """Nodes and Gaussian weights between panels that are cut at breakpoints."""
    ends = np.unique([*np.arange(-13, 13.01, 0.1), *breaks])
    nodes, weights = np.polynomial.legendre.leggauss(14)
    halves = np.diff(ends) / 2
    places = (ends[:-1, None] + halves[:, None] * (1 + nodes)).ravel()
    density = np.exp(-places * places / 2) / np.sqrt(2 * np.pi)
    return places, (halves[:, None] * weights).ravel() * density


def by_quadrature(function, breaks, strength):
    """a and b of the matched pair."""
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


def disagreements(text, function, seconds=30.0):
    """What differs between both, in words; and how long the certified zeros took."""
    activation = parse_activation(text)
    breaks = [float(p) for p in activation.value.breaks]
    start = time.process_time()
    drift = drift_of(Pair(activation))
    balls = ball_drift(drift)
    zeros = isolate_zeros(balls) if not drift.is_zero else []
    places = [float(enclose_zero(balls, zero, 40).mid()) for zero in zeros]
    took = time.process_time() - start
    found = [] if took < seconds else [f"took {took:.0f} s"]
    for strength in (0.125, 0.5, 0.90625):
        a, b, size = by_quadrature(function, breaks, strength)
        with ctx.workprec(80):
            ours = balls.a(arb(strength)), balls.b(arb(strength))
        for name, ball, theirs in zip("ab", ours, (a, b), strict=True):
            if not abs(float(ball.mid()) - theirs) < ACCURACY * (1 + size) / strength:
                found.append(f"{name}({strength}) is {float(ball.mid())}, not {theirs}")
            if not ball.rad() < 1e-12 * (1 + size):
                found.append(f"{name}({strength}) is known to {ball.rad()} only")
    rows = [by_quadrature(function, breaks, mu) for mu in GRID]
    values, sizes = np.array([a for a, *_ in rows]), np.array([s for *_, s in rows])
    known = np.abs(values) > ACCURACY * (1 + sizes)
    for i in range(len(GRID) - 1):
        between = [zero for zero in places if GRID[i] < zero < GRID[i + 1]]
        changes = values[i] * values[i + 1] < 0
        if known[i] and known[i + 1] and changes != len(between) % 2:
            found.append(f"zeros {between} between {GRID[i]:.3f} and {GRID[i + 1]:.3f}")
    return found, took


@pytest.mark.parametrize("text", [text for text, _ in TEXTS[5::21]])
def test_a_b_and_zeros_are_those_of_another_quadrature(text):
    found, _ = disagreements(text, dict(TEXTS)[text])
    assert not found


def test_every_entry_of_the_catalogue_is_among_the_texts():
    texts = [text for text, _ in TEXTS]
    assert set(CATALOGUE) <= set(texts)
    assert len(texts) >= 200
    for text in texts:
        parse_activation(text)
