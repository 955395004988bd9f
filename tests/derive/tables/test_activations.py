"""The tables for any activation say what derive says, and real LaTeX compiles them."""

import csv
import json

import pytest
from sympy import Poly, Rational, latex, parse_expr, simplify

from derive.command.tabular import plain
from derive.conventions import CONVENTIONS
from derive.drift import Drift
from derive.errors import InputError
from derive.escape import escape_limit
from derive.gaussian import NoClosedForm
from derive.grammar import parse_activation
from derive.pair import Pair
from derive.pair_drift import drift_of
from derive.polynomial_drift import hermite_drift
from derive.symbols import Q, mu
from derive.tables.activations import ACTIVATION_TABLES, Asked, singularities_cells

SYMBOLS = {"mu": mu, "Q": Q}
TEXTS = ("erf", "relu", "He3", "sigmoid")


def _rows(name):
    for text, what, value in ACTIVATION_TABLES[name](TEXTS).rows:
        yield plain(text), plain(what), plain(value)


def test_printed_drift_reads_back_as_the_drift():
    for text, name, printed in _rows("activation-drift"):
        if text == "sigmoid":
            assert printed == "no closed form: see numerics.escape"
            continue
        activation = parse_activation(text)
        value = getattr(drift_of(Pair(activation, activation)), name).as_expr()
        left = parse_expr(printed, SYMBOLS) - value
        assert all(abs(left.subs(mu, Rational(k, 7)).n(30, maxn=200)) < 1e-28 for k in range(1, 8))


def test_printed_coefficients_read_back():
    for text, name, printed in _rows("activation-coefficients"):
        if text != "sigmoid":
            value = parse_activation(text).hermite_coefficient(int(name[2:]), Q)
            assert simplify(parse_expr(printed, SYMBOLS) - value) == 0


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_coefficients_of_any_order_and_variance_read_back(convention):
    asked = Asked(8, Rational(1, 2), convention)
    found = ACTIVATION_TABLES["activation-coefficients"](("gelu", "tanh"), asked)
    gelu = parse_activation("gelu")
    *rows, (_, _, rest) = found.rows[:10]
    for k, (_, label, value) in enumerate(rows):
        assert plain(label) == f"c_{k}"
        known = gelu.hermite_coefficient(k, asked.variance, convention)
        assert simplify(parse_expr(plain(value)) - known) == 0
    assert simplify(parse_expr(plain(rest)) - gelu.truncation_error(8, asked.variance)) == 0
    assert CONVENTIONS[convention].name in plain(found.title)
    assert "Q = 1/2" in plain(found.title)
    (note,) = found.notes
    assert f"--order 8 --variance 1/2 --hermite {convention}" in plain(note)


def test_printed_limits_are_those_of_the_drift():
    rows = {(text, name): printed for text, name, printed in _rows("activation-limits")}
    limit = escape_limit(hermite_drift(3, "matched", "raw"), 1)
    printed = parse_expr(rows["He3", "tau, mu -> 1"], SYMBOLS)
    assert simplify(printed - limit.coefficient * (1 - mu) ** limit.exponent) == 0
    # ReLU is linear at half the speed: 2/(1-μ)², exactly, to leading order.
    assert simplify(parse_expr(rows["relu", "tau, mu -> 1"], SYMBOLS) - 2 / (1 - mu) ** 2) == 0


def test_where_the_student_is_constant_around_0_there_is_no_power_law():
    """τ of ReLU(x - 1) grows as exp(1/2μ²); at 1 there is a law, and no command is named."""
    table = ACTIVATION_TABLES["activation-limits"](("relu(x - 1)",))
    (*_, weak), (*_, strong) = table.rows
    assert plain(weak) == "above any power of 1/μ"
    assert "(1 - mu)**2" in plain(strong)
    assert not table.notes
    with pytest.raises(NoClosedForm, match="faster than any power"):
        escape_limit(drift_of("relu(x - 1)"), 0)


@pytest.mark.parametrize("name", ACTIVATION_TABLES)
def test_a_table_of_several_is_the_tables_of_each(name):
    """In their order, one without closed forms first too."""
    texts = ("sigmoid", "x**2", "erf")
    whole = ACTIVATION_TABLES[name](texts)
    alone = [ACTIVATION_TABLES[name]((text,)) for text in texts]
    assert list(whole.rows) == [row for table in alone for row in table.rows]
    assert list(whole.notes) == [note for table in alone for note in table.notes]
    assert {table.title for table in alone} == {whole.title}


@pytest.mark.parametrize("variance", [Q, Rational(1), Rational(3, 4), Rational(12)], ids=str)
def test_the_title_says_the_variance_if_one_is_asked_for(variance):
    asked = Asked(1, variance)
    title = ACTIVATION_TABLES["activation-coefficients"](("x",), asked).title
    told = {side: "Q =" in text for side, text in (("text", title.plain), ("latex", title.latex))}
    assert told == dict.fromkeys(told, variance != Q)
    assert variance == Q or f"Q = {latex(variance)}" in title.latex


def test_no_activation_is_refused():
    with pytest.raises(InputError, match="--activation"):
        ACTIVATION_TABLES["activation-drift"](())


def test_the_command(command, compiles, tmp_path):
    options = ("--activation", "sigmoid", "--activation", "x**3/6 + gelu")
    records = json.loads(command("derive.tables", *options, "--format", "json").stdout)
    assert "--degree" not in records[0]["provenance"]
    assert [record["table"] for record in records] == list(ACTIVATION_TABLES)
    done = command("derive.tables", *options, "--format", "csv", "--table", "activation-limits")
    assert len(list(csv.reader(done.stdout.splitlines()))) == 6
    done = command("derive.tables", *options, "--table", "drift")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    command("derive.tables", *options, "--standalone", "--output", "all.tex")
    compiles((tmp_path / "all.tex").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("degree", "found"), [(200, "1/2"), (201, "see numerics.singularities")])
def test_zeros_of_higher_degrees_are_left_to_the_command_that_is_made_for_them(degree, found):
    a = Poly(2 * mu**degree - mu ** (degree - 1), mu, domain="QQ")
    ((place, _),) = singularities_cells(Drift(a, Poly(-1, mu, domain="QQ")))
    assert plain(place) == found or Rational(plain(place)) == Rational(found)


def test_a_small_zero_keeps_its_first_digits():
    """Rounded down to ten places it would be 0."""
    a = Poly((mu - Rational(1, 3 * 10**13)) * (2 * mu - 1), mu, domain="QQ")
    rows = singularities_cells(Drift(a, Poly(-1, mu, domain="QQ")))
    first, second = (Rational(plain(place)) for place, _ in rows)
    assert 0 < first < Rational(1, 3 * 10**13) < first * (1 + Rational(1, 1000))
    assert second == Rational(1, 2)


@pytest.mark.parametrize(
    ("zero", "places"), [("0.00001", 10), ("0.0000099", 20), ("1e-15", 20), ("9e-16", 40)]
)
def test_a_zero_has_ten_places_or_so_many_that_five_digits_are_left(zero, places):
    """Doubled until they are, and no further."""
    a = Poly((mu - Rational(zero)) * (2 * mu - 1), mu, domain="QQ")
    for found, _ in singularities_cells(Drift(a, Poly(-1, mu, domain="QQ"))):
        assert len(plain(found)) == len("0.") + places
