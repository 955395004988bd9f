"""The choice of a checkpoint: its chances of being wrong under a planted null, and its power."""

from functools import cache

import numpy as np
import pytest

from transfer.experiment import statistics
from transfer.experiment.candidates import Candidate, Candidates
from transfer.experiment.choose import Choice, choice_of, judged, sentence
from transfer.experiment.statistics import Difference

PARTS, RUNS = 5, [0, 0, 0, 1, 1, 1]


@pytest.fixture
def few_rotations(monkeypatch):
    monkeypatch.setattr(statistics, "ROTATIONS", 400)
    monkeypatch.setattr(statistics, "uniform_rotations", rotations)


@cache
def rotations(count, rank):
    return statistics.positive_qr(np.random.default_rng(0).standard_normal((400, count, rank)))[0]


def drawn(stream, means):
    """Correlated accuracies, as of draws that suit some checkpoints better than others."""
    mixing = np.random.default_rng(7).normal(size=(len(means), len(means)))
    common = stream.normal(size=(PARTS, 1))
    return means + 0.02 * common + 0.01 * stream.normal(size=(PARTS, len(means))) @ mixing.T


def test_with_no_difference_it_claims_one_no_more_often_than_it_says(few_rotations):
    """Every checkpoint is a best one: each is excluded in 5 of 100, the last behind in 2.5."""
    stream, count = np.random.default_rng(1), 200
    excluded, behind, gone = np.zeros(len(RUNS)), 0, 0
    for _ in range(count):
        values = drawn(stream, np.full(len(RUNS), 0.7))
        found = choice_of(values, RUNS)
        excluded += [place not in found.open for place in range(len(RUNS))]
        gone += found.best not in found.open
        behind += found.behind is not None and found.behind.positive
    # Up to three deviations of a count above what is allowed.
    allowed = 0.05 * count + 3 * np.sqrt(0.05 * count)
    assert excluded.max() <= allowed
    assert excluded.sum() > 0  # the test can fail
    assert gone == 0  # the best by mean never gains less than nothing over itself
    assert behind <= 0.025 * count + 3 * np.sqrt(0.025 * count)


def test_one_true_best_stays_open_and_what_is_far_behind_is_told(few_rotations):
    stream, count = np.random.default_rng(2), 60
    means = np.array([0.70, 0.71, 0.60, 0.69, 0.40, 0.55])
    lost, told, behind = 0, 0, 0
    for _ in range(count):
        found = choice_of(drawn(stream, means), RUNS)
        lost += 1 not in found.open
        told += 4 not in found.open
        last = max(place for place, run in enumerate(RUNS) if run == RUNS[found.best])
        assert found.last == last
        behind += found.behind.positive
    assert lost <= 8
    assert told > 54
    assert behind > 48


def test_the_last_that_is_best_is_behind_nothing(few_rotations):
    values = drawn(np.random.default_rng(3), np.array([0.1, 0.2, 0.9, 0.1, 0.2, 0.3]))
    found = choice_of(values, RUNS)
    assert (found.best, found.last, found.behind) == (2, 2, None)
    alone = choice_of(values[:, :1], [0])
    assert (alone.best, alone.open) == (0, (0,))


@pytest.mark.parametrize("others", [1, 2])
def test_a_choice_among_equals_is_judged_clearly_no_more_often_than_it_says(others):
    """Right or wrong: with one other in 5 of 100 experiments, with two in fewer."""
    stream, count, clear = np.random.default_rng(4), 2000, []
    for _ in range(count):
        shots = 0.03 * stream.normal(size=5)  # of a seed, the same for all
        finals = {k: 0.7 + shots + 0.02 * stream.normal(size=5) for k in ("best", "last", "random")}
        kept = dict(list(finals.items())[: 1 + others])
        clear.append(judged(kept).clearly)
    found, most = np.mean(clear), 0.05 + 3 * np.sqrt(0.05 * 0.95 / count)
    assert 0 < found <= most
    assert others == 2 or found > 0.1 - most  # nor is it timid


def test_a_choice_is_judged_by_what_adapting_gives():
    best = np.array([0.80, 0.82, 0.81])
    assert judged({"best": best, "last": best - 0.1, "random": best - 0.2}).sentence == (
        "The choice was right (clearly)."
    )
    assert judged({"best": best, "last": best + 0.1, "random": best - 0.2}).sentence == (
        "The choice was wrong (clearly)."
    )
    noisy = best + np.array([0.1, -0.1, -0.01])
    found = judged({"best": best, "last": best - 0.1, "random": noisy})
    assert (found.right, found.clearly) == (True, False)
    alone = judged({"best": best})  # the last of its run, and no other there
    assert (alone.right, alone.clearly, alone.gains) == (True, False, {})
    one = judged({"best": best[:1], "last": best[:1] - 0.5})  # of one seed nothing is clear
    assert (one.right, one.clearly) == (True, False)


def _said(choice, runs=(0, 0, 1)):
    kept = tuple(Candidate(run, step, 0.5, lambda: None) for step, run in enumerate(runs, 1))
    return sentence(Candidates("", kept, "epoch", None, None, 1, None, ""), kept, choice)


def test_a_choice_in_a_line_says_who_may_be_best_too_and_how_far_the_last_is_behind():
    """In points, which are hundredths; whose name has its run only where there are several."""
    behind = Difference(0.125, 0.0625, 0.25, 0.01)
    for places, told in (
        ((0,), "it is told apart from all others"),
        ((0, 2), "epoch 3 of run 1 cannot be told apart from it"),
        ((0, 1, 2), "no checkpoint can be told apart from it"),
    ):
        assert _said(Choice(0, places, 1, behind)) == (
            f"Adapt epoch 1 of run 0; {told}; the last, epoch 2 of run 0, is behind by 12.5 [+6.2, "
            "+25.0] points of held-out accuracy of the head (95 %)."
        )
    unsure = Choice(0, (0,), 1, Difference(0.125, 0.0, 0.25, 0.05))
    assert "is not clearly behind: 12.5 [+0.0, +25.0]" in _said(unsure)
    last = Choice(0, (0,), 0, None)
    assert _said(last, (0,)) == (
        "Adapt epoch 1, the last of its run; it is told apart from all others."
    )
