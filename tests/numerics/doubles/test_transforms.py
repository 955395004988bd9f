"""Transforms as text: what is written is what was judged."""

from fractions import Fraction

import numpy as np
import pytest
from flint import ctx, fmpq

from derive.grammar import parse_transform
from derive.pair import Pair
from numerics.certified.drift import ball_drift
from numerics.certified.label_planes import BITS, LabelPlanes
from numerics.doubles.arrays import piecewise
from numerics.doubles.fibres import fibre_rule
from numerics.doubles.transforms import (
    conditional_arrays,
    polynomial_as_text,
    sum_as_text,
    written_labels,
)
from numerics.dynamics.judged_labels import LabelJudge


@pytest.mark.parametrize(("factors", "y", "value"), [
    ((1.0, -2.0, 0.5), 3.0, -0.5), ((0.0, 0.0, -1e-7), 2.0, -4e-7), ((-1.5, 1e20), 1.0, 1e20),
])  # fmt: skip
def test_text_is_read_back_as_the_polynomial(factors, y, value):
    read = piecewise(parse_transform(polynomial_as_text(factors)))
    assert read(np.array([y])) == pytest.approx([value], rel=1e-7)


def test_what_is_as_good_as_nothing_is_left_out():
    assert sum_as_text([1.0, 1e-20], ["", "y"]) == "1"
    assert sum_as_text([-1.0, 2.0], ["", "y"]) == "-1 + 2*y"


@pytest.mark.parametrize(("text", "least"), [("He3", 0.9), ("erf", 0.99)])
def test_written_labels_keep_what_they_say(text, least):
    """By the certified drift of the text itself."""
    pair, mu = Pair(text), fmpq(3, 10)
    with ctx.workprec(BITS):
        planes = LabelPlanes(pair, 1)
        rule, norm, plane = fibre_rule(pair.teacher, planes.fibres), planes.norm(1), None
        plane = planes.of_all(mu)
        means = conditional_arrays(pair, rule, 0.3)
        written = written_labels(rule, means, plane, norm, True)
        from numerics.certified.best_labels import best_labels

        best = best_labels(plane, norm)
        small = norm / 10**4  # no labels of this norm are useful
        assert written_labels(rule, means, plane, small, True) is None
    a, b, rate = ball_drift(Pair(text, labels=written.text)).at(mu)
    assert least < written.kept <= 1
    assert float(rate) == pytest.approx(written.kept * float(best.lower), rel=1e-5)
    assert a > 0
    assert b < 1e-6
    values = piecewise(parse_transform(written.text))(rule.outputs)
    assert rule.mean(values**2) == pytest.approx(float(norm), rel=1e-6)


@pytest.mark.parametrize("student", ["x", "erf"])
def test_one_place_is_enough_where_nearly_all_outputs_are_the_same(student):
    """Of ReLU(x - 5/2) 99 of 100 are 0."""
    teacher, mu = "relu(x - 5/2)", Fraction(1, 10)
    judge = LabelJudge.of(Pair(teacher, student), useful=False)
    best, written = judge.optimum(mu), judge.written(mu)
    assert written.text.count("tanh") == 1
    drift = ball_drift(Pair(teacher, student, written.text))
    assert float(drift.at(fmpq(1, 10))[2]) == pytest.approx(written.kept / best.tau, rel=1e-4)
    assert 0.9 < written.kept < 1
