"""Tables in every format: the forms of text, code and formulas."""

from dataclasses import replace
from math import inf
from string import ascii_letters

import pytest
from sympy import Add, Rational, Symbol

from derive.command.tabular import (
    Table,
    Typeset,
    as_markdown,
    as_text,
    decimal,
    formula,
    rounded,
    without_latex,
)

TITLE = Typeset("Title", "Title")


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("a_b & 50%", r"a\_b \& 50\%"),
        ("n^2", "n^2"),
        (Symbol("mu"), r"$\mu$"),
        (Typeset("x", r"\texttt{squared\_relu}"), "`squared_relu`"),
        (Typeset("x", r"\texttt{a}, \texttt{b\_c} or \texttt{d}"), "`a`, `b_c` or `d`"),
        (Typeset("x", r"see \texttt{a.b}, $|x|$"), r"see `a.b`, $\|x\|$"),
        (
            Typeset("x", r"$a$, \texttt{b\_c}, $d$, \texttt{e\_f}, $g$"),
            "$a$, `b_c`, $d$, `e_f`, $g$",
        ),
    ],
)
def test_cells_in_markdown(cell, shown):
    """GitHub's tables take a bar for the end of a cell unless it is escaped, formulas too."""
    last = as_markdown(Table("t", TITLE, ("head",), ((cell,),))).splitlines()[-1]
    assert last.strip("| ") == shown.strip("| ")


def test_text_of_latex_is_the_text_again():
    assert without_latex(r"\_x\% \textasciicircum{}2 \textbackslash{} \$5") == "_x% ^2 \\ $5"


@pytest.mark.parametrize(
    ("number", "latex"),
    [("0", "$0$"), ("1.5", "$1.5$"), ("-2e0", "$-2$"), ("1.5e+00", "$1.5$"), ("1e-00", "$1$"),
     ("1e1", r"$1 \times 10^{1}$"), ("-7e-01", r"$-7 \times 10^{-1}$")],
)  # fmt: skip
def test_a_power_of_ten_is_shown_unless_its_exponent_is_zero(number, latex):
    found = decimal(number)
    assert found.latex == latex
    assert float(found.plain) == float(number)


@pytest.mark.parametrize("widths", [(5, 5), (5, 6), (6, 5), (5, 12), (5, 6, 6), (7, 7, 8, 8)])
def test_a_table_that_just_fits_is_not_wrapped(widths):
    """Also where a column is as wide as its share of the line, and the rest is not."""
    row = tuple("ab " + "c" * (width - 3) for width in widths)
    table = Table("t", Typeset("T", "T"), ("h",) * len(widths), (row,))
    whole = as_text(table)
    needed = sum(widths) + 2 * (len(widths) - 1)
    assert max(map(len, whole.splitlines())) == needed
    assert as_text(replace(table, longest=needed)) == whole
    narrower = as_text(replace(table, longest=needed - 1))
    assert narrower != whole
    assert max(map(len, narrower.splitlines())) < needed


@pytest.mark.parametrize("longest", range(40, 50))
def test_a_heading_wider_than_its_column_is_allowed_for(longest):
    table = Table("t", TITLE, ("a long heading", "b"), (("x", "y " * 60),), longest=longest)
    shown = as_text(table)
    assert "a long heading" in shown
    assert max(map(len, shown.splitlines())) <= longest


@pytest.mark.parametrize("longest", range(20, 60))
def test_headings_that_are_wrapped_fit_too(longest):
    head = ("a b c d e f g h i", "k l m n o p q")
    shown = as_text(Table("t", TITLE, head, (("x", "y"),), longest=longest))
    assert max(map(len, shown.splitlines())) <= longest


@pytest.mark.parametrize("longest", range(4, 20))
def test_a_table_is_printed_however_little_room_it_has(longest):
    """All its signs are there, in columns of one at least."""
    head, row = ("abc d", "ef"), ("gh ijkl", "m")
    shown = as_text(Table("t", TITLE, head, (row,), longest=longest))
    for cell in (*head, *row):
        assert {*cell} <= {*shown}


@pytest.mark.parametrize(("terms", "whole"), [(2, True), (28, True), (29, False), (40, False)])
def test_a_numerator_of_at_most_fifty_six_signs_stays_in_its_fraction(terms, whole):
    """TeX cannot break it; one of n letters with signs between them has 2n - 1."""
    above, below = (Add(*map(Symbol, each)) for each in (ascii_letters[:terms], ascii_letters[-9:]))
    shown = formula(above / below)
    assert shown.startswith(r"\frac{1}{") != whole
    assert shown.count("+") == terms - 1 + 8


@pytest.mark.parametrize(("number", "shown"), [(inf, "∞"), (-inf, "-∞"), (-0.5, "-0.5"), (0, "0")])
def test_a_number_keeps_its_sign(number, shown):
    assert rounded(number, 3).plain == shown
    assert rounded(number, 3).latex.startswith("$-") == shown.startswith("-")


@pytest.mark.parametrize("shape", [as_text, as_markdown])
def test_a_table_has_a_line_for_each_row_whose_cells_are_as_they_are_written(shape):
    """Also those that look like numbers: no digit is cut or added."""
    rows = (("1.50", "2e-05", "0.10"), ("x", "1_000", "nan"), ("-0", "1e400", "007"))
    shown = shape(Table("t", TITLE, ("3.0", "4.00", "head"), rows)).splitlines()
    last = [line.replace("|", " ").replace("\\", "").split() for line in shown[-4 - 1 :]]
    assert last[0] == ["3.0", "4.00", "head"]
    assert set("".join(last[1])) == {"-"}
    assert [tuple(line) for line in last[2:]] == list(rows)


def test_formulas_are_left_as_they_are_in_markdown():
    """What looks like text of LaTeX inside them too."""
    cell = Typeset(
        "x", r"$\texttt{a\_b}$, \texttt{a\_b}, $x\textasciicircum{}2$ \textasciicircum{}"
    )
    last = as_markdown(Table("t", TITLE, ("head",), ((cell,),))).splitlines()[-1]
    assert last.strip("| ") == r"$\texttt{a\_b}$, `a_b`, $x\textasciicircum{}2$ ^"


@pytest.mark.parametrize("longest", range(12, 40))
def test_headings_are_wrapped_no_more_than_they_have_to(longest):
    """Two of them fit beside each other, each with two signs of room as it is printed."""
    shown = as_text(Table("t", TITLE, ("abc def", "ghi jkl"), (("x", "y"),), longest=longest))
    assert ("abc def" in shown) == (longest >= 2 * (7 + 2) + 2)


def test_broken_powers_stand_on_one_line():
    assert formula(Symbol("x") ** Rational(3, 2)) == "x^{3/2}"
