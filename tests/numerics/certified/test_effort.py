"""What results took: counted once, alike each time, and more where more is asked."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest

import numerics
from numerics.certified.bisection import bisected
from numerics.certified.effort import Effort, counted, spent
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
        spent(bits=64, evaluations=1)
        with counted() as inner:
            spent(bits=200, evaluations=1)
            list(bisected(4, lambda n: ((), [n // 2] * 2 if n > 1 else [])))
        with counted() as later:
            spent(bits=80, evaluations=1)
    assert inner.effort == Effort(bits=200, cells=1 + 2 + 4, evaluations=1)
    assert later.effort == Effort(bits=80, cells=0, evaluations=1)
    assert outer.effort == Effort(bits=200, cells=7, evaluations=3)


def test_threads_do_not_count_for_each_other():
    """Nor for whoever began them: what a count holds is the work of its own thread."""
    started, done = Barrier(2, timeout=60), Barrier(2, timeout=60)

    def work(cells):
        with counted() as count:
            started.wait()
            spent(cells=cells)
            done.wait()
        return count.effort.cells

    with counted() as outer, ThreadPoolExecutor(2) as threads:
        assert list(threads.map(work, (3, 5))) == [3, 5]
    assert outer.effort == Effort()


def test_an_effort_stays_what_it_was():
    with counted() as count:
        spent(cells=1)
        early = count.effort
        spent(cells=1)
    assert (early.cells, count.effort.cells) == (1, 2)
    assert len({early, count.effort}) == 2


def test_nothing_takes_nothing():
    with counted() as count:
        pass
    assert count.effort == Effort()


def test_the_loop_that_raises_precision_tells_the_bits_that_settled_it():
    with counted() as count:
        settled(lambda bits: bits, lambda bits: bits >= 50, first=10, guard=3)
    assert count.effort.bits == 80 + 3


@pytest.mark.parametrize("name", MAKERS)
def test_more_digits_take_more_bits_and_the_same_question_the_same(name):
    few, many = (MAKERS[name](digits).took for digits in (10, 60))
    assert few.bits < many.bits
    assert 0 < few.evaluations <= many.evaluations
    assert MAKERS[name](10).took == few


def test_a_curve_takes_its_making_once_and_each_of_its_points():
    """What encloses the drift is work too: as much for no strength as for many."""
    none, first, last, whole = (
        numerics.escape_curve("tanh", strengths).took for strengths in ([], 0.2, 0.7, [0.2, 0.7])
    )
    assert none.evaluations > 0
    assert whole.evaluations + none.evaluations == first.evaluations + last.evaluations
    assert whole.bits == max(first.bits, last.bits)


def test_zeros_take_cells_and_keep_what_they_took_elsewhere():
    for pair in ("erf", "He3", 101):
        found = numerics.find_singularities(pair)
        assert found.took.cells > len(found)
        assert pickle.loads(pickle.dumps(found)).took == found.took


def test_what_a_result_took_is_no_part_of_what_it_is():
    """Of two that are equal one may have looked up what the other worked out."""
    made = (numerics.expectation("relu"), numerics.hermite_expansion("x", 1),
            numerics.dual_activation("relu"), numerics.escape_curve("x", 0.5))  # fmt: skip
    for found in made:
        assert found == replace(found, took=Effort(1, 2, 3))
    singularities = numerics.find_singularities("x")
    assert singularities == type(singularities)(singularities, Effort(1, 2, 3))
