"""Drawing the figures of the paper into a folder, each kept as soon as it is drawn."""

import re
from argparse import Namespace
from pathlib import Path

from derive.command.files import make_folder, write_all
from derive.command.progress import progress
from derive.command.provenance import provenance
from derive.command.report import Report
from derive.command.tabular import Table, Typeset, typeset
from derive.errors import InputError
from numerics.figures.__main__ import figures_parser, files_of
from numerics.figures.paper import FIGURES, Request


def draw_all(options: Namespace) -> Report:
    """What the options of the command ask for: a list of the figures, or their files."""
    records = [{"figure": name, "caption": FIGURES[name].caption}
               for name in options.figure or FIGURES]  # fmt: skip
    if not options.list:
        make_folder(options.folder)
        for record in progress(records, "figures"):
            record["file"] = str(_drawn(record["figure"], options))
    head = tuple(records[0])
    cells = tuple((each["figure"], _caption(each["caption"]), *list(each.values())[2:])
                  for each in records)  # fmt: skip
    table = Table("figures", Typeset("Figures", "Figures"), head, cells)
    return Report(records, [table], "heuristic")


def _drawn(name: str, options: Namespace) -> Path:
    """Draw and write a figure, with the command that draws it alone as its provenance."""
    alone = Namespace(figure=name, quick=options.quick)
    request = Request(getattr(options, "as"), provenance(figures_parser(), alone), options.quick)
    folder: Path = options.folder
    figure, data = (folder / file for file in files_of(name, request.form))
    _write(dict(zip((figure, data), FIGURES[name].draw(request), strict=True)))
    return figure


def _write(files: dict[Path, bytes]) -> None:
    try:
        write_all(files)
    except OSError as error:
        raise InputError(
            f"{str(next(iter(files)))[:80]!r} cannot be written ({error.strerror}): choose another "
            "--folder; what was drawn before is kept"
        ) from None


def _caption(text: str) -> Typeset:
    """A caption, in which He_3 is a Hermite polynomial."""
    return Typeset(text, re.sub(r"He\\_(\d+)", r"$\\mathrm{He}_{\1}$", typeset(text)))
