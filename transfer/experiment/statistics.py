"""Statistics of an experiment: two kinds of seeds, and whether an early checkpoint is better.

Pre-training seeds are the independent repetitions. Fine-tuning seeds repeat within them, and more
of them cannot make up for few pre-trainings: the two spreads are never pooled.

Which earlier checkpoint is best is found out on the runs that it is judged on. Chosen for each
pre-training on the other ones, its gains are no longer biased, but not independent either: each
choice shares most of its data with the next. Student's t on them says "better" in 4 to 6 of 100
experiments without an effect where 2.5 are allowed. Their law is known nevertheless: if the rows of
a matrix D are independent normal vectors of mean zero, with any covariance, D and QD have one law
for every orthogonal Q. Given D'D, the only unknown, all rotations are equally likely, and a
statistic that includes the choice is compared with its values on rotated data: a rotation test
(Langsrud 2005, doi:10.1007/s11222-005-4789-5), exact for few seeds up to the number of rotations.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LEVEL = 0.95
_TAIL = (1 - LEVEL) / 2
ROTATIONS = 10_000
_STEPS = 16  # of the bisection for an end of an interval: finer than the rotations resolve


@dataclass(frozen=True)
class Spread:
    """A ``mean``; ``between``, deviation of the means of pre-training seeds; ``within`` them."""

    mean: float
    between: float
    within: float


def spread(values: Floats) -> Spread:
    """Mean and the two standard deviations of ``values``, pre-training seeds x fine-tuning seeds.

    ``between`` is the standard deviation of the rows' means, ``within`` the root of the mean of the
    rows' variances; not a number where there is but one seed. Missing runs are left out.

    >>> spread(np.array([[1.0, 3.0], [5.0, 7.0]]))
    Spread(mean=4.0, between=2.8284271247461903, within=1.4142135623730951)
    """
    rows = [row[np.isfinite(row)] for row in values]
    means = np.array([row.mean() for row in rows if len(row)])
    variances = [row.var(ddof=1) for row in rows if len(row) > 1]
    return Spread(
        float(means.mean()) if len(means) else np.nan,
        float(means.std(ddof=1)) if len(means) > 1 else np.nan,
        float(np.sqrt(np.mean(variances))) if variances else np.nan,
    )


@dataclass(frozen=True)
class Difference:
    """A paired difference: ``mean``, confidence interval ``low`` to ``high``, two-sided ``p``."""

    mean: float
    low: float
    high: float
    p: float

    @property
    def positive(self) -> bool:
        """Whether the whole interval lies above zero."""
        return self.low > 0

    @property
    def negative(self) -> bool:
        """Whether the whole interval lies below zero."""
        return self.high < 0


def paired(differences: Floats, comparisons: int = 1) -> Difference:
    """Student's t for differences of independent pairs, at ``LEVEL``.

    Arguments:
        differences: of matched pairs, shape (N,).
        comparisons: number among which this one was chosen: the intervals of all of them hold
            together (Bonferroni).

    With fewer than two pairs there is no interval: it is not a number, as is ``p``. Exact for one
    comparison of normal differences.

    >>> found = paired(np.array([1.0, 2.0, 3.0]))
    >>> found.mean, round(found.low, 3), round(found.p, 4)
    (2.0, -0.484, 0.0742)
    """
    from scipy.stats import t

    count, mean = len(differences), float(np.mean(differences)) if len(differences) else np.nan
    if count < 2:
        return Difference(mean, np.nan, np.nan, np.nan)
    error = float(np.std(differences, ddof=1) / np.sqrt(count))
    reach = float(t.isf(_TAIL / comparisons, count - 1)) * error
    p = 2 * float(t.sf(abs(mean) / error, count - 1)) if error else float(mean == 0)
    return Difference(mean, mean - reach, mean + reach, min(1.0, comparisons * p))


@dataclass(frozen=True)
class Comparison:
    """The best earlier checkpoint against the last.

    Fields: ``best``, its place for each pre-training seed, chosen on the other seeds; ``gain``, its
    downstream accuracy less that of the last, as of ``best_gain``; ``cost``, the source accuracy of
    the last less its; ``wins``, on how many of the ``seeds`` it adapts better than the last.
    """

    best: tuple[int, ...]
    gain: Difference
    cost: Difference
    wins: int
    seeds: int


def best_against_last(source: Floats, downstream: Floats) -> Comparison | None:
    """Compare the earlier checkpoint that adapts best with the last one.

    Arguments:
        source: accuracies, pre-training seeds x checkpoints, in order.
        downstream: accuracies, pre-training seeds x checkpoints x fine-tuning seeds.

    The interval of ``cost`` covers those of all the checkpoints that were chosen, which hold
    together for all earlier ones. ``None`` unless two complete pre-training seeds and two
    checkpoints are there.
    """
    if not downstream.shape[2]:
        return None
    means = downstream.mean(axis=2)
    complete = np.isfinite(means).all(axis=1) & np.isfinite(source).all(axis=1)
    means, kept = means[complete], source[complete]
    if len(means) < 2 or means.shape[1] < 2:
        return None
    gains, costs = means[:, :-1] - means[:, -1:], kept[:, -1:] - kept[:, :-1]
    best = _chosen(gains)
    cost = _at_chosen(costs, best)
    wins = int((np.take_along_axis(gains, best[:, None], 1) > 0).sum())
    return Comparison(tuple(best.tolist()), best_gain(gains), cost, wins, len(means))


@dataclass(frozen=True)
class GainParts:
    """A gain in parts: of the ``features``, by the converged head on them, and ``on_top`` of it."""

    features: Difference
    on_top: Difference


def split_of_gain(adapted: Floats, heads: Floats) -> GainParts | None:
    """What of the best earlier checkpoint's gain over the last its frozen features have already.

    Arguments:
        adapted: accuracies after adaptation, pre-training seeds x checkpoints, in order.
        heads: of converged heads on the frozen features, likewise.

    The checkpoint is the one that adapts best, chosen for each seed on the others; the parts sum to
    its gain. Intervals hold together for all earlier checkpoints, whichever is chosen (Bonferroni).
    ``None`` unless two seeds with both and two checkpoints are there.
    """
    both = np.isfinite(adapted).all(axis=1) & np.isfinite(heads).all(axis=1)
    adapted, heads = adapted[both], heads[both]
    if len(adapted) < 2 or adapted.shape[1] < 2:
        return None
    gains, own = (values[:, :-1] - values[:, -1:] for values in (adapted, heads))
    best = _chosen(gains)
    return GainParts(_at_chosen(own, best), _at_chosen(gains - own, best))


def _at_chosen(values: Floats, best: NDArray[np.intp]) -> Difference:
    """Of candidates chosen for each seed, an interval that covers those of all the chosen."""
    each = [paired(column, values.shape[1]) for column in values.T[np.unique(best)]]
    return Difference(float(values.mean(axis=0)[best].mean()), min(part.low for part in each),
                      max(part.high for part in each), max(part.p for part in each))  # fmt: skip


def best_gain(gains: Floats) -> Difference:
    """How much the best of several candidates gains.

    Arguments:
        gains: seeds x candidates, finite, two seeds or more: rows independent, normal.

    ``mean`` is of the gains of the candidate that is best on the other seeds. ``low`` and ``high``
    enclose the largest of the candidates' expected gains, each at half of what ``LEVEL`` leaves
    over: below ``low`` by the rotation test of no gain, which is exact where all gain alike;
    ``high`` is the largest of the candidates' upper ends by Student's t, above which all would have
    to lie below it at once. ``p`` is twice the smaller of both chances. One candidate: Student's t.

    >>> found = best_gain(np.array([[1.0, 0.1], [2.0, 0.2], [3.0, 0.0]]))
    >>> found.mean, round(found.high, 3), found.low < 0
    (2.0, 4.484, True)
    """
    alone = [paired(column) for column in gains.T]
    if len(alone) == 1:
        return alone[0]
    mean, high = float(_of_chosen(gains).mean()), max(part.high for part in alone)
    loss = max(part.p / 2 if part.mean < 0 else 1 - part.p / 2 for part in alone)
    p = min(1.0, 2 * chance_of_gain(gains), 2 * loss)
    return Difference(mean, _lower_end(gains, mean), high, p)


def chance_of_gain(gains: Floats) -> float:
    """Chance that rotated data show as clear a gain of the best candidate: p, one-sided.

    Arguments as of ``best_gain``. A Monte Carlo test with fixed rotations: small where some
    candidate gains, and at most as often below a level as this says where none does.

    >>> chance_of_gain(np.array([[1.0, -1.0], [1.1, 0.0], [0.9, 1.0], [1.0, 0.5]])) < 0.01
    True
    """
    count, candidates = gains.shape
    rank = min(count, candidates)
    rotations = uniform_rotations(count, rank)
    rotated = rotations.reshape(-1, rank) @ positive_qr(gains)[1]  # much faster than in a stack
    found = _clarity(rotated.reshape(-1, count, candidates))
    above = int((found >= _clarity(gains) * (1 - 1e-9)).sum())
    return (1 + above) / (1 + len(found))


def maybe_best(values: Floats) -> list[bool]:
    """Which candidates the data do not exclude from being the best.

    Arguments:
        values: repetitions x candidates, finite, two repetitions or more: rows independent, normal.

    A candidate is excluded if others gain over it, by the rotation test at ``1 - LEVEL``: the best
    is excluded in at most that share of experiments, whatever the number of candidates.

    >>> maybe_best(np.array([[3.0, 1.0, 2.9], [3.1, 1.2, 3.2], [2.9, 0.9, 2.8], [3.0, 1.1, 3.1]]))
    [True, False, True]
    """
    others = ~np.eye(values.shape[1], dtype=bool)
    return [
        chance_of_gain(values[:, rest] - values[:, [place]]) > 1 - LEVEL
        for place, rest in enumerate(others)
    ]


def _lower_end(gains: Floats, mean: float) -> float:
    """The gain of all from which on, upwards, the rotation test does not reject."""
    width = float(_of_chosen(gains).std(ddof=1))
    if not width:
        return mean
    while chance_of_gain(gains - (mean - width)) > _TAIL:
        width *= 2
    low, high = mean - width, mean
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if chance_of_gain(gains - middle) <= _TAIL else (low, middle)
    return low


def _chosen(gains: Floats) -> NDArray[np.intp]:
    """The candidate with the largest mean over the other seeds; (..., seeds, candidates)."""
    found: NDArray[np.intp] = (gains.sum(axis=-2, keepdims=True) - gains).argmax(axis=-1)
    return found


def _of_chosen(gains: Floats) -> Floats:
    return np.take_along_axis(gains, _chosen(gains)[..., None], axis=-1)[..., 0]


def _clarity(gains: Floats) -> Floats:
    """Student's statistic of the gains of the chosen candidates; 0 where all gains are."""
    found = _of_chosen(gains)
    mean, count = found.mean(axis=-1, keepdims=True), found.shape[-1]
    deviation = np.sqrt(((found - mean) ** 2).sum(axis=-1) / (count - 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = mean[..., 0] * np.sqrt(count) / deviation
    return np.asarray(np.nan_to_num(ratio, nan=0.0, posinf=np.inf, neginf=-np.inf))


@lru_cache(maxsize=4)
def uniform_rotations(count: int, rank: int) -> Floats:
    """Random orthonormal columns, uniform: what rotations make of the first unit vectors."""
    number = min(ROTATIONS, max(1000, 5_000_000 // (count * rank)))
    return positive_qr(np.random.default_rng(0).standard_normal((number, count, rank)))[0]


def positive_qr(matrices: Floats) -> tuple[Floats, Floats]:
    """The QR decomposition that is unique, and its Q uniform: R with a diagonal not negative."""
    q, r = np.linalg.qr(matrices)
    signs = np.where(np.diagonal(r, axis1=-2, axis2=-1) < 0, -1.0, 1.0)
    return q * signs[..., None, :], r * signs[..., :, None]


def search_phase(losses: Floats, share: float = 0.5) -> float:
    """Epochs of fine-tuning until a share of the fall of the training loss is reached.

    Arguments:
        losses: mean over each epoch, the first to the last.
        share: of the fall from the first to the last.

    Between epochs the loss is taken as linear; not a number if it never falls.

    >>> search_phase(np.array([2.0, 1.8, 1.0, 0.0]))
    2.0
    """
    level = max(losses[-1], losses[0] - share * (losses[0] - losses[-1]))
    below = np.flatnonzero(losses <= level)
    if not np.isfinite(losses).all() or losses[-1] >= losses[0]:
        return np.nan
    after = int(below[0])
    return float(after - (level - losses[after]) / (losses[after - 1] - losses[after]))
