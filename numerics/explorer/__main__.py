"""``python -m numerics.explorer``: the explorer, one HTML file that opens from disk."""

from argparse import Namespace
from pathlib import Path

from derive.command.extras import missing
from derive.command.group import Command
from derive.command.parser import CommandParser
from derive.command.progress import progress
from derive.command.provenance import versions
from derive.command.report import Report, page_written
from derive.errors import InputError

LIBRARIES = ("sympy", "python-flint", "chartkick", "jinja2")
_NEEDED = ("chartkick", "jinja2")


def _parser() -> CommandParser:
    return CommandParser(
        "numerics.explorer",
        "Make the explorer: the search phase of any activation, live, in one HTML file.",
        ("--output explorer.html",),
        libraries=LIBRARIES,
        output=Path("explorer.html"),
    )


def _action(options: Namespace) -> Report:
    if why := missing("numerics.explorer", "reproduce", _NEEDED):  # before any work
        raise InputError(why)
    from numerics.explorer.formulas import known_texts
    from numerics.explorer.page import page

    known = known_texts()
    html = page(known, progress(known, "singularities"), versions(LIBRARIES))
    return page_written(options, "explorer", html, activations=len(known))


main = Command(_parser, _action)


if __name__ == "__main__":
    raise SystemExit(main())
