"""LEEP and LogME: by their definitions, and by a dense Gaussian as an oracle."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import multivariate_normal

from transfer.learning.scores import leep, logme


def problem(seed=0, count=30, width=5, classes=3):
    stream = np.random.default_rng(seed)
    labels = stream.integers(0, classes, count)
    centres = stream.normal(0, 1, (classes, width))
    return centres[labels] + stream.normal(0, 1, (count, width)), labels


def test_leep_is_its_definition():
    chances = np.random.default_rng(1).dirichlet(np.ones(4), 25)
    labels = np.arange(25) % 3
    total = 0.0
    for chance, label in zip(chances, labels, strict=True):
        inner = 0.0
        for source in range(4):
            joint = [sum(chances[labels == y, source]) / 25 for y in range(3)]
            inner += joint[label] / sum(joint) * chance[source]
        total += np.log(inner)
    assert leep(chances, labels, 3) == pytest.approx(total / 25)


def test_leep_of_a_source_that_knows_is_zero_and_of_one_that_guesses_is_the_entropy():
    labels = np.arange(30) % 3
    assert leep(np.eye(3)[[2, 0, 1]][labels], labels, 3) == pytest.approx(0)
    assert leep(np.full((30, 5), 0.2), labels, 3) == pytest.approx(-np.log(3))


@pytest.mark.parametrize("width", [5, 40])
def test_logme_is_the_largest_evidence_of_a_dense_gaussian(width):
    features, labels = problem(width=width)
    best = []
    for kind in range(3):
        target = (labels == kind).astype(float)

        def against(logs, target=target):
            alpha, beta = np.exp(logs)
            covariance = np.eye(30) / beta + features @ features.T / alpha
            return -multivariate_normal(np.zeros(30), covariance).logpdf(target)

        starts = [(0.0, 0.0), (3.0, 2.0), (-2.0, 3.0)]
        best.append(-min(minimize(against, start, method="Nelder-Mead").fun for start in starts))
    assert logme(features, labels, 3) == pytest.approx(np.mean(best) / 30, abs=2e-4)


def test_logme_prefers_features_that_tell_the_classes_apart():
    features, labels = problem(count=90)
    noise = np.random.default_rng(5).normal(size=features.shape)
    assert logme(features, labels, 3) > logme(noise, labels, 3)
    turn = np.linalg.qr(np.random.default_rng(2).normal(size=(5, 5)))[0]
    assert logme(features @ turn, labels, 3) == pytest.approx(logme(features, labels, 3))
