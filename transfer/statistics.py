"""Statistics of an experiment: two kinds of seeds, and whether an early checkpoint is better.

Pre-training seeds are the independent repetitions. Fine-tuning seeds repeat within them, and more
of them cannot make up for few pre-trainings: the two spreads are never pooled.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LEVEL = 0.95


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


def paired(differences: Floats) -> Difference:
    """Student's t for differences of independent pairs, at ``LEVEL``.

    With fewer than two pairs there is no interval: it is not a number, as is ``p``.

    >>> found = paired(np.array([1.0, 2.0, 3.0]))
    >>> found.mean, round(found.low, 3), round(found.p, 4)
    (2.0, -0.484, 0.0742)
    """
    from scipy.stats import t

    count, mean = len(differences), float(np.mean(differences)) if len(differences) else np.nan
    if count < 2:
        return Difference(mean, np.nan, np.nan, np.nan)
    error = float(np.std(differences, ddof=1) / np.sqrt(count))
    reach = float(t.ppf((1 + LEVEL) / 2, count - 1)) * error
    p = 2 * float(t.sf(abs(mean) / error, count - 1)) if error else float(mean == 0)
    return Difference(mean, mean - reach, mean + reach, p)


@dataclass(frozen=True)
class Comparison:
    """The best earlier checkpoint against the last.

    Fields: ``best``, its place for each pre-training seed, chosen on the other seeds; ``gain``, its
    downstream accuracy less that of the last; ``cost``, the source accuracy of the last less its;
    ``wins``, on how many of the ``seeds`` it adapts better than the last.
    """

    best: tuple[int, ...]
    gain: Difference
    cost: Difference
    wins: int
    seeds: int


def best_against_last(source: Floats, downstream: Floats) -> Comparison | None:
    """Compare the earlier checkpoint that adapts best with the last one.

    Arguments: ``source`` accuracy, pre-training seeds x checkpoints, in order; ``downstream``
    accuracy, pre-training seeds x checkpoints x fine-tuning seeds.

    The best is chosen for each pre-training seed on the other ones alone: chosen on the same runs
    it is compared on, some checkpoint would always look better than the last. ``None`` unless two
    complete pre-training seeds and two checkpoints are there.
    """
    if not downstream.shape[2]:
        return None
    means = downstream.mean(axis=2)
    complete = np.isfinite(means).all(axis=1) & np.isfinite(source).all(axis=1)
    means, kept = means[complete], source[complete]
    seeds = np.arange(len(means))
    if len(means) < 2 or means.shape[1] < 2:
        return None
    earlier = means[:, :-1]
    best = np.array([np.argmax(np.delete(earlier, seed, axis=0).mean(axis=0)) for seed in seeds])
    gains = means[seeds, best] - means[:, -1]
    costs = kept[:, -1] - kept[seeds, best]
    wins = int((gains > 0).sum())
    return Comparison(tuple(best.tolist()), paired(gains), paired(costs), wins, len(means))


def search_phase(losses: Floats, share: float = 0.5) -> float:
    """Epochs of fine-tuning until a share of the fall of the training loss is reached.

    Arguments: ``losses``, mean over each epoch, the first to the last; ``share`` of the fall from
    the first to the last. Between epochs the loss is taken as linear; not a number if it never
    falls.

    >>> search_phase(np.array([2.0, 1.8, 1.0, 0.0]))
    2.0
    """
    level = losses[0] - share * (losses[0] - losses[-1])
    below = np.flatnonzero(losses <= level)
    if not np.isfinite(losses).all() or losses[-1] >= losses[0]:
        return np.nan
    after = int(below[0])
    return float(after - (level - losses[after]) / (losses[after - 1] - losses[after]))
