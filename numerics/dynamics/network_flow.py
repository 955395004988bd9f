r"""Gradient flow of two-layer networks with shared rank-r LoRA, in the statistics (U, M, G) (120).

With ``R' = ∂L/∂R`` and ``Q' = ∂L/∂Q`` at the current overlaps, ``P = R' + 2 diag(μ) Q'`` are the
coordinates of the loss's slope for the neurons along the teachers; everything the flow needs is
``P``, ``Q'`` and the statistics themselves. Heuristic: floats without bounds.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sympy import Rational, Symbol, diff

from derive.activation import Activation
from derive.errors import InputError, abridged, quoted
from derive.gaussian import NoClosedForm
from derive.given import insist_on, whole
from derive.network import Kernel, kernel, kernel_slopes, network_drift
from derive.pair import Pair, PairLike
from numerics.certified.strengths import StrengthsLike, strengths_of
from numerics.doubles.arrays import Doubles, array_function, breakpoints, piecewise
from numerics.doubles.landscape import FloatLandscape, float_landscape, kernel_by_quadrature
from numerics.doubles.quadrature import gaussian_mean_of
from numerics.dynamics.flow import (
    OBSERVED,
    Motion,
    Trajectory,
    first_passage_of,
    linear_growth,
    trajectory,
)
from numerics.dynamics.kinds import EXIT_RADIUS

_Q, _DETERMINANT = Symbol("Q", positive=True), Symbol("D", nonnegative=True)
_LEAST_SIZE = 1e-200  # of a neuron that is zero: slopes divide by it
_NEXT_TO_NONE = Rational(1, 10**30)  # a strength, where closed forms are 0/0 at 0
_STEP = 1e-7  # of differences around a start at rest: a kink leaves as much, rounding less
_Kernel = Callable[..., Any]  # of sizes and overlaps


@dataclass(frozen=True)
class NetworkState:
    """Statistics of a network: ``u`` and ``m`` of K × r, ``g`` of r × r with unit diagonal."""

    u: Doubles
    m: Doubles
    g: Doubles

    def packed(self) -> Doubles:
        """All entries in one vector: U, M, G."""
        return np.concatenate([part.ravel() for part in (self.u, self.m, self.g)])

    @classmethod
    def unpacked(cls, vector: ArrayLike, neurons: int, rank: int) -> "NetworkState":
        """The inverse of ``packed``."""
        u, m, g = np.split(np.asarray(vector, dtype=float), [neurons * rank, 2 * neurons * rank])
        return cls(u.reshape(neurons, rank), m.reshape(neurons, rank), g.reshape(rank, rank))


@dataclass(frozen=True)
class NetworkFlow(Motion):
    """The gradient flow of a network.

    Fields: ``pair``; ``mu``, one strength a neuron; ``rank``; ``mixed``, the landscape of one
    teacher and one student neuron under the correlation loss; ``own``, the kernel of two student
    neurons with its slopes; ``power``, that of a neuron with itself; ``labels``, the teacher's mean
    square.
    """

    pair: Pair
    mu: Doubles
    rank: int
    mixed: FloatLandscape
    own: tuple[_Kernel, _Kernel, _Kernel]
    power: tuple[_Kernel, _Kernel]
    labels: float

    def speed(self) -> float:
        """The same, or how large what the matrix is made of is, where that cancels. Heuristic."""
        return max(super().speed(), self.mixed.size)

    def overlaps(self, state: NetworkState) -> tuple[Doubles, Doubles]:
        """``R`` and ``Q``: overlaps of student neurons with teachers, and with each other."""
        insist_on(state, NetworkState, "a NetworkState, of u, m and g")
        cross = state.m @ state.u.T
        tilted = self.mu[:, None] * cross
        r = np.diag(self.mu) + cross
        return r, np.diag(self.mu**2) + tilted + tilted.T + state.u @ state.g @ state.u.T

    def loss(self, state: NetworkState) -> float:
        """The population loss (121). Heuristic."""
        r, q = self.overlaps(state)
        sizes = np.diag(q)
        apart = _apart(self._of_pairs(self.own[0], q))
        own = np.sum(apart) + np.sum(self.power[0](sizes))
        mixed = np.sum(self.mixed.losses(r, np.maximum(sizes - r * r, 0.0)))  # minus the kernels
        return float((self.labels + own + 2 * mixed) / (2 * len(self.mu)))

    def slopes(self, state: NetworkState) -> tuple[Doubles, Doubles]:
        """``∂L/∂R`` and ``∂L/∂Q``, the latter symmetric. Heuristic."""
        r, q = self.overlaps(state)
        sizes, count = np.diag(q), len(self.mu)
        by_r, by_size = np.empty_like(r), np.zeros(count)
        for i, j in np.ndindex(r.shape):
            overlap = float(r[i, j])
            left = max(float(sizes[j]) - overlap**2, 0.0)
            curvature = self.mixed.b(overlap, left)
            by_r[i, j] = -(self.mixed.a(overlap, left) - overlap * curvature) / count
            by_size[j] -= curvature / (2 * count)
        first = _apart(self._of_pairs(self.own[1], q))
        by_q = _apart(self._of_pairs(self.own[2], q)) / (2 * count)
        by_size += (self.power[1](sizes) / 2 + first.sum(1)) / count
        return by_r, by_q + np.diag(by_size)

    @staticmethod
    def _of_pairs(function: Callable[..., Doubles], q: Doubles) -> Doubles:
        sizes = np.maximum(np.diag(q), _LEAST_SIZE)
        return function(sizes[:, None], sizes[None], q)

    def velocity(self, time: float, vector: ArrayLike) -> Doubles:
        """The flow of the packed statistics: gradient for U, spherical gradient for columns."""
        state = NetworkState.unpacked(vector, len(self.mu), self.rank)
        by_r, by_q = self.slopes(state)
        along = by_r + 2 * self.mu[:, None] * by_q
        x, y = along @ state.u, 2 * state.u.T @ by_q @ state.u
        pull = state.m.T @ x + state.g @ y
        radial = np.diag(pull)
        by_u = -(along.T @ state.m + 2 * by_q @ state.u @ state.g)
        by_m = -(x + state.m @ y) + state.m * radial
        by_g = -(pull + pull.T) + state.g * (radial[:, None] + radial[None])
        np.fill_diagonal(by_g, 0.0)
        return NetworkState(by_u, by_m, by_g).packed()

    @cached_property
    def _search(self) -> Doubles:
        bent = self.pair.student.value.derivative().derivative()
        kinks = [point for point, weight in zip(bent.breaks, bent.deltas, strict=True) if weight]
        if not self.mu.all() and 0 in kinks:
            raise InputError(
                f"the student {quoted(self.pair.student.text)} has a kink at 0, so a neuron of "
                "strength 0 has no linear search phase: give strengths > 0"
            )
        exact = [Rational(str(float(mu))) if mu else _NEXT_TO_NONE for mu in self.mu]
        try:
            blocks = network_drift(self.pair.labelled_teacher, self.pair.student).blocks(exact)
        except NoClosedForm:
            return self._differences()
        a, b = (np.array(block.evalf(20).tolist(), dtype=float) for block in blocks)
        return np.block([[b, a.T], [a, np.zeros_like(a)]])

    def _differences(self) -> Doubles:
        """The matrix of the search phase from the flow of one column, by central differences."""
        alone, count = replace(self, rank=1), 2 * len(self.mu)
        columns = []
        for step in np.eye(count) * _STEP:
            ahead, behind = (
                alone.velocity(0.0, np.append(side * step, 1.0))[:count] for side in (1, -1)
            )
            columns.append((ahead - behind) / (2 * _STEP))
        return np.array(columns).T

    def linearisation(self) -> Doubles:
        """Matrix of the search phase for each column's ``U`` and ``M``, the same for all (118).

        In closed form where there is one. Raises ``InputError`` for a strength 0 of a student with
        a kink there. Heuristic.
        """
        return self._search

    def observe(self, states: Doubles) -> dict[str, Doubles]:
        """``OBSERVED``: sizes of M and U, and the mean alignment of neurons with their teachers."""
        flat = states.reshape(-1, states.shape[-1])
        rows = np.empty((4, len(flat)))
        for row, vector in zip(rows.T, flat, strict=True):
            state = NetworkState.unpacked(vector, len(self.mu), self.rank)
            r, q = self.overlaps(state)
            with np.errstate(invalid="ignore"):  # of a neuron that is null it is NaN
                alignment = np.mean(np.diag(r) / np.sqrt(np.diag(q)))
            sizes = np.linalg.norm(state.m), np.linalg.norm(state.u)
            row[:] = self.loss(state), *sizes, abs(alignment)
        return dict(zip(OBSERVED, rows.reshape(4, *states.shape[:-1]), strict=True))

    def predict(self, start: Doubles, radius: float = EXIT_RADIUS) -> float | None:
        """Exit time of the linearised flow from packed statistics, all columns together."""
        size = len(self.mu) * self.rank
        columns = start[: 2 * size].reshape(2 * len(self.mu), self.rank)
        grown = linear_growth(self.linearisation(), columns)
        return first_passage_of(grown, columns, self.rate(), radius)

    def path(self, starts: Doubles, times: Doubles) -> Doubles:
        """The flow from the first replica's start."""
        first = NetworkState.unpacked(starts[0], len(self.mu), self.rank)
        return integrate_network(self, first, float(times[-1])).at(times)


def network_flow(pair: PairLike, strengths: StrengthsLike, rank: int = 1) -> NetworkFlow:
    """The gradient flow of a network whose neurons have the pair's activations.

    Arguments:
        pair: with its labels and the square loss, aligned.
        strengths: in [0, 1], one a neuron.
        rank: ≥ 1.

    Kernels without a closed form are quadratures. Raises ``InputError`` for other values. Source:
    App. K. Heuristic.

    >>> flow = network_flow("x", [0.5, 0.5], 1)
    >>> round(flow.loss(NetworkState(np.zeros((2, 1)), np.zeros((2, 1)), np.eye(1))), 3)
    0.125
    """
    pair = Pair.of(pair)
    mu, rank = np.array([float(each) for each in strengths_of(strengths)]), whole(rank, "rank", 1)
    if not len(mu):
        raise InputError(
            f"strengths {abridged(strengths)} are not accepted: give one in [0, 1] a neuron"
        )
    if pair.loss != "square" or pair.misalignment != 0:
        raise InputError("networks take the square loss and aligned pre-training: use those")
    mixed = float_landscape(replace(pair, loss="correlation"))
    label = piecewise(pair.label)
    cuts = breakpoints(pair.label)
    same = gaussian_mean_of(lambda x: label(x) ** 2, cuts)
    other = gaussian_mean_of(label, cuts) ** 2
    labels = len(mu) * (same + (len(mu) - 1) * other)
    return NetworkFlow(pair, mu, rank, mixed, *_student_kernels(pair.student), labels)


def integrate_network(flow: NetworkFlow, initial: NetworkState, horizon: float) -> Trajectory:
    """Solve the network's flow up to a time; states are packed, one row a time.

    Arguments:
        flow: as ``network_flow`` makes it.
        initial: of its shape.
        horizon: > 0, in units of 1/γ.

    Raises ``InputError`` for statistics that are no Gram matrix and other times, ``Undecided`` if
    the solver gives up. Heuristic.
    """
    insist_on(flow, NetworkFlow, "a flow, as network_flow(pair, strengths, rank) makes it")
    insist_on(initial, NetworkState, "a NetworkState of U, M and G")
    neurons = len(flow.mu)
    if initial.u.shape != (neurons, flow.rank) or initial.m.shape != initial.u.shape:
        raise InputError(f"U and M of shape {initial.u.shape} are not accepted: give K × r")
    gram = initial.g - initial.m.T @ initial.m
    if not np.allclose(np.diag(initial.g), 1) or np.linalg.eigvalsh(gram)[0] < -1e-9:
        raise InputError("G and M are not accepted: give unit diagonals, and G - MᵀM ≥ 0")
    tolerances = {"rtol": 1e-9, "atol": 1e-13}
    return trajectory(flow.velocity, initial.packed(), horizon, stiff=False, **tolerances)


_Kernels = tuple[tuple[_Kernel, _Kernel, _Kernel], tuple[_Kernel, _Kernel]]


@lru_cache(maxsize=32)
def _student_kernels(student: Activation) -> _Kernels:
    try:
        k = kernel(student, student)
    except NoClosedForm:
        found = kernel_by_quadrature(student.value)
        return (found.value, found.by_first, found.by_cross), (found.power, found.slope)
    by_first, _, by_cross = kernel_slopes(student, student)
    alone = k.power(_Q)
    power, slope = (array_function(f, [_Q]) for f in (alone, diff(alone, _Q)))
    return (_on_arrays(k), _on_arrays(by_first), _on_arrays(by_cross)), (power, slope)


def _on_arrays(k: Kernel) -> Callable[..., Doubles]:
    """A kernel on arrays; the determinant is kept from falling below 0 by rounding."""
    determinant = k.first * k.second - k.cross**2
    function = array_function(
        k.expression.subs(determinant, _DETERMINANT), (k.first, k.second, k.cross, _DETERMINANT)
    )

    def values(first: Doubles, second: Doubles, cross: Doubles) -> Doubles:
        return function(first, second, cross, np.maximum(first * second - cross * cross, 0.0))

    return values


def _apart(values: Doubles) -> Doubles:
    """Pairs of different neurons: the diagonal, where the kernel may be singular, is left out."""
    return np.where(np.eye(len(values)), 0.0, values)
