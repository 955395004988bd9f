r"""One update of a network's SGD, exactly in law: the named steps of a compiled loop.

An input is drawn by its projections on the K teachers and on the r columns (through the Cholesky
factor of ``G - MᵀM``). What is left of a batch moves the columns by Gaussian vectors in the other
``d - K - r`` dimensions, and only their Gram matrix matters: a Wishart matrix, drawn by Bartlett's
decomposition. ``STEPS`` holds the steps, so that a test can put a faulty one in the place of any.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from numerics.doubles.arrays import Doubles
from numerics.doubles.compiled import kernel, part_of_kernel
from numerics.dynamics.update import LARGEST_STATE, TOLD, Functions


class Statistics(NamedTuple):
    """Statistics of a network: ``u`` and ``m`` of K × r, ``g`` of r × r."""

    u: Doubles
    m: Doubles
    g: Doubles


class NetworkLaw(NamedTuple):
    """The numbers that a run follows.

    Fields: ``mu``, one strength a neuron; ``dimension``; ``rate`` γ; ``batch`` B; ``noise`` of
    labels; ``radius`` of exit; ``stop_at_exit``.
    """

    mu: Doubles
    dimension: int
    rate: float
    batch: int
    noise: float
    radius: float
    stop_at_exit: bool


class NetworkSteps(NamedTuple):
    """The steps of an update, compiled functions of this module."""

    own_factor: Callable[..., Any]
    gradients: Callable[..., Any]
    moved: Callable[..., Any]
    across: Callable[..., Any]


# Products of small matrices as loops: numba's own would compile for seconds to call a BLAS.


@part_of_kernel
def _times(left, right):  # type: ignore[no-untyped-def]
    rows, inner = left.shape
    result = np.zeros((rows, right.shape[1]))
    for i in range(rows):
        for k in range(inner):
            for j in range(right.shape[1]):
                result[i, j] += left[i, k] * right[k, j]
    return result


@part_of_kernel
def gram(rows):  # type: ignore[no-untyped-def]
    """Inner products of rows."""
    return _times(rows, rows.T)


@part_of_kernel
def cholesky(matrix):  # type: ignore[no-untyped-def]
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


@part_of_kernel
def own_factor(m, g):  # type: ignore[no-untyped-def]
    """Coordinates of the columns off the teachers: the Cholesky factor of ``G - MᵀM``."""
    left = g.copy()
    for row in range(len(g)):
        for col in range(len(g)):
            for j in range(len(m)):
                left[row, col] -= m[j, row] * m[j, col]
    return cholesky(left)


@kernel
def wishart(rng, covariance, freedom):  # type: ignore[no-untyped-def]
    """Gram matrix of ``freedom`` Gaussian vectors' columns with the given covariance.

    Arguments:
        rng: the source of all that is random.
        covariance: of a vector's entries, a matrix.
        freedom: how many vectors.
    """
    size = len(covariance)
    factor = cholesky(covariance)
    if freedom < size:  # Bartlett's decomposition needs as many vectors as columns
        vectors = np.empty((freedom, size))
        for i in range(freedom):
            for j in range(size):
                vectors[i, j] = rng.standard_normal()
        return gram(_times(factor, vectors.T))
    bartlett = np.zeros((size, size))
    for i in range(size):
        bartlett[i, i] = math.sqrt(rng.chisquare(freedom - i))
        for j in range(i):
            bartlett[i, j] = rng.standard_normal()
    return gram(_times(factor, bartlett))


@part_of_kernel
def gradients(rng, functions, law, statistics, factor):  # type: ignore[no-untyped-def]
    """Batch means: pull on U, in-plane pull on the columns, covariance of the rest.

    Arguments:
        rng: the source of all that is random.
        functions, law: of the algorithm.
        statistics: U, M, G before the step.
        factor: of the columns' own parts, as ``own_factor`` makes it.
    """
    u, m, _ = statistics
    neurons, rank = u.shape
    on_u, on_v = np.zeros((neurons, rank)), np.zeros((neurons + rank, rank))
    rest = np.zeros((rank, rank))
    x, o = np.empty(neurons + rank), np.empty(rank)
    pulls, weights = np.empty(neurons), np.empty(rank)
    share = 1.0 / math.sqrt(neurons)
    for _ in range(law.batch):
        # Projections x on teachers and off them, o on the columns; (39) for each neuron.
        error = law.noise * rng.standard_normal() if law.noise > 0.0 else 0.0
        for i in range(neurons + rank):
            x[i] = rng.standard_normal()
        for col in range(rank):
            o[col] = 0.0
            for i in range(neurons):
                o[col] += m[i, col] * x[i]
            for k in range(col + 1):
                o[col] += factor[col, k] * x[neurons + k]
        for j in range(neurons):
            argument = law.mu[j] * x[j]
            for col in range(rank):
                argument += u[j, col] * o[col]
            error += share * (functions.label(x[j]) - functions.sigma(argument))
            pulls[j] = share * functions.slope(argument)
        for col in range(rank):
            weights[col] = 0.0
            for j in range(neurons):
                weights[col] += error * pulls[j] * u[j, col] / law.batch
                on_u[j, col] += error * pulls[j] * o[col] / law.batch
            for i in range(neurons + rank):
                on_v[i, col] += weights[col] * x[i]
        for row in range(rank):
            for col in range(rank):
                rest[row, col] += weights[row] * weights[col]
    return on_u, on_v, rest


@part_of_kernel
def _largest(matrix):  # type: ignore[no-untyped-def]
    """Largest absolute value; NaN if there is one."""
    largest = 0.0
    for i in range(matrix.shape[0]):
        for j in range(matrix.shape[1]):
            if not abs(matrix[i, j]) <= largest:
                largest = abs(matrix[i, j])
    return largest


@part_of_kernel
def _keep(matrix, row, start):  # type: ignore[no-untyped-def]
    """Write a matrix into a row from a place on; return the place after it."""
    for i in range(matrix.shape[0]):
        for j in range(matrix.shape[1]):
            row[start] = matrix[i, j]
            start += 1
    return start


@part_of_kernel
def moved(law, m, factor, on_v):  # type: ignore[no-untyped-def]
    """In-plane coordinates of the columns after a step along their spherical gradients (39).

    Arguments:
        law: of the algorithm.
        m: overlaps with the teachers, a row each.
        factor: of the columns' own parts.
        on_v: pull on each column, in the plane of teachers and columns.
    """
    neurons, rank = m.shape
    columns = np.empty((neurons + rank, rank))
    for col in range(rank):
        along = 0.0
        for i in range(neurons + rank):
            place = m[i, col] if i < neurons else factor[col, i - neurons]
            columns[i, col] = place
            along += on_v[i, col] * place
        for i in range(neurons + rank):
            columns[i, col] += law.rate * (on_v[i, col] - along * columns[i, col])
    return columns


@part_of_kernel
def across(rng, law, rest, others):  # type: ignore[no-untyped-def]
    """Gram matrix of the columns' steps in all other directions.

    Arguments:
        rng: the source of all that is random.
        law: of the algorithm.
        rest: covariance of the pulls there.
        others: the number of those directions.
    """
    far = wishart(rng, rest, others)
    for row in range(len(far)):
        for col in range(len(far)):
            far[row, col] = law.rate * law.rate * far[row, col]
    return far


STEPS = NetworkSteps(own_factor, gradients, moved, across)


class NetworkAlgorithm(NamedTuple):
    """What a run follows: its ``steps``, of what ``functions``, by which ``law``."""

    steps: NetworkSteps
    functions: Functions
    law: NetworkLaw


@part_of_kernel
def updated(rng, algorithm, statistics):  # type: ignore[no-untyped-def]
    """The statistics after one update: gradient for U, columns moved and normalised (38).

    Arguments:
        rng: the source of all that is random.
        algorithm: its steps, functions and law.
        statistics: U, M, G before it.
    """
    steps, functions, law = algorithm
    neurons, rank = statistics.u.shape
    factor = steps.own_factor(statistics.m, statistics.g)
    on_u, on_v, rest = steps.gradients(rng, functions, law, statistics, factor)
    columns = steps.moved(law, statistics.m, factor, on_v)
    products = gram(columns.T)
    far = steps.across(rng, law, rest, law.dimension - neurons - rank)
    u, m, g = statistics.u.copy(), statistics.m.copy(), statistics.g.copy()
    for row in range(rank):
        for col in range(rank):
            products[row, col] += far[row, col]
    for col in range(rank):
        size = math.sqrt(products[col, col])
        for j in range(neurons):
            u[j, col] += law.rate * on_u[j, col]
            m[j, col] = columns[j, col] / size
        for row in range(rank):
            g[row, col] = products[row, col] / (size * math.sqrt(products[row, row]))
    return Statistics(u, m, g)


@part_of_kernel
def distance(statistics):  # type: ignore[no-untyped-def]
    """``|U|² + |M|²``."""
    total = 0.0
    for j in range(statistics.u.shape[0]):
        for col in range(statistics.u.shape[1]):
            total += statistics.u[j, col] ** 2 + statistics.m[j, col] ** 2
    return total


@kernel
def run(rng, algorithm, statistics, watch):  # type: ignore[no-untyped-def]
    """One replica, as ``numerics.dynamics.update.run``.

    Arguments:
        rng: the source of all that is random.
        algorithm: its steps, functions and law.
        statistics: U, M, G at step 0.
        watch: horizon, recorded steps and where they are kept.
    """
    law = algorithm.law
    exit_step, record = -1, 0
    for step in range(watch.horizon + 1):
        if exit_step < 0 and distance(statistics) >= law.radius * law.radius:
            exit_step = step
            if law.stop_at_exit:
                break
        if record < len(watch.records) and watch.records[record] == step:
            place = _keep(statistics.u, watch.states[record], 0)
            place = _keep(statistics.m, watch.states[record], place)
            _keep(statistics.g, watch.states[record], place)
            record += 1
        if step == watch.horizon:
            break
        if (step + 1) % TOLD == 0:
            watch.done[0] += TOLD
        statistics = updated(rng, algorithm, statistics)
        if not _largest(statistics.u) < LARGEST_STATE or not _largest(statistics.g) <= 1.0 + 1e-9:
            return exit_step, step + 1
    return exit_step, -1
