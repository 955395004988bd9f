"""Statistics: the two spreads, the paired test, and a comparison that cannot fool itself."""

import numpy as np
import pytest
from scipy import stats

from transfer.experiment import statistics
from transfer.experiment.statistics import (
    best_against_last,
    best_gain,
    chance_of_gain,
    paired,
    search_phase,
    split_of_gain,
    spread,
)
from transfer.images.subsets import nested_seed


@pytest.fixture
def rotations(monkeypatch):
    """Fewer rotations, for tests of many experiments."""

    def few(number):
        monkeypatch.setattr(statistics, "ROTATIONS", number)
        statistics.uniform_rotations.cache_clear()
        return number

    yield few
    statistics.uniform_rotations.cache_clear()


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


@pytest.mark.parametrize("count", [2, 5])
def test_equal_arms_have_no_sign(count):
    found = paired(np.zeros(count))
    assert (found.mean, found.low, found.high, found.p) == (0, 0, 0, 1)
    assert not found.positive
    assert not found.negative


@pytest.mark.parametrize("sign", [1, -1])
def test_arms_that_always_differ_by_as_much_have_one(sign):
    found = paired(np.full(4, 0.5 * sign))
    assert (found.positive, found.negative, found.p) == (sign > 0, sign < 0, 0)


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


def test_without_an_effect_choosing_the_best_gains_nothing(rotations):
    """Choosing on the runs it is judged on would gain: that the comparison must not."""
    rotations(100)
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


def null_gains(number, shared, seed_of=nested_seed, seeds=5, checkpoints=5, fine=5):
    """Gains over the last checkpoint in experiments without an effect, in points.

    Each pre-training is worth something else from each checkpoint, each run has noise, and each
    draw of shots, which ``seed_of`` both seeds names, lies ``shared`` points better or worse to
    each checkpoint, for all that use it.
    """
    stream = np.random.default_rng(7)
    names = np.array([[seed_of(pre, one) for one in range(fine)] for pre in range(seeds)])
    which = np.unique(names, return_inverse=True)[1].reshape(names.shape)
    draws = shared * stream.standard_normal((number, which.max() + 1, checkpoints))
    own = stream.standard_normal((number, seeds, 1, checkpoints))
    noise = stream.standard_normal((number, seeds, fine, checkpoints))
    means = (own + noise + draws[:, which]).mean(axis=2)
    return means[..., :-1] - means[..., -1:]


def allowed(rate, *numbers):
    """A rate and three times its error, from so many experiments and so many rotations."""
    return rate + 3 * np.sqrt(sum(rate * (1 - rate) / number for number in numbers))


def students(gains):
    """Student's t of leave-one-out gains, as if these were independent."""
    left = gains.sum(axis=1, keepdims=True) - gains
    chosen = np.take_along_axis(gains, left.argmax(axis=2)[..., None], axis=2)[..., 0]
    return stats.ttest_1samp(chosen, 0, axis=1).statistic


@pytest.mark.parametrize("shared", [0.0, 1.0])
def test_without_an_effect_false_alarms_are_as_frequent_as_they_say(shared, rotations):
    numbers = 2000, rotations(2000)
    gains = null_gains(numbers[0], shared)
    better = np.array([chance_of_gain(each) <= 0.025 for each in gains])
    worse = (stats.ttest_1samp(gains, 0, axis=1).pvalue < 0.05) & (gains.mean(axis=1) < 0)
    assert better.mean() < allowed(0.025, *numbers)
    assert better.mean() > 0.025 - (allowed(0.025, *numbers) - 0.025), "it is not timid either"
    assert (better | worse.all(axis=1)).mean() < allowed(0.05, *numbers)


def test_what_was_done_before_raises_more_false_alarms():
    limit = stats.t.ppf(0.975, 4)
    chosen = np.mean(students(null_gains(20_000, 0.0)) > limit)
    assert chosen > allowed(0.025, 20_000), "the choice alone"
    shared = null_gains(20_000, 1.0, seed_of=lambda pre, fine: fine)
    assert np.mean(students(shared) > limit) > allowed(0.05, 20_000), "shots that all share"
    apart = np.mean(students(null_gains(20_000, 1.0)) > limit)
    assert apart == pytest.approx(chosen, abs=0.005), "shots of each pre-training's own"


def test_shots_that_all_share_fool_the_rotation_test_too(rotations):
    """Only drawing them from both seeds mends that."""
    numbers = 400, rotations(1000)
    gains = null_gains(numbers[0], 1.0, seed_of=lambda pre, fine: fine)
    found = np.mean([chance_of_gain(each) <= 0.025 for each in gains])
    assert found > allowed(0.025, *numbers)


@pytest.mark.parametrize("deviations", [(5, 1, 1, 1), (1, 1, 1, 0.01)])
@pytest.mark.parametrize("seeds", [2, 3, 8])
def test_any_covariance_and_number_of_seeds_will_do(seeds, deviations, rotations):
    rotations(1000)
    stream = np.random.default_rng(8)
    mixed = stream.normal(size=(4, 4)) * deviations
    gains = stream.standard_normal((300, seeds, 4)) @ mixed
    found = [chance_of_gain(each) for each in gains]
    assert stats.kstest(found, "uniform").pvalue > 1e-3


def test_with_one_candidate_the_rotation_test_is_students():
    stream = np.random.default_rng(9)
    for gains in stream.normal(0.5, 1, (20, 6, 1)):
        expected = stats.ttest_1samp(gains[:, 0], 0, alternative="greater").pvalue
        error = np.sqrt(expected * (1 - expected) / 10_000)
        assert chance_of_gain(gains) == pytest.approx(expected, abs=5 * error + 1e-4)
        assert best_gain(gains) == paired(gains[:, 0])


def test_the_interval_moves_and_grows_with_the_gains_and_agrees_with_its_p():
    stream = np.random.default_rng(10)
    for gains in stream.normal(0.8, 1, (6, 5, 4)):
        found = best_gain(gains)
        assert found.low < found.mean < found.high
        assert (found.low > 0 or found.high < 0) == (found.p <= 0.05)
        moved = best_gain(3 * gains + 2)
        expected = [3 * value + 2 for value in (found.mean, found.low, found.high)]
        tolerance = 1e-3 * (found.high - found.low)
        assert (moved.mean, moved.low, moved.high) == pytest.approx(expected, abs=tolerance)
        order = best_gain(gains[::-1, ::-1])
        assert (order.mean, order.high) == pytest.approx((found.mean, found.high))
        assert order.low == pytest.approx(found.low, abs=0.1 * (found.mean - found.low))


def test_the_interval_holds_the_largest_gain_as_often_as_it_says(rotations):
    """Also where candidates are worse, and where one is best beyond doubt."""
    numbers = 300, rotations(1000)
    stream = np.random.default_rng(11)
    for expected in ((0, 0, 0, 0), (-4, -1, 0, 0), (0, 9, 0, 0)):
        gains = stream.standard_normal((300, 5, 4)) + expected
        below = np.mean([chance_of_gain(each - max(expected)) <= 0.025 for each in gains])
        high = [max(paired(column).high for column in each.T) for each in gains]
        assert below < allowed(0.025, *numbers)
        assert np.mean(np.array(high) < max(expected)) < allowed(0.025, *numbers)


def test_a_planted_effect_is_found():
    found = best_against_last(*runs(np.random.default_rng(4), 0.15))
    assert found.gain.positive
    assert found.cost.positive
    assert found.wins == found.seeds == 5
    assert found.gain.mean == pytest.approx(0.15, abs=0.04)


def test_gains_that_are_all_alike_have_no_spread():
    found = best_gain(np.ones((4, 2)))
    assert (found.mean, found.low, found.high) == (1, 1, 1)
    assert best_gain(np.zeros((4, 2))).p == 1


def test_the_cost_holds_whatever_checkpoint_was_chosen(rotations):
    """The choice may follow the very runs that the cost is of: the worst case, not the likely."""
    rotations(100)
    stream = np.random.default_rng(12)
    alarms = 0
    for noise in stream.standard_normal((400, 10, 10)):
        downstream = np.where(np.arange(10) < 9, 5 + noise, 0)
        alarms += best_against_last(-noise, downstream[..., None]).cost.positive
    assert alarms / 400 < allowed(0.025, 400)


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


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 1.0])
def test_the_interpolant_meets_the_level_at_the_search_phase_and_not_before(share):
    stream = np.random.default_rng(13)
    for _ in range(50):
        losses = np.concatenate([[2.0], 1 + stream.random(9), [0.9]])
        found = search_phase(losses, share)
        level = losses[0] - share * (losses[0] - losses[-1])
        assert np.interp(found, np.arange(11), losses) == pytest.approx(level)
        earlier = np.linspace(0, found - 1e-6, 300)
        assert (np.interp(earlier, np.arange(11), losses) > level).all()


def test_no_fall_no_search_phase():
    assert np.isnan(search_phase(np.array([1.0, 1.2])))
    assert np.isnan(search_phase(np.array([1.0, np.nan, 0.1])))


@pytest.mark.parametrize("comparisons", [2, 5, 100])
def test_of_several_comparisons_each_is_held_to_its_share(comparisons):
    """Bonferroni: p is multiplied, up to 1, and what the level leaves over is divided."""
    differences = np.random.default_rng(14).normal(0.8, 1, 9)
    found, alone = paired(differences, comparisons), stats.ttest_1samp(differences, 0)
    interval = alone.confidence_interval(1 - 0.05 / comparisons)
    assert found.p == pytest.approx(min(1, comparisons * alone.pvalue))
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert (found.low > 0 or found.high < 0) == (found.p < 0.05)


@pytest.mark.parametrize("losses", [[1.0, 1.0], [1.0, 2.0, 1.0], [1.0, 0.5, 1.0]])
def test_a_loss_that_ends_where_it_began_has_no_search_phase(losses):
    assert np.isnan(search_phase(np.array(losses)))


def test_the_parts_of_a_gain_sum_to_it_and_tell_features_from_adaptation():
    stream = np.random.default_rng(3)
    heads = np.array([0.5, 0.7, 0.6]) + 0.001 * stream.normal(size=(6, 3))
    adapted = heads + np.array([0.1, 0.15, 0.1]) + 0.001 * stream.normal(size=(6, 3))
    found = split_of_gain(adapted, heads)
    assert found.features.mean == pytest.approx(0.10, abs=0.002)
    assert found.on_top.mean == pytest.approx(0.05, abs=0.002)
    assert found.features.positive
    assert found.on_top.positive
    whole = best_against_last(heads, adapted[..., None]).gain.mean
    assert found.features.mean + found.on_top.mean == pytest.approx(whole)
    gone = adapted.copy()
    gone[1:, 0] = np.nan
    assert split_of_gain(gone, heads) is None


@pytest.mark.parametrize("part", ["features", "on_top"])
def test_a_part_that_is_nothing_is_told_from_it_no_more_often_than_it_says(part):
    """Features, or what adaptation adds, are alike at every checkpoint, whichever is chosen."""
    stream, count, found = np.random.default_rng(4), 600, 0
    for _ in range(count):
        one, other = stream.normal(size=(5, 4)), stream.normal(size=(5, 4))
        heads = one if part == "on_top" else 0.3 * one
        adapted = heads + (0.3 * other if part == "on_top" else other - np.arange(4.0))
        told = getattr(split_of_gain(adapted, heads), part)
        found += told.positive or told.negative
    assert found <= 0.05 * count + 3 * np.sqrt(0.05 * count)
