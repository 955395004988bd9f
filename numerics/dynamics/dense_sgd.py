"""One-pass SGD as it is written, with vectors of ``d`` entries: the reference.

``numerics.dynamics.sgd`` is held to it. Its cost grows with the dimension; it is there to be
compared with, and to be read.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import count, islice

import numpy as np
from numpy.random import Generator

from derive.given import insist_on, whole
from numerics.doubles.arrays import Doubles, piecewise
from numerics.dynamics.network_sgd import NetworkLearner
from numerics.dynamics.runs import checked_records
from numerics.dynamics.sgd import Learner


def simulate_densely(
    learner: Learner, rng: Generator, horizon: int, records: Sequence[int]
) -> Doubles:
    """The order parameters of ``dense_states`` at some steps.

    Arguments:
        learner, rng: as ``dense_states`` takes them.
        horizon: number of steps.
        records: steps at which ``(u, m)``, or ``(u, m, κ)``, is kept; one row each.

    Raises ``InputError`` for others. A simulation.

    >>> from derive import Pair
    >>> simulate_densely(Learner(Pair("x"), 0.5, 10, 1e-2), np.random.default_rng(1), 5, [5]).shape
    (1, 2)
    """
    horizon, kept = _asked(learner, Learner, rng, horizon, records)
    states = islice(dense_states(learner, rng), horizon + 1)
    return np.array([state for step, state in enumerate(states) if step in kept])


def _asked(
    learner: object, kind: type, rng: object, horizon: int, records: Sequence[int]
) -> tuple[int, set[int]]:
    """The horizon and the recorded steps; raises ``InputError`` for what is not accepted."""
    insist_on(learner, kind, f"a {kind.__name__}")
    insist_on(rng, Generator, "a generator, as numpy.random.default_rng(1)")
    horizon = whole(horizon, "horizon")
    return horizon, set(checked_records(records, horizon).tolist())


def gaussian(rng: Generator, shape: tuple[int, int]) -> Doubles:
    """Inputs of the model: independent standard normals, one input a row."""
    return rng.standard_normal(shape)


def rademacher(rng: Generator, shape: tuple[int, int]) -> Doubles:
    """Inputs of ±1, seen in axes of which the first is the diagonal of theirs.

    So the teacher has all entries alike: its own input is nearly normal, by the central limit.
    """
    signs = 2.0 * rng.integers(0, 2, shape, dtype=np.int8) - 1.0
    off = np.full(shape[1], -1 / math.sqrt(shape[1]))
    off[0] += 1  # the reflection that exchanges the first axis and the diagonal is along this
    return np.asarray(signs - np.outer(signs @ off, 2 / (off @ off) * off))


def dense_states(
    learner: Learner,
    rng: Generator,
    inputs: Callable[[Generator, tuple[int, int]], Doubles] = gaussian,
) -> Iterator[list[float]]:
    r"""Run the algorithm in ``d`` dimensions for ever, and give its order parameters at each step.

    Arguments:
        learner: one direction in the input space.
        rng: the source of all that is random.
        inputs: draws a batch of them, one a row.

    The teacher is the first basis vector, the misaligned direction the second.

    .. math:: \omega^+ = \frac{\omega - \gamma \nabla_\omega}{|\omega - \gamma \nabla_\omega|},
        \qquad u^+ = u - \gamma \nabla_u

    with the mean gradient of the batch, its part along :math:`\omega` removed for the spherical
    update. Raises nothing of its own. Source: (38)-(40). A simulation.

    >>> from derive import Pair
    >>> states = dense_states(Learner(Pair("x"), 0.5, 10, 1e-2), np.random.default_rng(1))
    >>> len(next(states))
    2
    """
    d, planes = learner.dimension, 2 if learner.nu else 1
    sigma = piecewise(learner.pair.student.value)
    slope = piecewise(learner.pair.student.value.derivative())
    labels = piecewise(learner.pair.label)
    stage = learner.stage
    if stage:
        first_labels = piecewise(learner.pairs[0].label)
    frozen = np.zeros(d)
    frozen[0], frozen[1] = learner.mu, learner.nu
    start = learner.initial(rng)
    u, omega = float(start[0]), np.zeros(d)
    omega[:planes] = start[1 : 1 + planes]
    rest = rng.standard_normal(d - planes)
    omega[planes:] = math.sqrt(1 - omega @ omega) * rest / np.linalg.norm(rest)
    in_first = stage is not None and abs(omega[0]) < stage.until_overlap and stage.until_step > 0
    for step in count():
        yield [u, *omega[:planes]]
        drawn = inputs(rng, (learner.batch, d))
        y = (first_labels if in_first else labels)(drawn[:, 0])
        y = y + learner.noise * rng.standard_normal(learner.batch)
        pre_activations = drawn @ (frozen + u * omega)
        error = y - sigma(pre_activations) if learner.pair.loss == "square" else y
        weighted = error * slope(pre_activations)
        pull = drawn.T @ weighted / learner.batch  # minus the gradient for the whole direction
        tangent = pull - (omega @ pull) * omega if learner.update == "spherical" else pull
        moved = omega + learner.learning_rate * u * tangent
        u += learner.learning_rate * float(omega @ pull)
        omega = moved / np.linalg.norm(moved)
        if in_first and stage:
            in_first = abs(omega[0]) < stage.until_overlap and step + 1 < stage.until_step
            if not in_first and stage.flip_at_switch and u * omega[0] < 0:
                u = -u


def simulate_network_densely(
    learner: NetworkLearner, rng: Generator, horizon: int, records: Sequence[int]
) -> Doubles:
    """Run a network's SGD in ``d`` dimensions; packed statistics ``U, M, G``, one row a record.

    Arguments:
        learner: whose columns are directions in the input space.
        rng: the source of all that is random.
        horizon: number of steps.
        records: steps at which statistics are kept.

    The teachers are the first K basis vectors. Raises ``InputError`` for others. Source: App. K. A
    simulation.

    >>> from derive import Pair
    >>> learner = NetworkLearner(Pair("x"), (0.5, 0.2), 1, 10, 1e-2)
    >>> simulate_network_densely(learner, np.random.default_rng(1), 5, [5]).shape
    (1, 5)
    """
    horizon, wanted = _asked(learner, NetworkLearner, rng, horizon, records)
    d, neurons = learner.dimension, len(learner.mu)
    sigma = piecewise(learner.pair.student.value)
    slope = piecewise(learner.pair.student.value.derivative())
    label = piecewise(learner.pair.label)
    frozen = np.zeros((d, neurons))
    frozen[range(neurons), range(neurons)] = learner.mu
    v = rng.standard_normal((d, learner.rank))
    v /= np.linalg.norm(v, axis=0)
    u = np.full((neurons, learner.rank), learner.scale / math.sqrt(d))
    kept = []
    for step in range(horizon + 1):
        if step in wanted:
            kept.append(np.concatenate([u.ravel(), v[:neurons].ravel(), (v.T @ v).ravel()]))
        inputs = rng.standard_normal((learner.batch, d))
        y = label(inputs[:, :neurons]).sum(1) / math.sqrt(neurons)
        y = y + learner.noise * rng.standard_normal(learner.batch)
        arguments = inputs @ (frozen + v @ u.T)
        error = y - sigma(arguments).sum(1) / math.sqrt(neurons)
        weighted = error[:, None] * slope(arguments) / math.sqrt(neurons)
        pull = inputs.T @ weighted / learner.batch  # minus the gradient for each neuron's weights
        on_v = pull @ u
        moved = v + learner.learning_rate * (on_v - v * (v * on_v).sum(0))
        u = u + learner.learning_rate * pull.T @ v
        v = moved / np.linalg.norm(moved, axis=0)
    return np.array(kept)
