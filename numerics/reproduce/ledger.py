"""The ledger as HTML: its entries, what filters them, their formulas.

The page of results and the documentation show the same.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment
from markupsafe import Markup

from derive.command.pages import environment, mathematics
from derive.command.prose import with_formulas
from derive.errors import InputError, quoted

if TYPE_CHECKING:
    from numerics.claims.ledger import Entry

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
    made.filters["words"] = _words
    return made


def _words(claim: Mapping[str, Any]) -> str:
    """The words of an entry that go through ``told``: formulas are searched for as typed, too."""
    texts = [claim[name] for name in ("statement", "evidence", "reading", "falsifier", "units")]
    return "; ".join(filter(None, [*texts, *(step["step"] for step in claim["details"])]))


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


def asked_for(text: str, entries: Mapping[str, "Entry"]) -> list["Entry"]:
    """The entries on a place of the paper, or those named.

    Arguments:
        text: a figure, table or section, or names of entries.
        entries: all, by name.

    Raises ``InputError`` for no words, if there is none, or no entry of one of the names.
    """
    words = text.split()
    if not words:
        raise InputError("nothing was given: give a place of the paper or names of entries")
    strangers = [word for word in words if word not in entries]
    if not strangers:
        return [entry for entry in entries.values() if entry.name in words]
    if len(strangers) < len(words):
        raise InputError(
            f"no entry of the ledger is named {quoted(strangers[0])}: see claims --list"
        )
    place = re.compile(rf"{re.escape(text)}(?!\d)")
    if found := [entry for entry in entries.values() if place.search(entry.place)]:
        return found
    raise InputError(
        f"no entry of the ledger is on {quoted(text)}: give a place or names of entries"
    )
