"""What results took: counted once, alike each time, and more where more is asked."""

import pickle

import pytest

import numerics
from numerics.certified.bisection import bisected
from numerics.certified.effort import DONE, Effort, counted
from numerics.certified.precision import settled

MAKERS = {
    "singularities": lambda digits: numerics.find_singularities("He3", digits),
    "a mean": lambda digits: numerics.expectation("tanh(x)**2", digits=digits),
    "a closed mean": lambda digits: numerics.expectation("relu", digits=digits),
    "an expansion": lambda digits: numerics.hermite_expansion("gelu", 3, digits=digits),
    "a dual activation": lambda digits: numerics.dual_activation("tanh", rho=0.5, digits=digits),
}


def test_counts_are_nested_and_bits_are_the_most():
    with counted() as outer:
        DONE.evaluated(64)
        with counted() as inner:
            DONE.evaluated(200)
            list(bisected(4, lambda n: ((), [n // 2] * 2 if n > 1 else [])))
        with counted() as later:
            DONE.evaluated(80)
    assert inner == Effort(bits=200, cells=1 + 2 + 4, evaluations=1)
    assert later == Effort(bits=80, cells=0, evaluations=1)
    assert outer == Effort(bits=200, cells=7, evaluations=3)


def test_nothing_takes_nothing():
    with counted() as effort:
        pass
    assert effort == Effort()


def test_the_loop_that_raises_precision_tells_the_bits_that_settled_it():
    with counted() as effort:
        settled(lambda bits: bits, lambda bits: bits >= 50, first=10, guard=3)
    assert effort.bits == 80 + 3


@pytest.mark.parametrize("name", MAKERS)
def test_more_digits_take_more_bits_and_the_same_question_the_same(name):
    few, many = (MAKERS[name](digits).took for digits in (10, 60))
    assert few.bits < many.bits
    assert 0 < few.evaluations <= many.evaluations
    assert MAKERS[name](10).took == few


def test_a_curve_takes_the_sum_of_its_points():
    whole = numerics.escape_curve("tanh", [0.2, 0.7]).took
    parts = [numerics.escape_curve("tanh", mu).took for mu in (0.2, 0.7)]
    assert whole.evaluations == sum(part.evaluations for part in parts)
    assert whole.bits == max(part.bits for part in parts)


def test_zeros_take_cells_and_keep_what_they_took_elsewhere():
    for pair in ("erf", "He3", 101):
        found = numerics.find_singularities(pair)
        assert found.took.cells > len(found)
        assert pickle.loads(pickle.dumps(found)).took == found.took
