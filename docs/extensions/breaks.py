"""Where a line of a page may end, and where not, so that pages are read on a phone too.

A formula keeps to what touches it, a number to its sign, unit and interval. The name of a module
breaks at its dots and underscores, a long name in code anywhere.
"""

import re
from typing import TYPE_CHECKING, Any

from derive.command.pages import kept_together

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx

_NUMBER = r"[-+]?[\d.]+(?:e[-+]?\d+)?"
_UNBROKEN = re.compile(
    rf"(\[{_NUMBER}, {_NUMBER}\](?: %)?|\S+ ± \S+(?: %)?|\S*\d %|[-+]?[\d.]+e-\d+)"
)
_LONG = 28  # signs of code that fit a list on a phone


def numbers_parted(text: str) -> list[str]:
    """Text cut so that every second piece is a number with what belongs to it, for one line.

    >>> numbers_parted("1.2 ± 0.3 of 95 %")
    ['', '1.2 ± 0.3', ' of ', '95 %', '']
    """
    return _UNBROKEN.split(text)


def breakable(title: str) -> str:
    """A title as HTML in which a line may end at the dots and underscores of a module's name.

    >>> breakable("numerics.front_door"), breakable("A tour.")
    ('numerics.<wbr>front_<wbr>door', 'A tour.')
    """
    return re.sub(r"(?<=[._])(?=\w)", "<wbr>", title) if re.fullmatch(r"[\w.]+", title) else title


def _keep_numbers(app: "Sphinx", tree: "nodes.document") -> None:
    from docutils import nodes  # only where pages are built

    verbatim = (nodes.literal, nodes.literal_block, nodes.math, nodes.math_block, nodes.raw)
    for text in [*tree.findall(nodes.Text)]:
        pieces = numbers_parted(text)
        if len(pieces) > 1 and not isinstance(text.parent, verbatim):
            shown = [
                nodes.inline(piece, piece, classes=["kept"]) if place % 2 else nodes.Text(piece)
                for place, piece in enumerate(pieces)
                if piece
            ]
            text.parent.replace(text, shown)


def _break_pages(
    app: "Sphinx", page: str, template: str, context: dict[str, Any], tree: "nodes.document | None"
) -> None:
    if "body" in context:
        body = kept_together(context["body"])
        body = re.sub(
            rf'(?<=<span class="pre)">([^<\s]{{{_LONG},}})(?=</span>)',
            lambda found: f' long">{breakable(found[1])}',
            body,
        )
        context["body"] = re.sub(
            r"(?<=<h1>)[^<]+", lambda found: breakable(found[0]), body, count=1
        )
    for neighbour in filter(None, (context.get("prev"), context.get("next"))):
        neighbour["title"] = breakable(neighbour["title"])


def setup(app: "Sphinx") -> dict[str, Any]:
    """See to the words of each page when it is read, to its lines when it is written."""
    app.connect("doctree-read", _keep_numbers)
    app.connect("html-page-context", _break_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
