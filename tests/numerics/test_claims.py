"""The ledger: every verdict is the recorded one, wrong claims are refuted, kinds are not mixed."""

import json

import pytest
from sympy import Symbol, sqrt

from derive.errors import Undecided
from numerics.claims import __main__ as command_module
from numerics.claims.__main__ import main, verdict_of
from numerics.claims.ledger import CLAIMS, VERDICTS, Claim, Finding, claim, decided, is_zero

COMMAND = "numerics.claims"


@pytest.mark.parametrize("name", CLAIMS)
def test_the_recorded_verdict_is_found_again(name):
    entry = CLAIMS[name]
    found = verdict_of(entry)
    assert entry.recorded in VERDICTS
    assert (found.verdict, bool(found.evidence)) == (entry.recorded, True), found.evidence
    assert "\n" not in found.evidence


def test_there_are_forty_claims_of_every_decided_kind():
    assert len(CLAIMS) >= 40
    assert {entry.recorded for entry in CLAIMS.values()} >= set(VERDICTS) - {"undecided"}


def test_a_planted_wrong_claim_is_refuted_and_the_exit_code_says_so(monkeypatch, capsys):
    planted: dict[str, Claim] = {}
    monkeypatch.setattr("numerics.claims.ledger.CLAIMS", planted)
    monkeypatch.setattr(command_module, "CLAIMS", planted)
    x = Symbol("x", positive=True)

    @claim("planted", "nowhere", "√(1+x) = 1 + x/2", "proved")
    def _planted() -> Finding:
        return decided("proved", is_zero(sqrt(1 + x) - 1 - x / 2), "at a rational point")

    assert verdict_of(planted["planted"]).verdict == "refuted"
    assert main([]) == 1
    assert "verdicts changed: planted" in capsys.readouterr().err


def test_what_is_neither_proved_nor_refuted_is_undecided():
    def check() -> Finding:
        raise Undecided("no enclosure narrows")

    found = verdict_of(Claim("open", "", "", "undecided", check))
    assert (found.verdict, found.evidence) == ("undecided", "no enclosure narrows")


def test_the_command_prints_one_claim_in_every_format(command):
    for form in ("text", "latex", "markdown", "csv", "json"):
        done = command(COMMAND, "--claim", "relu-dip", "--format", form)
        assert (done.returncode, done.stderr) == (0, "")
        assert "refuted" in done.stdout
    (record,) = json.loads(done.stdout)
    assert (record["claim"], record["verdict"], record["recorded"]) == (
        "relu-dip",
        "refuted",
        "refuted",
    )


def test_the_latex_ledger_compiles(compiles):
    rows = [
        (e.name, e.place, e.statement, e.recorded, e.recorded, "λ₊ of μ → 1")
        for e in CLAIMS.values()
    ]
    shown = command_module._shown(rows, "latex", "source")
    assert shown.isascii()
    body = shown.replace("tabular}", "longtable}")
    compiles(
        "\\documentclass{article}\\usepackage[a4paper,margin=20mm]{geometry}"
        "\\usepackage{amsmath,array,booktabs,longtable}\\begin{document}\n"
        f"{body}\n\\end{{document}}"
    )


def test_a_second_run_gives_the_same(command):
    options = ("--claim", "cubic-delay", "--claim", "odd-singularity", "--format", "json")
    first, second = (json.loads(command(COMMAND, *options).stdout) for _ in range(2))
    assert first == second


def test_unknown_claims_are_one_line(command):
    done = command(COMMAND, "--claim", "nonsense")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
