"""The directives ``paper-figures`` and ``drawn``: figures drawn when the pages are built.

They are kept beside the build's doctrees under a name made of the sources, so that a second build
is fast and a change of the code draws them again.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.addnodes import download_reference
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from numerics.reproduce.make import code_digest


@cache
def sources() -> str:
    """A short hash of all that figures are made from."""
    return code_digest(("derive", "numerics"))[:12]


class Drawing(SphinxDirective):
    """What directives share that run commands."""

    def folder(self, *parts: str) -> Path:
        """A folder for the figures of this version of the code."""
        path = Path(self.env.doctreedir, "figures", sources(), *parts)
        path.mkdir(parents=True, exist_ok=True)
        return path

    def run_command(self, command: str, folder: Path) -> str:
        """Run ``python -m ...`` in a folder; what goes wrong is an error of the build."""
        parts = [sys.executable, *shlex.split(command)[1:]]
        done = subprocess.run(parts, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise self.error(f"{command}: {done.stderr.strip()}")
        return done.stdout

    def figure(self, file: Path, caption: str, command: str) -> list[nodes.Node]:
        """A figure, the command that makes it, and its data."""
        uri = f"/{os.path.relpath(file, self.env.srcdir)}"  # from the sources, wherever the page is
        image = nodes.image(uri=uri, alt=caption, width=_width(file))
        drawn = nodes.figure("", image, classes=["drawn"])
        drawn += nodes.caption("", "", *self.parse_inline(caption)[0])
        made = nodes.literal_block(command, command, language="text")
        data = os.path.relpath(file.with_suffix(".csv"), Path(self.env.doc2path("index")).parent)
        link = download_reference(
            "",
            "",
            nodes.literal("", Path(data).name),
            reftarget=f"/{data}",
            refdoc=self.env.docname,
        )
        return [drawn, made, nodes.paragraph("", "", nodes.Text("Data: "), link)]


def _width(file: Path) -> str:
    """Twice the printed width, so that text is as large in all figures."""
    printed = re.search(r'<svg[^>]* width="([\d.]+)pt"', file.read_text(encoding="utf-8"))
    return f"{2 * float(printed[1]):.0f}px" if printed else "100%"


class PaperFigures(Drawing):
    """Every figure of ``numerics.figures``, a section each, with its whole caption."""

    def run(self) -> list[nodes.Node]:
        """Draw them all at once, unless this version of the code has done so."""
        folder = self.folder("paper")
        listing = folder / "figures.json"
        command = "python -m numerics.figures --quick --as svg --folder . --format json"
        if not listing.exists():
            listing.write_text(self.run_command(command, folder), encoding="utf-8")
        found: list[nodes.Node] = []
        for record in json.loads(listing.read_text(encoding="utf-8")):
            name = record["figure"]
            title = f"Figure {name}" if name.isdecimal() else name.replace("-", " ").capitalize()
            section = nodes.section("", nodes.title(title, title), ids=[f"figure-{name}"])
            shown = f"$ python -m numerics.figures --figure {name}"
            section += self.figure(folder / record["file"], record["text"], shown)
            found.append(section)
        return found


class Drawn(Drawing):
    """The figure that a command with ``--plot FILE`` draws; the content is its caption."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True

    def run(self) -> list[nodes.Node]:
        """Draw it, unless this version of the code has done so."""
        command = self.arguments[0]
        folder = self.folder("curves")
        words = shlex.split(command)
        file = folder / words[words.index("--plot") + 1]
        if not file.exists():
            self.run_command(command, folder)
        return self.figure(file, " ".join(self.content), f"$ {command}")


def setup(app: Sphinx) -> dict[str, Any]:
    """Enter the directives."""
    app.add_directive("paper-figures", PaperFigures)
    app.add_directive("drawn", Drawn)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
