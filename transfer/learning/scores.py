"""Scores of a frozen model for a labelled task that others proposed: LEEP and LogME.

They stand beside the converged head as baselines; both are heuristic, larger is meant to be better.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
_ROUNDS, _STILL = 500, 1e-9


def leep(chances: Floats, labels: Integers, classes: int) -> float:
    """The log-likelihood of labels, predicted by way of the source's classes (arXiv:2002.12462).

    Arguments:
        chances: of the source's classes, by the model's own head, shape (N, source classes).
        labels: (N,), from 0.
        classes: of the task.

    With p(y|z) the mean of chances of z over images of class y, normalised over y, it is the mean
    over the images of ln Σ_z p(y|z) chance of z.

    >>> round(leep(np.eye(2)[[0, 0, 1, 1]], np.array([0, 0, 0, 1]), 2), 4)
    -0.3466
    """
    joint = np.eye(classes)[labels].T @ chances / len(labels)
    given = joint / np.maximum(joint.sum(axis=0), np.finfo(float).tiny)
    return float(np.log((chances * given[labels]).sum(axis=1)).mean())


def logme(features: Floats, labels: Integers, classes: int) -> float:
    """The largest evidence of a Bayesian linear model on features (arXiv:2102.11005), a number.

    Arguments:
        features: (N, width).
        labels: (N,), from 0.
        classes: how many; each is regressed on, as 0 or 1.

    With w ~ N(0, 1/α) and y ~ N(F w, 1/β) the evidence ln p(y | F, α, β) is made largest over α
    and β; the score is its mean over the classes, divided by N.
    """
    left, values, _ = np.linalg.svd(features, full_matrices=False)
    targets = np.eye(classes)[labels]
    return float(np.mean([_evidence(left, values**2, target) for target in targets.T]))


def _evidence(left: Floats, squares: Floats, target: Floats) -> float:
    """Largest evidence over its count, by the fixed point of α and β."""
    count, parts = len(target), (left.T @ target) ** 2
    rest, alpha, beta = max(float(target @ target - parts.sum()), 0.0), 1.0, 1.0
    for _ in range(_ROUNDS):
        shares = beta * squares / (alpha + beta * squares)
        freedom = float(shares.sum())
        size = float((beta**2 * squares * parts / (alpha + beta * squares) ** 2).sum())
        missed = float(((1 - shares) ** 2 * parts).sum()) + rest
        before = alpha, beta
        alpha = freedom / max(size, _STILL)
        beta = (count - freedom) / max(missed, _STILL)
        if np.allclose(before, (alpha, beta), rtol=_STILL):
            break
    # Of the covariance I/β + F F'/α: its determinant, and the target's square in its inverse.
    spread = np.concatenate([1 / beta + squares / alpha, np.full(count - len(squares), 1 / beta)])
    square = float((parts / spread[: len(squares)]).sum()) + beta * rest
    return float(-0.5 * (np.log(2 * np.pi) + (np.log(spread).sum() + square) / count))
