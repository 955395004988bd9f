"""``python -m numerics.figures``: the paper's figures from scratch, each with its data."""

import re
from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path

from derive.command.files import OutputFolder, make_folder, write_all
from derive.command.parser import CommandParser
from derive.command.progress import progress
from derive.command.provenance import provenance
from derive.command.report import Report
from derive.command.run import run
from derive.command.tabular import Table, Typeset, typeset
from derive.command.values import one_of
from derive.errors import InputError
from numerics.figures.paper import FIGURES, Request
from numerics.options.values import FIGURE_FORMATS


def _written(options: Namespace) -> Iterator[str]:
    """The files of a folder that a command line writes."""
    for name in options.figure or FIGURES:
        yield from _files(name, getattr(options, "as"))


def _parser() -> CommandParser:
    parser = CommandParser(
        "numerics.figures",
        "Draw the figures of the paper from scratch, each with the data it was drawn from.",
        ("--quick", "--figure 2 --figure 9 --folder figures --as svg"),
        libraries=("sympy", "python-flint", "numpy", "scipy", "numba", "matplotlib"),
    )
    parser.add_argument(
        "--figure",
        action="append",
        type=one_of(lambda: FIGURES, "figure", "--help"),
        metavar="N",
        help=f"one of {', '.join(FIGURES)}; may be repeated (default: all)",
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
    return parser


def _write(files: dict[Path, bytes]) -> None:
    try:
        write_all(files)
    except OSError as error:
        raise InputError(
            f"{str(next(iter(files)))[:80]!r} cannot be written ({error.strerror}): choose another "
            "--folder; what was drawn before is kept"
        ) from None


def _action(options: Namespace) -> Report:
    make_folder(options.folder)
    records = []
    for name in progress(options.figure or list(FIGURES), "figures"):
        alone = Namespace(figure=name, quick=options.quick)  # the command that draws it again
        request = Request(getattr(options, "as"), provenance(_parser(), alone), options.quick)
        files = [options.folder / file for file in _files(name, request.form)]
        _write(dict(zip(files, FIGURES[name].draw(request), strict=True)))  # what is drawn is kept
        records.append({"figure": name, "caption": FIGURES[name].caption, "file": str(files[0])})
    cells = tuple((each["figure"], _caption(each["caption"]), each["file"]) for each in records)
    table = Table("figures", Typeset("Figures", "Figures"), ("figure", "caption", "file"), cells)
    return Report(records, [table], "heuristic")


def _caption(text: str) -> Typeset:
    """A caption, in which He_3 is a Hermite polynomial."""
    return Typeset(text, re.sub(r"He\\_(\d+)", r"$\\mathrm{He}_{\1}$", typeset(text)))


def _files(name: str, form: str) -> tuple[str, str]:
    return f"figure-{name}.{form}", f"figure-{name}.csv"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``python -m numerics.figures`` and return its exit code."""
    return run(_parser(), _action, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
