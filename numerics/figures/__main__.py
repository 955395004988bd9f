"""``python -m numerics.figures``: the paper's figures from scratch, each with its data."""

from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from derive.command.files import OutputFolder, make_folder, write_all
from derive.command.group import Command
from derive.command.parser import CommandParser
from derive.command.progress import progress
from derive.command.provenance import provenance
from derive.command.report import Report
from derive.command.tabular import Table, Typeset
from derive.command.values import one_of
from derive.errors import InputError, quoted
from numerics.options.shared import add_shared
from numerics.options.values import FIGURE_FORMATS

if TYPE_CHECKING:
    from numerics.figures.paper import PaperFigure


def _figures() -> Mapping[str, "PaperFigure"]:
    from numerics.figures.paper import FIGURES  # with all that draws them

    return FIGURES


def _files(name: str, form: str) -> tuple[str, ...]:
    return f"figure-{name}.{form}", f"figure-{name}.csv", f"figure-{name}.tex"


def _written(options: Namespace) -> Iterator[str]:
    """The files of a folder that a command line writes."""
    for name in options.figure or _figures():
        yield from _files(name, getattr(options, "as"))


def _parser() -> CommandParser:
    parser = CommandParser(
        "numerics.figures",
        "Draw the figures of the paper from scratch, each with the data it was drawn from and "
        "its caption as LaTeX.",
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
    add_shared(parser, "results", "style")
    parser.add_argument(
        "--list", action="store_true", help="say which figures there are, and draw none"
    )
    return parser


def _action(options: Namespace) -> Report:
    """What the options of the command ask for: a list of the figures, or their files."""
    figures = _figures()
    names = options.figure or list(figures)
    if options.list:
        records = [{"figure": name, "caption": figures[name].caption} for name in names]
        return _report(records)
    make_folder(options.folder)
    return _report([_drawn(name, options) for name in progress(names, "figures")])


def _report(records: Sequence[dict[str, str]]) -> Report:
    """One line a figure; what is beside it, its full caption among it, is in its files."""
    lines = [{k: v for k, v in record.items() if k != "text"} for record in records]
    head = tuple(lines[0])
    cells = tuple((each["figure"], _caption(each["figure"]), *list(each.values())[2:])
                  for each in lines)  # fmt: skip
    table = Table("figures", Typeset("Figures", "Figures"), head, cells)
    return Report(records, [table], "heuristic", lines)


def _drawn(name: str, options: Namespace) -> dict[str, str]:
    """Draw and write a figure, with the command that draws it alone as its provenance."""
    from numerics.figures.caption import Caption, snippet
    from numerics.figures.paper import Request
    from numerics.figures.style import user_style

    alone = Namespace(figure=name, quick=options.quick, style=options.style)
    source = provenance(_parser(), alone)
    request = Request(getattr(options, "as"), source, options.quick, options.results)
    folder: Path = options.folder
    files = [folder / file for file in _files(name, request.form)]
    entry = _figures()[name]
    with user_style(options.style):
        figure, data, caption = entry.draw(request)
    whole = Caption(f"{entry.title}. {caption.text}", caption.wide)
    _write(dict(zip(files, (figure, data, snippet(whole, files[0], source)), strict=True)))
    return {"figure": name, "caption": entry.caption, "file": str(files[0]), "text": whole.text}


def _write(files: dict[Path, bytes]) -> None:
    try:
        write_all(files)
    except OSError as error:
        raise InputError(
            f"{quoted(next(iter(files)))} cannot be written ({error.strerror}): choose another "
            "--folder; what was drawn before is kept"
        ) from None


def _caption(name: str) -> Typeset:
    """A figure's own caption, as text and as LaTeX."""
    from numerics.figures.caption import Caption

    entry = _figures()[name]
    return Typeset(entry.caption, Caption(entry.title).latex)


main = Command(_parser, _action)


if __name__ == "__main__":
    raise SystemExit(main())
