"""Balanced subsets: counts, disjointness, nesting, independence of the order of asking."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from derive.errors import InputError
from transfer.images.subsets import SHOTS, SOURCE, few_shot, held_out

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
    shared = {"source": [], "held out": []}
    for seed in range(200):
        shots = set(few_shot(labels, 50, seed, SHOTS))
        shared["source"].append(len(shots & set(few_shot(labels, 50, seed, SOURCE))))
        shared["held out"].append(len(shots & set(held_out(labels, 0.25, seed)[1])))
    for counts in shared.values():  # 100 of 400, each in the other choice with chance 1/4
        assert np.mean(counts) == pytest.approx(25, abs=5 * np.std(counts) / np.sqrt(200))
