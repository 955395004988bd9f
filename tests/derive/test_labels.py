"""Labels: however they are written, a polynomial is the same labels."""

import pytest
from sympy import Max, Poly, S, Symbol, expand

from derive.errors import InputError
from derive.grammar import parse_transform
from derive.labels import MATCHED, NAMED, Labels
from derive.pair import Pair
from derive.piecewise import PiecewiseAnalytic, analytic
from derive.symbols import z

T = Symbol("t")


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("write", [str, lambda f: f, lambda f: f.expression,
                                   lambda f: Poly(f.expression.subs(z, T), T),
                                   lambda f: str(f.expression).replace("z", "y")])  # fmt: skip
def test_a_name_and_its_polynomial_are_the_same_labels(name, write):
    given = name if write is str else write(NAMED[name])
    found = Labels.of(given)
    assert found == Labels.of(name)
    assert found.text == name
    assert hash(found) == hash(Labels.of(name))


DELTA = PiecewiseAnalytic((S.Zero, S.Zero), (S.One,), (S.One,))


def test_other_labels_keep_their_text_and_are_equal_by_value():
    first, second = Labels.of("y**2 - 1"), Labels.of("-1 + y*y")
    assert (first.text, second.text) == ("y**2 - 1", "-1 + y*y")
    assert first == second
    assert Pair("relu", labels="y**2-1") == Pair("relu", labels=T**2 - 1)


@pytest.mark.parametrize(
    "given", ["3", Poly(2, z), T * Symbol("s"), "sin(x)", 0.5 * T, None, DELTA]
)
def test_what_are_no_labels_is_refused_in_one_line(given):
    with pytest.raises(InputError) as refused:
        Labels.of(given)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("given", ["2", "max(min(y, 1), 2)", "(y + 1)**2 - y**2 - 2*y"])
def test_labels_that_are_all_the_same_are_refused_however_they_are_written(given):
    with pytest.raises(InputError, match="a function of y that is not constant"):
        Labels.of(given)


def test_an_unknown_word_is_answered_by_what_labels_are():
    with pytest.raises(InputError, match="give matched, squared or a function of y"):
        Labels.of("cubed")


def test_labels_are_what_they_were_given():
    assert Labels.of(MATCHED) is MATCHED


def test_space_in_a_text_is_one_space_and_changes_no_labels():
    spaced = Labels.of("  y**2   -\t1 ")
    assert spaced.text == "y**2 - 1"
    for given in ((T - 1) * (T + 1), T**2 - 1, analytic((z - 1) * (z + 1))):
        assert Labels.of(given).text == "y**2 - 1"
        assert Labels.of(given) == spaced
    relu = parse_transform("relu(y)")
    assert parse_transform(Labels.of(Max(T, 0)).text) == Labels.of(relu).value == relu
    assert spaced == Labels.of("y**2-1")


@pytest.mark.parametrize("degree", [1, 2, 3, 7])
def test_the_degree_is_that_of_the_power(degree):
    assert Labels.of(f"y**{degree} - y/2").degree == degree
    assert Labels.of(f"y**{degree} - y/2 + 1") != Labels.of(f"y**{degree} - y/2")


@pytest.mark.parametrize("text", ["y", "y**2", "y**3 - 2*y + 1/2", "tanh(y) - y"])
def test_labels_of_an_output_are_the_function_of_it(text):
    output = analytic(z**2 - z / 3)
    expected = parse_transform(text).smooth.subs(z, output.smooth)
    assert expand(Labels.of(text).of_output(output).smooth - expected) == 0
