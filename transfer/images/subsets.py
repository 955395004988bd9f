"""Balanced subsets of labelled images: few shots per class, held-out validation.

Which images are chosen depends on the labels, the seed, and what they are for: the same seed
chooses for one use independently of the others, also where all choose from the same images.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from derive.errors import InputError

Labels = NDArray[np.int64]
SOURCE, HELD_OUT, SHOTS, PARTS = (), (1,), (2,), (3,)  # what examples are chosen for
_MOST_HELD_OUT = 100  # of a class and a part


def nested_seed(pretraining: int, fine_tuning: int) -> int:
    """The seed of all that one fine-tuning draws, from the seeds of both stages.

    From the fine-tuning seed alone, all pre-trainings would be adapted to the same few images by
    the same heads, and would no longer be independent repetitions. Both seeds are not negative.

    >>> nested_seed(0, 1) == nested_seed(1, 0)
    False
    """
    entropy = np.random.SeedSequence((pretraining, fine_tuning))
    return int(entropy.generate_state(1, np.uint64)[0])


def few_shot(
    labels: Labels, shots: int, seed: int, use: tuple[int, ...] = SHOTS
) -> NDArray[np.int64]:
    """Choose ``shots`` examples of every class, without repetition.

    Arguments:
        labels: of all examples, shape (N,), integers from 0.
        shots: examples a class, at least 1.
        seed: not negative.
        use: ``SOURCE`` or ``SHOTS``.

    The result holds indices, sorted. For the same seed and use, fewer shots are a subset of more.

    Raises ``InputError`` if a class has too few examples.

    >>> len(few_shot(np.array([0, 0, 0, 1, 1, 1]), 2, seed=0))
    4
    """
    classes, counts = np.unique(labels, return_counts=True)
    if (scarce := counts < shots).any():
        raise InputError(
            f"{shots} examples of each class were asked for, class {classes[scarce][0]} has "
            f"{counts[scarce][0]}: ask for at most that many"
        )
    return _drawn(labels, np.full(len(classes), shots), seed, use)


def _drawn(
    labels: Labels, numbers: NDArray[np.int64], seed: int, use: tuple[int, ...]
) -> NDArray[np.int64]:
    """So many examples of each class, as sorted indices."""
    chosen = [np.empty(0, np.int64)]
    for label, number in zip(np.unique(labels), numbers, strict=True):
        stream = np.random.default_rng([seed, int(label), *use])
        chosen.append(stream.permutation(np.flatnonzero(labels == label))[:number])
    return np.sort(np.concatenate(chosen))


def held_out(
    labels: Labels, share: float, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Part examples into those for training and those held out, class by class.

    Arguments:
        labels: of all examples, shape (N,).
        share: part to hold out, in [0, 1), rounded down per class.
        seed: not negative.

    The results are sorted, disjoint, and together all indices.

    >>> kept, out = held_out(np.array([0, 0, 1, 1]), 0.5, seed=1)
    >>> len(kept), len(out), sorted([*kept, *out]) == [0, 1, 2, 3]
    (2, 2, True)
    """
    counts = np.unique(labels, return_counts=True)[1]
    chosen = _drawn(labels, (share * counts).astype(np.int64), seed, HELD_OUT)
    return np.setdiff1d(np.arange(len(labels)), chosen), chosen


@dataclass(frozen=True)
class Part:
    """Examples to learn from and others to judge by, as indices, none of them in another part."""

    shots: NDArray[np.int64]
    held_out: NDArray[np.int64]


def disjoint_parts(labels: Labels, shots: int, count: int, seed: int) -> list[Part]:
    """Parts that share no example, so that what is found on each is independent of the others.

    Arguments:
        labels: of all examples, shape (N,), integers from 0.
        shots: of each class in each part; fewer where the smallest class has not twice as many
            for every part.
        count: how many parts.
        seed: not negative.

    What a class has left is held out, up to 100 for each part.

    Raises ``InputError`` unless each class has two examples for every part.

    >>> [part] = disjoint_parts(np.array([0, 0, 0, 1, 1, 1]), 9, 1, seed=0)
    >>> len(part.shots), len(part.held_out)
    (2, 4)
    """
    classes, counts = np.unique(labels, return_counts=True)
    each = int(counts.min()) // count
    if each < 2:
        raise InputError(
            f"{count} parts need {2 * count} images of each class, class "
            f"{classes[counts.argmin()]} has {counts.min()}: give fewer draws, or more images"
        )
    taken = min(shots, each // 2)
    size = min(each, taken + _MOST_HELD_OUT)
    streams = (np.random.default_rng([seed, int(label), *PARTS]) for label in classes)
    order = np.stack([
        stream.permutation(np.flatnonzero(labels == label))[: count * size].reshape(count, size)
        for label, stream in zip(classes, streams, strict=True)
    ])  # fmt: skip
    return [
        Part(np.sort(part[:, :taken].ravel()), np.sort(part[:, taken:].ravel()))
        for part in order.transpose(1, 0, 2)
    ]
