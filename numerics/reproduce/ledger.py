"""The ledger as HTML: its entries, what filters them, their formulas.

The page of results and the documentation show the same.
"""

import html
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from math_core import LatexError, LatexToMathML

from derive.command.tabular import without_latex

HERE = Path(__file__).parent
HEADINGS = {
    "claim": "Claims of the paper",
    "assumption": "Assumptions of the paper",
    "stored curve": "Stored curves of the authors' code",
    "beyond the paper": "Beyond the paper",
}
_FIRST = ("refuted", "not met", "differs", "undecided")  # what surprises a reader
_CONVERTER = LatexToMathML(fancy_error=False)  # refuses what it does not know


@cache
def environment() -> Environment:
    """The templates of this folder."""
    made = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["mathematics"] = mathematics
    made.filters["displayed"] = displayed
    return made


def asset(name: str) -> Markup:
    """A style sheet or a script of this folder, to stand inside a page."""
    return Markup((HERE / name).read_text(encoding="utf-8"))  # of this project


def controls(verdicts: Iterable[str]) -> str:
    """What filters the entries of a page by a text and by these verdicts."""
    return str(_macro("controls")(list(verdicts)))


def entry(claim: Mapping[str, Any]) -> str:
    """One entry, as ``numerics.claims --details --format json`` says it."""
    return str(_macro("entry")(claim))


def _macro(name: str) -> Any:
    return getattr(environment().get_template("ledger.html.jinja").module, name)


def ordered(verdicts: Iterable[str]) -> list[str]:
    """Verdicts, those first that surprise a reader.

    >>> ordered(["proved", "refuted", "certified"])
    ['refuted', 'certified', 'proved']
    """
    found = sorted(set(verdicts))
    return [*(v for v in _FIRST if v in found), *(v for v in found if v not in _FIRST)]


def mathml(formula: str, displayed: bool = False) -> str:
    """A formula as MathML, or as it is written if the converter does not know a command in it.

    If ``displayed``, with fractions as large as in a line of their own.
    """
    try:
        shown: str = _CONVERTER.convert_with_local_state(
            rf"\displaystyle {formula}" if displayed else formula, displaystyle=False
        )
        return shown
    except LatexError:
        return f"<code>{html.escape(formula)}</code>"


def mathematics(text: str) -> Markup:
    """LaTeX text with formulas between dollars as HTML.

    >>> str(mathematics(r"50\\% of < $x$"))[:11]
    '50% of &lt;'
    """
    return _with_formulas(text, displayed=False)


def displayed(text: str) -> Markup:
    """The same with displayed formulas."""
    return _with_formulas(text, displayed=True)


def _with_formulas(text: str, displayed: bool) -> Markup:
    pieces = text.split("$")
    pieces[::2] = [html.escape(without_latex(piece)) for piece in pieces[::2]]
    pieces[1::2] = [mathml(piece, displayed) for piece in pieces[1::2]]
    return Markup("".join(pieces))
