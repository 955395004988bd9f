"""The tables say what derive says, in every format, and real LaTeX compiles them."""

import csv
import json
import re
from inspect import signature

import pytest
from sympy import Poly, S, expand, factorial, hermite, hermite_prob, parse_expr, simplify, sqrt

from derive.command.tabular import plain
from derive.conventions import CONVENTIONS
from derive.escape import escape_limit
from derive.hermite import hermite_polynomial, rescaling_coefficients
from derive.polynomial_drift import hermite_drift
from derive.symbols import Q, mu, z
from derive.tables.hermite import TABLES, factored

SYMBOLS = {"mu": mu, "Q": Q}


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("name", TABLES)
def test_mathematics_is_whole_in_every_title_and_column(name, convention):
    """Dollars and braces in pairs, and something to the left of each power."""
    build = TABLES[name]
    options = (convention,) if "convention" in signature(build).parameters else ()
    table = build((1, 2), *options)
    for cell in (table.title, *table.columns):
        text = getattr(cell, "latex", str(cell))
        assert text.count("$") % 2 == 0
        assert text.count("{") == text.count("}")
        assert not re.search(r"(\$|^)\s*[\^_]", text)


@pytest.mark.parametrize("n", range(1, 12))
def test_factored_drift_reads_back_as_the_drift(n):
    """The printed product, multiplied out again, is the polynomial it was made from."""
    drift = hermite_drift(n, normalization="n*n!")
    for polynomial in (drift.a, drift.b):
        product = parse_expr(factored(polynomial).plain, SYMBOLS)
        assert Poly(product, mu, domain="QQ") == polynomial


@pytest.mark.parametrize(
    "product",
    [mu**2 * (1 - mu) ** 3 * (mu + 2), -2 * (1 - mu) ** 2 / 3, (mu + 1) ** 2, -(mu**3), mu + 1],
)
def test_repeated_factors_are_powers(product):
    made = factored(Poly(product, mu, domain="QQ"))
    assert expand(parse_expr(made.plain, SYMBOLS) - product) == 0
    powers = [re.findall(pattern, text) for pattern, text in (
        (r"\*\*(\d)", made.plain), (r"\^\{(\d)\}", made.latex))]  # fmt: skip
    assert powers[0] == powers[1]


def test_printed_combinations_read_back_as_the_polynomials():
    """He_k in the printed sums of the rescaling and square tables stand for the polynomials."""
    names = {f"He_{k}": hermite_polynomial(k, z) for k in range(13)} | SYMBOLS
    for n, combination in TABLES["rescaling"](range(1, 7)).rows:
        value = parse_expr(combination.plain, names)
        assert expand(value - hermite_polynomial(n, z, Q)) == 0
    for n, combination in TABLES["squares"](range(1, 7)).rows:
        value = parse_expr(combination.plain, names)
        assert expand(value - hermite_polynomial(n, z) ** 2) == 0


def test_printed_coefficients_are_those_of_the_rescaling():
    for n, listing in TABLES["coefficients"](range(1, 9)).rows:
        printed = dict(part.split(" = ") for part in listing.plain.split(", "))
        weights = rescaling_coefficients(n, 1, Q)  # He_n, of variance 1, in those of variance Q
        assert len(printed) == len(weights)
        for j, weight in enumerate(weights):
            k = n - 2 * j
            times_factorial = parse_expr(printed[f"c_{k}"], SYMBOLS) / parse_expr(f"factorial({k})")
            assert expand(times_factorial - weight) == 0


def test_printed_drifts_are_those_of_the_theory_each_degree_once():
    rows = TABLES["drift"](range(1, 7)).rows
    assert [(n, plain(name)) for n, name, _ in rows] == [(n, c) for n in range(1, 7) for c in "ab"]
    for n, name, cell in rows:
        known = getattr(hermite_drift(n, normalization="n*n!"), plain(name))
        assert Poly(parse_expr(plain(cell), SYMBOLS), mu, domain="QQ") == known


def test_printed_limits_are_those_of_prop_3():
    rows = TABLES["limits"](range(1, 7)).rows
    for n, zero, one in rows[:6]:
        for cell, end, x in ((zero, 0, mu), (one, 1, 1 - mu)):
            limit = escape_limit(hermite_drift(n, normalization="n*n!"), end)
            value = parse_expr(plain(cell), SYMBOLS)
            assert simplify(value - limit.coefficient * x**limit.exponent) == 0
    general = {plain(name): cells for name, *cells in rows[6:]}
    assert list(general) == ["2*p", "2*p + 1", "n"]
    for n, *cells in rows[1:6]:  # of two and more, for every degree
        kind = "2*p + 1" if n % 2 else "2*p"
        laws = general[kind][0], general["n"][1]
        for cell, law, letter in zip(cells, laws, "pn", strict=True):
            value = parse_expr(plain(law), SYMBOLS).subs(letter, n // 2 if letter == "p" else n)
            assert simplify(value - parse_expr(plain(cell), SYMBOLS)) == 0
    assert [general["2*p"][1], general["2*p + 1"][1], general["n"][0]] == [None] * 3


def test_standalone_document_compiles(command, compiles, tmp_path):
    done = command("derive.tables", "--degree", "1:12", "--standalone", "--output", "all.tex")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    compiles((tmp_path / "all.tex").read_text(encoding="utf-8"))


# The polynomials of the conventions at variance q, as SymPy and textbooks have them.
POLYNOMIALS = {
    "he": ("He", lambda k, q: sqrt(q) ** k * hermite_prob(k, z / sqrt(q))),
    "h": ("H", lambda k, q: hermite(k, z / sqrt(2 * q))),
    "orthonormal": ("h", lambda k, q: hermite_prob(k, z / sqrt(q)) / sqrt(factorial(k))),
}


@pytest.mark.parametrize("convention", POLYNOMIALS)
def test_tables_of_every_convention_read_back_as_its_polynomials(convention):
    name, polynomial_of = POLYNOMIALS[convention]
    names = {f"{name}_{k}": polynomial_of(k, S.One) for k in range(9)} | SYMBOLS
    for table, left in (
        ("rescaling", lambda n: polynomial_of(n, Q)),
        ("squares", lambda n: polynomial_of(n, S.One) ** 2),
    ):
        for n, combination in TABLES[table](range(1, 5), convention).rows:
            assert simplify(expand(parse_expr(combination.plain, names) - left(n))) == 0
    weight = (lambda k: 1) if convention == "orthonormal" else factorial
    for n, listing in TABLES["coefficients"](range(1, 5), convention).rows:
        printed = dict(part.split(" = ") for part in listing.plain.split(", "))
        total = sum(
            parse_expr(c, SYMBOLS) / weight(int(k[2:])) * polynomial_of(int(k[2:]), Q)
            for k, c in printed.items()
        )
        assert simplify(expand(total - polynomial_of(n, S.One))) == 0


@pytest.mark.parametrize("convention", POLYNOMIALS)
def test_every_caption_names_its_convention_and_every_drift_is_the_same(convention):
    told, (name, _) = CONVENTIONS[convention], POLYNOMIALS[convention]
    for table in ("coefficients", "rescaling", "squares"):
        assert told.name in TABLES[table]([2], convention).title.plain
    for table in ("drift", "limits", "singularities"):
        found = TABLES[table]([2, 3], convention)
        assert f"{name}_n" in found.title.plain
        assert found.rows == TABLES[table]([2, 3]).rows


@pytest.mark.parametrize("name", TABLES)
def test_piece_compiles_inside_another_document(command, compiles, name):
    command("derive.tables", "--degree", "1:8", "--table", name, "--output", "piece.tex")
    packages = r"\usepackage[margin=20mm]{geometry}\usepackage{amsmath,array,booktabs,dcolumn}"
    compiles(
        rf"\documentclass{{article}}{packages}\begin{{document}}\noindent\input{{piece}}"
        r"\end{document}"
    )


def test_every_format_holds_the_same_rows(command):
    options = ("--degree", "2:4", "--table", "squares", "--format")
    (record,) = json.loads(command("derive.tables", *options, "json").stdout)
    rows = list(csv.reader(command("derive.tables", *options, "csv").stdout.splitlines()))
    assert [row[:2] for row in rows[2:]] == record["rows"]
    for form in ("text", "markdown", "latex"):
        shown = command("derive.tables", *options, form).stdout
        assert "96" in shown  # 96 He_2 in He_4²
        assert "python -m derive.tables --degree 2:4 --hermite he --table squares" in shown


def test_tables_hold_degrees_up_to_two_hundred(command):
    done = command("derive.tables", "--degree", "199,200", "--table", "squares", "--format", "json")
    assert done.returncode == 0
    assert [row[0] for row in json.loads(done.stdout)[0]["rows"]] == ["199", "200"]


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        (("--format", "csv"), "--table"),
        (("--standalone", "--format", "json"), "drop one"),
        (("--table", "nonsense"), "coefficients"),
        (("--degree", "0"), "from 1"),
        (("--degree", "3,201"), "degrees up to 200"),
        (("--degree", "3", "--activation", "erf"), "give one"),
        (("--degree", "3", "--order", "8"), "--activation"),
        (("--degree", "3", "--variance", "1"), "--activation"),
        (("--activation", "erf", "--variance", "-1"), "positive"),
        (("--activation", "erf", "--order", "201"), "0 to 200"),
        (("--hermite", "physicists"), "orthonormal"),
    ],
)
def test_bad_usage_is_one_line(command, options, hint):
    done = command("derive.tables", *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert hint in done.stderr
    assert done.stderr.count("\n") == 1
