"""Gradient flow of LoRA near its start, linearised: a diagnostic of a checkpoint, not a prediction.

For an update u p vᵀ of a matrix W, with a unit row v of A that is drawn at random, the loss gives
u̇ = a m + b u and ṁ = a u, as in the model of the paper (57): a is the size of the mean gradient G
of W, p its leading left singular vector, b = -∂²L/∂u² along p vᵀ at u = 0, and the fastest rate is
λ = (b + √(b² + 4a²))/2.

The mean of few gradients is longer than G, for noise adds to its square; products of means over
different images are not. Second derivatives are differences of first ones over a finite step: those
of automatic differentiation miss what a kink, such as that of ReLU, adds. A kink makes the
difference err in proportion to the step, a smooth loss to its square; over two steps it is
extrapolated to none.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

Loss = Callable[[Tensor], Tensor]  # from indices of images to the mean loss on them
AT_ONCE = 200  # images of which a graph is kept
STEP = 0.05  # of a finite difference, over the root mean square of the singular values of W
_ERROR = 0.1  # of the quadratic model, over the fall it predicts
_STEPS = 60  # of the search along a line


@dataclass(frozen=True)
class Linearised:
    """What is found for one matrix.

    Fields: ``square``, of a, unbiased and so below 0 now and then; ``b``; ``change`` of b where the
    step of its differences doubles; ``variance`` of an image's gradient, summed over the entries.
    """

    square: float
    b: float
    change: float
    variance: float


def linearised(
    loss: Loss, matrix: nn.Parameter, chunks: Sequence[Tensor], rows: Tensor
) -> Linearised:
    """a², b and the noise of a matrix, on images that nothing else has seen.

    Arguments:
        loss: the mean loss of the images of an index.
        matrix: W, (outputs, inputs).
        chunks: indices of images, disjoint, of equal size, four or more.
        rows: of A, of norm 1, (rank, inputs).

    a² is the mean of <G_i, G_j> over pairs of different chunks, a U-statistic; b the mean over the
    rows, with p of the one half of the chunks and the derivatives of the other, and the other way
    round. Heuristic: unbiased up to the step of the differences. Of a matrix whose G is not of rank
    one, a is the root of the sum of the squares of all its singular values.
    """
    means = torch.stack([_gradients(loss, [matrix], chunk)[0] for chunk in chunks]).double()
    count = len(chunks)
    total, each = means.sum(0).square().sum(), means.square().sum()
    square = float((total - each) / (count * (count - 1)))
    step = STEP * float(matrix.detach().norm()) / min(matrix.shape) ** 0.5
    half = count // 2
    found = []
    for own, other in ((slice(half), slice(half, None)), (slice(half, None), slice(half))):
        left = torch.linalg.svd(means[own].mean(0), full_matrices=False)[0][:, 0].float()
        index = torch.cat(list(chunks[other]))
        for row in rows:
            near, far = (_curvature(loss, matrix, index, left, row, k * step) for k in (1, 2))
            found.append((far - 2 * near, near - far))
    b, change = np.mean(found, axis=0).tolist()
    variance = len(chunks[0]) * (float(each) / count - square)
    return Linearised(square, b, change, variance)


def rate(square: float, b: float) -> float:
    """λ = (b + √(b² + 4a²))/2 of a² and b.

    >>> rate(0.25, 0.0)
    0.5
    """
    return float(0.5 * (b + np.sqrt(b * b + 4 * square)))


def _gradients(loss: Loss, matrices: Sequence[nn.Parameter], index: Tensor) -> list[Tensor]:
    """Of the mean loss, a part of the images at a time."""
    found = [torch.zeros_like(matrix) for matrix in matrices]
    for part in index.split(AT_ONCE):
        for total, own in zip(found, torch.autograd.grad(loss(part), matrices), strict=True):
            total += own.detach() * (len(part) / len(index))
    return found


@torch.no_grad()
def _mean_loss(loss: Loss, index: Tensor) -> float:
    return sum(float(loss(part)) * len(part) for part in index.split(AT_ONCE)) / len(index)


@contextmanager
def _moved(matrices: Sequence[nn.Parameter], moves: Sequence[Tensor]) -> Iterator[None]:
    before = [matrix.detach().clone() for matrix in matrices]
    with torch.no_grad():
        for matrix, move in zip(matrices, moves, strict=True):
            matrix += move
    try:
        yield
    finally:
        with torch.no_grad():
            for matrix, old in zip(matrices, before, strict=True):
                matrix.copy_(old)


def _curvature(
    loss: Loss, matrix: nn.Parameter, index: Tensor, left: Tensor, row: Tensor, step: float
) -> float:
    """The second derivative of the loss along p vᵀ, of slopes a step to either side."""
    direction = left[:, None] * row
    slopes = []
    for way in (1, -1):
        with _moved([matrix], [way * step * direction]):
            slopes.append(float((_gradients(loss, [matrix], index)[0] * direction).sum()))
    return (slopes[0] - slopes[1]) / (2 * step)


def fall_of_quadratic(
    loss: Loss, matrices: Sequence[nn.Parameter], halves: tuple[Tensor, Tensor],
    rows: Sequence[Tensor],
) -> tuple[float, bool]:  # fmt: skip
    """How far the loss falls until its quadratic model errs by a tenth of the fall it predicts.

    Arguments:
        loss: of indices of images, with gradients.
        matrices: all that LoRA is put on.
        halves: indices of images: the first say in which direction B moves first, -G Aᵀ, on the
            second the loss is followed.
        rows: of A, for each matrix.

    The result is the fall and whether the model errs there: if not, it holds to its own minimum.
    Not a number where the loss does not fall in that direction.
    """
    gradients = _gradients(loss, matrices, halves[0])
    ways = [-g @ row.T @ row for g, row in zip(gradients, rows, strict=True)]
    size = torch.stack([way.square().sum() for way in ways]).sum().sqrt()
    ways = [way / size for way in ways]
    weight = torch.stack([m.detach().square().sum() for m in matrices]).sum().sqrt()
    step = STEP * max(float(weight), 1e-3) / sum(min(m.shape) for m in matrices) ** 0.5

    def at(distance: float, slope: bool = False) -> float:
        with _moved(matrices, [distance * way for way in ways]):
            if not slope:
                value: float = _mean_loss(loss, halves[1])
                return value
            there = _gradients(loss, matrices, halves[1])
            return float(sum(float((g * w).sum()) for g, w in zip(there, ways, strict=True)))

    start, down = at(0.0), at(0.0, slope=True)
    bend = (at(step, slope=True) - at(-step, slope=True)) / (2 * step)
    if not down < 0:
        return float("nan"), False
    distance = (-down / bend if bend > 0 else start / -down) / 1.2 ** (_STEPS - 1)
    for _ in range(_STEPS):
        predicted = -(down * distance + 0.5 * bend * distance**2)
        actual = start - at(distance)
        if predicted > 1e-4 * start and abs(actual - predicted) > _ERROR * predicted:
            return actual, True
        distance *= 1.2
    return actual, False
