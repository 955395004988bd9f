"""Closed forms that the field knows, written from their formulas, against what is derived here.

Committees of erf (Saad and Solla 1995), phase retrieval, Hermite committees, and dual activations:
the arc-cosine kernels of Cho and Saul (2009) and those of neural network Gaussian processes.
"""

import math

import numpy as np
import pytest
from sympy import Abs, Rational, S, acos, asin, cosh, erf, exp, factorial, pi, sin, sinh, sqrt

from derive.catalogue import LEAK
from derive.landscape import landscape_of
from derive.network import kernel, kernel_slopes
from derive.pair import Pair
from derive.symbols import residual, rho, z
from numerics.dynamics.network_flow import NetworkState, network_flow

STEP, SIGN = "the step", "the sign"  # slopes of relu and abs


def _angle(p, q, c):
    return acos(c / sqrt(p * q))


def _ramp(p, q, c):
    """The arc-cosine kernel of order 1."""
    angle = _angle(p, q, c)
    return sqrt(p * q) * (sin(angle) + (pi - angle) * c / sqrt(p * q)) / (2 * pi)


def _squared_ramp(p, q, c):
    """The arc-cosine kernel of order 2."""
    angle = _angle(p, q, c)
    cosine = c / sqrt(p * q)
    return p * q * (3 * sin(angle) * cosine + (pi - angle) * (1 + 2 * cosine**2)) / (2 * pi)


def _gelu(p, q, c):
    rest = (1 + p) * (1 + q) - c**2
    flat = p * q + c**2 * (1 / (1 + p) + 1 / (1 + q) - 1)
    arcsine = asin(c / sqrt((1 + p) * (1 + q)))
    return c / 4 + c * arcsine / (2 * pi) + flat / (2 * pi * sqrt(rest))


DUALS = {
    STEP: lambda p, q, c: (pi - _angle(p, q, c)) / (2 * pi),
    "relu": _ramp,
    "squared_relu": _squared_ramp,
    "leaky_relu": lambda p, q, c: (1 - LEAK) ** 2 * _ramp(p, q, c) + LEAK * c,
    SIGN: lambda p, q, c: 2 * asin(c / sqrt(p * q)) / pi,
    "abs": lambda p, q, c: 2 * (sqrt(p * q - c**2) + c * asin(c / sqrt(p * q))) / pi,
    "erf": lambda p, q, c: 2 * asin(2 * c / sqrt((1 + 2 * p) * (1 + 2 * q))) / pi,
    "gelu": _gelu,
    "sin": lambda p, q, c: exp(-(p + q) / 2) * sinh(c),
    "cos": lambda p, q, c: exp(-(p + q) / 2) * cosh(c),
    "exp": lambda p, q, c: exp((p + q) / 2 + c),
    "gauss": lambda p, q, c: 1 / sqrt((1 + p) * (1 + q) - c**2),
}


def _covariances(seed):
    """Random variances, and covariances of both signs within them."""
    rng = np.random.default_rng(seed)
    for _ in range(4):
        p, q = (Rational(int(k), 60) for k in rng.integers(10, 150, 2))
        share = Rational(int(rng.integers(-95, 96)), 100)
        yield p, q, share * sqrt(p * q)


def _close(left, right):
    return Abs(left - right).evalf(30) < 1e-25


@pytest.mark.parametrize("name", DUALS)
def test_dual_activations(name):
    if name in (STEP, SIGN):
        *_, ours = kernel_slopes(*["relu" if name == STEP else "abs"] * 2)
    else:
        ours = kernel(name, name)
    for p, q, c in _covariances(len(name)):
        assert _close(ours.at(p, q, c), DUALS[name](p, q, c))


@pytest.mark.parametrize("name", [name for name in DUALS if name not in (STEP, SIGN)])
def test_the_landscape_is_made_of_duals(name):
    """½E φ² + ½E σ² - E φσ over covariance and residual variance, for both signs of the former."""
    dual, ours = DUALS[name], landscape_of(Pair(name, name)).loss
    for p, q, c in _covariances(len(name)):
        s, r = q, c / p
        variance = r**2 + s
        theirs = (dual(S.One, S.One, S.One) + dual(variance, variance, variance)) / 2 - dual(
            S.One, variance, r
        )
        assert _close(ours.subs({rho: r, residual: s}), theirs)


@pytest.mark.parametrize("k", range(6))
def test_hermite_duals_are_powers(k):
    """E He_j(x) He_k(y) = k! ρ^k if j = k, and 0 otherwise."""
    for _, _, c in _covariances(k):
        share = c / 3  # below 1
        for j in range(6):
            expected = factorial(k) * share**k if j == k else 0
            found = kernel(f"He{j}", f"He{k}").at(1, 1, share)
            assert _close(found, expected)


class Committee:
    """A random network by its vectors: columns on the unit sphere, teachers the first axes."""

    def __init__(self, seed, neurons=3, rank=2, dimension=9):
        rng = np.random.default_rng(seed)
        self.mu, self.u = rng.uniform(0.1, 1, neurons), rng.standard_normal((neurons, rank))
        self.teachers = np.eye(dimension)[:neurons]
        columns = rng.standard_normal((rank, dimension))
        self.columns = columns / np.linalg.norm(columns, axis=1, keepdims=True)
        self.neurons = self.mu[:, None] * self.teachers + self.u @ self.columns
        self.r, self.q = self.teachers @ self.neurons.T, self.neurons @ self.neurons.T
        gram = self.columns @ self.columns.T
        self.state = NetworkState(self.u, self.teachers @ self.columns.T, gram)

    def flow(self, activation):
        return network_flow(Pair(activation, activation), self.mu, self.u.shape[1])


def _error(committee, mean):
    """½E (teacher - student)² from the mean of two neurons, of any sizes and overlap."""
    vectors = np.concatenate([committee.teachers, committee.neurons])
    signs = np.repeat([1, -1], len(committee.mu))
    gram, total = vectors @ vectors.T, 0.0
    for i, j in np.ndindex(gram.shape):
        total += signs[i] * signs[j] * mean(gram[i, i], gram[j, j], gram[i, j])
    return total / (2 * len(committee.mu))


SAAD_SOLLA = erf(z / sqrt(2))


def _i2(p, q, c):
    """Saad and Solla, of their erf(x/√2)."""
    return 2 / math.pi * math.asin(c / math.sqrt((1 + p) * (1 + q)))


def _i3(x, y, other):
    """Saad and Solla: E g'(x) y g(other), from vectors."""
    spread = (1 + x @ x) * (1 + other @ other) - (x @ other) ** 2
    return (
        2
        / math.pi
        * (y @ other * (1 + x @ x) - x @ y * (x @ other))
        / (1 + x @ x)
        / math.sqrt(spread)
    )


COMMITTEES = [
    (SAAD_SOLLA, _i2),
    ("x**2", lambda p, q, c: p * q + 2 * c**2),
    ("He2", lambda p, q, c: (p - 1) * (q - 1) + 2 * c**2),
    ("He3", lambda p, q, c: 9 * (p - 1) * (q - 1) * c + 6 * c**3),
]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("activation", "mean"), COMMITTEES, ids=[str(a) for a, _ in COMMITTEES])
def test_losses_of_committees(activation, mean, seed):
    committee = Committee(seed)
    ours = committee.flow(activation).loss(committee.state)
    assert ours == pytest.approx(_error(committee, mean), rel=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_phase_retrieval(seed):
    """E (xᵀAx)² = 2 tr A² + (tr A)² for A the difference of what teacher and student see."""
    committee = Committee(seed)
    a = committee.teachers.T @ committee.teachers - committee.neurons.T @ committee.neurons
    theirs = (2 * np.trace(a @ a) + np.trace(a) ** 2) / (2 * len(committee.mu))
    assert committee.flow("x**2").loss(committee.state) == pytest.approx(theirs, rel=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_the_flow_of_an_erf_committee(seed):
    """Saad and Solla's E δ_i x by their I₃; U and the columns follow it along low rank."""
    committee = Committee(seed)
    u, columns = committee.u, committee.columns

    def pull(i, along):
        """E δ_i (along·x), δ_i = g'(w_i·x) (teacher - student)."""
        x = committee.neurons[i]
        return sum(
            side * _i3(x, along, other)
            for side, group in ((1, committee.teachers), (-1, committee.neurons))
            for other in group
        ) / len(committee.mu)  # fmt: skip

    axes = np.eye(columns.shape[1])
    pulls = np.array([[pull(i, axis) for axis in axes] for i in range(len(u))])
    down = u.T @ pulls
    moved = down - columns * (columns * down).sum(1, keepdims=True)
    drift = moved @ columns.T
    expected = NetworkState(pulls @ columns.T, committee.teachers @ moved.T, drift + drift.T)
    ours = committee.flow(SAAD_SOLLA).velocity(0.0, committee.state.packed())
    np.testing.assert_allclose(ours, expected.packed(), rtol=0, atol=1e-12)
