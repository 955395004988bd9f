"""The ledger as HTML: its entries, what filters them, their formulas.

The page of results and the documentation show the same.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from derive.command.pages import environment, mathematics
from derive.command.prose import with_formulas

HERE = Path(__file__).parent
HEADINGS = {
    "claim": "Claims of the paper",
    "assumption": "Assumptions of the paper",
    "stored curve": "Stored curves of the authors' code",
    "beyond the paper": "Beyond the paper",
}
_FIRST = ("refuted", "not met", "differs", "undecided")  # what surprises a reader


@cache
def templates() -> Environment:
    """The templates of this folder; the words of entries go through ``told``."""
    made = environment(HERE)
    made.filters["told"] = lambda text: mathematics(with_formulas(text))
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
    return getattr(templates().get_template("ledger.html.jinja").module, name)


def ordered(verdicts: Iterable[str]) -> list[str]:
    """Verdicts, those first that surprise a reader.

    >>> ordered(["proved", "refuted", "certified"])
    ['refuted', 'certified', 'proved']
    """
    found = sorted(set(verdicts))
    return [*(v for v in _FIRST if v in found), *(v for v in found if v not in _FIRST)]
