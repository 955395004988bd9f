"""One schema of records over all commands: the same words, certainty and origin everywhere."""

import csv
import json
from importlib.util import find_spec

import pytest
from invoke import invoke
from numbers_read import cells, strange_numbers

from derive.__main__ import main as of_derive
from derive.command.report import render
from numerics.__main__ import main as of_numerics

GROUPS = {"derive": of_derive, "numerics": of_numerics}
CERTAINTIES = {"exact", "certified", "heuristic"}
PAIR = ("teacher", "student", "labels", "loss", "misalignment")
OF_PAIRS = {
    "numerics.singularities": ("--degree", "2:3", "--activation", "relu", "--digits", "5"),
    "numerics.escape": ("--teacher", "He2", "--student", "x**2", "--labels", "y**2", "--mu", "0.5"),
    "numerics.exit": ("--teacher", "He2", "--student", "x**2", "--labels", "y**2", "--mu", "0.5"),
    "numerics.fate": ("--activation", "x", "--mu", "0.5", "--first", "none"),
    "numerics.flow": ("--activation", "x", "--mu", "0.5", "--points", "2"),
    "numerics.labels": ("--activation", "He2", "--mu", "0.5", "--polynomial", "1"),
    "numerics.budget": ("--teacher", "He2", "--student", "x**2", "--labels", "y**2", "--mu",
                        "0.5,0.6", "--samples", "1e4"),
    "numerics.simulate": ("--activation", "x", "--mu", "0.5", "--replicas", "2", "--horizon", "9",
                          "--points", "2", "--workers", "1"),
}  # fmt: skip
OTHERS = {
    "derive.tables": ("--degree", "2", "--table", "drift"),
    "numerics.hermite": ("--activation", "tanh", "--order", "1", "--digits", "5"),
    "numerics.kernel": ("--activation", "tanh", "--rho", "0,1", "--digits", "5"),
    "numerics.mean": ("--activation", "tanh", "--center", "1", "--digits", "5"),
    "numerics.claims": ("--claim", "odd-singularity"),
    "numerics.claims --list": (),
    "numerics.figures": ("--figure", "8", "--quick", "--as", "svg"),
    "numerics.figures --list": (),
    "numerics.reproduce": ("--quick", "--step", "hermite"),
}
if find_spec("peft"):
    OTHERS["transfer status"] = ("demo",)
EVERY = OF_PAIRS | OTHERS
PAGES = {"numerics.report", "numerics.explorer"}  # one file each, tested beside what is on it


def test_every_command_of_the_mathematics_is_held_to_the_schema():
    members = {f"{package}.{name}" for package, group in GROUPS.items() for name in group.members}
    assert members == {name.partition(" ")[0] for name in EVERY} - {"transfer"} | PAGES


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """What a command prints in a format, found once."""
    folder, kept = tmp_path_factory.mktemp("records"), {}

    def show(name, form):
        if (name, form) not in kept:
            done = invoke(*name.split(), *EVERY[name], "--format", form, folder=folder)
            assert (done.returncode, done.stderr) == (0, ""), name
            kept[name, form] = done.stdout
        return kept[name, form]

    return show


def records(shown, name):
    return json.loads(shown(name, "json"))


def table(shown, name):
    origin, _, data = shown(name, "csv").partition("\n")
    return origin, list(csv.DictReader(data.splitlines(keepends=True)))


@pytest.mark.parametrize("name", EVERY)
def test_every_record_says_its_certainty_and_its_origin(name, shown):
    found = records(shown, name)
    assert found
    for record in found:
        assert record["certainty"] in CERTAINTIES
        command, _, libraries = record["provenance"].partition(" | lora-escape ")
        assert command.startswith(f"python -m {name.partition(' --')[0]}")
        assert "sympy" in libraries or name.startswith("transfer")
        assert "activation" not in record


@pytest.mark.parametrize("name", EVERY)
def test_csv_tells_the_origin_once_and_the_same_certainty(name, shown):
    origin, rows = table(shown, name)
    assert origin.removeprefix("# ") == records(shown, name)[0]["provenance"]
    assert shown(name, "csv").count("| lora-escape") == 1
    assert {row["certainty"] for row in rows} == {r["certainty"] for r in records(shown, name)}


@pytest.mark.parametrize("name", OF_PAIRS)
def test_what_is_learnt_is_told_in_the_same_words(name, shown):
    found = records(shown, name)
    _, rows = table(shown, name)
    for record in found:
        names = [each for each in record if each != "degree"]
        assert tuple(names[:5]) == PAIR
    told = [tuple(row[each] for each in PAIR) for row in rows]
    pairs = [tuple(record[each] for each in PAIR) for record in found]
    assert list(dict.fromkeys(told)) == list(dict.fromkeys(pairs))  # paths have many records


def test_a_field_is_of_one_kind_wherever_it_stands(shown):
    """Lists and nothing apart, a field that commands share is written in the same way by all."""
    kinds = {}
    for name in EVERY:
        for record in records(shown, name):
            for field, value in record.items():
                if isinstance(value, str | int | float):
                    kinds.setdefault(field, set()).add(type(value))
    assert {field: found for field, found in kinds.items() if len(found) > 1} == {}


@pytest.mark.parametrize("name", ["numerics.claims", "numerics.figures", "numerics.singularities"])
def test_certified_results_name_the_balls_they_rest_on(name, shown):
    assert "python-flint" in records(shown, name)[0]["provenance"]


@pytest.mark.parametrize("name", ["singularities", "escape", "hermite", "kernel", "mean"])
def test_certified_numbers_tell_what_they_took_in_the_same_words(name, shown):
    took = [record["took"] for record in records(shown, f"numerics.{name}")]
    assert any(each["evaluations"] for each in took)
    for each in took:  # that He_2 has no zero is read off its coefficients
        assert list(each) == ["bits", "cells", "evaluations"]
        assert (each["bits"] >= 53) == (each["evaluations"] > 0)
    _, rows = table(shown, f"numerics.{name}")
    assert {"took_bits", "took_cells", "took_evaluations"} <= set(rows[0])


@pytest.mark.parametrize("form", ["text", "markdown", "latex"])
@pytest.mark.parametrize("name", EVERY)
def test_people_read_the_origin_once(name, form, shown):
    assert shown(name, form).count("| lora-escape ") == 1


# With options for which more tables are shown: how many numbers people read there, at least.
TABLES = {
    "numerics.singularities": (5, "--degree", "4,5", "--activation", "x**3-x/2"),
    "numerics.escape": (60, "--degree", "3,5", "--mu", "0.1:0.9:5"),
    "numerics.exit": (40, "--activation", "x", "--mu", "0.5", "--dimension", "200", "--batch", "8",
                      "--learning-rate", "8/d", "--samples", "1e3", "--simulate", "--replicas",
                      "10", "--workers", "1"),
    "numerics.fate": (30, "--activation", "He3", "--mu", "0.35", "--switch", "0.6", "--width",
                      "1", "--start", "0.1,-0.2"),
    "numerics.flow": (50, "--activation", "x", "--mu", "0.5", "--misalignment", "linear"),
    "numerics.labels": (40, "--activation", "erf", "--mu", "0.3,0.6", "--polynomial", "3"),
    "numerics.budget": (40, "--activation", "x", "--mu", "0.3:0.9:4", "--samples", "1e4",
                        "--batch", "4", "--simulate", "--replicas", "9", "--workers", "1"),
    "numerics.simulate": (30, "--activation", "x", "--mu", "0.1", "--replicas", "9", "--dimension",
                          "100,200,400", "--points", "0", "--workers", "1"),
    "numerics.kernel": (9, "--activation", "tanh", "--rho", "0:1:5", "--digits", "5"),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_every_number_in_a_table_is_one_of_the_records(name):
    least, *given = TABLES[name]
    command = of_numerics.member(name.partition(".")[2])
    options = command.parser().parse_args(given)
    options.source = "made by me"
    report = command.action(options)
    text, data = (render(report, form, options.source) for form in ("text", "json"))
    assert len(list(cells(text))) >= least
    assert strange_numbers(text, json.loads(data)) == []


def test_a_number_that_is_none_of_the_records_is_seen():
    """Off by more than half a unit, or a truth; what has a radius may be off by a unit."""
    records = [{"a": 0.41, "b": True, "c": 6.2, "d": 12, "e": 77911.8}]
    strange = "0.5  7  1e+06  1  13  77911"
    assert strange_numbers(strange, records) == strange.split()
    assert strange_numbers("0.4  6.2  12  77912", records) == []
    enclosed = [{"b": "0.58", "b_radius": 1e-3}]
    assert strange_numbers("0.7  0.6  0.5", enclosed) == ["0.7"]
