"""``python -m numerics.figures``: the paper's figures from scratch, each with its data."""

from argparse import Namespace
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from derive.command.files import OutputFolder
from derive.command.group import Command, later
from derive.command.parser import CommandParser
from derive.command.values import one_of
from numerics.options.values import FIGURE_FORMATS

if TYPE_CHECKING:
    from numerics.figures.paper import PaperFigure


def _figures() -> Mapping[str, "PaperFigure"]:
    from numerics.figures.paper import FIGURES  # with all that draws them

    return FIGURES


def files_of(name: str, form: str) -> tuple[str, str]:
    """The names of the files of a figure: itself, and its data."""
    return f"figure-{name}.{form}", f"figure-{name}.csv"


def _written(options: Namespace) -> Iterator[str]:
    """The files of a folder that a command line writes."""
    for name in options.figure or _figures():
        yield from files_of(name, getattr(options, "as"))


def figures_parser() -> CommandParser:
    """The parser of the command, which each figure's provenance is written by."""
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


main = Command(figures_parser, later("numerics.figures.drawing", "draw_all"))


if __name__ == "__main__":
    raise SystemExit(main())
