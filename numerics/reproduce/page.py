"""The page of ``numerics.reproduce``: one file that shows all results and needs nothing else.

Tables come from their Markdown, formulas as MathML, figures as images inside the page, the ledger
from its JSON. What has not been made is said, never left out.
"""

import json
import os
import re
import shlex
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from textwrap import shorten
from typing import Any

from markdown_it import MarkdownIt
from markupsafe import Markup
from mdit_py_plugins.dollarmath import dollarmath_plugin

from derive.command.pages import image, kept_together, mathematics, mathml
from numerics.claims.ledger import VERDICTS
from numerics.reproduce.ledger import HEADINGS, asset, ordered, templates

_IMAGES = (".svg", ".png")
_OF_RECORD = "fashion-mnist-to-mnist"  # the transfer experiment whose tables are kept
_LONGEST_SHORT = 46  # characters of a title in the contents


def page(results: Sequence[Any], folder: Path, source: str) -> str:
    """The page as HTML.

    Arguments:
        results: of ``numerics.reproduce``, in order.
        folder: that holds their files.
        source: versions and commit.

    It holds no date: the same results give the same page.
    """
    parts = {kind: [_part(r, folder) for r in results if r.step.kind == kind] for kind in _KINDS}
    claims = [claim for part in parts["ledger"] for claim in part["claims"]]
    counts = Counter((claim["kind"], claim["verdict"]) for claim in claims)
    judged = {
        kind: [(v, counts[kind, v]) for v in ordered(known) if counts[kind, v]]
        for kind, known in VERDICTS.items()
    }
    shown: str = (
        templates()
        .get_template("page.html.jinja")
        .render(
            parts=parts,
            claims=claims,
            counts=judged,
            headings=HEADINGS,
            verdicts=ordered(claim["verdict"] for claim in claims),
            made=[_part(result, folder) for result in results],
            recorded=_recorded(),
            source=source,
            cores=os.cpu_count(),
            seconds=sum(result.seconds for result in results),
            style=asset("page.css") + asset("ledger.css"),
            script=asset("page.js") + asset("ledger.js"),
        )
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
        "short": shorten(step.title, _LONGEST_SHORT, placeholder=" …"),
        "state": "made" if result.state == "kept" else result.state,  # the same page again
        "reason": result.reason,
        "seconds": result.seconds,
        "commands": [f"python {shlex.join(line)}" for line in command_lines(step, named)],
        "files": shown,
        "images": [_image(folder / name) for name in shown if Path(name).suffix in _IMAGES],
        "captions": [_caption(folder / n, step.title) for n in shown if _is_snippet(n)],
        "tables": [_tables(folder / name) for name in shown if name.endswith(".md")],
        "claims": [c for name in shown if name == "claims.json" for c in _claims(folder / name)],
    }


def _recorded() -> dict[str, Any] | None:
    """The transfer result of record, where the checkout that keeps it is at hand."""
    for root in (Path(__file__).resolve().parents[2], Path.cwd()):
        table = root / "docs" / "measured" / f"{_OF_RECORD}.md"
        if table.is_file():
            text = table.read_text(encoding="utf-8")
            made = re.search(r"<!-- (.*?) -->", text)
            sentences = re.findall(r"(?<=\n)(An? [^\n]*? to epoch [^\n]*)", text)
            return {
                "tables": _tables(table),
                "image": _image(table.with_suffix(".svg")),
                "made": " | ".join(made[1].split(" | ")[:2]) if made else _OF_RECORD,
                "verdict": sentences[0] if sentences else "the table of record is below.",
            }
    return None


def _image(file: Path) -> dict[str, Any]:
    return image(file.read_bytes(), file.suffix)


def _is_snippet(name: str) -> bool:
    """Whether a file is the LaTeX of a figure, which holds its caption."""
    return name.startswith("figures/") and name.endswith(".tex")


def _caption(file: Path, title: str) -> Markup:
    """The caption of a figure, without a first sentence that is its title."""
    found = re.search(r"\\caption\{(.*)\}\n *\\label", file.read_text("utf-8"), re.DOTALL)
    caption = found[1] if found else ""
    told = _bare(re.sub(r"^Figure \w+: ", "", title))
    for end in (stop.end() for stop in re.finditer(r"\. ", caption)):
        if _bare(caption[:end]) == told:
            return mathematics(caption[end:])
    return mathematics(caption)


def _bare(text: str) -> str:
    """Its letters and digits alone, the same as a title and as LaTeX."""
    return re.sub(r"\\[a-z]+|[\W_]", "", text)


def _tables(file: Path) -> Markup:
    """A command's Markdown, with formulas as MathML, each table in a box that scrolls."""
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    reader.use(dollarmath_plugin, renderer=lambda formula, _: mathml(formula))
    text = re.sub(r"<!--.*?-->", "", file.read_text(encoding="utf-8"))  # provenance, shown on top
    rendered = reader.render(text).replace("h3>", "h4>")
    rendered = re.sub(r'<span class="math inline">(.*?)</span>', r"\1", rendered)
    rendered = rendered.replace("<table>", '<div class="wide" tabindex="0"><table>')
    rendered = rendered.replace("</table>", "</table></div>")
    return Markup(kept_together(rendered))  # from this project's own commands, raw HTML escaped


def _claims(file: Path) -> list[dict[str, Any]]:
    return list(json.loads(file.read_text(encoding="utf-8")))
