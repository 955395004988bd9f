"""How entries are shown: lists, cells, rest points and singularities, each with what it has."""

import re
from dataclasses import replace
from fractions import Fraction
from math import inf

import pytest
from sympy import Integer, Rational, Symbol

from derive.leading import LeadingTerm
from derive.pair import Pair
from derive.pair_drift import closed_drift
from derive.rest import rest_points
from derive.symbols import mu
from numerics.certified.balls import Bounds, Enclosure
from numerics.certified.singularities import find_singularities
from numerics.certified.zeros import Stretch
from numerics.claims.ledger import Entry, Equation, Outcome, Text, judged, shown
from numerics.claims.presentation import Checked, in_latex, ledger, plain, structure


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


# Entries.

TOLD = {"quote": "so […] it is", "reading": "as it is", "falsifier": "another", "units": "in 1/γ"}


def _checked(verdict, *steps, recorded="proved", **told):
    entry = Entry("claim", "so-it-is", "Sec. 1", "It is so", recorded, lambda: None, Text(**told))
    return Checked(entry, Outcome(verdict, "by steps", steps))


@pytest.mark.parametrize(
    ("verdict", "values", "certainty"),
    [
        ("proved", (Integer(1), Symbol("c")), "exact"),
        ("certified", (Integer(1), Enclosure("0.5", "0.1")), "certified"),
        ("certified", (Bounds("1", "2"),), "certified"),
        ("refuted", (Enclosure("0.5", "0.1"), 0.5), "heuristic"),
        ("supported", (Integer(1),), "heuristic"),
        ("undecided", (Integer(1),), "heuristic"),
    ],
)
def test_an_entry_is_as_sure_as_the_weakest_value_that_it_is_judged_by(verdict, values, certainty):
    """What is only shown does not count."""
    steps = [judged("one", value, lambda _: True) for value in values]
    assert _checked(verdict, *steps, shown("only", 0.25)).record["certainty"] == certainty


def test_an_entry_tells_its_words_before_its_steps_and_what_holds():
    steps = (shown("first", Integer(1)), judged("then", Integer(2), lambda _: False))
    report = ledger([_checked("refuted", *steps, **TOLD)], details=True)
    summary, table = report.tables
    assert [tuple(cell.plain for cell in row[:2]) for row in table.rows[:-2]] == [*TOLD.items()]
    assert [row[2] for row in table.rows] == [""] * 5 + ["no"]
    assert [row[0].plain for row in table.rows[-2:]] == ["first", "then"]
    assert [row[-1] for row in table.on_paper.rows] == [""] * 5 + ["no"]
    assert table.on_paper.rows[-1][0].plain == "then: 2"
    (row,) = summary.rows
    assert [cell.plain for cell in row] == ["so-it-is", "claim", "Sec. 1", "It is so", "refuted",
                                            "proved", "by steps"]  # fmt: skip
    (on_paper,) = summary.on_paper.rows
    assert on_paper[-1].plain == "It is so (Sec. 1). by steps."
    (record,) = report.records
    assert (record["lost"], record["settled by"]) == (True, "")
    assert [step["holds"] for step in record["details"]] == [None, False]
    assert [line["step"] for line in report.rows] == ["first", "then"]
    assert not {"quote", "reading"} & set(report.rows[0])
    brief = ledger([_checked("refuted", *steps, **TOLD)], details=False)
    assert (len(brief.tables), "details" in brief.records[0]) == (1, False)


# Values.


def test_values_are_told_in_words_of_their_kind():
    assert [plain(value) for value in (True, False, inf, 0.123456789, "as it is", None)] == [
        "yes", "no", "∞", "0.123457", "as it is", "None",
    ]  # fmt: skip
    assert plain(LeadingTerm(Integer(3), Integer(-2))) == "(3, -2)"
    assert plain(Equation(mu, Integer(1))) == "mu = 1"
    assert plain({"mu": 0.5, "half_tau": Integer(2), "n = 3": Integer(1), "with_start": True}) == (
        "μ 0.5, ½ τ 2, n = 3: 1, with start yes"
    )
    assert plain(Bounds("1", "2")) == "[1, 2]"
    assert in_latex(inf) == r"$\infty$"
    assert in_latex(Integer(3)) == "$3$"


@pytest.mark.parametrize(("size", "between"), [(40, "; "), (41, "\n")])
def test_long_parts_of_a_list_stand_below_each_other(size, between):
    parts = ("a" * size, "b")
    assert plain(parts, "\n") == between.join(parts)
    assert plain(parts) == "; ".join(parts)


def test_data_keep_the_structure_of_values():
    known = {"a": (mu, [0.5, inf, -inf]), 1: Enclosure("0.5", "0.1"), "b": (True, None, 3, "x")}
    assert structure(known) == {
        "a": [{"expression": "mu", "latex": r"\mu"}, [0.5, "inf", "-inf"]],
        "1": {"mid": "0.5", "radius": "0.1"},
        "b": [True, None, 3, "x"],
    }
