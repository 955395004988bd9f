"""``python -m numerics.figures``: the paper's figures from scratch, each with its data."""

import json
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from derive.command.files import write_all
from derive.command.parser import CommandParser
from derive.command.progress import progress
from derive.command.provenance import provenance
from derive.command.run import Outcome, run
from derive.command.tabular import Table, Typeset, as_csv, render
from derive.command.values import one_of
from derive.errors import InputError
from numerics.figures.paper import FIGURES, Request
from numerics.options.values import FIGURE_FORMATS
from numerics.simulate import LIBRARIES


def _parser() -> CommandParser:
    parser = CommandParser(
        "numerics.figures",
        "Draw the figures of the paper from scratch, each with the data it was drawn from.",
        ("--quick", "--figure 2 --figure 9 --folder figures --as svg"),
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
        type=Path,
        default=Path("figures"),
        metavar="FOLDER",
        help="where they are written (default: figures)",
    )
    parser.add_argument("--as", choices=FIGURE_FORMATS, default="pdf", help="format (default: pdf)")
    parser.add_argument(
        "--quick", action="store_true", help="fewer replicas: all of them in two minutes on 2 cores"
    )
    return parser


def _source(options: Namespace, name: str) -> str:
    """The provenance of one figure: the command that draws it alone."""
    alone = Namespace(figure=name, folder=None, quick=options.quick)
    return provenance(_parser(), alone, LIBRARIES)


def _shown(rows: Sequence[tuple[str, str, str]], form: str, source: str) -> str:
    head = ("figure", "caption", "file")
    if form == "json":
        return json.dumps(
            [dict(zip(head, row, strict=True)) | {"provenance": source} for row in rows], indent=2
        )
    if form == "csv":
        return as_csv(head, rows, source)
    cells = tuple(tuple(Typeset(text, text) for text in row) for row in rows)
    return render([Table("figures", Typeset("Figures", "Figures"), head, cells)], form, source)


def _write(files: dict[Path, bytes]) -> None:
    try:
        write_all(files)
    except OSError as error:
        raise InputError(
            f"{str(next(iter(files)))[:80]!r} cannot be written ({error.strerror}): choose another "
            "--folder; what was drawn before is kept"
        ) from None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``python -m numerics.figures`` and return its exit code."""
    parser = _parser()

    def action(options: Namespace) -> Outcome:
        chosen, form = options.figure or list(FIGURES), getattr(options, "as")
        try:
            options.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"folder {str(options.folder)[:60]!r} cannot be made ({error.strerror}): "
                "choose another"
            ) from None
        rows = []
        for name in progress(chosen, "figures"):
            file = options.folder / f"figure-{name}.{form}"
            drawn = FIGURES[name].draw(Request(form, _source(options, name), options.quick))
            _write({file: drawn[0], file.with_suffix(".csv"): drawn[1]})  # what is drawn is kept
            rows.append((name, FIGURES[name].caption, str(file)))
        return Outcome(_shown(rows, options.format, provenance(parser, options, LIBRARIES)))

    return run(parser, action, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
