"""How entries are shown: lists, cells, rest points and singularities, each with what it has."""

import re
from dataclasses import replace
from fractions import Fraction

from sympy import Integer, Rational, Symbol

from derive.pair import Pair
from derive.pair_drift import closed_drift
from derive.rest import rest_points
from derive.symbols import mu
from numerics.certified.balls import Bounds, Enclosure
from numerics.certified.singularities import find_singularities
from numerics.certified.zeros import Stretch
from numerics.claims.presentation import in_latex, plain


def test_lists_within_lists_are_told_apart():
    one, other = Integer(-1), Integer(2)
    for write in (plain, in_latex):
        flat = write((one, other, one, other))
        pairs, parts = write(((one, other), (one, other))), write({"at": (one, other)})
        assert write((((one, other), one), other)) != write(((one, (other, one)), other)) != flat
        assert pairs == "; ".join([f"({write((one, other))})"] * 2) != flat
        assert parts == f"at ({write((one, other))})"
    assert plain(((), one)) == "none; -1"


def test_an_enclosure_is_written_as_everywhere():
    for enclosure in (Enclosure("0.50000", "0"), Enclosure("0.33333", "3.34e-6")):
        assert plain(enclosure) == str(enclosure)
    assert in_latex(Enclosure("0.50000", "0")) == in_latex(Enclosure("0.5", "0"))


def test_rounded_ends_of_a_cell_are_said_to_be():
    bounds = Bounds("1", "2")
    exact, rounded = (
        plain(Stretch(Fraction(1, 4), end, False, "a > 0", bounds))
        for end in (Fraction(1, 2), Fraction(1, 3))
    )
    assert "on [0.25, 0.5] " in exact
    assert "on [0.25, about 0.333333] " in rounded


def test_rest_points_are_told_by_what_was_found():
    null, saddle, teacher = rest_points("He3")
    assert plain(teacher) == "sink on the edge m² = 1, signs -1 and -1, ρ = 1"
    low, high = re.search(r"saddle .* ρ in \[(.*), (.*)\]", plain(saddle)).groups()
    a = closed_drift(Pair("He3")).derived_a.subs(mu, Symbol("x", real=True))
    (at_low, at_high) = (a.subs(Symbol("x", real=True), Rational(end)) for end in (low, high))
    assert at_low * at_high < 0
    assert 0 < Rational(high) - Rational(low) < Rational(1, 1000)
    assert plain(null) != plain(teacher)


def test_a_singularity_tells_its_constant_if_it_has_one():
    """And where b > 0, so that a pole of τ is none, there is none."""
    pole, none = find_singularities("He3")[0], find_singularities(Pair("x", "He3 + x"))[0]
    assert (pole.diverges, none.diverges) == (True, False)
    assert f"τ diverges, C = {pole.constant.mid}" in plain(pole)
    assert plain(none).endswith("τ is 1/b")
    assert plain(replace(pole, multiplicity=3)).count("multiplicity 3") == 1
    assert "multiplicity" not in plain(pole)
