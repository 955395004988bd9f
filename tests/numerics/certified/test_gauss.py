"""Gauss's rule: exact where it should be, and its error within the proved one."""

import pytest
from flint import arb, ctx

from numerics.certified.gauss import ELLIPSE, nodes_for, rule


@pytest.fixture(autouse=True)
def precise():
    with ctx.workprec(200):
        yield


@pytest.mark.parametrize("count", [8, 24, 72])
def test_polynomials_below_twice_the_nodes_are_exact(count):
    places, weights = rule(count)
    for k in (0, 2, 2 * count - 2):
        total = sum((w * x**k for x, w in zip(places, weights, strict=True)), arb(0))
        assert total.contains(arb(2) / (k + 1))
    assert sum((w * x ** (2 * count) for x, w in zip(places, weights, strict=True)),
               arb(0)) != arb(2) / (2 * count + 1)  # fmt: skip


@pytest.mark.parametrize("count", [8, 16, 32])
@pytest.mark.parametrize("pole", ["1.7", "2", "5"])
def test_the_error_is_within_the_bound(count, pole):
    """Of 1/(c - x), which on the ellipse is at most 1/(c - 5/3)."""
    c = arb(pole)
    places, weights = rule(count)
    total = sum((w / (c - x) for x, w in zip(places, weights, strict=True)), arb(0))
    missed = abs(total - ((c + 1) / (c - 1)).log())
    bound = ELLIPSE.error(count) / (c - arb(5) / 3)
    assert missed < bound
    if pole == "1.7":
        assert missed > bound / 10**4  # no idle bound either


def test_nodes_are_as_many_as_asked_and_not_more_than_there_are():
    assert ELLIPSE.error(nodes_for(arb(10), arb("1e-15"))) * 10 < arb("1e-15")
    assert nodes_for(arb(10) ** 90, arb("1e-15")) is None


def test_the_box_holds_the_ellipse():
    box = ELLIPSE.box(arb(2), arb(3))
    for real, imag in ((7, 0), (-3, 0), (2, 4), (2, -4)):
        assert box.contains(arb(real)) if imag == 0 else box.imag.contains(imag)
