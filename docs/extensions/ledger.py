"""The directives ``ledger``, its entries checked when the pages are built, and ``entries``.

A verdict that differs from the recorded one is an error of the build. ``entries`` lists those on a
figure, table or section of the paper with their recorded verdicts, which the ledger's page holds.
"""

import json
import re
import subprocess
import sys
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from extensions.derived import table_of, text_with_formulas
from numerics.claims import CLAIMS
from numerics.claims.ledger import Entry

_COMMAND = ("-m", "numerics.claims", "--format", "json")
_HEAD = ("entry", "what it judges", "what was found")
_TITLES = {
    "claim": "Claims of the paper",
    "assumption": "Assumptions of the paper",
    "stored curve": "Stored curves of the authors' code",
    "beyond the paper": "Beyond the paper",
}
# What surprises a reader of the paper comes first.
_ORDER = ("refuted", "not met", "differs", "undecided")


class Ledger(SphinxDirective):
    """A section a kind of entry, in it a section a verdict, with a table of its entries."""

    def run(self) -> list[nodes.Node]:
        """Run the checks and show what they found."""
        done = subprocess.run(
            [sys.executable, *_COMMAND], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise self.error(f"numerics.claims: {done.stderr.strip()}")
        records = json.loads(done.stdout)
        return [_of_kind(kind, [r for r in records if r["kind"] == kind]) for kind in _TITLES]


def _of_kind(kind: str, records: list[dict[str, str]]) -> nodes.section:
    title = f"{_TITLES[kind]} ({len(records)})"
    found = nodes.section("", nodes.title(title, title), ids=[kind.replace(" ", "-")])
    verdicts = dict.fromkeys((*_ORDER, *sorted(record["verdict"] for record in records)))
    for verdict in verdicts:
        chosen = [record for record in records if record["verdict"] == verdict]
        if chosen:
            title = f"{verdict.capitalize()} ({len(chosen)})"
            name = f"{kind}-{verdict}".replace(" ", "-")
            section = nodes.section("", nodes.title(title, title), ids=[name])
            section += _table(chosen)
            found += section
    return found


def _table(records: list[dict[str, str]]) -> nodes.table:
    head = [[nodes.Text(text)] for text in _HEAD]
    rows = [[_name(record), _judged(record), _found(record)] for record in records]
    return table_of([head, *rows], ["ledger"])


def _name(record: dict[str, str]) -> list[nodes.Node]:
    """An entry's name, to which others link."""
    name = record["claim"]
    return [nodes.literal(name, name, ids=[f"entry-{name}"])]


def _judged(record: dict[str, str]) -> list[nodes.Node]:
    quote = [nodes.emphasis("", f"“{record['quote']}” ")] if record["quote"] else []
    lines = [f"({record['place']})", f"Read as: {record['reading']}.", f"{record['statement']}."]
    return [*quote, *text_with_formulas(" ".join(lines))]


def _found(record: dict[str, str]) -> list[nodes.Node]:
    units = f" ({record['units']})" if record["units"] else ""
    settled = f" Settled by {record['settled by']}." if record["settled by"] else ""
    text = f"{record['evidence']}{units}.{settled} Overturned by: {record['falsifier']}."
    return text_with_formulas(text)


class Entries(SphinxDirective):
    """A table of the entries on one place of the paper, each with a link into the ledger."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Find them; a place with none is an error of the build."""
        place = re.compile(rf"{re.escape(self.arguments[0])}(?!\d)")
        chosen = [entry for entry in CLAIMS.values() if place.search(entry.place)]
        if not chosen:
            raise self.error(f"no entry of the ledger is on {self.arguments[0]!r}")
        head = [[nodes.Text(text)] for text in ("entry", "verdict", "what was decided")]
        return [table_of([head, *map(_row, chosen)], ["ledger"])]


def _row(entry: Entry) -> list[list[nodes.Node]]:
    name = nodes.literal(entry.name, entry.name)
    link = nodes.reference("", "", name, refuri=f"claims.html#entry-{entry.name}")
    ours = " (ours)" if entry.kind == "beyond the paper" else ""
    return [[link], [nodes.Text(entry.recorded + ours)], text_with_formulas(entry.statement)]


def setup(app: Sphinx) -> dict[str, Any]:
    """Enter the directives."""
    app.add_directive("ledger", Ledger)
    app.add_directive("entries", Entries)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
