"""Statistics: the two spreads, the paired test, and a comparison that cannot fool itself."""

import numpy as np
import pytest
from scipy import stats

from transfer.statistics import best_against_last, paired, search_phase, spread


def test_the_two_spreads_are_kept_apart():
    stream = np.random.default_rng(0)
    values = stream.normal(0, 3, (400, 1)) + stream.normal(0, 0.5, (400, 50))
    found = spread(values)
    assert found.between == pytest.approx(3, rel=0.1)
    assert found.within == pytest.approx(0.5, rel=0.05)


def test_missing_runs_are_left_out():
    values = np.array([[1.0, 3.0, np.nan], [5.0, np.nan, np.nan], [np.nan] * 3])
    found = spread(values)
    assert found.mean == pytest.approx(3.5)
    assert found.within == pytest.approx(np.sqrt(2))
    assert np.isnan(spread(np.full((2, 2), np.nan)).mean)
    assert np.isnan(spread(np.ones((1, 1))).between)


def test_the_paired_test_is_that_of_scipy():
    differences = np.random.default_rng(1).normal(0.4, 1, 9)
    found, expected = paired(differences), stats.ttest_1samp(differences, 0)
    interval = expected.confidence_interval(0.95)
    assert found.p == pytest.approx(expected.pvalue)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))


def test_one_pair_gives_no_interval():
    found = paired(np.array([2.0]))
    assert found.mean == 2
    assert np.isnan(found.low)
    assert not found.positive


def test_the_interval_covers_as_often_as_it_says():
    stream = np.random.default_rng(2)
    found = [paired(stream.normal(1, 1, 5)) for _ in range(2000)]
    covered = np.mean([f.low <= 1 <= f.high for f in found])
    assert covered == pytest.approx(0.95, abs=0.02)


def runs(stream, effect, seeds=5, checkpoints=4, fine=3):
    """Downstream accuracy with ``effect`` lost at the last checkpoint."""
    values = 0.6 + stream.normal(0, 0.02, (seeds, checkpoints, 1))
    values = values + stream.normal(0, 0.01, (seeds, checkpoints, fine))
    values[:, -1] -= effect
    return np.tile(np.linspace(0.7, 0.9, checkpoints), (seeds, 1)), values


def test_without_an_effect_choosing_the_best_gains_nothing():
    """Choosing on the runs it is judged on would gain: that the comparison must not."""
    stream = np.random.default_rng(3)
    gains, naive = [], []
    for _ in range(400):
        source, downstream = runs(stream, 0.0)
        gains.append(best_against_last(source, downstream).gain.mean)
        means = downstream.mean(axis=2)
        naive.append((means.max(axis=1) - means[:, -1]).mean())
    error = np.std(gains) / np.sqrt(len(gains))
    assert abs(np.mean(gains)) < 4 * error
    assert np.mean(naive) > 10 * error, "the naive choice would have been fooled"


def test_false_alarms_are_rare_and_a_planted_effect_is_found():
    stream = np.random.default_rng(4)
    alarms = np.mean([best_against_last(*runs(stream, 0.0)).gain.positive for _ in range(400)])
    assert alarms < 0.08
    found = best_against_last(*runs(stream, 0.15))
    assert found.gain.positive
    assert found.cost.positive
    assert found.wins == found.seeds == 5
    assert found.gain.mean == pytest.approx(0.15, abs=0.04)


def test_a_rise_is_a_negative_gain():
    source, downstream = runs(np.random.default_rng(6), -0.15)
    found = best_against_last(source, downstream)
    assert found.gain.negative
    assert found.wins == 0
    assert max(found.best) < 3, "the last is not compared with itself"


@pytest.mark.filterwarnings("error")
def test_without_a_finished_run_there_is_nothing_to_compare():
    assert best_against_last(np.ones((3, 2)), np.ones((3, 2, 0))) is None


def test_incomplete_seeds_do_not_count():
    source, downstream = runs(np.random.default_rng(5), 0.1, seeds=4)
    downstream[0, 1, 0] = np.nan
    assert best_against_last(source, downstream).seeds == 3
    assert best_against_last(source[:1], downstream[:1]) is None
    assert best_against_last(source[:, :1], downstream[:, :1]) is None


def test_the_search_phase_of_an_exponential_is_its_half_life():
    times = np.arange(60)
    for half_life in (3.0, 7.5):
        found = search_phase(1 + 2.0 ** (-times / half_life))
        assert found == pytest.approx(half_life, rel=0.02)


def test_the_search_phase_does_not_depend_on_units_and_a_plateau_lengthens_it():
    losses = np.array([2.0, 1.9, 1.5, 0.8, 0.7])
    assert search_phase(losses) == pytest.approx(search_phase(3 + 5 * losses))
    plateau = np.concatenate([[2.0] * 4, losses])
    assert search_phase(plateau) == pytest.approx(search_phase(losses) + 4)


def test_no_fall_no_search_phase():
    assert np.isnan(search_phase(np.array([1.0, 1.2])))
    assert np.isnan(search_phase(np.array([1.0, np.nan, 0.1])))
