"""``python -m numerics.reproduce``: all tables, figures and claims of the paper, and their page."""

from argparse import Namespace
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from derive.command.extras import PAGES, missing
from derive.command.files import OutputFolder, make_folder, open_regular
from derive.command.group import Command
from derive.command.parser import CommandParser
from derive.command.progress import progress
from derive.command.provenance import versions
from derive.command.report import Report
from derive.command.tabular import Table, Typeset
from derive.command.values import integer_between, one_of
from derive.errors import InputError
from numerics.reproduce.make import Outcome, look_up, make
from numerics.reproduce.steps import steps
from numerics.sweep.processes import Commands

LIBRARIES = ("sympy", "python-flint", "numpy", "scipy", "numba", "matplotlib")
PAGE_LIBRARIES = (*LIBRARIES, "jinja2", "math-core", "markdown-it-py", "mdit-py-plugins")


PAGE = "index.html"
_NEEDED = (*PAGES, "markdown_it", "mdit_py_plugins")  # by the page


def _quality(options: Namespace) -> str:
    return "quick" if options.quick else "full" if options.full else "default"


def _written(options: Namespace) -> Iterator[str]:
    """The files of a folder that a command line writes."""
    yield PAGE
    for step in steps(_quality(options)):
        yield from (f"steps/{step.name}.json", *step.outputs)


def _parser() -> CommandParser:
    parser = CommandParser(
        "numerics.reproduce",
        "Make every table, figure and claim of the paper from scratch, and a page that shows them. "
        "Run it again to go on where it was stopped.",
        ("--quick", "--folder results --step claims --step figure-1", "--full --workers 2"),
        libraries=PAGE_LIBRARIES,
    )
    parser.add_argument(
        "--folder",
        type=OutputFolder(_written),
        default=Path("results"),
        metavar="FOLDER",
        help="where everything is written (default: %(default)s)",
    )
    parser.add_argument(
        "--step",
        action="append",
        type=one_of(lambda: [step.name for step in steps("default")], "step", "the page"),
        metavar="NAME",
        help="make only this step; may be repeated (default: all)",
    )
    quality = parser.add_mutually_exclusive_group()
    quality.add_argument("--quick", action="store_true", help="few replicas in every figure")
    quality.add_argument("--full", action="store_true", help="all replicas in every figure")
    parser.add_argument(
        "--workers",
        type=integer_between(1, 256),
        default=1,
        help="steps made at the same time (default: %(default)s, for simulations use all cores)",
    )
    return parser


def _reproduce(options: Namespace) -> list[Outcome]:
    """Make the chosen steps; look the others up."""
    every, source = steps(_quality(options)), versions(LIBRARIES)
    for part in ("tables", "figures", "steps"):
        make_folder(options.folder / part)
    chosen = [step for step in every if not options.step or step.name in options.step]
    commands = Commands()
    with ThreadPoolExecutor(options.workers) as executor:
        futures = {
            s.name: executor.submit(make, s, options.folder, source, commands) for s in chosen
        }
        try:
            found = {name: futures[name].result() for name in progress(list(futures), "steps")}
        except BaseException:
            executor.shutdown(wait=False, cancel_futures=True)
            commands.end()
            raise
    return [found.get(s.name) or look_up(s, options.folder, source) for s in every]


def _changed(file: Path, content: bytes) -> dict[Path, bytes]:
    """The file to write, unless it is so already: what is finished need not be writable."""
    with suppress(OSError), open_regular(file) as stream:
        if stream.read() == content:
            return {}
    return {file: content}


def _action(options: Namespace) -> Report:
    if why := missing("numerics.reproduce", "reproduce", _NEEDED):  # before any work
        raise InputError(why)
    from numerics.reproduce.page import page

    results = _reproduce(options)
    failed = [result.step.name for result in results if result.state == "failed"]
    html = page(results, options.folder, versions(PAGE_LIBRARIES)).encode(errors="backslashreplace")
    head = ("step", "state", "seconds", "reason")
    cells = tuple((r.step.name, r.state, f"{r.seconds:.1f}", r.reason) for r in results)
    return Report(
        [asdict(result) for result in results],
        [Table("steps", Typeset("Steps", "Steps"), head, cells)],
        "exact",
        [dict(zip(head, row, strict=True)) for row in cells],
        _changed(options.folder / PAGE, html),
        failure=f"steps failed: {', '.join(failed)}" if failed else "",
    )


main = Command(_parser, _action)


if __name__ == "__main__":
    raise SystemExit(main())
