"""Expressions on one piece: what is simpler, and what has an exact mean."""

import pytest
from sympy import Rational, cos, erf, exp, expand, log, sin, tanh

from derive.elementary import in_the_algebra, proved_zero, tidied
from derive.gaussian import NoClosedForm
from derive.softplus import Softplus
from derive.symbols import z


@pytest.mark.parametrize(
    ("given", "simple"),
    [
        (Softplus(z) - Softplus(-z), z),
        (log(1 + exp(2 * z)) - log(1 + exp(-2 * z)), 2 * z),
        ((1 + tanh(z / 2)) / 2 + (1 - tanh(z / 2)) / 2, 1),
        (tanh(z) * (1 + exp(-2 * z)) / (1 - exp(-2 * z)), 1),
        (Softplus(z), Softplus(z)),
    ],
)
def test_sums_that_are_polynomials_become_those(given, simple):
    assert expand(tidied(given) - simple) == 0


@pytest.mark.parametrize(
    "zero",
    [sin(z) ** 2 + cos(z) ** 2 - 1, sin(2 * z) - 2 * sin(z) * cos(z), Softplus(z) - log(1 + exp(z)),
     tanh(z) - (exp(2 * z) - 1) / (exp(2 * z) + 1)],
    ids=str,
)  # fmt: skip
def test_identities_are_proved_and_what_nearly_vanishes_is_not(zero):
    assert proved_zero(zero)
    for little in (Rational(1, 10**9), Rational(1, 100), -1):
        assert not proved_zero(zero + little)


C = Rational(2, 3)


@pytest.mark.parametrize(
    ("even", "odd", "mean"),
    [
        (cos(C * z), sin(C * z), exp(-(C**2) / 2)),
        ((exp(C * z) + exp(-C * z)) / 2, (exp(C * z) - exp(-C * z)) / 2, exp(C**2 / 2)),
    ],
    ids=["circle", "hyperbola"],
)
def test_functions_of_one_exponential_are_taken_in_with_their_signs(even, odd, mean):
    """E cos cz = e^(-c²/2), E cosh cz = e^(c²/2), and E z·odd = c E even by Stein."""
    assert in_the_algebra(even).mean().equals(mean)
    assert in_the_algebra(z * odd).mean().equals(C * mean)


@pytest.mark.parametrize("offset", [1, Rational(-2, 3)])
def test_a_shifted_wave_is_two_waves(offset):
    """E cos(cz + d) = e^(-c²/2) cos d, and E sin(cz + d) = e^(-c²/2) sin d."""
    for wave in (sin, cos):
        assert in_the_algebra(wave(C * z + offset)).mean().equals(exp(-(C**2) / 2) * wave(offset))


@pytest.mark.parametrize("outside", [erf(z + 1), tanh(z), 1 / (1 + z**2), exp(z**3), sin(z**2)])
def test_what_is_outside_the_algebra_says_so(outside):
    with pytest.raises(NoClosedForm):
        in_the_algebra(outside)


def test_a_steep_exponential_costs_no_more():
    """A fraction of e^(z/1000) and e^z is not cancelled to a thousand powers."""
    assert not proved_zero(tanh(z) - tanh(z / 1000))


@pytest.mark.parametrize("digits", [3, 10, 31])
def test_numbers_are_no_powers_of_a_tiny_power_of_e(digits):
    """The constants of selu have 31 digits; as such powers their quotients take for ever."""
    long = Rational(10**digits + 7, 10**digits * 9)
    number = exp(long) / (exp(long**2) + 1) - tanh(long)
    assert abs((tidied(number) - number).evalf(40)) < Rational(1, 10**30)
    assert not proved_zero(number)


def test_softplus_that_stays_is_not_simplified(monkeypatch):
    """It would take minutes beside exponentials with numbers of thirty digits."""
    monkeypatch.setattr("derive.elementary.simplify", None)
    for given in (Softplus(z) + exp(z) / 3, Softplus(-z) - Softplus(2 * z)):
        assert tidied(given) == expand(given)
