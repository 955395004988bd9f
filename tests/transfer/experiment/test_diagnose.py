"""What ``diagnose`` calls resolved: seldom where there is nothing, and where there is something."""

import numpy as np
import pytest

from transfer.experiment.diagnose import curvature_of, noise_of, rate_of, size_of

DRAWS, CHUNKS = 5, 10


def squares_of(stream, width, signal, count):
    """a² of ``count`` experiments, as ``linearised`` estimates it: of gradients with noise."""
    noise = stream.normal(size=(count, DRAWS, CHUNKS, width))
    noise[..., 0] += signal
    total = (noise.sum(axis=2) ** 2).sum(axis=-1)
    each = (noise**2).sum(axis=(2, 3))
    return (total - each) / (CHUNKS * (CHUNKS - 1))


@pytest.mark.parametrize("width", [1, 4, 300])
def test_a_gradient_of_nothing_is_resolved_no_more_often_than_it_says(width):
    """Above zero by a 95 % interval, which happens in 2.5 of 100 at most."""
    squares = squares_of(np.random.default_rng(width), width, 0.0, 2000)
    found = sum(size_of(each).resolved for each in squares)
    assert 0 < found <= 0.025 * 2000 + 3 * np.sqrt(0.025 * 2000)


def test_a_gradient_that_is_there_is_resolved_with_its_size():
    squares = squares_of(np.random.default_rng(0), 10, 2.0, 200)
    sizes = [size_of(each) for each in squares]
    assert np.mean([size.resolved for size in sizes]) > 0.95
    covered = [size.low <= 2.0 <= size.high for size in sizes]
    assert np.mean(covered) > 0.9


def test_b_is_resolved_apart_from_zero_and_from_its_step():
    stream = np.random.default_rng(1)
    nothing = stream.normal(size=(2000, DRAWS))
    found = sum(curvature_of(each, np.zeros(DRAWS)).resolved for each in nothing)
    assert 0 < found <= 0.05 * 2000 + 3 * np.sqrt(0.05 * 2000)
    clear = -1 + 0.01 * stream.normal(size=DRAWS)
    assert curvature_of(clear, np.full(DRAWS, 0.1)).resolved
    assert not curvature_of(clear, np.full(DRAWS, 0.6)).resolved


def test_the_rate_and_the_noise_rest_on_what_is_resolved():
    squares, curvatures = np.full(DRAWS, 0.25), np.full(DRAWS, -0.5)
    exact = (-0.5 + np.sqrt(0.25 + 1)) / 2
    found = rate_of(squares, curvatures, True)
    assert (found.mean, found.resolved) == (pytest.approx(exact), True)
    assert (found.low, found.high) == pytest.approx((exact, exact))
    assert not rate_of(squares, curvatures, False).resolved
    noise = noise_of(np.full(DRAWS, 3.0), squares, size_of(squares))
    assert (noise.mean, noise.low, noise.high) == pytest.approx((12, 12, 12))
    assert not noise_of(np.ones(DRAWS), -squares, size_of(-squares)).resolved


def test_the_interval_of_the_rate_is_that_of_small_errors():
    """To first order of the noise in a²: λ = (b + √(b² + 4a²))/2 has the slope 1/√(b² + 4a²)."""
    squares = 0.25 + 0.01 * np.random.default_rng(2).normal(size=200)
    found = rate_of(squares, np.full(200, -0.5), True)
    half = 1.972 * squares.std(ddof=1) / np.sqrt(200) / np.sqrt(0.25 + 4 * squares.mean())
    assert found.high - found.mean == pytest.approx(half, rel=0.01)
    assert found.mean - found.low == pytest.approx(half, rel=0.01)
