"""Formulas as MathML, which browsers show by themselves: no script, no font and no network.

LaTeX that cannot be converted is a warning, hence an error of the build. What results show of
themselves in a notebook has formulas between dollars, which there are read by a script.
"""

import re
from typing import Any

from docutils import nodes
from math_core import LatexError
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

from derive.command.pages import converted


def _converted(node: nodes.Element, display: bool) -> str:
    try:
        return converted(node.astext(), display)
    except LatexError as error:
        logging.getLogger(__name__).warning("formula %r: %s", node.astext(), error, location=node)
        return ""


def _visit_inline(translator: HTML5Translator, node: nodes.Element) -> None:
    translator.body.append(_converted(node, display=False))
    raise nodes.SkipNode


def _visit_block(translator: HTML5Translator, node: nodes.Element) -> None:
    translator.body.append(f'<div class="math">{_converted(node, display=True)}</div>\n')
    raise nodes.SkipNode


def _results(app: Sphinx, tree: nodes.document, _: str) -> None:
    """Convert the formulas in what results of ours show."""
    for raw in tree.findall(nodes.raw):
        if '<div class="lora-escape">' in raw.astext():
            made = re.sub(
                r"\$([^$]+)\$",
                lambda found, raw=raw: _converted(nodes.math("", found[1]), display=False),
                raw.astext(),
            )
            raw.children = [nodes.Text(made)]


def setup(app: Sphinx) -> dict[str, Any]:
    """Make MathML the form of formulas in HTML."""
    app.connect("doctree-resolved", _results)
    app.add_html_math_renderer("mathml", (_visit_inline, None), (_visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
