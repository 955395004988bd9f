r"""One-pass SGD of a network with shared rank-r LoRA, exactly in law at a cost independent of d.

An input is drawn by its projections on the K teachers and on the r columns (through the Cholesky
factor of ``G - MᵀM``). What is left of a batch moves the columns by Gaussian vectors in the other
``d - K - r`` dimensions, and only their Gram matrix matters: a Wishart matrix, drawn by Bartlett's
decomposition. So a step costs ``O(B (K + r)^2)`` for any dimension.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from derive.errors import InputError
from derive.pair import Pair
from numerics.doubles.moments import insist_on_doubles
from numerics.dynamics.flow import EXIT_RADIUS
from numerics.dynamics.network_flow import NetworkState
from numerics.dynamics.sgd import (
    LARGEST_STATE,
    Runs,
    checked_records,
    compiled_functions,
    replica_stream,
    run_replicas,
)
from numerics.dynamics.stability import cause_of_divergence


@dataclass(frozen=True)
class NetworkLearner:
    """A network trained by one-pass SGD on the square loss.

    Fields: ``pair`` of activations, its labels those of each teacher neuron; ``mu``, one strength
    in [0, 1] a neuron; ``rank`` r; ``dimension`` d ≥ K + r; ``learning_rate``; ``batch``;
    ``noise`` added to labels; ``scale`` of the initial ``U``, in units of 1/√d. Raises
    ``InputError`` for values outside these ranges.
    """

    pair: Pair
    mu: tuple[float, ...]
    rank: int
    dimension: int
    learning_rate: float
    batch: int = 1
    noise: float = 0.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        neurons = len(self.mu)
        checks = (
            (neurons >= 1, "no neuron", "one strength a neuron"),
            (all(0 <= x <= 1 for x in self.mu), f"strengths {self.mu}", "each in [0, 1]"),
            (neurons <= self.dimension, f"{neurons} neurons", f"at most d = {self.dimension}"),
            (
                1 <= self.rank <= self.dimension - neurons,
                f"rank {self.rank}",
                f"1 to d - K = {self.dimension - neurons}",
            ),
            (0 < self.learning_rate < math.inf, f"learning rate {self.learning_rate}", "γ > 0"),
            (self.batch >= 1, f"batch {self.batch}", "an integer of at least 1"),
            (self.noise >= 0, f"noise {self.noise}", "a standard deviation ≥ 0"),
            (self.pair.loss == "square", f"loss {self.pair.loss}", "the square loss"),
            (self.pair.misalignment == 0, "misalignment", "aligned pre-training"),
        )
        for passed, given, wanted in checks:
            if not passed:
                raise InputError(f"{given} is not accepted: give {wanted}")
        insist_on_doubles(self.pair)

    def initial(self, rng: Generator) -> NetworkState:
        """Columns uniform on the sphere, independent; all of ``U`` equal."""
        neurons, rank = len(self.mu), self.rank
        inside = rng.standard_normal((neurons, rank))
        gram = inside.T @ inside + _wishart(rng, np.eye(rank), self.dimension - neurons)
        sizes = np.sqrt(np.diag(gram))
        u = np.full((neurons, rank), self.scale / math.sqrt(self.dimension))
        return NetworkState(u, inside / sizes, gram / np.outer(sizes, sizes))


def simulate_network(
    learner: NetworkLearner,
    replicas: Sequence[int],
    seed: int,
    horizon: int,
    records: Sequence[int] = (),
    radius: float = EXIT_RADIUS,
    stop_at_exit: bool = False,
    threads: int | None = None,
) -> Runs:
    r"""Simulate replicas of a network, exactly in law.

    Arguments: as ``simulate_sgd``; states are packed statistics ``U, M, G``, and exit is
    the first step with :math:`|U|^2 + |M|^2 \ge` ``radius²``.

    Raises ``InputError`` for a learning rate at which a run diverges, or bad arguments. Source:
    App. K. A simulation, exact in law up to rounding.

    >>> from derive import parse_activation
    >>> x = parse_activation("x")
    >>> learner = NetworkLearner(Pair(x, x), (0.5, 0.2), 2, 10**9, 1e-3)
    >>> simulate_network(learner, range(3), 1, 50, [50]).states.shape
    (3, 1, 12)
    """
    steps = checked_records(replicas, horizon, records)
    pair, neurons = learner.pair, len(learner.mu)
    functions = compiled_functions(pair, None)[1:]
    settings = (
        learner.dimension,
        learner.learning_rate,
        learner.batch,
        learner.noise,
        radius,
        stop_at_exit,
    )

    def run(replica: int) -> tuple[NDArray, int, int]:
        rng = replica_stream(seed, replica)
        start = learner.initial(rng)
        states = np.full((len(steps), 2 * neurons * learner.rank + learner.rank**2), np.nan)
        parts = (np.array(learner.mu), start.u, start.m, start.g)
        stopped = _run(rng, *functions, *parts, settings, horizon, steps, states)  # type: ignore[call-arg]
        return states, *stopped

    def cause() -> str:
        numbers = (learner.dimension, learner.batch, learner.learning_rate, learner.noise)
        return cause_of_divergence([pair], min(learner.mu), *numbers)

    return run_replicas(run, replicas, threads, steps, cause)


# Products of small matrices as loops: numba's own would compile for seconds to call a BLAS.


@numba.njit(nogil=True)
def _times(left, right):  # type: ignore[no-untyped-def]
    rows, inner = left.shape
    result = np.zeros((rows, right.shape[1]))
    for i in range(rows):
        for k in range(inner):
            for j in range(right.shape[1]):
                result[i, j] += left[i, k] * right[k, j]
    return result


@numba.njit(nogil=True)
def _gram(rows):  # type: ignore[no-untyped-def]
    """Inner products of rows."""
    return _times(rows, rows.T)


@numba.njit(nogil=True)
def _cholesky(matrix):  # type: ignore[no-untyped-def]
    """Lower Cholesky factor of a positive semi-definite matrix; null directions give zeros."""
    size = len(matrix)
    factor = np.zeros((size, size))
    for j in range(size):
        left = matrix[j, j]
        for k in range(j):
            left -= factor[j, k] ** 2
        if left <= 1e-15 * matrix[j, j] or left <= 0.0:
            continue
        factor[j, j] = math.sqrt(left)
        for i in range(j + 1, size):
            total = matrix[i, j]
            for k in range(j):
                total -= factor[i, k] * factor[j, k]
            factor[i, j] = total / factor[j, j]
    return factor


@numba.njit(nogil=True)
def _own_factor(m, g):  # type: ignore[no-untyped-def]
    """Coordinates of the columns off the teachers: the Cholesky factor of ``G - MᵀM``."""
    left = g.copy()
    for row in range(len(g)):
        for col in range(len(g)):
            for j in range(len(m)):
                left[row, col] -= m[j, row] * m[j, col]
    return _cholesky(left)


@numba.njit(nogil=True)
def _wishart(rng, covariance, freedom):  # type: ignore[no-untyped-def]
    """Gram matrix of ``freedom`` Gaussian vectors' columns with the given covariance."""
    size = len(covariance)
    factor = _cholesky(covariance)
    if freedom < size:  # Bartlett's decomposition needs as many vectors as columns
        vectors = np.empty((freedom, size))
        for i in range(freedom):
            for j in range(size):
                vectors[i, j] = rng.standard_normal()
        return _gram(_times(factor, vectors.T))
    bartlett = np.zeros((size, size))
    for i in range(size):
        bartlett[i, i] = math.sqrt(rng.chisquare(freedom - i))
        for j in range(i):
            bartlett[i, j] = rng.standard_normal()
    return _gram(_times(factor, bartlett))


@numba.njit(nogil=True)
def _gradients(rng, label, sigma, slope, mu, u, m, factor, batch, noise):  # type: ignore[no-untyped-def]
    """Batch means: pull on U, in-plane pull on the columns, covariance of the rest."""
    neurons, rank = u.shape
    on_u, on_v = np.zeros((neurons, rank)), np.zeros((neurons + rank, rank))
    rest = np.zeros((rank, rank))
    x, o = np.empty(neurons + rank), np.empty(rank)
    pulls, weights = np.empty(neurons), np.empty(rank)
    share = 1.0 / math.sqrt(neurons)
    for _ in range(batch):
        error = noise * rng.standard_normal() if noise > 0.0 else 0.0
        for i in range(neurons + rank):
            x[i] = rng.standard_normal()
        for col in range(rank):
            o[col] = 0.0
            for i in range(neurons):
                o[col] += m[i, col] * x[i]
            for k in range(col + 1):
                o[col] += factor[col, k] * x[neurons + k]
        for j in range(neurons):
            argument = mu[j] * x[j]
            for col in range(rank):
                argument += u[j, col] * o[col]
            error += share * (label(x[j]) - sigma(argument))
            pulls[j] = share * slope(argument)
        for col in range(rank):
            weights[col] = 0.0
            for j in range(neurons):
                weights[col] += error * pulls[j] * u[j, col] / batch
                on_u[j, col] += error * pulls[j] * o[col] / batch
            for i in range(neurons + rank):
                on_v[i, col] += weights[col] * x[i]
        for row in range(rank):
            for col in range(rank):
                rest[row, col] += weights[row] * weights[col]
    return on_u, on_v, rest


@numba.njit(nogil=True)
def _largest(matrix):  # type: ignore[no-untyped-def]
    """Largest absolute value; NaN if there is one."""
    largest = 0.0
    for i in range(matrix.shape[0]):
        for j in range(matrix.shape[1]):
            if not abs(matrix[i, j]) <= largest:
                largest = abs(matrix[i, j])
    return largest


@numba.njit(nogil=True)
def _keep(matrix, row, start):  # type: ignore[no-untyped-def]
    """Write a matrix into a row from a place on; return the place after it."""
    for i in range(matrix.shape[0]):
        for j in range(matrix.shape[1]):
            row[start] = matrix[i, j]
            start += 1
    return start


@numba.njit(nogil=True)
def _moved(m, factor, on_v, rate):  # type: ignore[no-untyped-def]
    """In-plane coordinates of the columns after a step along their tangent pulls."""
    neurons, rank = m.shape
    moved = np.empty((neurons + rank, rank))
    for col in range(rank):
        along = 0.0
        for i in range(neurons + rank):
            place = m[i, col] if i < neurons else factor[col, i - neurons]
            moved[i, col] = place
            along += on_v[i, col] * place
        for i in range(neurons + rank):
            moved[i, col] += rate * (on_v[i, col] - along * moved[i, col])
    return moved


@numba.njit(nogil=True)
def _run(  # type: ignore[no-untyped-def]
    rng, label, sigma, slope, mu, u, m, g, settings, horizon, records, states
):
    """One replica: fill ``states``, return the step of exit and of divergence, -1 for none."""
    dimension, rate, batch, noise, radius, stop_at_exit = settings
    neurons, rank = u.shape
    others = dimension - neurons - rank
    exit_step, record = -1, 0
    for step in range(horizon + 1):
        distance = 0.0
        for j in range(neurons):
            for col in range(rank):
                distance += u[j, col] ** 2 + m[j, col] ** 2
        if exit_step < 0 and distance >= radius * radius:
            exit_step = step
            if stop_at_exit:
                break
        if record < len(records) and records[record] == step:
            place = _keep(u, states[record], 0)
            place = _keep(m, states[record], place)
            _keep(g, states[record], place)
            record += 1
        if step == horizon:
            break
        factor = _own_factor(m, g)
        on_u, on_v, rest = _gradients(rng, label, sigma, slope, mu, u, m, factor, batch, noise)
        moved = _moved(m, factor, on_v, rate)
        gram, far = _gram(moved.T), _wishart(rng, rest, others)
        u, m, g = u.copy(), m.copy(), g.copy()
        for row in range(rank):
            for col in range(rank):
                gram[row, col] += rate * rate * far[row, col]
        for col in range(rank):
            size = math.sqrt(gram[col, col])
            for j in range(neurons):
                u[j, col] += rate * on_u[j, col]
                m[j, col] = moved[j, col] / size
            for row in range(rank):
                g[row, col] = gram[row, col] / (size * math.sqrt(gram[row, row]))
        if not _largest(u) < LARGEST_STATE or not _largest(g) <= 1.0 + 1e-9:
            return exit_step, step + 1
    return exit_step, -1
