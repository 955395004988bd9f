"""What exit times say when some runs are censored: quantiles, and their growth with log d.

All runs of a simulation are censored at the same step, so that Kaplan and Meier's estimate is the
empirical distribution, and an order statistic its quantile; censored times count as infinite.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, isfinite, log, sqrt

import numpy as np
from numpy.typing import ArrayLike

from numerics.doubles.arrays import Doubles


def quantile(times: ArrayLike, q: float) -> float:
    """The order statistic at a quantile, which censored times beyond it do not touch.

    ``np.quantile`` makes NaN of infinities, and ``scipy.stats.ecdf`` has no quantiles.

    >>> quantile([1.0, 2.0, np.inf], 0.5), quantile([1.0, 2.0, np.inf], 0.9)
    (2.0, inf)
    """
    ordered = np.sort(np.asarray(times, dtype=float))
    return float(ordered[min(int(q * len(ordered)), len(ordered) - 1)])


def median_interval(times: ArrayLike, level: float = 0.95) -> tuple[float, float]:
    """Confidence interval of the median, by order statistics: for any distribution.

    >>> median_interval(range(60))
    (21.0, 38.0)
    """
    from scipy.stats import quantile_test  # its import costs half a second

    found = quantile_test(np.asarray(times, dtype=float), q=0.0, p=0.5)
    interval = found.confidence_interval(level)
    return float(interval.low), float(interval.high)


def ks_distance(
    times: ArrayLike, escaped: Callable[[Doubles], Doubles], horizon: float = inf
) -> float:
    """Kolmogorov and Smirnov's distance of exit times from a law, up to a horizon.

    Arguments:
        times: of all replicas, ``inf`` for censored ones.
        escaped: the law's distribution function.
        horizon: the time at which runs are censored.

    >>> round(ks_distance([0.5, np.inf], lambda t: np.minimum(t, 1.0), 0.6), 3)
    0.5
    """
    every = np.asarray(times, dtype=float)
    seen = np.sort(every[every <= horizon])
    ends = np.append(seen, horizon) if horizon < inf else seen
    after = np.append(np.arange(1, len(seen) + 1), [len(seen)] * (len(ends) - len(seen)))
    before = np.arange(len(ends))
    law = escaped(ends)
    return float(max(np.max(after / len(every) - law), np.max(law - before / len(every))))


def ks_bound(count: int) -> float:
    """The distance that 19 of 20 samples of the law itself stay below; of censored samples more do.

    >>> round(ks_bound(200), 3)
    0.095
    """
    from scipy.stats import kstwo  # its import costs half a second

    return float(kstwo.isf(0.05, count))


@dataclass(frozen=True)
class LogFit:
    """Median exit time fitted by a line in ``log d``: its slope with standard error, and τ/2."""

    slope: float
    error: float
    half_tau: float


def fit_log_dimension(
    dimensions: Sequence[int], times: Sequence[ArrayLike], tau: float
) -> LogFit | None:
    r"""Slope of the median exit time against ``log d``, which the theory puts at τ/2 (9), (61).

    Arguments:
        dimensions: of the inputs.
        times: exit times of the replicas in each, ``inf`` for censored ones.
        tau: the escape time.

    Medians are weighted by their own uncertainty. The result is ``None`` for fewer than three
    dimensions with a median. A simulation supports the law; it does not prove it.
    """
    rows = []
    for dimension, exits in zip(dimensions, map(np.asarray, times), strict=True):
        reach = 1 / (2 * sqrt(len(exits)))  # of one standard error
        low, median, high = (quantile(exits, 0.5 + side * reach) for side in (-1, 0, 1))
        if isfinite(high) and high > low:
            rows.append((log(dimension), median, (high - low) / 2))
    if len({row[0] for row in rows}) < 3:
        return None
    x, y, error = np.array(rows).T
    (slope, _), covariance = np.polyfit(x, y, 1, w=1 / error, cov="unscaled")
    return LogFit(float(slope), float(np.sqrt(covariance[0, 0])), tau / 2)
