"""The ledger: every verdict is the recorded one and rests on its steps; kinds are not mixed."""

import ast
import copy
import inspect
import json
import os
import pickle
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import pytest
from ledger_read import degrees_told, is_shown, numbers_shown, numbers_told, steps_written
from paper import read_prints, stands_in
from sympy import Basic, Symbol, sqrt
from thorough import only
from variations import Judgement, judgements_kept, unnoticed

from derive.command.pages import mathematics
from derive.command.prose import formulated, with_formulas
from derive.command.report import Report, render
from derive.errors import Undecided
from derive.rest import rest_points
from numerics.certified.balls import Bounds, Enclosure
from numerics.claims import CLAIMS
from numerics.claims.__main__ import main
from numerics.claims.ledger import (
    CODE,
    VERDICTS,
    Entry,
    Finding,
    Outcome,
    assumption,
    claim,
    decided,
    equal,
    judged,
    leaves,
    shown,
)
from numerics.claims.presentation import Checked, in_latex, ledger, plain
from numerics.claims.signs import positive

COMMAND = "numerics.claims"
PAPER_PRINTS = read_prints()
# What a verdict must show: the kinds of values its steps hold.
EVIDENCE = {
    "proved": Basic,
    "certified": Enclosure | Bounds,
    "supported": float,
    "refuted": Basic | Enclosure | float,
    "met": Basic | Enclosure | Bounds,
    "not met": Basic | Enclosure | Bounds,
    "reproduced": Basic | Enclosure | float,
    "differs": Basic | Enclosure | float,
}
SLOW = {"network-rank", "matched-recovery"}
SECONDS = {
    "best-labels-weak", "best-rate-simulated", "biased-gelu", "common-delays", "cubic-delay",
    "erf-tuned-delay", "even-partial-recovery", "even-singularities", "first-passage-dots",
    "last-singularity-limit", "null-student", "odd-escape-ends", "overlap-grows-mildly",
    "stored-dots", "stored-exits", "strong-pre-training-delays", "tanh-gelu",
    "tuned-delay-vanishes", "two-stages-recover", "two-stages-side", "two-stages-without-flip",
    "weak-converges-first",
}  # fmt: skip
QUICK = [n for n, e in CLAIMS.items() if e.recorded in ("proved", "refuted") and n not in SLOW]
# The first of each file, which is cheaper than a later one, but of three files that are dear.
DEAR = {f"numerics.claims.{name}" for name in ("biases", "large_degree", "squared_labels")}
FIRST = {CLAIMS[name].check.__module__: name for name in [*reversed(QUICK), "relu-dip"]}
A_FILE_EACH = [name for file, name in FIRST.items() if file not in DEAR]
ALL = pytest.param(QUICK, id="all", marks=pytest.mark.thorough)
x = Symbol("x", positive=True)


@cache
def checked(name: str) -> tuple[Outcome, list[Judgement]]:
    with judgements_kept() as kept:
        return CLAIMS[name].found(), kept


def found(name: str) -> Outcome:
    return checked(name)[0]


def reported(details: bool, names: Sequence[str] = A_FILE_EACH) -> Report:
    return ledger([Checked(CLAIMS[name], found(name)) for name in names], details)


@pytest.mark.parametrize("name", only(CLAIMS.keys() - SECONDS, CLAIMS))
def test_the_recorded_verdict_is_found_again_and_rests_on_its_steps(name):
    """One test an entry; every build of the documentation finds all verdicts again too."""
    finding = found(name)
    assert (finding.verdict, bool(finding.evidence)) == (CLAIMS[name].recorded, True), finding
    assert "\n" not in finding.evidence
    if finding.verdict == "undecided":
        assert finding.details
        assert not any(step.holds for step in finding.details)
    else:
        _rests_on_steps_of_its_kind(finding)
    _can_be_shown_on_a_page(CLAIMS[name], finding)
    _shows_what_it_tells(CLAIMS[name], finding)
    _every_value_matters(checked(name)[1])
    if finding.verdict == "supported":
        _names_its_setting(finding)


def _rests_on_steps_of_its_kind(finding):
    judgements = [step for step in finding.details if step.holds is not None]
    assert judgements
    assert all(step.holds for step in judgements)
    kind = EVIDENCE[finding.verdict]
    found_kinds = {type(leaf) for leaf in leaves([step.value for step in judgements])}
    assert any(issubclass(each, kind) for each in found_kinds), judgements
    if not issubclass(float, kind):
        assert float not in found_kinds, judgements


# A letter alone is a variable, but in Fig. 2 (b), App. G or a name; a and A may be articles.
_LEFT = (
    r"_(?![a-z]{3})|[\^√±*⋆]|(?<![\w'’-])(?<!App\. )(?<!\d \()[B-Zb-z](?![\w.])"
    r"|(?<![A-Za-z])[a-z][A-Z]\b"
)


def left_as_text(texts):
    """The words with mathematics that stands outside of formulas."""
    words = [piece for text in texts for piece in with_formulas(text).split("$")[::2]]
    return [piece for piece in words if re.search(_LEFT, piece)]


def _can_be_shown_on_a_page(entry, finding):
    told = [entry.statement, finding.evidence, *(step.text for step in finding.details)]
    assert left_as_text(told) == []
    values = [in_latex(step.value) for step in finding.details]
    assert all("<math" in mathematics(value) for value in values if "$" in value)
    texts = [*map(with_formulas, told), *values]
    assert not any("<code>" in mathematics(text) for text in texts)


def _names_its_setting(finding):
    """Runs name their number, at least 100, and their seed; what is said has a confidence."""
    told = " ".join(f"{step.text} {step.value}" for step in finding.details)
    numbers = re.findall(r"'runs': (\d+)", told)
    assert numbers
    assert min(map(int, numbers)) >= 100
    assert "'seed'" in told
    assert "confidence" in told


# Steps of which it is judged how many there are, whether they are finite or 0, what they hold.
COUNTED = re.compile("|".join((
    r"E σ² of .* at variance Q", r"E z\^\(2k\) at variance Q", r"limit of u₀ √d as d → ∞.*",
    r"mean of d m₀² .*", r"c_k(\(Q\))? of .*", r"m before its length is restored",
    r"square of its length", r"ω·x, in the steps of u and in λ", r"S\(Q\) holds no coefficient .*",
    r"squared labels, He_6: zeros of a in \(0, 1\) at which b > 0",
    r"He_\d+: strengths at which τ turns.*", r"He_2 with κ held at 0: a, .*",
    r"speeds at which g̈ = 0 as g → ∞",
)))  # fmt: skip


def _every_value_matters(judgements):
    """Each, each member of a list, some field of a record: no other sign and size is taken too."""
    for step in judgements:
        assert bool(unnoticed(step)) == bool(COUNTED.fullmatch(step.text)), step.text


# Of other entries, of what the check rests on, or what its test compares with.
ELSEWHERE = {
    "correlation-hermite": {"1"}, "overlap-drift-cubic": {"0.3207"}, "two-stages-long": {"0.3207"},
    "best-rate-simulated": {"0.2", "1.5"},
}  # fmt: skip


def _shows_what_it_tells(entry, finding):
    """All numbers, all degrees of a row and no other ones; every step that is written is taken."""
    told = numbers_told(entry.statement) | numbers_told(finding.evidence)
    told -= ELSEWHERE.get(entry.name, set())
    shown_numbers = numbers_shown(finding.details)
    assert {each for each in told if not is_shown(each, shown_numbers)} == set()
    degrees = degrees_told(entry.statement)
    if len(degrees) > 1:
        words = " ".join(f"{step.text} {plain(step.value)}" for step in finding.details)
        assert degrees_told(words) - {1} <= degrees
        assert degrees - degrees_told(words) <= ({1} if re.search(r"\bx\b", words) else set())
    judged_on = [f"{s.text} {s.value}" for s in finding.details if s.holds is not None]
    assert len(set(judged_on)) == len(judged_on)  # none is judged twice
    taken = [step.text for step in finding.details]
    written = steps_written(getattr(entry.check, "func", entry.check))
    assert [text for text in written if not any(re.fullmatch(text, own) for own in taken)] == []


def test_kinds_and_verdicts_are_not_mixed():
    assert {entry.kind for entry in CLAIMS.values()} == set(VERDICTS)
    with pytest.raises(AttributeError, match="'refuted' is no verdict on: assumption"):
        assumption.refuted("", "")
    with pytest.raises(AttributeError, match="choose from met, not_met, undecided"):
        assumption.proved("", "")


def test_kinds_are_copied_like_all_objects():
    assert vars(copy.copy(assumption)) == vars(assumption)
    assert vars(copy.deepcopy(claim)) == vars(claim)


@pytest.mark.parametrize("name", CLAIMS)
def test_an_entry_says_what_it_judges(name):
    """The paper's sentence, word for word, unless it is ours; a reading; what would overturn it."""
    entry = CLAIMS[name]
    assert all((entry.text.reading, entry.text.falsifier))
    assert bool(entry.text.quote) or entry.kind in ("beyond the paper", "stored curve")
    assert entry.kind != "stored curve" or entry.text.settled_by == CODE
    assert not entry.text.quote or stands_in(entry.text.quote, PAPER_PRINTS)
    ours = (entry.statement, entry.text.reading, entry.text.falsifier, entry.text.units)
    assert not any(text.endswith(".") for text in ours)


def test_a_sentence_that_the_paper_does_not_hold_is_seen():
    quote = CLAIMS["relu-dip"].text.quote
    assert stands_in(quote, PAPER_PRINTS)
    assert not stands_in(quote.replace("slightly", "strongly"), PAPER_PRINTS)
    assert not stands_in("too short", PAPER_PRINTS)


def test_a_planted_wrong_claim_is_refuted_and_the_exit_code_says_so(monkeypatch, capsys):
    planted: dict[str, Entry] = {}
    monkeypatch.setattr("numerics.claims.ledger.CLAIMS", planted)

    @claim.proved("nowhere", "√(1+x) = 1 + x/2")
    def _planted() -> Finding:
        return Finding("at a rational point", equal("both", sqrt(1 + x), 1 + x / 2))

    assert planted["planted"].found().verdict == "refuted"
    assert main([]) == 1
    assert "verdicts changed: planted" in capsys.readouterr().err
    assert main(["--claim", "planted", "--format", "csv"]) == 1
    assert "sqrt(x + 1) = x/2 + 1,false" in capsys.readouterr().out


def test_what_is_neither_proved_nor_refuted_is_undecided():
    def check() -> Finding:
        raise Undecided("no enclosure narrows")

    open_one = Entry("claim", "open", "", "", "undecided", check).found()
    assert (open_one.verdict, open_one.evidence) == ("undecided", "no enclosure narrows")
    assert open_one.details


def test_the_verdict_follows_from_every_step():
    right, wrong = equal("same", x + x, 2 * x), judged("sign", -x, positive)
    mixed = Finding("", right, wrong)
    assert decided("proved", Finding("", right, shown("also", x))).verdict == "proved"
    assert decided("proved", mixed).verdict == decided("certified", mixed).verdict == "refuted"
    assert decided("supported", mixed).verdict == "undecided"
    assert decided("refuted", Finding("", right)).verdict == "refuted"
    assert decided("refuted", mixed).verdict == "undecided"


def test_a_step_is_its_text_its_value_and_whether_that_holds():
    one, two = (judged("sign", x, lambda v: positive(v)) for _ in range(2))
    assert one == two == pickle.loads(pickle.dumps(one))


def test_a_check_that_judges_nothing_is_an_error_unless_it_is_undecided():
    only = Finding("", shown("only", x))
    for verdict in ("proved", "refuted"):
        with pytest.raises(ValueError, match="at least one"):
            decided(verdict, only)
    assert decided("undecided", only).verdict == "undecided"


def test_one_line_a_claim_unless_steps_are_wanted():
    brief, full = (render(reported(each), "csv", "source") for each in (False, True))
    assert len(brief.splitlines()) == len(A_FILE_EACH) + 2
    assert len(full.splitlines()) == 2 + sum(len(found(name).details) for name in A_FILE_EACH)
    assert all(brief.count(f"\n{name},") == 1 for name in A_FILE_EACH)
    quote = CLAIMS["relu-dip"].text.quote[:40]
    assert (brief.count(quote), full.count(quote)) == (1, 0)


def test_the_ledger_fits_a_terminal():
    *lines, _ = render(reported(True), "text", "source").splitlines()
    assert max(map(len, lines)) <= 120


MODULES = sorted({getattr(e.check, "func", e.check).__module__ for e in CLAIMS.values()})


@pytest.mark.parametrize("module", MODULES)
def test_what_is_shown_is_what_is_judged(module):
    """No test leaves out the value that it is given, to decide on another."""
    for test in ast.walk(ast.parse(inspect.getsource(sys.modules[module]))):
        if isinstance(test, ast.Lambda) and len(test.args.args) == 1:
            used = {part.id for part in ast.walk(test.body) if isinstance(part, ast.Name)}
            assert test.args.args[0].arg in used, ast.unparse(test)


@pytest.mark.parametrize("name", ["odd-rest-points", "he2-recovers"])
def test_rest_points_of_another_kind_change_the_verdict(name, monkeypatch):
    def turned(pair):
        return tuple(replace(point, signs=(1, 1)) for point in rest_points(pair))

    monkeypatch.setattr("numerics.claims.ends.rest_points", turned)
    assert CLAIMS[name].found().verdict == "refuted"


@pytest.mark.parametrize("module", MODULES)
def test_every_sign_of_an_entry_has_its_latex(module):
    """Also of its evidence and steps, whose words stand in its check; and letters with marks."""
    parts = [*ast.walk(ast.parse(inspect.getsource(sys.modules[module])))]
    docstrings = {id(part.value) for part in parts if isinstance(part, ast.Expr)}
    texts = [
        part.value
        for part in parts
        if isinstance(part, ast.Constant)
        and isinstance(part.value, str)
        and id(part) not in docstrings
    ]
    assert texts
    written = [formulated(text).latex for text in texts]
    assert [latex for latex in written if not latex.isascii()] == []
    words = [piece for latex in written for piece in latex.replace(r"\$", "").split("$")[::2]]
    assert [piece for piece in words if set(piece) & set("<>|")] == []  # not in fonts for text


@pytest.mark.parametrize("entry", CLAIMS.values(), ids=list(CLAIMS))
def test_no_variable_index_power_or_root_of_an_entry_stays_text(entry):
    texts = [entry.statement, entry.text.reading, entry.text.falsifier, entry.text.units]
    assert left_as_text([text for text in texts if text]) == []


@pytest.mark.parametrize("names", [pytest.param(A_FILE_EACH, id="a file each"), ALL])
def test_the_latex_ledger_compiles_with_every_step(compiles, names):
    """What each entry shows is read as formulas where its verdict is found."""
    latex = render(reported(True, names), "latex", "source")
    assert latex.isascii()
    compiles(
        "\\documentclass{article}\\usepackage[a4paper,margin=20mm]{geometry}"
        "\\usepackage{amsmath,array,booktabs,longtable}\\begin{document}\n"
        f"{latex}\n\\end{{document}}"
    )


@pytest.mark.parametrize("names", [pytest.param(A_FILE_EACH[::8], id="a few files"), ALL])
def test_another_process_finds_the_same_steps(tmp_path, names):
    """Also of enclosures and of a simulation, and under another order of hashes.

    SymPy's own order of terms must not depend on that.
    """
    names = [*names, "singularities-list", "samples-at-one-ratio"]
    options = [part for name in names for part in ("--claim", name)]
    entries = [Checked(CLAIMS[name], found(name)) for name in names]
    done = subprocess.run(
        [sys.executable, "-m", COMMAND, *options, "--format", "json"],
        env={**os.environ, "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    theirs = json.loads(done.stdout)
    ours = json.loads(render(ledger(entries, details=True), "json", ""))
    assert [{**each, "provenance": ""} for each in theirs] == ours
