"""``python -m numerics.figures``: the paper's figures from scratch, each with its data."""

import re
from argparse import Namespace
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from derive.command.files import OutputFolder, make_folder, write_all
from derive.command.group import Command
from derive.command.parser import CommandParser
from derive.command.progress import progress
from derive.command.provenance import provenance
from derive.command.report import Report
from derive.command.tabular import Table, Typeset, typeset
from derive.command.values import one_of
from derive.errors import InputError
from numerics.options.values import FIGURE_FORMATS

if TYPE_CHECKING:
    from numerics.figures.paper import PaperFigure


def _figures() -> Mapping[str, "PaperFigure"]:
    from numerics.figures.paper import FIGURES  # with all that draws them

    return FIGURES


def _files(name: str, form: str) -> tuple[str, str]:
    return f"figure-{name}.{form}", f"figure-{name}.csv"


def _written(options: Namespace) -> Iterator[str]:
    """The files of a folder that a command line writes."""
    for name in options.figure or _figures():
        yield from _files(name, getattr(options, "as"))


def _parser() -> CommandParser:
    parser = CommandParser(
        "numerics.figures",
        "Draw the figures of the paper from scratch, each with the data it was drawn from.",
        ("--quick", "--list", "--figure 2 --figure 9 --folder figures --as svg"),
        libraries=("sympy", "python-flint", "numpy", "scipy", "numba", "matplotlib"),
    )
    parser.add_argument(
        "--figure",
        action="append",
        type=one_of(_figures, "figure", "--list"),
        metavar="N",
        help="number or name of a figure; may be repeated (default: all)",
    )
    parser.add_argument(
        "--folder",
        type=OutputFolder(_written),
        default=Path("figures"),
        metavar="FOLDER",
        help="where they are written (default: %(default)s)",
    )
    parser.add_argument(
        "--as", choices=FIGURE_FORMATS, default="pdf", help="format (default: %(default)s)"
    )
    parser.add_argument(
        "--quick", action="store_true", help="fewer replicas: all of them in two minutes on 2 cores"
    )
    parser.add_argument(
        "--list", action="store_true", help="say which figures there are, and draw none"
    )
    return parser


def _action(options: Namespace) -> Report:
    """What the options of the command ask for: a list of the figures, or their files."""
    figures = _figures()
    records = [{"figure": name, "caption": figures[name].caption}
               for name in options.figure or figures]  # fmt: skip
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
    from numerics.figures.paper import Request

    alone = Namespace(figure=name, quick=options.quick)
    request = Request(getattr(options, "as"), provenance(_parser(), alone), options.quick)
    folder: Path = options.folder
    figure, data = (folder / file for file in _files(name, request.form))
    _write(dict(zip((figure, data), _figures()[name].draw(request), strict=True)))
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


main = Command(_parser, _action)


if __name__ == "__main__":
    raise SystemExit(main())
