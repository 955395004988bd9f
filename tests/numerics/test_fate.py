"""The fate command: its records, what people see, bad usage."""

import csv
import json

import pytest

COMMAND = "numerics.fate"
HE3 = ("--activation", "He3", "--mu", "0.35", "--switch", "0.6,0.7", "--width", "0.06")


def test_json_holds_ends_and_how_sure_they_are(command):
    options = (*HE3, "--start", "0.1,-0.2", "--format", "json")
    (record,) = json.loads(command(COMMAND, *options).stdout)
    assert (record["student"], record["mu"], record["certainty"]) == ("He3", 0.35, "certified")
    assert (record["escape"]["end"], record["escape"]["certainty"]) == ("teacher", "exact")
    assert (record["start"]["end"], record["start"]["certainty"]) == ("teacher", "certified")
    ends = {(s["switch"], s["flip"]): s["end"] for s in record["stages"]}
    assert ends == {
        (0.6, False): "teacher", (0.6, True): "teacher",
        (0.7, False): "null student", (0.7, True): "teacher",
    }  # fmt: skip
    (border,) = record["borders"]
    assert 0.6 <= border["low"] < border["high"] <= 0.7
    assert (border["below"], border["above"]) == ("teacher", "null student")
    (line,) = record["singularities"]
    assert line["mu"] == pytest.approx(0.3207, abs=1e-4)
    kinds = [(p["where"], p["stability"]) for p in record["rest_points"]]
    assert kinds == [("search", "saddle"), ("edge", "sink"), ("edge", "saddle"), ("edge", "sink")]


def test_people_and_csv_see_the_same(command):
    options = (*HE3[:2], "--mu", "0.3,0.35", "--switch", "0.9", "--width", "1")
    rows = list(csv.DictReader(command(COMMAND, *options, "--format", "csv")
                               .stdout.splitlines()[1:]))  # fmt: skip
    assert [row["end"] for row in rows] == [
        "null student", "null student", "teacher", "teacher", "null student", "teacher",
    ]  # fmt: skip
    for form in ("text", "latex", "markdown"):
        shown = command(COMMAND, *options, "--format", form).stdout
        assert shown.count("null student") == 3
        assert "at every mu" in shown


def test_without_a_first_stage_there_is_the_escape_alone(command):
    done = command(COMMAND, "--degree", "2,3", "--mu", "0.5", "--first", "none", "--format", "json")
    records = json.loads(done.stdout)
    assert [r["escape"]["end"] for r in records] == ["teacher", "teacher"]
    assert [r["stages"] for r in records] == [[], []]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--activation", "relu"), "give polynomials"),
        (("--teacher", "He3", "--student", "He2"), "along a curve"),
        (("--activation", "He3", "--switch", "0.5,0.3"), "increasing order"),
        (("--activation", "He3", "--switch", "1"), "give overlaps"),
        (("--activation", "He3", "--start", "0.1,1.5"), "|M| < 1"),
        (("--activation", "He3", "--first", "import os"), "not accepted"),
    ],
)
def test_bad_usage_is_one_line(command, options, message):
    done = command(COMMAND, *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
