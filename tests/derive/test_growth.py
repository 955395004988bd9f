"""What has no finite risk is refused: the rate of growth against the Gaussian."""

import pytest
from sympy import Rational, S, cos, exp, log, oo, sin, sqrt, tanh

from derive.errors import InputError
from derive.grammar import parse_activation
from derive.growth import degree_of, rate_of
from derive.pair import Pair
from derive.softplus import Softplus
from derive.symbols import z


@pytest.mark.parametrize(
    ("expression", "rate"),
    [
        (z**9, 0),
        (exp(z**2 / 5) * z, Rational(1, 5)),
        (exp(z**2 / 5) * exp(z**2 / 7), Rational(12, 35)),
        (exp(z**2 / 5) * tanh(z) + 1, Rational(1, 5)),
        (exp(-(z**2)) + z, 0),
        ((1 + exp(z**2 / 9)) ** 3, Rational(1, 3)),
        (exp(-(z**4)), 0),
        (exp(z**3), oo),
        (exp(-(z**3)), oo),
        (exp(sqrt(1 + z**2)), 0),
        (exp(z * tanh(z)), 0),
        (exp(Softplus(z)), 0),
        (exp(z * Softplus(z)), oo),
        (exp(z**2 * tanh(z)), oo),
        (exp(5 * sin(z)), 0),
        (log(1 + exp(z**2 / 3)), 0),
    ],
    ids=str,
)
def test_rates(expression, rate):
    assert rate_of(expression) == rate


@pytest.mark.parametrize("power", [z**2 / 5, z**4])
def test_on_a_bounded_interval_nothing_grows(power):
    """Also where no bound of the exponent is found, for it stays above 0 by no interval."""
    exponent = power / (3 + sin(z) + 2 * cos(z))
    assert rate_of(exp(exponent), -S.One, S(2)) == 0
    assert rate_of(exp(exponent), S.One, oo) == rate_of(exp(exponent), -oo, S.One) == oo


@pytest.mark.parametrize("scale", [S(5), -S(5)])
def test_a_square_counts_where_an_interval_has_no_end(scale):
    for ends in ((-oo, oo), (-oo, S.One), (S.One, oo)):
        assert rate_of(exp(z**2 / scale), *ends) == 1 / scale
    assert rate_of(exp(z**2 / scale), -S.One, S.One) == 0


def test_on_one_side_an_exponential_may_fall():
    assert rate_of(exp(z**3), -oo, S.Zero) == 0
    assert rate_of(exp(z**3), S.Zero, oo) == oo


@pytest.mark.parametrize(
    ("expression", "degree"),
    [
        (z**2 * sqrt(1 + z**2), 3), (tanh(z) * z, 1), (exp(z), oo),
        (1 / (1 + z**2), 0), (1 / sqrt(1 + z**2), 0),
    ],
)  # fmt: skip
def test_degrees(expression, degree):
    assert degree_of(expression) == degree


def test_labels_without_a_finite_mean_square_are_refused():
    """E exp(0.24 z²)² is finite, that of its square is not."""
    assert Pair("exp(0.24*x**2)", "x").labels.text == "matched"
    with pytest.raises(InputError, match=r"grows too fast for a Gaussian, as exp\(12/25"):
        Pair("exp(0.24*x**2)", "x", labels="squared")
    with pytest.raises(InputError, match="grows too fast"):
        Pair("x", labels="exp(y**2/4)")
    with pytest.raises(InputError, match="grows too fast"):
        parse_activation("tanh*exp(x**2/4)")
    assert Pair("exp(0.24*x**2)", "x", labels="tanh(y)").label.smooth.has(tanh)
