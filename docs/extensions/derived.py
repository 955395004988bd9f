"""The directive and the role ``derived``: formulas and tables that ``derive`` makes at build time.

``{derived}`` takes a name of ``extensions.formulas``; nothing on a page is evaluated.
"""

from typing import Any

from docutils import nodes
from docutils.parsers.rst.states import Inliner
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from derive.command.tabular import Table, plain, typeset
from extensions.formulas import FORMULAS

Nodes = list[nodes.Node]


def text_with_formulas(text: str) -> Nodes:
    """Nodes of a text with formulas between dollars."""
    pieces = enumerate(text.split("$"))
    return [nodes.math(p, p) if i % 2 else nodes.Text(p) for i, p in pieces if p]


def table_of(rows: list[list[Nodes]], classes: list[str]) -> nodes.table:
    """A table whose first row is its head."""
    width = len(rows[0])
    group = nodes.tgroup("", *(nodes.colspec(colwidth=1) for _ in range(width)), cols=width)
    made = [
        nodes.row("", *(nodes.entry("", nodes.paragraph("", "", *cell)) for cell in row))
        for row in rows
    ]
    group += [nodes.thead("", made[0]), nodes.tbody("", *made[1:])]
    return nodes.table("", group, classes=classes)


def _shown(table: Table) -> nodes.Node:
    # A cell without a formula may hold markup that only LaTeX knows: its plain form has none.
    rows = [
        [text_with_formulas(typeset(cell) if "$" in typeset(cell) else plain(cell)) for cell in row]
        for row in (table.columns, *table.rows)
    ]
    return table_of(rows, ["colwidths-auto", "derived"])


class Derived(SphinxDirective):
    """A displayed formula, or a table."""

    required_arguments = 1

    def run(self) -> Nodes:
        """Build the entry; an unknown name is an error of the build."""
        name = self.arguments[0]
        if name not in FORMULAS:
            raise self.error(f"{name!r} is no entry of extensions/formulas")
        built = FORMULAS[name]()
        if isinstance(built, Table):
            return [_shown(built)]
        block = nodes.math_block(built, built, nowrap=True, number=None)
        self.set_source_info(block)
        return [block]


def _inline(
    role: str, source: str, name: str, line: int, inliner: Inliner, *_: Any
) -> tuple[Nodes, list[nodes.system_message]]:
    if name not in FORMULAS:
        message = inliner.reporter.error(f"{name!r} is no entry of extensions/formulas")
        return [], [message]
    built = FORMULAS[name]()
    return [nodes.math(built, built)], []


def setup(app: Sphinx) -> dict[str, Any]:
    """Enter the directive and the role."""
    app.add_directive("derived", Derived)
    app.add_role("derived", _inline)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
