"""Leading terms: how functions of known order begin at either end, and up to which order."""

import pytest
from sympy import Poly, Rational, S, exp, sin, sqrt

from derive.drift import ClosedDrift
from derive.errors import InputError
from derive.gaussian import NoClosedForm
from derive.leading import HIGHEST_ORDER, LeadingTerm, lowest_term, taylor_term
from derive.pair import Pair
from derive.pair_drift import mean_drift
from derive.symbols import mu


@pytest.mark.parametrize("end", [0, 1])
@pytest.mark.parametrize("order", range(10))
def test_a_series_begins_at_its_order_up_to_the_eighth(order, end):
    distance = 1 - mu if end else mu
    f = -3 * distance**order * exp(distance)
    if order <= 8:
        assert taylor_term(f, end) == LeadingTerm(S(-3), S(order))
    else:
        with pytest.raises(InputError, match="to an order above 8"):
            taylor_term(f, end)
    assert taylor_term(S.Zero, end) == LeadingTerm(S.Zero)


@pytest.mark.parametrize("power", [Rational(1, 2), Rational(3, 2), Rational(7, 2)])
@pytest.mark.parametrize("end", [0, 1])
def test_what_is_not_smooth_begins_with_a_root(power, end):
    distance = 1 - mu if end else mu
    found = taylor_term(2 * distance**power + distance**4, end)
    assert (found.coefficient, found.exponent) == (2, power)
    assert taylor_term(sqrt(distance) * sin(distance), end) == LeadingTerm(S.One, Rational(3, 2))


def test_a_term_is_shown_as_a_power():
    assert LeadingTerm(S(3), Rational(-1, 2))._repr_latex_() == r"$\frac{3}{\sqrt{x}}$"
    assert LeadingTerm(S.Zero)._repr_latex_() == "$0$"


def test_of_a_polynomial_the_lowest_power_counts():
    for order in (0, 3, 40):
        found = lowest_term(Poly(mu**order * (5 - mu) ** 2, mu))
        assert (found.coefficient, found.exponent) == (25, order)


@pytest.mark.parametrize("drift", [ClosedDrift(exp(mu), sin(mu)), mean_drift(Pair("tanh"))])
@pytest.mark.parametrize("name", ["a", "b"])
def test_no_form_is_differentiated_more_often(drift, name):
    assert drift.derivative(name, HIGHEST_ORDER if name == "a" else 1) is not None
    with pytest.raises(NoClosedForm, match=f"differentiated {HIGHEST_ORDER} times at most"):
        drift.derivative(name, HIGHEST_ORDER + 1)
