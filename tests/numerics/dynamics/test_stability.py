"""The stable learning rate: where contraction ends, and exact recursions that are neutral there."""

import math
from itertools import product

import numpy as np
import pytest
from thorough import only

from derive.errors import InputError
from derive.grammar import parse_activation
from derive.pair import Pair
from numerics.dynamics.sgd import Learner, simulate_sgd
from numerics.dynamics.stability import cause_of_divergence, stable_learning_rate


class AtTheTeacher(Learner):
    """A learner next to its teacher."""

    def initial(self, rng):
        return np.array([1 - self.mu, math.sqrt(1 - 1e-10), 0.0])


@pytest.mark.parametrize(
    ("text", "dimension", "batch"),
    only([("x", 30, 1), ("relu", 200, 4), ("erf", 30, 1)],
         product(["x", "erf", "relu"], [30, 200], [1, 4])),
)  # fmt: skip
def test_stable_learning_rate_is_where_contraction_ends(text, dimension, batch):
    """From next to the teacher, the mean square distance falls below it and grows above it."""
    pair = Pair(parse_activation(text), parse_activation(text))
    limit = stable_learning_rate(pair, 0.3, dimension, batch)
    change = {}
    for share in (0.6, 1.8):
        learner = AtTheTeacher(pair, 0.3, dimension, share * limit, batch)
        runs = simulate_sgd(learner, 3000, 4, 12, [2, 12], radius=2.0)
        squares = (runs["u"] - 0.7) ** 2 + 0.49 * (1 - runs["m"] ** 2)
        change[share] = np.diff(np.log(squares.mean(0)))[0]
    assert change[0.6] < 0 < change[1.8]


def _contraction(rate, mu, dimension, batch, moments):
    """Growth a step of the mean squares of what is missing: the offset of u, the tangent vector.

    With ``e`` the error of the student's whole direction, a step is ``e - γ V A e`` with ``A`` the
    batch mean of ``σ'² x xᵀ`` and ``V = diag(1, v², …, v²)``. Mean squares follow from
    ``E A M A``, of which pairs of different samples have ``(1 - 1/B) E A M E A``.
    """
    (p0, p2), (q0, q2, q4) = moments
    v2, apart = (1 - mu) ** 2, 1 - 1 / batch
    offset = [
        1 - 2 * rate * p2 + rate**2 * (apart * p2**2 + q4 / batch),
        rate**2 * q2 / batch,
    ]
    rest = [
        rate**2 * v2**2 * (dimension - 1) * q2 / batch,
        1 - 2 * rate * v2 * p0 + rate**2 * v2**2 * (apart * p0**2 + (dimension + 1) * q0 / batch),
    ]
    return np.abs(np.linalg.eigvals([offset, rest])).max()


def _contraction_of_x(rate, mu, dimension, batch):
    """The same for σ = x, from Isserlis' theorem on whole d × d matrices."""
    size = dimension
    slow = np.diag([1.0] + [(1 - mu) ** 2] * (size - 1))
    columns = []
    for first in (True, False):
        m = np.diag([1.0, *[0.0] * (size - 1)] if first else [0.0, *[1 / (size - 1)] * (size - 1)])
        once = 2 * m + np.trace(m) * np.eye(size)  # E xxᵀ M xxᵀ
        mean = (1 - 1 / batch) * m + once / batch
        after = m - rate * (slow @ m + m @ slow) + rate**2 * slow @ mean @ slow
        columns.append([after[0, 0], np.trace(after) - after[0, 0]])
    return np.abs(np.linalg.eigvals(np.transpose(columns))).max()


@pytest.mark.parametrize("text", ["x", "relu", "He2"])
@pytest.mark.parametrize("power", [-9, -4, 4, 5, 6, 9])
def test_a_stable_rate_is_in_units_of_the_student(text, power):
    """What the student is multiplied with, to its square: powers of integers are no exception."""
    found = stable_learning_rate(Pair(f"1e{power}*{text}"), 0.5, 1000)
    assert found * 10.0 ** (2 * power) == pytest.approx(stable_learning_rate(text, 0.5, 1000))


@pytest.mark.parametrize("batch", [1, 2, 7])
@pytest.mark.parametrize("dimension", [3, 4, 7, 20])
@pytest.mark.parametrize("mu", [0.1, 0.5, 0.9])
def test_the_stable_learning_rate_has_a_neutral_recursion(mu, dimension, batch):
    """x: p = 1, 1 and q = 1, 1, 3. He_2: σ' = 2z, so p = 4·(1, 3) and q = 16·(3, 15, 105)."""
    limit = stable_learning_rate(Pair("x"), mu, dimension, batch)
    assert _contraction_of_x(limit, mu, dimension, batch) == pytest.approx(1, abs=1e-12)
    assert _contraction_of_x(0.9 * limit, mu, dimension, batch) < 1 - 1e-6
    numbers = (mu, dimension, batch)
    assert _contraction(limit, *numbers, ((1, 1), (1, 1, 3))) == pytest.approx(1, abs=1e-12)
    limit = stable_learning_rate(Pair("He2"), mu, dimension, batch)
    moments = ((4, 12), (48, 240, 1680))
    assert _contraction(limit, *numbers, moments) == pytest.approx(1, abs=1e-12)
    assert _contraction(0.9 * limit, *numbers, moments) < 1 - 1e-6


@pytest.mark.parametrize(
    "change",
    [{"mu": -1e-9}, {"mu": 1 + 1e-9}, {"dimension": 2}, {"batch": 0}, {"pair": Pair("0*x + 1")}],
)
def test_impossible_questions_of_stability_are_refused(change):
    """At the ends there is one."""
    settings = {"pair": Pair("x"), "mu": 0.5, "dimension": 3, "batch": 1}
    assert all(stable_learning_rate(**settings | {"mu": end}) > 0 for end in (0, 1))
    settings |= change
    with pytest.raises(InputError, match="not accepted"):
        stable_learning_rate(**settings)


def _cause(*pairs, rate=0.5, noise=0.0):
    """What is said at a rate in units of the stable one."""
    numbers = (0.5, 100, 4)
    return cause_of_divergence(
        pairs, *numbers, rate * stable_learning_rate(pairs[-1], *numbers), noise
    )


def test_a_rate_is_blamed_from_the_stable_one_on():
    """Contraction is strict: at the limit itself there is none."""
    for share in (1, 1 + 1e-9, 100):
        assert "is too large, the stable one" in _cause(Pair("x"), rate=share, noise=1e3)
    assert "is too large here" in _cause(Pair("x"), rate=1 - 1e-9)


def test_noise_and_labels_are_blamed_above_ten_times_what_they_are_added_to_or_learnt_by():
    """x has size 1; noise is measured against the larger of student and labels."""
    scaled = {size: Pair(f"{size}*x", "x") for size in ("0.01", "9.99", "10.01")}
    for first in scaled.values():  # of two stages the larger labels count
        size = max(1, float(first.teacher.text.split("*")[0]))
        for pairs in ((first,), (first, Pair("x")), (Pair("x"), first)):
            assert "noise of" in _cause(*pairs, noise=10.01 * size)
            assert "noise of" not in _cause(*pairs, noise=9.99 * size)
    assert "labels of size 10 are too large" in _cause(scaled["10.01"], Pair("x"))
    assert "is too large here" in _cause(scaled["9.99"], Pair("x"))
    assert "is too large here" in _cause(scaled["0.01"])
    for student in ("0.2", "3"):  # of whatever size that is
        less, more = (Pair(f"{share}*{student}*x", f"{student}*x") for share in ("9.99", "10.01"))
        assert "labels of size" in _cause(more)
        assert "is too large here" in _cause(less)
