"""How the ledger is shown: one line a claim, or every step of a check, in each format.

A step's value is written by its kind: an expression as mathematics, an enclosure with its radius, a
number to six digits, a list or mapping part by part.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from sympy import Basic

from derive.command.tabular import Table, Typeset, as_csv, formula, render, typeset
from derive.drift import LeadingTerm
from numerics.certified.balls import Bounds, Enclosure
from numerics.claims.ledger import Claim, Equation, Finding, Step

HEAD = ("claim", "place", "statement", "verdict", "recorded", "evidence")
_STEP_HEAD = ("step", "value", "holds")


@dataclass(frozen=True)
class Entry:
    """A claim and what its check found."""

    claim: Claim
    finding: Finding

    @property
    def row(self) -> tuple[str, ...]:
        """The claim in one line, under ``HEAD``."""
        c, f = self.claim, self.finding
        return (c.name, c.place, c.statement, f.verdict, c.recorded, f.evidence)


def ledger_shown(entries: Sequence[Entry], form: str, source: str, details: bool) -> str:
    """The ledger in one of the formats, with every step of its checks if ``details``."""
    if form == "json":
        return _json(entries, source, details)
    if form == "csv":
        return _csv(entries, source, details)
    tables = [_summary(entries, form)]
    if details:
        tables += [_steps(entry, form) for entry in entries]
    return render(tables, form, source)


def _json(entries: Sequence[Entry], source: str, details: bool) -> str:
    records = []
    for entry in entries:
        record: dict[str, Any] = dict(zip(HEAD, entry.row, strict=True))
        if details:
            record["details"] = [
                {"step": s.text, "value": structure(s.value), "text": plain(s.value),
                 "latex": in_latex(s.value), "holds": s.holds}
                for s in entry.finding.details
            ]  # fmt: skip
        records.append(record | {"provenance": source})
    return json.dumps(records, indent=2, ensure_ascii=False)


def _csv(entries: Sequence[Entry], source: str, details: bool) -> str:
    if not details:
        return as_csv(HEAD, [entry.row for entry in entries], source)
    rows = [
        (*entry.row, step.text, plain(step.value), step.holds)
        for entry in entries
        for step in entry.finding.details
    ]
    return as_csv((*HEAD, *_STEP_HEAD), rows, source)


def _summary(entries: Sequence[Entry], form: str) -> Table:
    title = Typeset("The paper's claims", "The paper's claims")
    if form != "latex":
        cells = tuple(tuple(Typeset(text, text) for text in entry.row) for entry in entries)
        return Table("claims", title, HEAD, cells)
    lines = tuple(
        (*(latex_of(text) for text in (name, verdict)),
         latex_of(f"{statement} ({place}). {evidence}."))
        for name, place, statement, verdict, _, evidence in (entry.row for entry in entries)
    )  # fmt: skip
    head = ("claim", "verdict", "statement and evidence")
    return Table("claims", title, head, lines, wide=2, share="0.6")


def _steps(entry: Entry, form: str) -> Table:
    """Every step of one check; in LaTeX each in one column, which wraps."""
    name, verdict = entry.claim.name, entry.finding.verdict
    title = f"{name}, {verdict}: {entry.claim.statement}"
    marks = {True: "yes", False: "no", None: ""}
    if form == "latex":
        rows: tuple[tuple, ...] = tuple(
            (_joined(step), marks[step.holds]) for step in entry.finding.details
        )
        short = Typeset(f"{name}, {verdict}", latex_of(f"{name}, {verdict}").latex)
        return Table(name, short, ("step and value", "holds"), rows, wide=0, share="0.85")
    lines = "\n" if form == "text" else "; "
    rows = tuple(
        (Typeset(s.text, s.text), Typeset(plain(s.value, lines), in_latex(s.value)), marks[s.holds])
        for s in entry.finding.details
    )
    return Table(name, Typeset(title, title), _STEP_HEAD, rows)


def _joined(step: Step) -> Typeset:
    text = latex_of(f"{step.text}: ").latex
    return Typeset(f"{step.text}: {plain(step.value)}", f"{text}{in_latex(step.value)}")


# Values.


_SHORT = 40


def plain(value: object, between: str = "; ") -> str:
    """A step's value as text; long parts of a list are parted by ``between``."""
    if isinstance(value, tuple | list):
        parts = [plain(part) for part in value]
        return (between if max(map(len, parts), default=0) > _SHORT else "; ").join(parts) or "none"
    return _written(value, in_tex=False)


def in_latex(value: object) -> str:
    """A step's value as LaTeX."""
    return _written(value, in_tex=True)


def _written(value: object, in_tex: bool) -> str:
    def write(part: object) -> str:
        return _written(part, in_tex)

    if isinstance(value, Basic):
        return f"${formula(value)}$" if in_tex else str(value)
    if isinstance(value, Enclosure):
        middle = f"{value.mid} ± {value.radius}" if value.radius != "0" else value.mid
        return latex_of(middle).latex if in_tex else middle
    if isinstance(value, Bounds):
        return f"[{value.low}, {value.high}]"
    if isinstance(value, Equation):
        return f"{write(value.left)} = {write(value.right)}"
    if isinstance(value, LeadingTerm):
        return f"({write(value.coefficient)}, {write(value.exponent)})"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, tuple | list):
        return "; ".join(map(write, value)) or "none"
    if isinstance(value, dict) or is_dataclass(value):
        return ", ".join(f"{write(name)} {write(part)}" for name, part in _named_parts(value))
    return latex_of(str(value)).latex if in_tex else str(value)


def _named_parts(value: Any) -> list[tuple[str, object]]:
    if isinstance(value, dict):
        return [(str(name).replace("_", " "), part) for name, part in value.items()]
    return [(field.name, getattr(value, field.name)) for field in fields(value)]


def structure(value: object) -> object:
    """A step's value for JSON: nested, each expression with its text and its LaTeX."""
    if isinstance(value, Basic):
        return {"expression": str(value), "latex": formula(value)}
    if isinstance(value, tuple | list):
        return [structure(part) for part in value]
    if isinstance(value, dict):
        return {str(name): structure(part) for name, part in value.items()}
    if is_dataclass(value):
        return {field.name: structure(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, float) and abs(value) == float("inf"):
        return str(value)
    return value if isinstance(value, bool | int | float | None) else str(value)


_MATHEMATICS = {
    "μ": r"\mu", "τ": r"\tau", "λ": r"\lambda", "σ": r"\sigma", "ρ": r"\rho", "ξ": r"\xi",
    "γ": r"\gamma", "φ": r"\varphi", "κ": r"\kappa", "ν": r"\nu", "ω": r"\omega", "π": r"\pi",
    "θ": r"\theta", "ℓ": r"\ell", "∂": r"\partial", "→": r"\to", "½": r"\tfrac12", "Σ": r"\Sigma",
    "√": r"\surd", "²": "^2", "³": "^3", "₊": "_+", "₋": "_-", "₀": "_0", "⋆": r"^\star",
    "ġ": r"\dot g", "g̈": r"\ddot g", "u̇": r"\dot u", "ṁ": r"\dot m", "≥": r"\ge", "≤": r"\le",
    "≠": r"\ne", "∞": r"\infty", "≈": r"\approx", "±": r"\pm", "·": r"\cdot", "ψ": r"\psi",
}  # fmt: skip


def latex_of(text: str) -> Typeset:
    """Text with mathematics in Unicode, or between dollars, as LaTeX."""
    pieces = text.split("$")
    for place in range(0, len(pieces), 2):
        written = typeset(pieces[place])
        for sign, command in _MATHEMATICS.items():
            written = written.replace(sign, f"${command}$")
        pieces[place] = written
    for place in range(1, len(pieces), 2):
        pieces[place] = f"${pieces[place]}$"
    return Typeset(text, "".join(pieces))
