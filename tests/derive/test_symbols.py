"""Symbols: a user's symbol of the same name, or any one symbol, is the variable."""

import pickle

import pytest
from sympy import Poly, Rational, Symbol, default_sort_key, diff, exp, expand, nan, oo, zoo
from sympy.polys import polytools

from derive.activation import Activation
from derive.drift import ClosedDrift, Drift
from derive.errors import InputError
from derive.grammar import parse_activation
from derive.hermite import (
    gaussian_mean,
    hermite_coefficients,
    hermite_polynomial,
    information_exponent,
)
from derive.identities import ornstein_uhlenbeck
from derive.loss import population_loss
from derive.pair import Pair
from derive.pair_drift import drift_of
from derive.piecewise import analytic
from derive.polynomial_drift import drift_from_expectation, drift_from_loss
from derive.symbols import (
    Q,
    d,
    derivative,
    exact,
    in_variable,
    m,
    mu,
    of_one_variable,
    polynomial_in,
    rho,
    u,
    z,
)

PLAIN, OTHER = Symbol("z"), Symbol("x")


@pytest.mark.parametrize("text", ["He3", "erf", "relu"])
@pytest.mark.parametrize(
    "name", ["mu", Symbol("mu"), Symbol("mu", real=True), Symbol("mu", positive=True), mu]
)
def test_formulas_take_a_strength_under_the_name_of_their_symbol(text, name):
    activation = parse_activation(text)
    drift = drift_of(Pair(activation, activation))
    half = Rational(1, 2)
    for f in (drift.a, drift.b):
        expected = f.as_expr().xreplace({mu: half})
        assert f.subs(name, half) == f.subs({name: half}) == expected
        assert not expected.free_symbols


@pytest.mark.parametrize("variable", [z, PLAIN])
@pytest.mark.parametrize("typed", [z, PLAIN, Symbol("z", positive=True)])
def test_the_variable_is_known_by_its_name(typed, variable):
    assert information_exponent(typed**3 - 3 * typed, variable) == 3
    assert gaussian_mean(typed**2, variable) == 1
    assert hermite_coefficients(typed**3, variable) == (0, 3, 0, 6)
    assert drift_from_loss(typed**2 - 1, typed**2 - 1, variable).a.as_expr() == 6 * mu - 6 * mu**3
    assert drift_from_expectation(typed, typed, variable).a.as_expr() == 1 - mu
    assert population_loss(typed, typed, variable).teacher_power == 1
    assert ornstein_uhlenbeck(typed**2, variable, 1).subs(variable, 1) == 0


def test_activations_take_any_one_symbol():
    cube = Activation("cube", analytic(OTHER**3))
    assert drift_of(Pair(cube, cube)).a.as_expr() == 45 * mu**2 - 45 * mu**5


def test_pairs_and_drifts_take_any_one_symbol():
    x = parse_activation("x")
    y = Symbol("y")
    for transform in (y**2 - y, Poly(y**2 - y, y), Poly(z**2 - z, z)):
        assert Pair(x, x, transform) == Pair(x, x, Poly(z**2 - z, z, domain="QQ"))
    assert Pair(x, x, misalignment=1 - Symbol("mu")) == Pair(x, x, misalignment=1 - mu)
    assert Drift(OTHER - 1, Poly(-1, mu)) == Drift(Poly(mu - 1, mu), Poly(-1, mu))
    assert ClosedDrift(1 - Symbol("mu"), -1).a == 1 - mu


def test_parameters_stay_what_they_are():
    assert gaussian_mean(OTHER**2, z) == OTHER**2
    assert in_variable(OTHER, z) == OTHER
    assert of_one_variable(OTHER * z, z) == OTHER * z


@pytest.mark.parametrize(
    "refused",
    [
        lambda: gaussian_mean(PLAIN * z, z),
        lambda: of_one_variable(OTHER * Symbol("y"), z),
        lambda: polynomial_in(1 / OTHER, z),
        lambda: polynomial_in(Poly(OTHER * Symbol("y")), z),
        lambda: information_exponent(Symbol("z") + z**2, z),
        *(lambda value=value: exact(value) for value in (oo, -oo, zoo, nan, 0.5, "1", None)),
        lambda: hermite_polynomial(3, oo),
        lambda: hermite_polynomial(3, z, oo),
        lambda: Pair(*[parse_activation("x")] * 2, labels=OTHER * Symbol("y")),
    ],
)
def test_what_is_open_is_refused_in_one_line(refused):
    with pytest.raises(InputError) as refusal:
        refused()
    assert "\n" not in str(refusal.value)


def test_symbols_survive_other_processes():
    assert pickle.loads(pickle.dumps(mu)) == mu
    assert pickle.loads(pickle.dumps(mu + 1)).subs("mu", 1) == 2


@pytest.mark.parametrize("named", [z, Q, rho, mu, u, m, d])
def test_symbols_sort_among_others_by_their_names(named):
    """So formulas are printed in the order in which plain symbols of these names would be."""
    plain = [Symbol(name) for name in ("A", "b", "n", "r", "zz")]
    found = sorted([*plain, named], key=default_sort_key)
    assert [s.name for s in found] == sorted([*(s.name for s in plain), named.name])
    assert str(sum(plain) + named) == str(sum(plain) + Symbol(named.name))


@pytest.mark.parametrize("order", [1, 2])
def test_a_derivative_is_sympys_and_isolates_no_roots(monkeypatch, order):
    """For the sign of a sum, which SymPy asks for and nobody needs: minutes for long ones."""
    sums = [expand((mu - k) ** 5 + mu * (mu - 1) ** 3 - k) for k in (1, 2, 3)]
    f = sums[0] + sums[1] * exp(-(mu**2) / 2) + sums[2] * exp(-((mu - 3) ** 2))
    with monkeypatch.context() as patch:
        patch.setattr(polytools, "real_roots", None)
        found = derivative(f, mu, order)
    assert expand(found - diff(f, mu, order)) == 0
