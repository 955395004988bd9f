"""Laws of the Hermite calculus, against SymPy's own polynomials and by round trips."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import degrees, polynomials, variances
from sympy import Integer, Rational, Symbol, diff, exp, expand, hermite_prob, oo

from derive.errors import InputError
from derive.hermite import (
    change_variance,
    gaussian_mean,
    hermite_coefficients,
    hermite_mean,
    hermite_polynomial,
    hermite_product,
    hermite_series,
    information_exponent,
    insist_on_writable,
    product_coefficients,
    rescaling_coefficients,
)
from derive.symbols import Q, z


@pytest.mark.parametrize("n", range(13))
def test_unit_variance_is_sympys_hermite_polynomial(n):
    assert expand(hermite_polynomial(n, z) - hermite_prob(n, z)) == 0


@given(polynomials, variances)
def test_series_inverts_coefficients(p, variance):
    assert hermite_series(hermite_coefficients(p, z, variance), z, variance) == expand(p)


@given(polynomials, variances, variances)
def test_changing_the_variance_agrees_with_computing_there(p, source, target):
    carried = change_variance(hermite_coefficients(p, z, source), source, target)
    assert carried == hermite_coefficients(p, z, target)


@given(polynomials)
def test_coefficients_solve_the_heat_equation(p):
    c = [*hermite_coefficients(p, z, Q), Integer(0), Integer(0)]
    for k in range(len(c) - 2):
        assert expand(diff(c[k], Q) - c[k + 2] / 2) == 0


@given(polynomials, polynomials, variances)
def test_coefficients_of_a_product(p, q, variance):
    linearised = product_coefficients(
        hermite_coefficients(p, z, variance), hermite_coefficients(q, z, variance), variance
    )
    direct = hermite_coefficients(expand(p * q), z, variance)
    # A factor with a zero leading coefficient is written with fewer terms.
    assert linearised == direct + (0,) * (len(linearised) - len(direct))


@given(degrees, st.sets(degrees, min_size=1), variances)
def test_a_product_of_series_with_gaps_is_the_sum_of_its_products(m, kept, variance):
    one, series = [int(k == m) for k in range(9)], [int(k in kept) for k in range(9)]
    parts = [
        product_coefficients(one, [int(k == n) for k in range(9)], variance) for n in sorted(kept)
    ]
    assert product_coefficients(one, series, variance) == tuple(map(sum, zip(*parts, strict=True)))
    assert product_coefficients(series, one, variance) == product_coefficients(
        one, series, variance
    )


@pytest.mark.parametrize("n", range(1, 15))
def test_squared_labels_have_information_exponent_two(n):
    assert sorted(hermite_product(n, n))[:2] == [0, 2]
    if n <= 8:
        assert information_exponent(hermite_polynomial(n, z) ** 2, z) == 2


@pytest.mark.parametrize("n", range(1, 12))
def test_another_variance_lowers_the_information_exponent_to_at_most_two(n):
    """App. B.3: He_n has information exponent n, but at most 2 at a variance other than 1."""
    assert information_exponent(hermite_polynomial(n, z), z) == n
    scaled = hermite_polynomial(n, z).subs(z, z / 2)
    assert information_exponent(scaled, z) == (1 if n % 2 else 2)


@given(degrees, variances)
def test_mean_of_the_student(n, variance):
    assert hermite_mean(n, variance) == gaussian_mean(hermite_polynomial(n, z), z, variance)


@given(degrees)
def test_rescaling_to_the_same_variance_changes_nothing(n):
    first, *others = rescaling_coefficients(n, Q, Q)
    assert (first, set(others) | {0}) == (1, {0})


@pytest.mark.parametrize("constant", [0, 7, Rational(-2, 3), Q])
def test_a_constant_has_one_coefficient(constant):
    """c_0 = E c = c, and no other: also the zero function has the degree 0 here."""
    assert hermite_coefficients(constant, z) == (constant,)
    assert hermite_series(hermite_coefficients(constant, z), z) == constant


def test_information_exponent_of_a_constant_is_infinite():
    assert information_exponent(Integer(3), z) == oo


def test_undecided_information_exponent_is_not_zero():
    with pytest.raises(InputError, match="undecided"):
        information_exponent(Symbol("c") * z + z**2, z)
    assert information_exponent(Symbol("c", nonzero=True) * z, z) == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda: hermite_polynomial(-1, z),
        lambda: hermite_polynomial(2.0, z),
        lambda: hermite_product(3, "x"),
        lambda: gaussian_mean(exp(z), z),
        lambda: hermite_coefficients(1 / z, z, Q),
    ],
)
def test_input_outside_the_domain_is_refused_in_one_line(call):
    with pytest.raises(InputError, match="give") as refusal:
        call()
    assert "\n" not in str(refusal.value)


def test_text_is_never_evaluated_and_floats_are_never_taken():
    for bad in ("Q", "__import__('os')", 0.5, object()):
        with pytest.raises(InputError, match="give"):
            rescaling_coefficients(2, bad, 1)
        with pytest.raises(InputError, match="give"):
            gaussian_mean(bad, z)


def test_polynomials_are_written_out_up_to_degree_two_thousand():
    insist_on_writable(2000)
    with pytest.raises(
        InputError, match="He2001 is not written out: give a degree of at most 2000"
    ):
        insist_on_writable(2001)
