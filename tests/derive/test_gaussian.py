"""The algebra of Gaussian means: its laws, and quadrature on random members."""

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import members, small
from sympy import (
    I,
    Integer,
    Rational,
    S,
    Symbol,
    binomial,
    erf,
    exp,
    expand,
    factorial2,
    lambdify,
    simplify,
    sqrt,
)

from derive import gaussian
from derive.errors import InputError
from derive.gaussian import (
    NoClosedForm,
    constant,
    delta,
    error_function,
    exponential,
    power,
    sign,
)
from derive.symbols import mu, z


def _quadrature(expression):
    f = lambdify(z, expression, "mpmath")
    points = [-22, -12, -8, -4, -2, -1, 0, 1, 2, 4, 8, 12, 22]
    return mpmath.quad(lambda x: f(x) * mpmath.npdf(x), points)


def _number(expression):
    return mpmath.mpf(str(expression.evalf(40)))


@given(members())
def test_means_agree_with_quadrature(member):
    element, expression = member
    with mpmath.workdps(34):
        mean, quadrature = _number(element.mean()), _quadrature(expression)
        assert abs(mean - quadrature) < (1 + abs(mean)) * mpmath.mpf(10) ** -25


@given(members(), members(), small)
def test_the_mean_is_linear(left, right, c):
    combined = (left[0] + constant(c) * right[0]).mean()
    difference = (combined - left[0].mean() - c * right[0].mean()).evalf(30)
    assert abs(difference) < 1e-20


@given(members(most_errors=1))
def test_stein(member):
    """E z f = E f', with the δ of a sign in the derivative."""
    f, _ = member
    try:
        right = f.derivative().mean()
    except NoClosedForm:  # sgn(z)·δ(z)
        return
    assert abs(((power(1) * f).mean() - right).evalf(30)) < 1e-20


@given(members(), members(most_errors=0), st.sampled_from([Integer(-1), Rational(-3, 2), mu]))
def test_scaling_is_a_homomorphism(left, right, factor):
    """With the scaling of z^k known, products fix it for every member."""
    f, g = left[0], right[0]
    assert (f * g).scaled(factor) == f.scaled(factor) * g.scaled(factor)
    assert f.scaled(factor).scaled(-1) == f.scaled(-factor)
    assert power(3).scaled(factor) == constant(factor**3) * power(3)
    assert sign().scaled(-1) == -sign()


def test_scaling_changes_the_variance():
    """E f(√2 g) by quadrature over the wider Gaussian, for one member of each kind."""
    for f, shown in (
        (error_function(2) * power(3), erf(2 * z) * z**3),
        (sign() * power(1) * exponential(Rational(1, 3), 0), abs(z) * exp(-(z**2) / 3)),
        (exponential(0, Rational(1, 2)), exp(z / 2)),
    ):
        mean = _number(f.scaled(sqrt(2)).mean())
        assert abs(mean - _quadrature(shown.subs(z, sqrt(2) * z))) < 1e-14


@given(members())
def test_odd_functions_have_mean_zero(member):
    element, _ = member
    assert simplify((element - element.scaled(-1)).mean()) == 0


@given(members(most_errors=1))
def test_the_derivative_is_a_derivation(member):
    f, _ = member
    g = power(2) * exponential(1, 0)
    try:
        left = (f * g).derivative()
        right = f.derivative() * g + f * g.derivative()
    except NoClosedForm:
        return
    assert left == right


@pytest.mark.parametrize("degree", [1, 4, 60])
def test_high_powers_of_tilted_gaussians_are_those_of_a_shifted_one(degree):
    """E z^k exp(βz) = exp(β²/2) E (z + β)^k: in a time that does not double with each degree."""
    tilted = (power(degree) * exponential(0, mu)).mean() * exp(-(mu**2) / 2)
    shifted = sum(
        binomial(degree, 2 * i) * factorial2(2 * i - 1) * mu ** (degree - 2 * i)
        for i in range(degree // 2 + 1)
    )
    assert expand(tilted - shifted) == 0
    for side in (1, -1):
        numbers = (power(degree) * exponential(0, side)).mean() * exp(-S.Half)
        assert numbers == shifted.subs(mu, side)


def test_sine_from_complex_exponentials():
    sine = constant(-I / 2) * (exponential(0, I * mu) - exponential(0, -I * mu))
    assert simplify((sine * sine).mean() - (1 - exp(-2 * mu**2)) / 2) == 0


def test_the_sign_is_its_own_inverse():
    assert sign() * sign() == constant(1) != sign()
    assert sign().derivative() == constant(2) * delta()
    assert (delta() * error_function(3)).terms == {}


@pytest.mark.parametrize(
    "build",
    [
        lambda: (error_function(1) * error_function(2) * exponential(0, 1)).mean(),
        lambda: (error_function(1) ** 4).mean(),
        lambda: (error_function(1) * exponential(0, 1 + I)).mean(),
        lambda: delta() * delta(),
        lambda: sign() * delta(),
        lambda: delta().derivative(),
    ],
)
def test_what_has_no_closed_form_says_so(build):
    with pytest.raises(NoClosedForm):
        build()


@pytest.mark.parametrize("tilt", [-1, 0, 1])
def test_an_exponential_is_named_where_it_is_in_the_way(tilt):
    with pytest.raises(NoClosedForm) as said:
        (error_function(1) ** 4 * exponential(0, tilt)).mean()
    assert ("and an exponential" in str(said.value)) is (tilt != 0)


def test_infinite_means_are_refused_and_open_ones_conditional():
    with pytest.raises(InputError, match="grows too fast"):
        exponential(Rational(-1, 2), 0).mean()
    assert exponential(mu, 0).conditions() == ()
    t = Symbol("t", real=True)
    assert exponential(t, 0).conditions() == (1 + 2 * t,)
    with pytest.raises(InputError, match="known sign"):
        power(1).scaled(t)


def test_a_wrong_arcsine_is_noticed(monkeypatch):
    """Planted fault: half the arcsine makes the quadrature comparison fail."""
    element = error_function(1) * error_function(2)
    right = element.mean()
    monkeypatch.setattr(gaussian, "Angle", lambda c, d: c / sqrt(c**2 + d))
    monkeypatch.setattr(
        gaussian, "monomial_mean", gaussian.monomial_mean.__wrapped__
    )  # not what is remembered
    assert abs((element.mean() - right).evalf()) > 1e-3
