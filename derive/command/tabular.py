"""Tables as people read them: as text or Markdown; as LaTeX, see ``latex.py``.

A table is built once from cells that know their plain and their LaTeX form. Which rows it holds is
decided by its author (``derive.tables``, the ``numerics`` commands).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import isinf
from textwrap import wrap
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:  # whoever gives an expression has imported it
    from sympy import Basic, Expr


@dataclass(frozen=True)
class Typeset:
    """Text in two forms: ``plain`` for terminals and CSV, ``latex`` for LaTeX and Markdown."""

    plain: str
    latex: str


Content: TypeAlias = "Typeset | Basic | str | int | None"


@dataclass(frozen=True)
class Table:
    """A titled table.

    Fields: ``name`` identifies it to scripts; ``title``; ``columns`` the headings; ``rows``, each
    as long as ``columns``; ``notes`` printed below. A cell is text, a number, a SymPy expression
    (typeset as mathematics), a ``Typeset`` or ``None`` (blank). The column number ``wide`` holds
    long formulas and wraps in LaTeX, at the given ``share`` of the line. As text, lines are at most
    ``longest`` characters if that is given. For LaTeX: ``on_paper`` is the same table with fewer
    columns; ``explained`` are sentences of the caption after the title, which define its symbols;
    a rule stands before the rows numbered ``rules``; one that ``breaks`` goes over pages.
    """

    name: str
    title: Typeset
    columns: tuple[Content, ...]
    rows: tuple[tuple[Content, ...], ...]
    notes: tuple[Typeset, ...] = ()
    wide: int | None = None
    share: str = "0.8"
    longest: int | None = None
    on_paper: "Table | None" = None
    explained: str = ""
    rules: tuple[int, ...] = ()
    breaks: bool = False


_LATEX_SPECIAL = str.maketrans(
    {c: "\\" + c for c in "_%&#${}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
)


_WIDEST = 56  # signs in a numerator that stays whole: a column is no wider
# A longer numerator stands behind the fraction, where TeX breaks; the inverse sine is \\arcsin.
_BROKEN = {"long_frac_ratio": 12, "inv_trig_style": "full", "fold_frac_powers": True}


def plain(cell: Content) -> str:
    """Plain form of a cell."""
    if isinstance(cell, Typeset):
        return cell.plain
    return "" if cell is None else str(cell)


def typeset(cell: Content) -> str:
    """LaTeX form of a cell, with mathematics in dollars."""
    if isinstance(cell, Typeset):
        return cell.latex
    if isinstance(cell, str | int | None):
        return "" if cell is None else str(cell).translate(_LATEX_SPECIAL)
    return f"${formula(cell)}$"


def formula(expression: "Expr") -> str:
    """LaTeX of an expression that TeX may break at its operators, but not inside short brackets."""
    return _formula(expression)


@lru_cache(maxsize=4096)  # the same value stands in a table, in a record and on paper
def _formula(expression: "Expr") -> str:
    from sympy import latex

    shown = latex(expression, **_BROKEN)
    if any(signs > _WIDEST for signs in _numerators(shown)):
        shown = latex(expression, **_BROKEN | {"long_frac_ratio": 1})
    breakable = re.sub(r"\\(left|right)(?=[()\[\]])", "", shown)
    breakable = re.sub(r"\\substack\{ ([^{}]*) \}", r"\1", breakable)  # one line needs no stack
    return re.sub(r"(\([^()]{1,16}\))", r"{\1}", breakable)


def _numerators(shown: str) -> Iterator[int]:
    """How many signs each numerator has, about."""
    for found in re.finditer(r"\\frac\{", shown):
        depth, end = 1, found.end()
        while depth:
            depth += {"{": 1, "}": -1}.get(shown[end], 0)
            end += 1
        inside = re.sub(
            r"\\(left|right|frac|sqrt|operatorname)\b|[{} ^_]", "", shown[found.end() : end]
        )
        yield len(re.sub(r"\\[a-zA-Z]+", "x", inside))


def decimal(number: str) -> Typeset:
    """A decimal string for a table, such as ``-7.2e-32``; a power of 0 is left out.

    >>> decimal("-7.2e-32").latex
    '$-7.2 \\\\times 10^{-32}$'
    """
    mantissa, _, exponent = number.partition("e")
    if not int(exponent or 0):
        return Typeset(mantissa, f"${mantissa}$")
    return Typeset(number, rf"${mantissa} \times 10^{{{int(exponent)}}}$")


def rounded(number: float, digits: int) -> Typeset:
    """A double to so many digits, for a table or a text.

    >>> rounded(0.25, 3).plain, rounded(1 / 3, 3).plain, rounded(-float("inf"), 3).latex
    ('0.25', '0.333', '$-\\\\infty$')
    """
    if isinf(number):
        sign = "-" if number < 0 else ""
        return Typeset(f"{sign}∞", rf"${sign}\infty$")
    return decimal(f"{number:.{digits}g}")


def as_text(table: Table) -> str:
    """The table for a terminal."""
    cells = [[plain(cell) for cell in row] for row in (table.columns, *table.rows)]
    title, notes = table.title.plain, [plain(note) for note in table.notes]
    if table.longest:
        room = table.longest - 2 * (len(table.columns) - 1)
        padded = [[cell + "  " for cell in cells[0]], *cells[1:]]  # as tabulate does
        widest = _widest([max(map(_width, column)) for column in zip(*padded, strict=True)], room)
        head = [_wrapped(cell, max(widest - 2, 1)) for cell in cells[0]]
        cells = [head, *([_wrapped(cell, widest) for cell in row] for row in cells[1:])]
        title, *notes = (_wrapped(text, table.longest) for text in (title, *notes))
    return f"{title}\n\n{_grid(cells, 'simple')}\n" + "".join(f"\n{note}" for note in notes)


def _widest(widths: Sequence[int], room: int) -> int:
    """How wide a column may be: narrow ones keep their widths, wide ones share what is left."""
    for done, width in enumerate(sorted(widths)):
        share = room // (len(widths) - done)
        if width > share:
            return share
        room -= width
    return max(widths)


def _width(text: str) -> int:
    return max(map(len, text.split("\n")))


def _wrapped(text: str, width: int) -> str:
    return "\n".join(part for line in text.split("\n") for part in wrap(line, width) or [""])


def as_markdown(table: Table) -> str:
    """The table in GitHub's Markdown, formulas between dollars."""
    cells = [[_markdown(cell) for cell in row] for row in (table.columns, *table.rows)]
    notes = "".join(f"\n\n{_markdown(note)}" for note in table.notes)
    return f"### {_markdown(table.title)}\n\n{_grid(cells, 'github')}\n{notes}"


def _grid(cells: Sequence[Sequence[str]], style: str) -> str:
    from tabulate import tabulate

    table: str = tabulate(cells[1:], headers=cells[0], tablefmt=style, disable_numparse=True)
    return table


_LATEX_TEXT = {r"\textasciicircum{}": "^", r"\textasciitilde{}": "~", r"\textbackslash{}": "\\"}


def without_latex(text: str) -> str:
    r"""Text of a LaTeX cell outside its formulas, as plain text.

    >>> without_latex(r"squared\_relu, 50\%")
    'squared_relu, 50%'
    """
    for command, sign in _LATEX_TEXT.items():
        text = text.replace(command, sign)
    return re.sub(r"\\([_%&#${}])", r"\1", text)


def _markdown(cell: Content) -> str:
    """A cell in Markdown: formulas between dollars, code between backticks, bars escaped."""
    pieces = typeset(cell).split("$")
    for place in range(0, len(pieces), 2):
        parts = re.split(r"\\texttt\{((?:\\.|[^{}])*)\}", pieces[place])
        parts[1::2] = [f"`{without_latex(code)}`" for code in parts[1::2]]
        for command, sign in _LATEX_TEXT.items():
            parts[::2] = [text.replace(command, sign) for text in parts[::2]]
        pieces[place] = "".join(parts)
    return "$".join(pieces).replace("|", r"\|")
