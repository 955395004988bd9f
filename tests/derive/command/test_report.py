"""One report in five formats: the same content, its origin once, nested values by one rule."""

import csv
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from derive.command.files import OutputFile, OutputFolder
from derive.command.latex import as_latex
from derive.command.parser import CommandParser
from derive.command.provenance import provenance
from derive.command.report import Report, csv_text, render, spread
from derive.command.run import run
from derive.command.tabular import Table, Typeset, as_text
from derive.errors import InputError

TITLE = Typeset("Title", "Title")
NAMES = st.text("abc", min_size=1, max_size=3)
SCALARS = st.none() | st.booleans() | st.integers() | st.text('xyz ,"\nμ#', max_size=5)


def lines_of(text):
    source, _, data = text.partition("\n")
    return source, list(csv.DictReader(data.splitlines(keepends=True)))


@given(st.lists(st.dictionaries(NAMES, SCALARS, min_size=1), min_size=1, max_size=4))
def test_csv_has_its_origin_once_and_a_row_a_record(records):
    source, rows = lines_of(csv_text(records, "how"))
    assert source == "# how"
    assert len(rows) == len(records)
    for row, record in zip(rows, records, strict=True):
        for name, value in row.items():
            expected = record.get(name)
            shown = str(expected).lower() if isinstance(expected, bool) else expected
            assert value == ("" if shown is None else str(shown))


def test_nested_values_have_flat_columns_named_by_both():
    nested = {"a": {"b": {"c": 1}, "d": [1, None, True]}, "e": 2.5}
    _, (row,) = lines_of(csv_text([nested], "how"))
    assert row == {"a_b_c": "1", "a_d": "1 None true", "e": "2.5"}


def test_a_head_stands_without_a_row():
    assert csv_text([], "how", ("a", "b")) == "# how\na,b"


@given(st.lists(st.integers(), max_size=5))
def test_spreading_keeps_every_entry_in_its_place(values):
    record = {"name": "x", "first": values, "second": [-v for v in values]}
    rows = list(spread(record, "first", "second"))
    assert [row["first"] for row in rows] == values
    assert all(row["name"] == "x" and row["second"] == -row["first"] for row in rows)


def test_lists_of_different_lengths_are_not_spread():
    with pytest.raises(ValueError, match="shorter"):
        list(spread({"a": [1], "b": []}, "a", "b"))


def test_every_record_says_how_certain_it_is_and_where_it_comes_from():
    report = Report([{"a": 1}, {"a": 2, "certainty": "certified"}], [], "heuristic")
    records = json.loads(render(report, "json", "how"))
    assert [record["certainty"] for record in records] == ["heuristic", "certified"]
    assert [record["provenance"] for record in records] == ["how", "how"]
    _, rows = lines_of(render(report, "csv", "how"))
    assert [row["certainty"] for row in rows] == ["heuristic", "certified"]
    single = json.loads(render(Report({"a": 1}, [], "exact"), "json", "how"))
    assert single == {"a": 1, "certainty": "exact", "provenance": "how"}


@pytest.mark.parametrize("rows", [[], [{"b": 2}], [{"b": 2}, {"c": 3}]])
def test_rows_of_its_own_are_the_csv_even_if_there_are_none(rows):
    report = Report([{"a": 1}], [], "exact", rows=rows)
    _, found = lines_of(render(report, "csv", "how"))
    assert len(found) == len(rows)
    assert "a" not in {name for row in found for name in row}
    assert json.loads(render(report, "json", "how"))[0]["a"] == 1


@pytest.mark.parametrize("value", [float("inf"), float("nan"), [{"deep": float("-inf")}]])
def test_json_has_no_infinity(value):
    text = render(Report([{"value": value}], [], "exact"), "json", "")
    found = json.loads(text, parse_constant=pytest.fail)[0]["value"]
    assert found is None or found == [{"deep": None}]


@pytest.mark.parametrize("form", ["text", "latex", "markdown"])
def test_tables_are_shown_with_their_origin(form):
    table = Table("t", TITLE, ("head",), (("content",),), (Typeset("a note", "a note"),))
    shown = render(Report([], [table, table], "exact"), form, "how")
    assert shown.count("content") == shown.count("Title") == 2
    assert shown.count("how") == 1


@given(
    st.lists(st.tuples(st.text("ab ", max_size=300), st.text("c ", max_size=300)), min_size=1),
    st.integers(40, 120),
)
def test_lines_of_text_are_as_short_as_asked_and_lose_no_word(rows, longest):
    table = Table("t", TITLE, ("one", "two"), tuple(rows), longest=longest)
    shown = as_text(table)
    assert max(map(len, shown.splitlines())) <= longest
    for sign in "abc":
        assert shown.count(sign) == sum(sum(map(str(sign).__eq__, cell)) for row in rows
                                        for cell in row)  # fmt: skip


def test_narrow_columns_keep_their_width():
    rows = (("narrow column", "x " * 200),)
    shown = as_text(Table("t", TITLE, ("one", "two"), rows, longest=60))
    assert "narrow column" in shown
    assert 50 < max(map(len, shown.splitlines())) <= 60


def test_on_paper_a_table_may_have_fewer_columns():
    paper = Table("t", TITLE, ("one",), (("joined",),))
    table = Table("t", TITLE, ("one", "two"), (("a", "b"),), on_paper=paper)
    assert "joined" in as_latex(table)
    assert "joined" not in as_text(table)


# Where it is written, and where it comes from.


def writing(*options):
    """The parsed options of a command that writes a figure, data and a folder."""
    parser = CommandParser("c", "C.", [], libraries=("sympy",))
    parser.add_argument("--plot", type=OutputFile(("svg",), (".csv",), ("matplotlib",)))
    parser.add_argument("--data", type=OutputFile())
    parser.add_argument("--folder", type=OutputFolder(lambda o: ["index.html", "a/b.csv"]))
    return parser, parser.parse_args(options)


@pytest.mark.parametrize(
    "options",
    [
        ("--output", "x", "--data", "x"),
        ("--output", "x", "--data", "./x"),
        ("--output", "link", "--data", "x"),
        ("--plot", "x.svg", "--output", "x.csv"),
        ("--plot", "x.svg", "--data", "x.svg"),
        ("--folder", "f", "--output", "f/index.html"),
        ("--folder", ".", "--plot", "a/b.svg"),
        ("--data", "f/../a/b.csv", "--folder", "f/.."),
    ],
)
def test_two_outputs_to_one_file_are_refused(tmp_path, monkeypatch, options):
    monkeypatch.chdir(tmp_path)
    for folder in ("a", "f"):
        (tmp_path / folder).mkdir()
    (tmp_path / "link").symlink_to("x")
    with pytest.raises(InputError, match=r"--\w+ and --\w+ both write"):
        writing(*options)
    for kept in (options[:2], options[2:]):
        writing(*kept)


def test_a_figure_is_refused_if_its_data_could_not_be_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.csv").mkdir()
    with pytest.raises(SystemExit):
        writing("--plot", "x.svg")
    with pytest.raises(SystemExit):
        writing("--plot", "x.gif")


def test_provenance_names_the_libraries_that_had_a_part(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "matplotlib" not in provenance(*writing())
    assert "matplotlib" in provenance(*writing("--plot", "x.svg"))


def test_provenance_is_what_was_given_whatever_becomes_of_the_options(capsys):
    parser = CommandParser("c", "C.", [])
    parser.add_argument("--size")

    def action(options):
        options.size = "changed"
        return Report([], [], "exact")

    assert run(parser, action, ["--size", "7"]) == 0
    assert "--size 7" in capsys.readouterr().out


def test_a_result_with_a_failure_is_shown_and_the_exit_code_is_1(capsys, tmp_path):
    report = Report([{"a": 1}], [], "exact", files={tmp_path / "f": b"x"}, failure="it differs")
    assert run(CommandParser("c", "C.", []), lambda _: report, ["--format", "csv"]) == 1
    out, err = capsys.readouterr()
    assert out.endswith("a,certainty\n1,exact\n")
    assert err == "python -m c: it differs\n"
    assert Path(tmp_path / "f").read_bytes() == b"x"


@pytest.mark.parametrize(
    ("given", "meant"),
    [("--degre", "--degree"), ("--degre=3", "--degree"), ("--formt", "--format")],
)
def test_a_misspelt_option_is_answered_by_the_one_that_was_meant(given, meant, capsys):
    parser = CommandParser("c", "C.", [])
    parser.add_argument("--degree")
    with pytest.raises(SystemExit):
        parser.parse_args([given])
    assert f"did you mean {meant}?" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        parser.parse_args(["--nothing-like-it"])
    assert "did you mean" not in capsys.readouterr().err
