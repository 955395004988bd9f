"""Singularities between the strengths of a grid: all of them, none beside it."""

from fractions import Fraction

import pytest
from sympy import Integer

from derive import Pair, drift_of
from derive.drift import Drift
from derive.symbols import mu
from numerics.certified.singularities import find_singularities
from numerics.certified.straddled import straddled


def grid(*texts):
    return [Fraction(text) for text in texts]


def test_they_are_the_divergent_ones_between_the_ends():
    drift = drift_of("He10")
    everything = [s.mu.mid for s in find_singularities(drift, 8)]
    assert [s.mu.mid for s in straddled(drift, grid("0.9", "0.1"))] == everything
    assert [s.mu.mid for s in straddled(drift, grid("0.4", "0.9"))] == everything[1:]
    assert straddled(drift, grid("0.4", "0.5")) == ()


@pytest.mark.parametrize("pair", ["relu", Pair("He3", misalignment="spherical")])
def test_where_there_are_none(pair):
    assert straddled(drift_of(pair), grid("0.1", "0.9")) == ()


@pytest.mark.parametrize(
    ("b", "ends", "count"),
    [(-1, ("0.5", "0.9"), 1), (-1, ("0.1", "0.5"), 1), (-1, ("0.51", "0.9"), 0),
     (-1, ("0.1", "0.49"), 0), (0, ("0.1", "0.9"), 1), (1, ("0.1", "0.9"), 0)],
)  # fmt: skip
def test_ends_of_a_grid_are_part_of_it_and_a_finite_time_is_none(b, ends, count):
    """a = 2μ - 1, with the escape time 1/b at 1/2 where b is positive."""
    assert len(straddled(Drift(2 * mu - 1, Integer(b)), grid(*ends))) == count


def test_one_strength_steps_over_nothing():
    assert straddled(drift_of("He3"), grid("0.32")) == ()


def test_the_escape_command_says_and_shows_them(command):
    asked = ("--degree", "3", "--mu")
    shown = command("numerics.escape", *asked, "0.1:0.9:5").stdout
    assert "infinite, certified, at mu = 0.32072435" in shown
    assert any(line.startswith("0.320724 ") and "∞" in line for line in shown.splitlines())
    for beside in ("0.4:0.9:6", "0.2"):
        assert "infinite, certified" not in command("numerics.escape", *asked, beside).stdout
