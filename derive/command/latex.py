"""Tables as LaTeX that an author can paste: a float with caption and label, or a whole document.

Rules are those of booktabs, numbers stand below one another by their points (dcolumn), fractions
are displayed. A name that goes on over several rows is written once, and its rows stay together.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from derive.command.tabular import Table, typeset

_PACKAGES = "amsmath,array,booktabs"
_LONGEST_FLOAT = 40  # rows on one page, with room for a caption
_KEPT_WHOLE = 12  # rows that stay on one page
_LONGEST_DISPLAYED = 400  # a longer formula needs the smaller fractions of running text
_ROOM = r"\renewcommand{\arraystretch}{1.25}"
_ABOVE_FRACTIONS, _BELOW_FRACTIONS = r"\rule{0pt}{3.5ex}", "[1.2ex]"
_WRAPPED = r">{{\raggedright\arraybackslash\lineskip=4pt\lineskiplimit=3pt}}p{{{share}\linewidth}}"
_NUMBER = re.compile(
    r"\$?(?P<whole>-?\d+)(?:\.(?P<part>\d+))?"
    r"(?: \\times 10\^\{(?P<power>-?\d+)\}|e(?P<exponent>[+-]\d+))?\$?"
)


def as_latex(table: Table) -> str:
    """The table as a piece to be ``\\input`` or pasted, with its packages in a comment above it.

    A float, but for a table that breaks over pages.
    """
    layout = _Layout.of(table)
    if layout.breaks:
        return "\n".join([f"% {layout.needs}", r"\begingroup" + _ROOM, *_longtable(layout)]) + (
            "\n\\endgroup"
        )
    return "\n".join(
        [
            f"% {layout.needs}",
            r"\begin{table}[tbp]",
            r"\centering",
            *_caption(layout.table),
            _ROOM,
            rf"\begin{{tabular}}{{{layout.columns}}}",
            r"\toprule",
            layout.head,
            r"\midrule",
            *(line.replace(r"\\*", r"\\") for line in layout.body),  # a float does not break
            r"\bottomrule",
            r"\end{tabular}",
            *_notes(layout.table),
            r"\end{table}",
        ]
    )


def latex_document(tables: Sequence[Table]) -> str:
    """A complete LaTeX document: the tables under their captions, over pages if need be."""
    layouts = [_Layout.of(table) for table in tables]
    return "\n".join(
        [
            r"\documentclass{article}",
            r"\usepackage[a4paper,margin=20mm]{geometry}",
            rf"\usepackage{{{_PACKAGES},dcolumn,longtable}}",
            r"\setlength{\parindent}{0pt}",
            r"\setlength{\LTcapwidth}{0.9\linewidth}",
            r"\begin{document}",
            _ROOM,
            *("\n".join(_longtable(layout)) for layout in layouts),
            r"\end{document}",
        ]
    )


@dataclass(frozen=True)
class _Layout:
    """A table as it is typeset: which columns hold numbers, its rows as lines, grouped."""

    table: Table
    columns: str
    head: str
    body: list[str]
    breaks: bool

    @classmethod
    def of(cls, table: Table) -> "_Layout":
        table = table.on_paper or table
        cells = [[_displayed(typeset(cell)) for cell in row] for row in table.rows]
        numbers = {
            place: spread
            for place, column in enumerate(zip(*cells, strict=True))
            if place != table.wide and (spread := _spread(column))
        }
        columns = "".join(
            _WRAPPED.format(share=table.share) if place == table.wide else numbers.get(place, "l")
            for place in range(len(table.columns))
        )
        head = _line(map(typeset, table.columns), numbers, "c")
        body = _grouped(cells, numbers, table.rules)
        breaks = table.breaks or len(cells) > _LONGEST_FLOAT
        return cls(table, f"@{{}}{columns}@{{}}", head, body, breaks)

    @property
    def needs(self) -> str:
        """The packages, as a comment says them."""
        extra = ",dcolumn" * ("D{" in self.columns) + ",longtable" * self.breaks
        return rf"needs \usepackage{{{_PACKAGES}{extra}}}"


def _displayed(cell: str) -> str:
    """A cell with its fractions as large as in a displayed formula, unless it is long."""
    if len(cell) > _LONGEST_DISPLAYED:
        return cell
    pieces = cell.split("$")
    pieces[1::2] = [rf"\displaystyle {p}" if r"\frac" in p else p for p in pieces[1::2]]
    return "$".join(pieces)


def _spread(column: Sequence[str]) -> str:
    """The column type that aligns decimal numbers, or none if there are not two of them."""
    found = [match for cell in column if (match := _NUMBER.fullmatch(cell))]
    if sum(match["part"] is not None for match in found) < 2:
        return ""
    left = max(len(match["whole"]) for match in found)
    # A power takes about the room of its digits and of five more.
    right = max(
        len(match["part"] or "") + (5 + len(power) if (power := _power(match)) else 0)
        for match in found
    )
    return rf"D{{.}}{{.}}{{{left}.{right}}}"


def _power(match: re.Match[str]) -> str:
    exponent = int(match["power"] or match["exponent"] or 0)
    return str(exponent) if exponent else ""


def _grouped(rows: list[list[str]], numbers: dict[int, str], rules: tuple[int, ...]) -> list[str]:
    """Rows as lines: a name once for all its rows, which no page break parts."""
    starts = [i for i, row in enumerate(rows) if not i or row[0] != rows[i - 1][0] or not row[0]]
    apart = 3 * len(starts) <= 2 * len(rows)  # most names go on over several rows
    lines: list[str] = []
    for i, row in enumerate(rows):
        if i in rules:
            lines.append(r"\midrule")
        elif i in starts and apart and i:
            lines.append(r"\addlinespace")
        last_two = i == len(rows) - 2  # no row is left alone on a page
        kept = last_two or _is_kept(rows, i + 1 not in starts)
        lines.append(_line(row if i in starts else ["", *row[1:]], numbers, "l") + "*" * kept)
        if any(r"\displaystyle" in cell for cell in row):
            lines[-1] = f"{_ABOVE_FRACTIONS}{lines[-1]}{_BELOW_FRACTIONS}"
    return lines


def _is_kept(rows: list[list[str]], goes_on: bool) -> bool:
    """Whether no page break may follow a row: its name goes on, or the table is small."""
    tall = any(len(cell) > _LONGEST_DISPLAYED for row in rows for cell in row)
    return not tall and (goes_on or len(rows) <= _KEPT_WHOLE)


def _line(cells: Iterable[str], numbers: dict[int, str], aligned: str) -> str:
    """A row; in a column of numbers, what is none is set as text."""
    return " & ".join(_cell(cell, i in numbers, aligned) for i, cell in enumerate(cells)) + r" \\"


def _cell(cell: str, of_numbers: bool, aligned: str) -> str:
    if not of_numbers or not cell:
        return cell
    match = _NUMBER.fullmatch(cell)
    if not match:
        return rf"\multicolumn{{1}}{{{aligned}}}{{{cell}}}"
    number = match["whole"] + (f".{match['part']}" if match["part"] else "")
    power = _power(match)
    return rf"{number} \times 10^{{{power}}}" if power else number


def _caption(table: Table) -> list[str]:
    """Caption and label; a dot ends the title where sentences follow."""
    title = f"{table.title.latex}. {table.explained}" if table.explained else table.title.latex
    return [rf"\caption{{{title}}}", rf"\label{{tab:{table.name}}}"]


def _notes(table: Table) -> list[str]:
    return [
        rf"\par\smallskip{{\footnotesize\raggedright {note.latex}\par}}" for note in table.notes
    ]


def _longtable(layout: _Layout) -> list[str]:
    rules = [r"\toprule", layout.head, r"\midrule"]
    caption, label = _caption(layout.table)
    return [
        rf"\begin{{longtable}}{{{layout.columns}}}",
        rf"{caption}{label}\\",
        *rules,
        r"\endfirsthead",
        *rules,
        r"\endhead",
        r"\bottomrule",
        r"\endfoot",
        *layout.body,
        r"\end{longtable}",
        *(rf"{{\footnotesize\raggedright {note.latex}\par}}" for note in layout.table.notes),
    ]
