"""Exit times, some of them censored: quantiles, the median's interval, growth with log d."""

from math import inf, log

import numpy as np
import pytest
from scipy import stats

from numerics.simulation.exits import (
    fit_log_dimension,
    ks_bound,
    ks_distance,
    median_interval,
    quantile,
)


@pytest.mark.parametrize("q", [0.1, 0.25, 0.5, 0.75, 0.9])
@pytest.mark.parametrize("count", [1, 7, 20, 100])
def test_censored_times_touch_no_quantile_before_them(q, count):
    """Whatever the largest times are, as long as they stay the largest."""
    times = np.random.default_rng(count).exponential(size=count)
    found = quantile(times, q)
    assert found in times
    later = np.where(times > found, inf, times)
    assert quantile(later, q) == found
    assert np.mean(times <= found) >= q
    assert np.mean(times < found) <= q
    assert quantile(np.full(count, inf), q) == inf
    assert (quantile(times, 0), quantile(times, 1)) == (times.min(), times.max())


def test_quantiles_are_those_of_kaplan_and_meier():
    """Runs censored at one step: the estimate of the survival function passes 1 - q there."""
    times = np.random.default_rng(1).exponential(size=99)
    end = 1.1
    censored = stats.CensoredData.right_censored(np.minimum(times, end), times > end)
    survival = stats.ecdf(censored).sf
    for q in (0.1, 0.25, 0.5):
        found = quantile(np.where(times > end, inf, times), q)
        assert survival.evaluate(found) <= 1 - q < survival.evaluate(np.nextafter(found, 0))


@pytest.mark.parametrize("rate", [0.3, 1, 4])
def test_the_distance_from_a_law_is_that_of_kolmogorov_and_smirnov(rate):
    """SciPy's; with a horizon, what both distribution functions are apart until then."""
    law, times = stats.expon(scale=1 / rate).cdf, np.random.default_rng(5).exponential(size=40)
    assert ks_distance(times, law) == pytest.approx(stats.kstest(times, law).statistic, rel=1e-12)
    for end in (0.05, 0.4, float(np.sort(times)[20])):
        censored = np.where(times > end, inf, times)
        places = np.append(times[times <= end], end)
        seen = [(times <= place).mean() - law(place) for place in places]
        before = [(times < place).mean() - law(place) for place in places]
        expected = max(map(abs, seen + before))
        assert ks_distance(censored, law, end) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("count", [1, 20, 1000])
def test_one_of_twenty_samples_of_the_law_itself_is_farther_from_it(count):
    """Also of a sample of one, whose distance is the larger of a uniform and its complement."""
    stream = np.random.default_rng(count)
    apart = [ks_distance(stream.uniform(size=count), lambda t: t) for _ in range(4000)]
    assert np.mean(np.array(apart) > ks_bound(count)) == pytest.approx(0.05, abs=0.01)


def test_the_interval_of_the_median_covers_as_often_as_it_says():
    """For 60 runs, by order statistics: 97.3 % by the binomial law, of any distribution."""
    stream, covered = np.random.default_rng(2), 0
    for times in stream.exponential(size=(2000, 60)):
        low, high = median_interval(np.where(times > 1.5, inf, times))
        covered += low <= log(2) <= high
    rank = stats.binom.ppf(0.025, 60, 0.5)
    law = stats.binom.cdf(60 - rank, 60, 0.5) - stats.binom.cdf(rank - 1, 60, 0.5)
    assert covered / 2000 == pytest.approx(law, abs=4 * np.sqrt(law * (1 - law) / 2000))


def test_a_planted_slope_is_found_within_its_error():
    stream, dimensions, pulls = np.random.default_rng(3), (100, 1000, 10_000, 100_000), []
    for _ in range(100):
        times = [3.0 * log(d) + stream.logistic(size=200) for d in dimensions]
        fit = fit_log_dimension(dimensions, times, tau=6.0)
        pulls.append((fit.slope - fit.half_tau) / fit.error)
    assert fit.half_tau == 3
    assert abs(np.mean(pulls)) < 0.4
    assert 0.7 < np.std(pulls) < 1.3


def test_without_three_medians_there_is_no_slope():
    times = [np.arange(20.0), np.arange(20.0) + 1, np.full(20, inf)]
    assert fit_log_dimension((10, 100, 1000), times, 1.0) is None
    assert fit_log_dimension((10, 100, 100), [times[0], times[1], times[1]], 1.0) is None
    assert fit_log_dimension((10, 100, 1000), [times[0], times[1], times[1]], 1.0) is not None
    same = np.full(20, 7.0)  # medians without a spread have no weight
    assert fit_log_dimension((10, 100, 1000), [times[0], times[1], same], 1.0) is None


@pytest.mark.parametrize(("finished", "counts"), [(11, False), (12, False), (13, True), (20, True)])
def test_a_median_counts_if_it_is_known_to_within_its_error(finished, counts):
    """Of 20 runs the upper end is the order statistic at 1/2 + 1/(2 sqrt 20): the 13th."""
    last = np.where(np.arange(20) < finished, np.arange(20.0), inf)
    fit = fit_log_dimension((10, 100, 1000), [np.arange(20.0), np.arange(20.0) + 1, last], 1.0)
    assert (fit is not None) == counts


@pytest.mark.parametrize("level", [0.5, 0.8, 0.95, 0.99])
@pytest.mark.parametrize("count", [20, 61])
def test_the_interval_of_the_median_is_the_narrowest_of_its_level(count, level):
    """The chance that the median lies beyond an end is at most half of what the level leaves."""
    low, high = median_interval(range(count), level)
    assert low + high == count - 1
    beyond = stats.binom.cdf([low, low + 1], count, 0.5)
    assert beyond[0] <= (1 - level) / 2 < beyond[1]
