"""The page of ``numerics.reproduce``: one file that shows all results and needs nothing else.

Tables come from their Markdown, formulas as MathML, figures as images inside the page, the ledger
from its JSON. What has not been made is said, never left out.
"""

import base64
import html
import json
import os
import re
import shlex
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup
from math_core import LatexError, LatexToMathML
from mdit_py_plugins.dollarmath import dollarmath_plugin

from derive.command.tabular import without_latex
from numerics.claims.ledger import VERDICTS

_IMAGES = {".svg": "image/svg+xml", ".png": "image/png"}
_CONVERTER = LatexToMathML(fancy_error=False)  # refuses what it does not know
_ENLARGED = 1.7  # pixels a point: print has 4/3


def page(results: Sequence[Any], folder: Path, source: str) -> str:
    """The page as HTML.

    Arguments:
        results: of ``numerics.reproduce``, in order.
        folder: that holds their files.
        source: versions and commit.

    It holds no date: the same results give the same page.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["mathematics"] = mathematics
    parts = {kind: [_part(r, folder) for r in results if r.step.kind == kind] for kind in _KINDS}
    claims = [claim for part in parts["ledger"] for claim in part["claims"]]
    counts = Counter((claim["kind"], claim["verdict"]) for claim in claims)
    shown: str = environment.get_template("page.html.jinja").render(
        parts=parts,
        counts={
            kind: [(verdict, counts[kind, verdict]) for verdict in known if counts[kind, verdict]]
            for kind, known in VERDICTS.items()
        },
        made=[_part(result, folder) for result in results],
        source=source,
        cores=os.cpu_count(),
        seconds=sum(result.seconds for result in results),
    )
    return shown


_KINDS = ("ledger", "figure", "table", "page")


def _part(result: Any, folder: Path) -> dict[str, Any]:
    """What the page says of one step."""
    from numerics.reproduce.make import command_lines

    step = result.step
    named = Path(folder.name)  # the same page wherever the folder is
    files = [name for name in step.outputs if (folder / name).is_file()]
    shown = files if result.state in ("made", "kept", "failed") else []
    return {
        "name": step.name,
        "title": step.title,
        "state": "made" if result.state == "kept" else result.state,  # the same page again
        "reason": result.reason,
        "seconds": result.seconds,
        "commands": [f"python {shlex.join(line)}" for line in command_lines(step, named)],
        "files": shown,
        "images": [_image(folder / name) for name in shown if Path(name).suffix in _IMAGES],
        "tables": [_tables(folder / name) for name in shown if name.endswith(".md")],
        "claims": [c for name in shown if name == "claims.json" for c in _claims(folder / name)],
    }


def _image(file: Path) -> dict[str, Any]:
    """An image as an address that holds it, and the width in pixels that makes it readable."""
    content = file.read_bytes()
    points = re.search(rb'<svg[^>]* width="([0-9.]+)pt"', content[:4000])
    address = f"data:{_IMAGES[file.suffix]};base64,{base64.b64encode(content).decode('ascii')}"
    return {"address": address, "width": round(float(points[1]) * _ENLARGED) if points else None}


def _tables(file: Path) -> Markup:
    """A command's Markdown, with formulas as MathML, each table in a box that scrolls."""
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    reader.use(dollarmath_plugin, renderer=lambda formula, _: _mathml(formula))
    text = re.sub(r"<!--.*?-->", "", file.read_text(encoding="utf-8"))  # provenance, shown on top
    rendered = reader.render(text).replace("h3>", "h4>")
    rendered = rendered.replace("<table>", '<div class="wide" tabindex="0"><table>')
    rendered = rendered.replace("</table>", "</table></div>")
    return Markup(rendered)  # from this project's own commands, raw HTML escaped


def _claims(file: Path) -> list[dict[str, Any]]:
    return list(json.loads(file.read_text(encoding="utf-8")))


def _mathml(formula: str) -> str:
    """A formula as MathML, or as it is written if the converter does not know a command in it."""
    try:
        shown: str = _CONVERTER.convert_with_local_state(formula, displaystyle=False)
        return shown
    except LatexError:
        return f"<code>{html.escape(formula)}</code>"


def mathematics(text: str) -> Markup:
    """LaTeX text with formulas between dollars as HTML.

    >>> str(mathematics(r"50\\% of < $x$"))[:11]
    '50% of &lt;'
    """
    pieces = text.split("$")
    pieces[::2] = [html.escape(without_latex(piece)) for piece in pieces[::2]]
    pieces[1::2] = [_mathml(piece) for piece in pieces[1::2]]
    return Markup("".join(pieces))
