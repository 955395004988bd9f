"""The command of the ledger: every format, the list, and what is asked for and is not there."""

import json

import pytest

from numerics.claims import CLAIMS
from numerics.claims.__main__ import main
from numerics.claims.ledger import Entry

COMMAND = "numerics.claims"


def test_the_command_prints_the_steps_of_a_claim_in_every_format(command):
    for form in ("text", "latex", "markdown", "csv", "json"):
        done = command(COMMAND, "--claim", "relu-dip", "--format", form)
        assert (done.returncode, done.stderr) == (0, "")
        assert "refuted" in done.stdout
        of_x = "$x$" if form == "latex" else "x"
        assert f"twice that of {of_x}, which increases" in done.stdout
    (record,) = json.loads(done.stdout)
    assert (record["claim"], record["verdict"], record["recorded"]) == (
        "relu-dip",
        "refuted",
        "refuted",
    )
    assert [step["holds"] for step in record["details"]] == [None, True, True, True]
    assert record["details"][0]["value"][0]["expression"] == "-(mu - 1)/2"


def test_a_list_of_claims_checks_none(monkeypatch, capsys):
    monkeypatch.setattr(Entry, "found", lambda self: pytest.fail("it was checked"))
    assert main(["--list", "--format", "json"]) == 0
    records = json.loads(capsys.readouterr().out)
    assert [record["claim"] for record in records] == list(CLAIMS)
    claims = {r["certainty"] for r in records if r["recorded"] in ("supported", "undecided")}
    assert claims == {"heuristic"}


def test_entries_of_another_kind_are_no_empty_ledger(command):
    done = command(COMMAND, "--claim", "relu-dip", "--kind", "assumption")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "--kind" in done.stderr


def test_unknown_claims_are_one_line(command):
    done = command(COMMAND, "--claim", "nonsense")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    for wrong in ("relu-dipp", "no-claim-at-all", "x" * 10_000):
        told = command(COMMAND, "--claim", wrong).stderr
        assert (len(told) <= 301, told.count("\n"), "nearest are" in told) == (True, 1, True)
    assert "nearest are 'relu-dip'" in command(COMMAND, "--claim", "relu-dipp").stderr
