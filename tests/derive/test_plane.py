"""Drifts over a plane: what they answer, and do not."""

import pytest
from sympy import Integer

from derive.errors import InputError
from derive.gaussian import NoClosedForm
from derive.pair import Pair
from derive.pair_drift import drift_of
from derive.plane import PlaneDrift
from derive.symbols import mu


def test_what_has_no_closed_form_is_a_mean_over_the_plane():
    drift = drift_of(Pair("selu", misalignment="linear"))
    assert isinstance(drift, PlaneDrift)
    assert (drift.misalignment, drift.certainty, drift.is_zero) == (1 - mu, "certified", False)
    assert [c for c, _, _ in (drift.a * Integer(2)).terms] == [2, -2 * mu]


def test_it_vanishes_where_the_aligned_drift_does():
    drift = drift_of(Pair("selu", misalignment="linear"))
    assert drift.vanishes(1)
    assert not drift.vanishes(0)
    even = drift_of(Pair("log(1 + x**2)", misalignment="linear"))
    assert even.aligned.vanishes(0)
    assert (even.vanishes(0), even.vanishes(1)) == (False, True)  # at 0 nothing is aligned
    assert not drift_of(Pair("tanh", loss="correlation", misalignment="linear")).vanishes(1)


def test_derivatives_of_nothing_there_are_refused():
    drift = drift_of(Pair("relu", "tanh", misalignment="linear"))
    for name, order in (("c", 0), ("a", -1), ("a", "x")):
        with pytest.raises(InputError):
            drift.derivative(name, order)


def test_of_order_0_a_derivative_is_the_coefficient():
    drift = drift_of(Pair("selu", misalignment="linear"))
    assert (drift.derivative("a", 0), drift.derivative("b", 0)) == (drift.a, drift.b)


@pytest.mark.parametrize("ask", [lambda d: d.expressions, lambda d: d.derivative("a"),
                                 lambda d: d.leading_terms(1)])  # fmt: skip
def test_there_are_no_formulas(ask):
    with pytest.raises(NoClosedForm):
        ask(drift_of(Pair("selu", misalignment="linear")))
