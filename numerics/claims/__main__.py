"""``python -m numerics.claims``: check the paper's claims and print the ledger."""

import json
import sys
from argparse import ArgumentTypeError, Namespace
from collections.abc import Sequence

from derive.command import CommandParser, Outcome, provenance, run
from derive.errors import Undecided
from derive.tabular import Table, Typeset, as_csv, render, typeset
from numerics.claims import calculus, dynamics, labels, search_phase  # noqa: F401  # their claims
from numerics.claims.ledger import CLAIMS, Claim, Finding
from numerics.simulate import LIBRARIES


def verdict_of(entry: Claim) -> Finding:
    """Run one check; what stays open is ``undecided``, with the reason."""
    try:
        return entry.check()
    except Undecided as error:
        return Finding("undecided", str(error))


def _name(text: str) -> str:
    if text not in CLAIMS:
        raise ArgumentTypeError(f"{text[:40]!r} is no claim: choose from {', '.join(CLAIMS)}")
    return text


def _parser() -> CommandParser:
    parser = CommandParser(
        "numerics.claims",
        "Check the paper's claims: proved, certified, supported, refuted or undecided. The exit "
        "code is 1 if a verdict differs from the recorded one.",
        ("--format markdown", "--claim relu-dip --claim odd-singularity"),
    )
    parser.add_argument(
        "--claim",
        action="append",
        type=_name,
        metavar="ID",
        help="only this claim; may be repeated (default: all)",
    )
    return parser


_HEAD = ("claim", "place", "statement", "verdict", "recorded", "evidence")


def _shown(rows: Sequence[tuple[str, ...]], form: str, source: str) -> str:
    if form == "json":
        records = [dict(zip(_HEAD, row, strict=True)) | {"provenance": source} for row in rows]
        return json.dumps(records, indent=2, ensure_ascii=False)
    if form == "csv":
        return as_csv(_HEAD, rows, source)
    title = Typeset("The paper's claims", "The paper's claims")
    if form != "latex":
        cells = tuple(tuple(Typeset(text, text) for text in row) for row in rows)
        return render([Table("claims", title, _HEAD, cells)], form, source)
    lines = tuple(
        (*(_latex(text) for text in (name, verdict)), _latex(f"{statement} ({place}). {evidence}."))
        for name, place, statement, verdict, _, evidence in rows
    )
    head = ("claim", "verdict", "statement and evidence")
    return render([Table("claims", title, head, lines, wide=2, share="0.6")], form, source)


_MATHEMATICS = {
    "μ": r"\mu", "τ": r"\tau", "λ": r"\lambda", "σ": r"\sigma", "ρ": r"\rho", "ξ": r"\xi",
    "γ": r"\gamma", "ℓ": r"\ell", "∂": r"\partial", "→": r"\to", "½": r"\tfrac12",
    "√": r"\surd", "²": "^2", "₊": "_+", "ġ": r"\dot g", "g̈": r"\ddot g", "ω": r"\omega",
    "≥": r"\ge", "≤": r"\le", "·": r"\cdot",
}  # fmt: skip


def _latex(text: str) -> Typeset:
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``python -m numerics.claims`` and return its exit code."""
    parser = _parser()
    changed: list[str] = []

    def action(options: Namespace) -> Outcome:
        from tqdm import tqdm

        rows = []
        shown = sys.stderr.isatty()
        for name in tqdm(options.claim or list(CLAIMS), "claims", leave=False, disable=not shown):
            entry = CLAIMS[name]
            found = verdict_of(entry)
            if found.verdict != entry.recorded:
                changed.append(name)
            rows.append(
                (name, entry.place, entry.statement, found.verdict, entry.recorded, found.evidence)
            )
        return Outcome(_shown(rows, options.format, provenance(parser, options, LIBRARIES)))

    code = run(parser, action, arguments)
    if changed:
        print(f"{parser.prog}: verdicts changed: {', '.join(changed)}", file=sys.stderr)
    return code or int(bool(changed))


if __name__ == "__main__":
    raise SystemExit(main())
