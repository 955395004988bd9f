"""Balanced subsets: counts, disjointness, nesting, independence of the order of asking."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from derive.errors import InputError
from transfer.images.subsets import SHOTS, SOURCE, disjoint_parts, few_shot, held_out

LABELS = st.lists(st.integers(0, 4), min_size=20, max_size=80).map(
    lambda extra: np.array([*extra, *[0, 1, 2, 3, 4] * 3])
)
SEEDS = st.integers(0, 2**31)


@given(LABELS, st.integers(1, 3), SEEDS)
def test_few_shot_takes_as_many_of_every_class_and_none_twice(labels, shots, seed):
    chosen = few_shot(labels, shots, seed)
    assert len(set(chosen)) == len(chosen)
    assert (np.bincount(labels[chosen], minlength=5) == shots).all()


@given(LABELS, SEEDS)
def test_fewer_shots_are_a_subset_of_more(labels, seed):
    assert set(few_shot(labels, 1, seed)) <= set(few_shot(labels, 3, seed))


def test_every_example_is_taken_equally_often():
    labels = np.repeat([0, 1], 10)
    counts = np.bincount(np.concatenate([few_shot(labels, 2, seed) for seed in range(4000)]))
    expected = 4000 * 2 / 10
    assert np.abs(counts - expected).max() < 5 * np.sqrt(expected)


def test_too_few_examples_is_one_line_with_the_number_there_is():
    with pytest.raises(InputError, match="class 1 has 2: ask for at most that many"):
        few_shot(np.array([0, 0, 0, 1, 1]), 3, 0)


@given(LABELS, st.floats(0, 0.99), SEEDS)
def test_held_out_and_kept_are_a_partition_balanced_by_class(labels, share, seed):
    kept, out = held_out(labels, share, seed)
    assert sorted([*kept, *out]) == list(range(len(labels)))
    counts = np.bincount(labels, minlength=5)
    assert (np.bincount(labels[out], minlength=5) == (share * counts).astype(int)).all()


def test_the_same_seed_chooses_independently_for_each_use():
    """Else, where source and downstream are one dataset, equal seeds would share images."""
    labels = np.repeat([0, 1], 200)
    shared = {"source": [], "held out": [], "parts": []}
    for seed in range(200):
        shots = set(few_shot(labels, 50, seed, SHOTS))
        shared["source"].append(len(shots & set(few_shot(labels, 50, seed, SOURCE))))
        shared["held out"].append(len(shots & set(held_out(labels, 0.25, seed)[1])))
        shared["parts"].append(len(shots & set(disjoint_parts(labels, 50, 2, seed)[0].shots)))
    for counts in shared.values():  # 100 of 400, each in the other choice with chance 1/4
        assert np.mean(counts) == pytest.approx(25, abs=5 * np.std(counts) / np.sqrt(200))


@given(st.integers(1, 30), st.integers(1, 6), st.integers(0, 99))
def test_parts_share_no_example_and_are_balanced(shots, count, seed):
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(3), [40, 50, 300]))
    parts = disjoint_parts(labels, shots, count, seed)
    everything = np.concatenate([np.r_[part.shots, part.held_out] for part in parts])
    assert len(np.unique(everything)) == len(everything)
    for part in parts:
        for index, number in ((part.shots, min(shots, 40 // count // 2)), (part.held_out, None)):
            counts = np.unique(labels[index], return_counts=True)[1]
            assert len(counts) == 3
            assert len(set(counts)) == 1
            assert number is None or counts[0] == number
    other = disjoint_parts(labels, shots, count, seed + 1)
    assert not all(np.array_equal(a.shots, b.shots) for a, b in zip(parts, other, strict=True))


def test_too_few_examples_for_parts_are_said():
    with pytest.raises(InputError, match="5 parts need 10 images of each class, class 0 has 9"):
        disjoint_parts(np.repeat([0, 1], [9, 20]), 1, 5, 0)
