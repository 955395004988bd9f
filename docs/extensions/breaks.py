"""Where a line of a page may end, and where not, so that pages are read on a phone too.

A formula keeps to what touches it, a number to its sign, unit and interval. The name of a module
breaks at its dots, a long name in code anywhere.
"""

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from derive.command.pages import kept_together

_UNBROKEN = {
    r" ± ": "\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}",
    r"(?<=\d) (?=%)": "\N{NO-BREAK SPACE}",
    r"(?<=\de)-(?=\d)": "\N{NON-BREAKING HYPHEN}",
    r"(?<=\[)([-+.\de]+), ([-+.\de]+)(?=\])": "\\1,\N{NO-BREAK SPACE}\\2",
}
_VERBATIM = (nodes.literal, nodes.literal_block, nodes.math, nodes.math_block, nodes.raw)
_LONG = 28  # signs of code that fit a list on a phone


def numbers_kept(text: str) -> str:
    """Text whose numbers do not part from what belongs to them.

    >>> numbers_kept("1.2 ± 0.3 of 95 %").count(" ")
    2
    """
    for found, kept in _UNBROKEN.items():
        text = re.sub(found, kept, text)
    return text


def breakable(title: str) -> str:
    """A title as HTML in which a line may end at the dots of a module's name.

    >>> breakable("numerics.front_door"), breakable("A tour.")
    ('numerics.<wbr>front_<wbr>door', 'A tour.')
    """
    return re.sub(r"(?<=[._])(?=\w)", "<wbr>", title) if re.fullmatch(r"[\w.]+", title) else title


def _keep_numbers(app: Sphinx, tree: nodes.document) -> None:
    for text in [*tree.findall(nodes.Text)]:
        if not isinstance(text.parent, _VERBATIM) and (kept := numbers_kept(text)) != text:
            text.parent.replace(text, nodes.Text(kept))


def _break_pages(
    app: Sphinx, page: str, template: str, context: dict[str, Any], tree: nodes.document | None
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


def setup(app: Sphinx) -> dict[str, Any]:
    """See to the words of each page when it is read, to its lines when it is written."""
    app.connect("doctree-read", _keep_numbers)
    app.connect("html-page-context", _break_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
