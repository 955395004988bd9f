"""The loop that raises precision: it ends as soon as the question is settled, and not before."""

import pytest
from flint import arb, ctx

from derive.errors import Undecided
from numerics.certified.precision import accurate, settled


@pytest.mark.parametrize("power", [1, 50, 300, 1000])
def test_a_small_difference_is_told_from_zero_with_as_few_bits_as_double_up(power):
    """(1 + 2^-power) - 1 > 0 needs some power bits; half of what it took was not enough."""

    def difference(_):
        return (arb(1) + arb(2) ** -power * arb(1).exp()) - 1

    found, bits = settled(difference, lambda ball: ball > 0, first=16)
    assert found > 0
    assert power - 2 <= bits <= max(16, 2 * (power + 8))
    with ctx.workprec(bits // 2):
        assert bits == 16 or not difference(0) > 0


def test_what_stays_open_is_undecided_at_the_limit_and_not_below():
    tried = []
    with pytest.raises(Undecided, match="the sign is open at 4096 bits"):
        settled(tried.append, lambda _: False, "the sign is open", first=64)
    assert tried == [64, 128, 256, 512, 1024, 2048, 4096]
    assert settled(lambda bits: bits, lambda bits: bits == 256, first=64, most=256) == (256, 256)
    with pytest.raises(Undecided):
        settled(lambda bits: bits, lambda bits: bits == 256, first=64, most=255)


def test_the_working_precision_is_the_bits_and_their_guard_and_is_given_back():
    before = ctx.prec
    seen, _ = settled(lambda bits: (bits, ctx.prec), lambda _: True, first=100, guard=32)
    assert seen == (100, 132)
    assert ctx.prec == before


@pytest.mark.parametrize("bits", [10, 60])
def test_accuracy_is_relative_and_of_every_ball(bits):
    with ctx.workprec(200):
        good, bad = (arb(1) * (1 + arb(0, arb(2) ** -(bits + shift))) for shift in (2, -2))
        tiny = good * arb(2) ** -500
    assert accurate(bits)([good, tiny, arb(0)])
    assert not accurate(bits)([good, bad])
    assert not accurate(bits)([arb(0, arb(2) ** -500)])  # contains 0: nothing is known of its size


@pytest.mark.parametrize("power", [3, 30, 300])
def test_the_accuracy_that_a_ball_has_is_enough_and_one_bit_more_is_not(power):
    ball = arb(1) + arb(0, arb(2) ** -power)
    known = ball.rel_accuracy_bits()
    assert [accurate(known + more)([ball]) for more in (-1, 0, 1)] == [True, True, False]
