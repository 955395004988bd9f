"""Logistic functions and softplus as people type them."""

import pytest
from sympy import E, N, Rational, S, cos, cosh, exp, latex, log, sin, sinh, sqrt, tanh

from derive.expression import activation_from
from derive.grammar import parse_activation
from derive.softplus import Softplus, recognised
from derive.symbols import z


@pytest.mark.parametrize(
    "written",
    [
        1 / (1 + exp(-z)),
        (2 - exp(-z) + z) / (3 + 3 * exp(-z)),
        2 / (2 + 3 * exp(z)),
        log(E + exp(z)),
        log(exp(z) / 2 + 3 * exp(-2 * z)),
        z * sin(z) / (1 + exp(z**2)),
        exp(3 * z) / (exp(z) + exp(3 * z)),
        tanh(1 / (1 + exp(-1 / (1 + exp(z))))),
        log(1 + exp(log(1 + exp(z)))),
        z / (1 + exp(z)) + log(1 + exp(-z)) / (1 + exp(cos(z))),
        log(1 + exp(2 * z)) / (1 + exp(z)),
        1 / (1 + exp(-z)) / (1 + exp(z)),
    ],
)
def test_what_is_recognised_is_the_same_function_without_its_exponentials(written):
    found = recognised(written)
    assert not found.has(exp)
    for place in (Rational(-17, 5), S.Zero, Rational(3, 7), 9):
        assert abs(N((found - written).subs(z, place), 30)) < 1e-25


@pytest.mark.parametrize(
    "kept",
    [
        1 / (exp(z) + exp(-z)),
        exp(2 * z) / (1 + exp(z)),
        exp(-z) / (1 + exp(-z)) ** 2,
        z**2,
        z / (1 + sqrt(2)),
        z / (E + exp(2)),
        exp(z) / (exp(z) + exp(z + 1)),
        log(1 + sqrt(2)) * z,
        S.One,
        1 / (1 + exp(z) + exp(2 * z)),
        1 / sqrt(1 + exp(z)),
        1 / (2 - exp(-(z**2))),
        1 / (2 - exp(-(z**2))) / sqrt(exp(z)),
        log(1 + z**2),
        1 / (1 + z * exp(z)),
        exp(z) + 1,
    ],
)
def test_where_an_exponential_would_be_left_over_nothing_changes(kept):
    assert recognised(kept) == kept
    assert recognised(kept * log(1 + exp(2 * z))) == kept * Softplus(2 * z)


@pytest.mark.parametrize(
    ("typed", "known"),
    [
        ("1/(1 + exp(-x))", "sigmoid"),
        ("exp(x)/(exp(x) + 1)", "sigmoid"),
        ("x/(1 + exp(-x))", "silu"),
        ("x/(1 + exp(-1.702*x))", "silu(1.702*x)/1.702"),
        ("log(1 + exp(x))", "softplus"),
        ("(exp(x) - exp(-x))/(exp(x) + exp(-x))", "tanh"),
        ("(1 - exp(-2*x))/(1 + exp(-2*x))", "tanh"),
        ("log(exp(x) + exp(-x))", "softplus(2*x) - x"),
        ("x*tanh(log(1 + exp(x)))", "mish"),
        ("max(1/(1 + exp(-x)), 1/2)", "max(sigmoid(x), 1/2)"),
    ],
)
def test_what_is_typed_out_is_the_function_of_that_name(typed, known):
    one, other = (parse_activation(text).value for text in (typed, known))
    assert one.breaks == other.breaks
    assert all((f - g).expand() == 0 for f, g in zip(one.pieces, other.pieces, strict=True))


def test_expressions_are_read_like_text():
    known = parse_activation("tanh").value
    assert activation_from(sinh(z) / cosh(z)).value == known
    assert activation_from(log(1 + exp(z))).value.smooth == Softplus(z)


def test_a_softplus_is_shown_as_the_logarithm_that_it_is():
    for form in (lambda y: y, lambda y: y**2, lambda y: 1 / y, lambda y: z * y + 1):
        ours, known = form(Softplus(2 * z)), form(log(1 + exp(2 * z)))
        assert (latex(ours), str(ours)) == (latex(known), str(known))
    assert N(Softplus(S.Half), 30) == N(log(1 + exp(S.Half)), 30)
