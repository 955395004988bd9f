"""Means given the output in doubles: laws of conditional means, and noise against exact numbers."""

import numpy as np
import pytest
from flint import ctx, fmpq

from derive.pair import Pair
from numerics.certified.drift import sample_noise_function
from numerics.certified.label_planes import BITS, LabelPlanes
from numerics.doubles.fibres import fibre_rule, label_noise
from numerics.doubles.transforms import conditional_arrays

PAIRS = (Pair("He3"), Pair("He4"), Pair("erf"), Pair("gauss"), Pair("relu", "erf"),
         Pair("triangular", "tanh"))  # fmt: skip


def _rule(pair):
    with ctx.workprec(BITS):
        return fibre_rule(pair.teacher, LabelPlanes(pair, 1).fibres)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda p: f"{p.teacher.text}, {p.student.text}")
def test_means_of_means_are_means(pair):
    rule = _rule(pair)
    assert rule.mean(rule.given(np.ones_like(rule.inputs))) == pytest.approx(1, abs=1e-12)
    assert rule.mean(rule.given(rule.inputs**4)) == pytest.approx(3, abs=1e-11)
    same = rule.given(rule.outputs[rule.node])  # what is known of itself is itself
    assert np.allclose(same, rule.outputs, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda p: f"{p.teacher.text}, {p.student.text}")
def test_the_gram_matrix_is_the_certified_one(pair):
    rule = _rule(pair)
    a, b = conditional_arrays(pair, rule, 0.4)
    with ctx.workprec(BITS):
        plane = LabelPlanes(pair, 1).of_all(fmpq(2, 5))
    found = [rule.mean(product) for product in (a * a, a * b, b * b)]
    wanted = [float(each) for each in (plane.first, plane.mixed, plane.second)]
    assert found == pytest.approx(wanted, rel=1e-8, abs=1e-10)


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("pair", PAIRS, ids=lambda p: f"{p.teacher.text}, {p.student.text}")
def test_noise_is_that_of_a_sample(pair, power):
    rule = _rule(pair)
    labels = "matched" if power == 1 else "squared"
    known = sample_noise_function(Pair(pair.teacher, pair.student, labels))(fmpq(2, 5))
    found = label_noise(pair, rule, rule.outputs**power, 0.4)
    assert found == pytest.approx(float(known), rel=1e-8)
