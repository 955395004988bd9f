"""The directive ``ledger``: the paper's claims, checked when the pages are built.

A verdict that differs from the recorded one is an error of the build.
"""

import json
import subprocess
import sys
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from extensions.derived import table_of, text_with_formulas

_COMMAND = ("-m", "numerics.claims", "--format", "json")
_HEAD = ("claim", "statement", "evidence")
# What surprises a reader of the paper comes first.
_ORDER = ("refuted", "undecided", "proved", "certified", "supported")


class Ledger(SphinxDirective):
    """A section a verdict, with a table of its claims."""

    def run(self) -> list[nodes.Node]:
        """Run the checks and show what they found."""
        done = subprocess.run(
            [sys.executable, *_COMMAND], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise self.error(f"numerics.claims: {done.stderr.strip()}")
        records = json.loads(done.stdout)
        found: list[nodes.Node] = []
        for verdict in _ORDER:
            chosen = [record for record in records if record["verdict"] == verdict]
            if chosen:
                title = f"{verdict.capitalize()} ({len(chosen)})"
                section = nodes.section("", nodes.title(title, title), ids=[verdict])
                section += _table(chosen)
                found.append(section)
        return found


def _table(records: list[dict[str, str]]) -> nodes.table:
    head = [[nodes.Text(text)] for text in _HEAD]
    rows = [
        [
            [nodes.literal(record["claim"], record["claim"])],
            text_with_formulas(f"{record['statement']} ({record['place']})"),
            text_with_formulas(record["evidence"]),
        ]
        for record in records
    ]
    return table_of([head, *rows], ["ledger"])


def setup(app: Sphinx) -> dict[str, Any]:
    """Enter the directive."""
    app.add_directive("ledger", Ledger)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
