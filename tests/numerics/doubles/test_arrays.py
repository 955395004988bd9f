"""Functions on arrays and in machine code where exponentials in them leave doubles."""

import numpy as np
import pytest
from sympy import exp

from derive.grammar import parse_activation
from derive.piecewise import PiecewiseAnalytic
from derive.symbols import z
from numerics.doubles.arrays import between, piecewise
from numerics.doubles.compiled import compiled

PLACES = np.array([-30.0, -8.0, -3.0, -0.5, -0.01, 0.0, 0.02, 0.4, 3.0, 8.0, 30.0])


def _agree(one, other, derivatives=2):
    for _ in range(derivatives + 1):
        wanted = piecewise(other)(PLACES)
        scale = 1e-9 * max(np.abs(wanted).max(), 1.0)
        for found in (piecewise(one)(PLACES), np.array([compiled(one)(x) for x in PLACES])):
            np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=scale)
        one, other = one.derivative(), other.derivative()


@pytest.mark.parametrize("slope", [1, 1000])
@pytest.mark.parametrize(
    ("typed", "known"),
    [
        ("1/(1 + exp(-{k}*x))", "sigmoid({k}*x)"),
        ("x/(1 + exp(-{k}*x))", "x*sigmoid({k}*x)"),
        ("exp({k}*x)/(1 + exp({k}*x))", "sigmoid({k}*x)"),
        ("1/(exp({k}*x) + exp(-{k}*x))**2", "(1 - tanh({k}*x)**2)/4"),
    ],
)
def test_what_exponentials_say_is_what_tangents_say_however_steep(typed, known, slope):
    _agree(*(parse_activation(text.format(k=slope)).value for text in (typed, known)))


@pytest.mark.parametrize("text", ["log(1 + exp({k}*x))", "softplus({k}*x)"])
@pytest.mark.parametrize("slope", [1, 1000])
def test_a_softplus_is_its_argument_where_that_is_large(text, slope):
    _agree(
        parse_activation(text.format(k=slope)).value,
        parse_activation(f"{slope}*max(x, 0) + log(1 + exp(-{slope}*abs(x)))").value,
        derivatives=0,
    )


def test_whole_numbers_are_doubles_and_a_cut_belongs_to_what_follows():
    values = between([0], [np.reciprocal, np.sqrt])
    assert values([-4, -2, 0, 9]).tolist() == [-0.25, -0.5, 0, 3]
    assert values(np.zeros((2, 0))).shape == (2, 0)


def test_what_grows_beyond_doubles_stays_infinite():
    """So that whoever asks for its moments goes on in wider floats."""
    growing = piecewise(PiecewiseAnalytic((exp(60 * z),)))
    assert growing(np.array([-20.0, 0.0, 20.0])).tolist() == [np.exp(-1200), 1.0, np.inf]


@pytest.mark.parametrize(
    ("text", "place", "value"),
    [
        ("(1 + exp(100*x - 30))/(1 + exp(100*x))", 8.0, np.exp(-30)),
        ("exp(100*x + 1)/(exp(100*x) + 2)", 8.0, np.e),
        ("(1 + exp(100*x) + exp(70*x + 1))/(1 + exp(100*x))", 8.0, 1.0),
        ("tanh(x)/(1 + exp(200*x)*exp(-x**2))", 40.0, 0.0),
    ],
)
def test_exponentials_of_several_arguments_are_right_or_no_numbers(text, place, value):
    """Held within bounds each for itself they would be what they are not to one another."""
    function = parse_activation(text).value
    for found in (piecewise(function)(np.array([place]))[0], compiled(function)(place)):
        assert not np.isfinite(found) or found == pytest.approx(value, rel=1e-9, abs=1e-30)
