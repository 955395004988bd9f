r"""The largest learning rate at which one-pass SGD contracts to the teacher (46).

At the teacher's direction, ``u = 1 - μ``, the error of a sample is linear in what is missing: an
offset ``η`` of ``u`` and a tangent vector ``t``. Their mean squares obey a linear recursion with
non-negative coefficients, ``I - γ(D - γN)``, which contracts if and only if γ times the spectral
radius of ``D⁻¹N`` is below 1. Everything but the four moments of the slope is exact.
"""

import math
from collections.abc import Sequence

import numpy as np

from derive.errors import InputError, quoted
from derive.given import real, whole
from derive.pair import Pair, PairLike
from numerics.doubles.moments import (
    LARGEST,
    SMALLEST,
    beyond_doubles,
    insist_on_doubles,
    moment,
)


def stable_learning_rate(pair: PairLike, mu: float, dimension: int, batch: int = 1) -> float:
    r"""Learning rate below which the mean square distance to the teacher contracts.

    Arguments:
        pair: whose student is taken to match the labels there.
        mu: pre-training strength in [0, 1].
        dimension: of the input, at least 3.
        batch: samples a step, at least 1.

    With :math:`p_k = E z^k\sigma'(z)^2`,
    :math:`q_k = E z^k \sigma'(z)^4`, :math:`v = 1-\mu`, :math:`\beta = 1 - 1/B`,

    .. math:: D = \mathrm{diag}(2v^2p_0,\, 2p_2), \quad
        N = \begin{pmatrix} v^4(q_0\tfrac{d+1}{B} + \beta p_0^2) & v^2 q_2 \tfrac{d-1}{B} \\
        v^2 q_2/B & q_4/B + \beta p_2^2 \end{pmatrix}, \quad
        \gamma < 1/\mathrm{radius}(D^{-1}N)

    For large ``d`` this is of the order :math:`2B p_0/(v^2 q_0\, d)`. Raises ``InputError`` for
    other values, and if the student has no slope, or one whose moments doubles cannot hold. Source:
    (45), (46), derived for batches. Heuristic: the moments are doubles.

    >>> round(stable_learning_rate(Pair("x"), 0.5, 10**6, 1) * 10**6, 3)
    8.0
    """
    pair, mu = Pair.of(pair), real(mu, "strength")
    dimension, batch = whole(dimension, "dimension", 3), whole(batch, "batch", 1)
    if not 0 <= mu <= 1:
        raise InputError(f"strength {mu} is not accepted: give 0 ≤ μ ≤ 1")
    insist_on_doubles(pair)
    slope = pair.student.value.derivative()
    if slope.is_zero:
        raise InputError("a constant student is not accepted: it has nothing to learn")
    if not SMALLEST < (highest := moment(slope, 4, 4)) < LARGEST:
        name = quoted(pair.student.text)
        raise beyond_doubles(f"student {name} has no stable learning rate: E z⁴σ'⁴", highest)
    p, q = ([float(moment(slope, n, k)) for k in (0, 2, 4)] for n in (2, 4))
    v, beta = 1 - mu, 1 - 1 / batch
    decay = np.array([2 * p[0], 2 * p[1]])  # v² divided out of the first row, and of its column
    own = v**2 * (q[0] * (dimension + 1) / batch + beta * p[0] ** 2)
    across = q[2] / batch + beta * p[1] ** 2
    growth = np.array([[own, q[1] * (dimension - 1) / batch], [v**2 * q[1] / batch, across]])
    return float(1 / np.abs(np.linalg.eigvals(growth / decay[:, None])).max())


def cause_of_divergence(
    pairs: Sequence[Pair], mu: float, dimension: int, batch: int, rate: float, noise: float
) -> str:
    """What made a run diverge, and what to try instead: the learning rate, the noise or labels.

    Arguments:
        pairs: one a stage of the run, of one student.
        mu: the strength.
        dimension: of the inputs.
        batch: samples a step.
        rate: the learning rate.
        noise: standard deviation of that on the labels.

    Raises ``InputError`` as ``stable_learning_rate`` does. Heuristic.
    """
    limit = stable_learning_rate(pairs[-1], mu, dimension, batch)
    smaller = "choose a smaller one or a larger batch"
    if rate >= limit:
        return (
            f"learning rate {rate:.3g} is too large, the stable one is below {limit:.3g}: {smaller}"
        )
    student = math.sqrt(moment(pairs[-1].student.value, 2))
    labels = max(math.sqrt(moment(pair.label, 2)) for pair in pairs)
    if noise > 10 * max(labels, student):
        return f"noise of {noise:.3g} is too much for labels of size {labels:.3g}: give less of it"
    if labels > 10 * student:
        return (
            f"labels of size {labels:.3g} are too large for a student of {student:.3g}: scale them"
        )
    return (
        f"learning rate {rate:.3g} is too large here, though below {limit:.3g} it is stable near "
        f"the teacher: {smaller}"
    )
