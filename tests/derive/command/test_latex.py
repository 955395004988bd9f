"""Tables that authors paste: a caption and a label, names once, numbers by their points."""

import re

import pytest
from sympy import S, asin, simplify, sqrt

from derive.command.latex import as_latex, latex_document
from derive.command.tabular import Table, Typeset, decimal
from derive.escape import escape_time
from derive.symbols import mu
from derive.tables.activations import ACTIVATION_TABLES
from derive.tables.hermite import TABLES
from derive.tables.names import function_name

TITLE = Typeset("Title", "Title")
MADE = [
    *((make, ["gelu", "He10"]) for name, make in ACTIVATION_TABLES.items() if "net" not in name),
    *((make, [2, 3, 10]) for make in TABLES.values()),
]


def body(table: Table) -> list[str]:
    """The rows, and the rules between them."""
    return as_latex(table).split("\\midrule\n", 1)[1].split("\n\\bottomrule")[0].split("\n")


@pytest.mark.parametrize(("make", "rows"), MADE)
def test_a_caption_names_the_paper_and_every_symbol_it_needs(make, rows):
    latex = as_latex(table := make(rows))
    (caption,) = re.findall(r"\\caption\{(.*)\}\n", latex)
    assert "arXiv:2602.02855" in caption
    assert f"\\label{{tab:{table.name}}}" in latex
    if table.name.endswith(("coefficients", "rescaling", "squares")):
        assert "$Q$ is the variance" in caption
    elif table.name.endswith(("drift", "limits")):
        assert "divided by" in caption
        assert r"\tau = 2/(b + \sqrt{b^2 + 4a^2})" in caption


def test_the_escape_time_that_captions_define_is_that_of_the_theory():
    a, b = -3, -2
    assert simplify(escape_time(S(a), S(b)) - 2 / (b + sqrt(b**2 + 4 * a ** S(2)))) == 0


def test_a_name_that_goes_on_is_written_once_and_keeps_its_rows_together():
    table = Table("t", TITLE, ("name", "k"), tuple((name, k) for name in "pq" for k in "123"))
    assert body(table) == [r"p & 1 \\", r" & 2 \\", r" & 3 \\", r"\addlinespace",
                           r"q & 1 \\", r" & 2 \\", r" & 3 \\"]  # fmt: skip
    long = Table("t", TITLE, ("name", "k"), tuple((f"n{i // 3}", i % 3) for i in range(60)))
    whole = as_latex(long).split("\\endfoot\n")[1].split("\n\\end{longtable}")[0].split("\n")
    lines = [line for line in whole if "addlinespace" not in line]
    assert [line.endswith("*") for line in lines[:-3]] == [i % 3 < 2 for i in range(57)]
    assert lines[-2].endswith(r"\\*")


def test_a_table_breaks_over_pages_from_forty_one_rows_on():
    for rows, breaks in ((40, False), (41, True)):
        made = as_latex(Table("t", TITLE, ("k",), tuple((str(k),) for k in range(rows))))
        assert ("longtable" in made) is breaks


@pytest.mark.parametrize(("count", "kept"), [(11, 11), (12, 12), (13, 2)])
def test_a_table_of_at_most_twelve_rows_stays_on_one_page(count, kept):
    """Its rows end in what forbids a break; of a longer one only the last two stay together."""
    rows = tuple((str(k),) for k in range(count))
    latex = as_latex(Table("t", TITLE, ("k",), rows, breaks=True))
    assert latex.split(r"\endfoot")[1].count(r"\\*") == kept


def test_rows_of_any_degree_stand_behind_a_rule():
    rows = body(TABLES["limits"]([2, 3]))
    assert rows.index(r"\midrule") == 2
    assert "2 p" in rows[3]


def test_numbers_stand_by_their_points_and_words_among_them_as_text():
    values = ("-0.25", "1e-7", "12.5", "none")
    rows = tuple((str(i), value if value == "none" else decimal(value))
                 for i, value in enumerate(values))  # fmt: skip
    latex = as_latex(Table("t", TITLE, ("i", "value"), rows))
    assert r"\begin{tabular}{@{}lD{.}{.}{2.7}@{}}" in latex
    assert r"0 & -0.25 \\" in latex
    assert r"1 & 1 \times 10^{-7} \\" in latex
    assert r"\multicolumn{1}{l}{none}" in latex
    assert latex.startswith("% needs \\usepackage{amsmath,array,booktabs,dcolumn}\n")


def test_formulas_are_set_as_in_print():
    table = Table("t", TITLE, ("f",), ((asin(mu) / (1 + mu) ** 2,),), wide=0)
    assert r"$\displaystyle \frac{\arcsin" in as_latex(table)
    assert function_name("gelu").latex == "GELU"
    assert function_name("He3").latex == r"$\mathrm{He}_{3}$"
    assert function_name("leaky_relu").latex == "leaky ReLU"
    assert function_name("sin(3*x)").latex == r"\texttt{sin(3*x)}"


def test_a_document_of_every_kind_of_table_compiles_and_no_row_sticks_out(compiles):
    """The widest of the catalogue among them: the limits of SELU, a network's rows."""
    widest = {"activation-limits": "selu", "activation-drift": "hardswish",
              "activation-network": "gelu"}  # fmt: skip
    made = [make(rows) for make, rows in MADE]
    compiles(latex_document(made + [ACTIVATION_TABLES[name]([of]) for name, of in widest.items()]))


def test_pieces_with_numbers_and_a_table_over_pages_compile(compiles):
    numbers = Table("n", TITLE, ("i", "x"), (("a", decimal("1.5")), ("a", decimal("-2.25e-9"))))
    long = Table("l", TITLE, ("name", "k"), tuple((f"n{i // 3}", i) for i in range(99)))
    packages = "amsmath,array,booktabs,dcolumn,longtable"
    compiles(
        f"\\documentclass{{article}}\\usepackage{{{packages}}}\\begin{{document}}"
        f"{as_latex(numbers)}\n\n{as_latex(long)}\n\\end{{document}}"
    )
