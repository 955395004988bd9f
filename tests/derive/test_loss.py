"""The population loss against its definition as a mean over two correlated Gaussians."""

import pytest
from hypothesis import given
from strategies import polynomials
from sympy import Rational, diff, expand, symbols

from derive.hermite import gaussian_mean, hermite_polynomial
from derive.loss import population_loss
from derive.symbols import Q, m, mu, rho, u, z


def _risk(teacher, student, variance, covariance):
    """½E(φ(x) - σ(y))² with y = ρx + w, w independent of x: no Hermite calculus."""
    w = symbols("w", real=True)
    shifted = expand((teacher - student.subs(z, covariance * z + w)) ** 2)
    return gaussian_mean(gaussian_mean(shifted, w, variance - covariance**2), z) / 2


@given(polynomials, polynomials)
def test_loss_is_half_the_mean_squared_error(teacher, student):
    loss = population_loss(teacher, student, z)
    assert expand(loss.expression - _risk(teacher, student, Q, rho)) == 0


@given(polynomials, polynomials)
def test_gradient_is_the_derivative_in_the_parameters(teacher, student):
    loss = population_loss(teacher, student, z)
    statistics = {Q: mu**2 + u**2 + 2 * mu * u * m, rho: mu + u * m}
    composed = loss.expression.subs(statistics, simultaneous=True)
    for derivative, parameter in zip(loss.gradient(), (u, m), strict=True):
        assert expand(derivative - diff(composed, parameter)) == 0


@given(polynomials)
def test_frozen_risk_of_a_matched_student_vanishes_at_full_strength(p):
    assert population_loss(p, p, z).frozen_risk().subs(mu, 1) == 0


@pytest.mark.parametrize("n", range(1, 7))
def test_frozen_risk_is_the_risk_of_the_frozen_model(n):
    he = hermite_polynomial(n, z)
    strength = Rational(3, 5)
    direct = gaussian_mean(expand((he - he.subs(z, strength * z)) ** 2), z) / 2
    assert population_loss(he, he, z).frozen_risk().subs(mu, strength) == direct
