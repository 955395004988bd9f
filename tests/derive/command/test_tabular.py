"""Tables in every format: the forms of text, code and formulas."""

import pytest
from sympy import Symbol

from derive.command.tabular import Table, Typeset, as_markdown, without_latex

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
    ],
)
def test_cells_in_markdown(cell, shown):
    """GitHub's tables take a bar for the end of a cell unless it is escaped, formulas too."""
    last = as_markdown(Table("t", TITLE, ("head",), ((cell,),))).splitlines()[-1]
    assert last.strip("| ") == shown.strip("| ")


def test_text_of_latex_is_the_text_again():
    assert without_latex(r"\_x\% \textasciicircum{}2 \textbackslash{} \$5") == "_x% ^2 \\ $5"
