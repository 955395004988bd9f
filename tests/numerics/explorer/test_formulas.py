"""What the page is given, read back: formulas as JavaScript, and what is known of which pairs."""

import math
import re
from fractions import Fraction
from itertools import product
from types import SimpleNamespace

import pytest
from sympy import Piecewise, Poly, Rational, S, Symbol, erf, exp, sqrt

from derive.catalogue import CATALOGUE
from derive.grammar import NAMED_LABELS
from derive.kinds import LOSSES
from derive.symbols import mu
from numerics.explorer.formulas import (
    DEGREES,
    certified_lists,
    closed_forms,
    known_texts,
    motion,
    pair_key,
)
from numerics.explorer.javascript import NotReal, function, javascript, terms

JAVASCRIPT = {
    "Math": SimpleNamespace(pow=math.pow, sqrt=math.sqrt, exp=math.exp, PI=math.pi, log=math.log),
    "erf": math.erf,
}


def called(text, *values):
    """What a JavaScript function of one expression, with its constants, gives."""
    names, body = re.fullmatch(r"\((.*?)\) => \{ (.*); \}", text).groups()
    *shared, last = body.split("; ")
    known = JAVASCRIPT | dict(zip(names.split(", "), values, strict=True))
    for line in shared:
        name, value = line.removeprefix("const ").split(" = ")
        known[name] = eval(value, known)
    return eval(last.removeprefix("return "), known)


@pytest.mark.parametrize("p", [
    mu - mu**2, 3 * mu**3 * (1 - mu) ** 2 * (mu**2 + 2), mu**2 - mu / 3, 1 - mu, mu**4 + 1,
    (mu - 1) * (2 * mu + 5), -7 * mu,
])  # fmt: skip
def test_terms_are_those_of_the_polynomial_without_its_zeros_at_the_ends(p):
    """Each term vanishes at an end as the whole does, so that none cancels there."""
    text = terms(Poly(p, mu))
    for at in (0.1, 0.5, 0.93):
        assert sum(called(text, at)) == pytest.approx(float(p.subs(mu, at)), rel=1e-13)
    for end in (0, 1):
        whole = p.subs(mu, end) == 0
        assert not whole or all(term == 0 for term in called(text, end))
    assert len(called(text, 0.5)) <= len(Poly(p, mu).terms())


def test_terms_of_a_coefficient_in_stretches_are_those_of_each():
    text = terms(Piecewise((mu**2 - mu, mu < Rational(1, 3)), (2 * mu, mu < S.Half), (S(7), True)))
    first, second, last = re.findall(r"\((\(mu\) => \{[^}]*\})\)\(mu\)", text)
    places = re.findall(r"mu < ([\d/]+) \? ", text)
    assert [*map(Fraction, places)] == [Fraction(1, 3), Fraction(1, 2)]
    for part, value in ((first, 0.01 - 0.1), (second, 0.2), (last, 7)):
        assert sum(called(part, 0.1)) == pytest.approx(value)


def test_a_function_gives_one_value_or_a_list_and_names_what_it_shares():
    x = Symbol("x")
    parts = [sqrt(1 + x**2) * mu, exp(sqrt(1 + x**2)), erf(x)]
    assert called(function([mu, x], parts), 0.3, 2.0) == pytest.approx(
        [0.3 * 5**0.5, math.exp(5**0.5), math.erf(2)]
    )
    assert called(function([x], x / 3), 2.0) == pytest.approx(2 / 3)
    assert "const x0" in function([mu, x], parts)
    with pytest.raises(NotReal, match="real functions"):
        javascript(sqrt(-1 - x**2) * Symbol("y", real=True) + sqrt(-1))


def test_forces_are_minus_the_slopes_of_a_loss_of_the_place():
    """Of the loss of x, ½(1-ρ)² + ½s, by differences; and λ solves λ² = bλ + a² + e²."""
    made = motion()

    def loss(u, m, kappa):
        rho, s = called(made["place"], 0.4, 0.7, u, m, kappa)
        return (1 - rho) ** 2 / 2 + s / 2

    at, step = (0.3, 0.5, 0.2), 1e-6
    rho, _ = called(made["place"], 0.4, 0.7, *at)
    found = called(made["forces"], 0.4, 0.7, *at, 1 - rho, -1.0)
    for place, force in enumerate(found):
        ends = [loss(*(x + sign * step * (k == place) for k, x in enumerate(at)))
                for sign in (1, -1)]  # fmt: skip
        assert force == pytest.approx(-(ends[0] - ends[1]) / (2 * step), rel=1e-8)
    growing, falling = called(made["eigenvalues"], 0.3, -0.8, 0.4)
    assert growing > 0 > falling
    for rate in (growing, falling):
        assert rate**2 == pytest.approx(-0.8 * rate + 0.3**2 + 0.4**2)


def test_losses_are_given_of_the_teachers_own_output_up_to_degree_six():
    """Beyond, and of squares, terms cancel too much."""
    entries = dict(line.split(": {", 1) for line in closed_forms(["He6", "He7"]))
    assert set(entries) == {
        f'"{pair_key(*each)}"' for each in product(("He6", "He7"), NAMED_LABELS, LOSSES)
    }
    assert {key for key, text in entries.items() if "landscape" in text} == {
        f'"{pair_key("He6", "matched", loss)}"' for loss in LOSSES
    }
    assert all("a: " in text and "b: " in text for text in entries.values())


def test_the_page_knows_the_catalogue_and_degrees_by_the_names_of_the_grammar():
    known = known_texts()
    assert len(set(known)) == len(known) == len(CATALOGUE) + len(DEGREES)
    assert "identity" not in known
    assert {f"He{n}" for n in DEGREES} <= set(known)
    lists = certified_lists(["x", "He3"])
    assert set(lists) == {
        pair_key(text, labels, "square") for text in ("x", "He3") for labels in NAMED_LABELS
    }
    (zero,) = lists[pair_key("He3", "matched", "square")]
    assert zero["diverges"] is True
    assert len(zero["mu"].removeprefix("0.")) == 17
