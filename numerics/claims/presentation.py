"""How the ledger is shown: one line a claim, or every step of a check.

A step's value is written by its kind: an expression as mathematics, an enclosure with its radius, a
number to six digits, a list or mapping part by part; zeros and the cells that cover (0, 1) in
words, where JSON has their fields.
"""

from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from fractions import Fraction
from functools import lru_cache
from math import inf
from pathlib import Path
from typing import Any

from sympy import Basic

from derive.command.progress import progress
from derive.command.prose import formulated, prose
from derive.command.report import Certainty, Report
from derive.command.tabular import Table, Typeset, formula
from derive.errors import InputError
from derive.leading import LeadingTerm
from derive.rest import RestPoint
from derive.singularities import SingularStrength
from numerics.certified.balls import Bounds, Enclosure, bounds
from numerics.certified.rest_points import coordinates
from numerics.certified.singularities import Singularity
from numerics.certified.zeros import Stretch
from numerics.claims.ledger import Entry, Equation, Outcome, Step, leaves, shown

HEAD = ("claim", "kind", "place", "statement", "verdict", "recorded", "evidence")
_LISTED = HEAD[:4] + HEAD[5:6]  # what needs no check
# What a recorded verdict says of its certainty, unchecked; any other rests on what its check shows.
_RECORDED: dict[str, Certainty] = {"proved": "exact", "certified": "certified"}
_STEP_HEAD = ("step", "value", "holds")
_TITLE = Typeset("The paper's claims", "The paper's claims")
_LINE = 120  # characters, where people read it in a terminal


@dataclass(frozen=True)
class Checked:
    """An entry and what its check found."""

    entry: Entry
    outcome: Outcome

    @property
    def row(self) -> tuple[str, ...]:
        """The entry in one line, under ``HEAD``."""
        e, f = self.entry, self.outcome
        return (e.name, e.kind, e.place, e.statement, f.verdict, e.recorded, f.evidence)

    @property
    def record(self) -> dict[str, object]:
        """The entry as data; ``certainty`` is that of the weakest value it was judged by."""
        judged = [step.value for step in self.outcome.details if step.holds is not None]
        kinds = {type(leaf) for leaf in leaves(judged)}
        certainty: Certainty = "certified" if kinds & {Enclosure, Bounds} else "exact"
        if float in kinds or self.outcome.verdict in ("supported", "undecided"):
            certainty = "heuristic"
        row = dict(zip(HEAD, self.row, strict=True))
        return {**row, **_words(self.entry), "certainty": certainty}


def _words(entry: Entry) -> dict[str, object]:
    """What an entry judges, in words, as data."""
    text = entry.text
    return {
        "quote": text.quote,
        "lost": text.lost,
        "settled by": text.settled_by,
        "reading": text.reading,
        "falsifier": text.falsifier,
        "units": text.units,
    }


def checked(options: Namespace) -> Report:
    """What the options of the command ask for: a list of the claims, or the ledger."""
    from numerics.claims import CLAIMS

    chosen = [CLAIMS[name] for name in options.claim or CLAIMS]
    if options.kind:
        chosen = [entry for entry in chosen if entry.kind in options.kind]
    if not chosen:
        raise InputError("no entry given by --claim is of the kind given by --kind: give one alone")
    if options.list and options.certificate:
        raise InputError("--list checks nothing, so it has no certificate: leave out one of them")
    if options.list:
        return _listed(chosen)
    entries = [Checked(entry, entry.found()) for entry in progress(chosen, "claims")]
    changed = [e.entry.name for e in entries if e.outcome.verdict != e.entry.recorded]
    failure = f"verdicts changed: {', '.join(changed)}" if changed else ""
    report = ledger(entries, options.details or bool(options.claim))
    return replace(report, failure=failure, files=_beside(entries, options))


def _beside(entries: Sequence[Checked], options: Namespace) -> dict[Path, bytes]:
    if not options.certificate:
        return {}
    from numerics.claims.certificates import certified

    outcomes = {entry.entry.name: entry.outcome for entry in entries}
    return {options.certificate: certified(outcomes, options.source)}


def _listed(chosen: Sequence[Entry]) -> Report:
    """The entries, unchecked."""
    cells = [(e.name, e.kind, e.place, e.statement, e.recorded) for e in chosen]
    shown_as = (prose, prose, prose, formulated, prose)  # a place holds no formula
    rows = tuple(
        tuple(each(cell) for each, cell in zip(shown_as, row, strict=True)) for row in cells
    )
    table = Table("claims", _TITLE, _LISTED, rows, wide=3, share="0.4", longest=_LINE)
    records = [dict(zip(_LISTED, row, strict=True)) for row in cells]
    told = [
        record | _words(entry) | {"certainty": _RECORDED.get(entry.recorded, "heuristic")}
        for record, entry in zip(records, chosen, strict=True)
    ]
    return Report(told, [table], "heuristic")


def ledger(entries: Sequence[Checked], details: bool) -> Report:
    """The ledger, with every step of its checks if ``details``.

    In CSV the rows of steps leave out the words that an entry judges: a ledger without steps has
    them, once an entry.
    """
    records = [entry.record for entry in entries]
    if not details:
        return Report(records, [_summary(entries)], "exact")
    return Report(
        [record | {"details": [_step(step) for step in entry.outcome.details]}
         for record, entry in zip(records, entries, strict=True)],
        [_summary(entries), *map(_steps, entries)],
        "exact",
        [{name: record[name] for name in (*HEAD, "certainty")}
         | {"step": step.text, "value": plain(step.value), "holds": step.holds}
         for record, entry in zip(records, entries, strict=True) for step in entry.outcome.details],
    )  # fmt: skip


def _step(step: Step) -> dict[str, object]:
    return {
        "step": step.text,
        "value": structure(step.value),
        "text": plain(step.value),
        "latex": in_latex(step.value),
        "holds": step.holds,
    }


def _told_in_a_line(each: Checked) -> Typeset:
    entry = each.entry
    text = f"{entry.statement} ({entry.place}). {each.outcome.evidence}."
    statement, place, evidence = (
        formulated(entry.statement), prose(entry.place), formulated(each.outcome.evidence)
    )  # fmt: skip
    return Typeset(text, f"{statement.latex} ({place.latex}). {evidence.latex}.")


def _summary(entries: Sequence[Checked]) -> Table:
    cells = tuple(tuple(Typeset(text, text) for text in entry.row) for entry in entries)
    on_paper = tuple(
        (prose(each.entry.name), prose(each.outcome.verdict), _told_in_a_line(each))
        for each in entries
    )  # fmt: skip
    head = ("claim", "verdict", "statement and evidence")
    paper = Table("claims", _TITLE, head, on_paper, wide=2, share="0.6", breaks=True)
    return Table("claims", _TITLE, HEAD, cells, longest=_LINE, on_paper=paper)


def _steps(entry: Checked) -> Table:
    """What one entry says and every step of its check; on paper in one column, which wraps."""
    name, verdict = entry.entry.name, entry.outcome.verdict
    title = f"{name}, {verdict}: {entry.entry.statement}"
    told = [shown(key, value) for key, value in _words(entry.entry).items() if value]
    steps = [step for step in told if step.text != "lost"] + list(entry.outcome.details)
    marks = {True: "yes", False: "no", None: ""}
    short = Typeset(f"{name}, {verdict}", formulated(f"{name}, {verdict}").latex)
    on_paper = tuple((_joined(step), marks[step.holds]) for step in steps)
    paper = Table(
        name, short, ("step and value", "holds"), on_paper, wide=0, share="0.85", breaks=True
    )
    rows = tuple(
        (Typeset(s.text, s.text), Typeset(plain(s.value, "\n"), in_latex(s.value)), marks[s.holds])
        for s in steps
    )
    return Table(name, Typeset(title, title), _STEP_HEAD, rows, longest=_LINE, on_paper=paper)


def _joined(step: Step) -> Typeset:
    text = formulated(f"{step.text}: ").latex
    return Typeset(f"{step.text}: {plain(step.value)}", f"{text}{in_latex(step.value)}")


# Values.


_SHORT = 40
_text = lru_cache(maxsize=4096)(str)  # of an expression, which is written in several places


def plain(value: object, between: str = "; ") -> str:
    """A step's value as text; long parts of a list are parted by ``between``."""
    if isinstance(value, tuple | list):
        parts = [_inner(part, in_tex=False) for part in value]
        return (between if max(map(len, parts), default=0) > _SHORT else "; ").join(parts) or "none"
    return _written(value, in_tex=False)


def in_latex(value: object) -> str:
    """A step's value as LaTeX."""
    return _written(value, in_tex=True)


def _inner(part: object, in_tex: bool) -> str:
    """A part of a value: a list in brackets, for else it would run into what stands beside it."""
    text = _written(part, in_tex)
    return f"({text})" if isinstance(part, tuple | list) and part else text


def _written(value: object, in_tex: bool) -> str:
    def write(part: object) -> str:
        return _inner(part, in_tex)

    if isinstance(value, Basic):
        return f"${formula(value)}$" if in_tex else _text(value)
    if isinstance(value, Enclosure):
        return formulated(str(value)).latex if in_tex else str(value)
    if isinstance(value, Bounds):
        return f"[{value.low}, {value.high}]"
    if isinstance(value, Equation):
        return f"{write(value.left)} = {write(value.right)}"
    if isinstance(value, _Between):
        return f"between {write(value.low)} and {write(value.high)}"
    if isinstance(value, LeadingTerm):
        return f"({write(value.coefficient)}, {write(value.exponent)})"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return write("∞") if value == inf else f"{value:.6g}"
    if isinstance(value, tuple | list):
        return "; ".join(map(write, value)) or "none"
    worded = _WORDS.get(type(value))
    told = worded(value) if worded else value
    if isinstance(told, dict) or is_dataclass(told):
        return ", ".join(f"{write(name)} {write(part)}" for name, part in _named_parts(told))
    return formulated(str(value)).latex if in_tex else str(value)


@dataclass(frozen=True)
class _Between:
    low: Basic
    high: Basic


_SYMBOLS = {"mu": "μ", "rho": "ρ", "tau": "τ", "half_tau": "½ τ"}


def _named_parts(value: Any) -> list[tuple[str, object]]:
    parts = (
        value
        if isinstance(value, dict)
        else {f.name: getattr(value, f.name) for f in fields(value)}
    )
    return [(_in_words(str(name)), part) for name, part in parts.items()]


def _in_words(name: str) -> str:
    words = _SYMBOLS.get(name, name.replace("_", " "))
    return f"{words}:" if words[-1].isdigit() else words  # n = 3: …


def _zero(zero: Singularity) -> dict[str, object]:
    told: dict[str, object] = {
        "at μ =": zero.mu,
        "b =": zero.b,
        "τ": "diverges" if zero.diverges else "is 1/b",
    }
    if zero.multiplicity > 1:
        told["multiplicity"] = zero.multiplicity
    return told if zero.constant is None else {**told, "C =": zero.constant}


def _exact_zero(zero: SingularStrength) -> dict[str, object]:
    tau = "diverges" if zero.diverges else "is 1/b"
    return {"μ": _Between(zero.low, zero.high), "τ": tau}


_EDGE = {"edge": "on the edge m² = 1", "inside": "inside"}


def _rest_point(place: RestPoint) -> dict[str, object]:
    name = f"{place.stability} {_EDGE[place.kind]}, signs {place.signs[0]} and {place.signs[1]}, ρ"
    if place.rational:
        return {f"{name} =": place.rational[0]}
    return {f"{name} in": bounds(coordinates(place.point)[0])}


def _cell(cell: Stretch) -> dict[str, object]:
    ends = f"[{_to_six_digits(cell.lower)}, {_to_six_digits(cell.upper)}]"
    return {f"on {ends} {'one zero, as ' if cell.zero else ''}{cell.reason}, in": cell.bounds}


def _to_six_digits(end: Fraction) -> str:
    text = f"{float(end):.6g}"
    return text if Fraction(text) == end else f"about {text}"


_WORDS: dict[type, Callable[[Any], object]] = {
    Singularity: _zero,
    SingularStrength: _exact_zero,
    Stretch: _cell,
    RestPoint: _rest_point,
}


def structure(value: object) -> object:
    """A step's value for JSON: nested, each expression with its text and its LaTeX."""
    if isinstance(value, Basic):
        return {"expression": _text(value), "latex": formula(value)}
    if isinstance(value, tuple | list):
        return [structure(part) for part in value]
    if isinstance(value, dict):
        return {str(name): structure(part) for name, part in value.items()}
    if is_dataclass(value):
        return {field.name: structure(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, float) and abs(value) == inf:
        return str(value)
    return value if isinstance(value, bool | int | float | None) else str(value)
