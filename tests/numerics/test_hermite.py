"""The command prints what the function gives and names its convention; derive.tables knows it."""

import csv
import json
import re
import shlex

import pytest

from derive.conventions import CONVENTIONS
from numerics import hermite_expansion


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_records_and_tables_say_what_the_function_gives(command, convention):
    options = ("--activation", "tanh", "--activation", "relu(x - 1)", "--order", "3", "--variance",
               "1/2", "--hermite", convention, "--digits", "12", "--format")  # fmt: skip
    records = json.loads(command("numerics.hermite", *options, "json").stdout)
    for record, text in zip(records, ("tanh", "relu(x - 1)"), strict=True):
        how = {"variance": "1/2", "convention": convention, "digits": 12}
        found = hermite_expansion(text, 3, **how)
        assert [c["value"] for c in record["coefficients"]] == [c.mid for c in found.coefficients]
        assert (record["hermite"], record["certainty"]) == (convention, "certified")
        assert record["truncation"] == found.truncation.mid
    lines = command("numerics.hermite", *options, "csv").stdout.splitlines()
    rows = list(csv.DictReader(lines[1:]))
    assert [row["degree"] for row in rows] == ["0", "1", "2", "3"] * 2
    for form in ("text", "latex", "markdown"):
        shown = command("numerics.hermite", *options, form).stdout
        told = CONVENTIONS[convention]
        assert told.name in shown
        assert (told.series if form == "text" else told.latex) in shown
        assert re.search(r"Q = 1/2|Q = \\frac", shown)


def test_the_tables_name_commands_that_run(command):
    """What a table of closed forms has none for: the command beside it takes the same text."""
    tables = ("--activation", "tanh(x/2)", "--order", "3", "--variance", "2", "--hermite", "h")
    records = json.loads(command("derive.tables", *tables, "--format", "json").stdout)
    named = {}
    for record in records:
        for note in record["notes"]:
            _, _, module, *options = shlex.split(note.partition(": ")[2])
            named[record["table"]] = module
            assert f"no closed form: see {module}" in record["rows"][-1]
            if module != "numerics.simulate":  # whose runs take longer than a test should
                assert command(module, *options).returncode == 0
    assert named == {
        "activation-coefficients": "numerics.hermite",
        "activation-drift": "numerics.escape",
        "activation-limits": "numerics.escape",
        "activation-network": "numerics.simulate",
    }
    assert ["tanh(x/2)", "c_0", "0"] in records[0]["rows"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "--activation"),
        (("--activation", "where(x < 1, 1, 0)"), "jumps"),
        (("--activation", "exp(x**2)"), "grows too fast"),
        (("--activation", "tanh", "--variance", "0"), "positive"),
        (("--activation", "tanh", "--order", "1001"), "0 to 1000"),
        (("--activation", "tanh", "--hermite", "hermite"), "orthonormal"),
    ],
)
def test_bad_usage_is_one_line(command, options, said):
    done = command("numerics.hermite", *options)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert said in done.stderr
