"""The directives ``ledger``, its entries checked when the pages are built, and ``entries``.

A verdict that differs from the recorded one is an error of the build. ``entries`` lists those on a
figure, table or section of the paper, or those it names, with their recorded verdicts, which the
ledger's page holds.
"""

import json
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from derive.command.prose import with_formulas
from derive.errors import InputError
from extensions.derived import table_of, text_with_formulas
from extensions.gallery import Drawing
from numerics.claims import CLAIMS
from numerics.claims.ledger import Entry
from numerics.reproduce.ledger import HEADINGS, asked_for, asset, controls, entry, ordered

_COMMAND = "python -m numerics.claims --details --format json"
_FILES = ("ledger.css", "ledger.js")  # of the page of results, which shows the same


class Ledger(Drawing):
    """What filters the entries; a section a kind of entry, in it a section a verdict."""

    def run(self) -> list[nodes.Node]:
        """Run the checks and show what they found."""
        records = json.loads(self.run_command(_COMMAND, Path(self.env.doctreedir)))
        verdicts = ordered(record["verdict"] for record in records)
        chosen = [(kind, [r for r in records if r["kind"] == kind]) for kind in HEADINGS]
        return [_html(controls(verdicts)), *(_of_kind(kind, found) for kind, found in chosen)]


def _html(text: str) -> nodes.raw:
    return nodes.raw("", text, format="html")


def _of_kind(kind: str, records: list[dict[str, Any]]) -> nodes.section:
    title = f"{HEADINGS[kind]} ({len(records)})"
    found = nodes.section("", nodes.title(title, title), ids=[kind.replace(" ", "-")])
    for verdict in ordered(record["verdict"] for record in records):
        chosen = [record for record in records if record["verdict"] == verdict]
        title = f"{verdict.capitalize()} ({len(chosen)})"
        name = f"{kind}-{verdict}".replace(" ", "-")
        section = nodes.section("", nodes.title(title, title), ids=[name])
        section += [_html(entry(record)) for record in chosen]
        found += section
    return found


def _place(app: Sphinx, exception: Exception | None) -> None:
    if exception is None and app.builder.format == "html":
        for name in _FILES:
            Path(app.outdir, "_static", name).write_text(asset(name), encoding="utf-8")


class Entries(SphinxDirective):
    """A table of the entries on one place of the paper, or of those named, with links to them."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Find them; a place with none, or a name that is none, is an error of the build."""
        try:
            chosen = asked_for(self.arguments[0], CLAIMS)
        except InputError as error:
            raise self.error(str(error)) from None
        head = [[nodes.Text(text)] for text in ("entry", "verdict", "what was decided")]
        return [table_of([head, *(self._row(entry) for entry in chosen)], ["ledger"])]

    def _row(self, entry: Entry) -> list[list[nodes.Node]]:
        name = nodes.literal(entry.name, entry.name)
        page = "../" * self.env.docname.count("/") + "claims.html"
        link = nodes.reference("", "", name, refuri=f"{page}#entry-{entry.name}")
        ours = " (ours)" if entry.kind == "beyond the paper" else ""
        told = text_with_formulas(with_formulas(entry.statement))
        return [[link], [nodes.Text(entry.recorded + ours)], told]


def setup(app: Sphinx) -> dict[str, Any]:
    """Enter the directives."""
    app.add_directive("ledger", Ledger)
    app.add_directive("entries", Entries)
    app.add_css_file("ledger.css")
    app.add_js_file("ledger.js")
    app.connect("build-finished", _place)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
