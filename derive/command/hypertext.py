"""Results as HTML, for notebooks and pages: badges, tables, boxes. All text is escaped here.

A badge says how far a result can be trusted, in words beside its colour. What a notebook shows
needs no style sheet and no network, and follows its light or dark background.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from html import escape
from itertools import islice

from derive.command.palette import OKABE_ITO
from derive.command.provenance import versions

# What a badge may say, and its colour.
BADGES = {
    "proved": OKABE_ITO["blue"],
    "certified": OKABE_ITO["green"],
    "heuristic": OKABE_ITO["purple"],
    "simulated": OKABE_ITO["orange"],
    "refuted": OKABE_ITO["vermillion"],
    "undecided": "#6e7781",
}
_SAYS = {"exact": "proved", "supported": "simulated"}  # the other words for these
_LIBRARIES = ("sympy", "python-flint")
_MOST_ROWS = 12  # shown in a notebook


def badge(certainty: str) -> str:
    """How far a result can be trusted, as a mark; raises ``KeyError`` for a word that is none.

    >>> badge("exact") == badge("proved"), "certified" in badge("certified")
    (True, True)
    """
    word = _SAYS.get(certainty, certainty)
    return (
        f'<span class="badge {word}" style="border-left:.45em solid {BADGES[word]};'
        f'padding:0 .5em;font-weight:600;white-space:nowrap">{word}</span>'
    )


def grid(head: Sequence[str], rows: Iterable[Sequence[object]], most: int = _MOST_ROWS) -> str:
    """A table of text; of more rows than ``most`` it says how many there are.

    Arguments:
        head: of the columns.
        rows: each as long as the head.
        most: rows that are shown.

    >>> grid(["mu"], [["<0.5>"]], 1).count("&lt;0.5&gt;")
    1
    """
    rows = list(rows)
    shown = "".join(_row("td", row) for row in islice(rows, most))
    left = len(rows) - most
    more = f'<tr><td colspan="{len(head)}">… {left} more</td></tr>' if left > 0 else ""
    return f"<table><thead>{_row('th', head)}</thead><tbody>{shown}{more}</tbody></table>"


def _row(cell: str, texts: Iterable[object]) -> str:
    return f"<tr>{''.join(f'<{cell}>{escape(str(text))}</{cell}>' for text in texts)}</tr>"


def box(title: str, certainty: str, content: str = "", note: str = "") -> str:
    """A result in a notebook: what it is, how far it can be trusted, its content, where it is from.

    Arguments:
        title: text.
        certainty: one of ``BADGES``, or a report's ``exact``.
        content: HTML.
        note: text, before the versions.
    """
    origin = escape(" · ".join(part for part in (note, _versions()) if part))
    return (
        f'<div class="lora-escape"><p>{badge(certainty)} <strong>{escape(title)}</strong></p>'
        f'{content}<p style="opacity:.7;font-size:.85em">{origin}</p></div>'
    )


@cache  # the commit is asked of git
def _versions() -> str:
    return versions(_LIBRARIES)
