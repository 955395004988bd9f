"""``python -m numerics.reproduce``: all tables, figures and claims of the paper, and their page."""

import json
import sys
from argparse import Namespace
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from derive.command.files import open_regular
from derive.command.parser import CommandParser
from derive.command.progress import progress
from derive.command.provenance import versions
from derive.command.run import Outcome, run
from derive.command.tabular import Table, Typeset, as_csv, render
from derive.command.values import integer_between, one_of
from derive.errors import InputError
from numerics.reproduce.make import Result, look_up, make
from numerics.reproduce.steps import steps
from numerics.sweep.processes import Commands

LIBRARIES = ("sympy", "python-flint", "numpy", "scipy", "numba", "matplotlib")


def _parser() -> CommandParser:
    parser = CommandParser(
        "numerics.reproduce",
        "Make every table, figure and claim of the paper from scratch, and a page that shows them. "
        "Run it again to go on where it was stopped.",
        ("--quick", "--folder results --step claims --step figure-1", "--full --workers 2"),
    )
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path("results"),
        metavar="FOLDER",
        help="where everything is written (default: results)",
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
        help="steps made at the same time (default: 1, for simulations use all cores)",
    )
    return parser


def _reproduce(options: Namespace) -> list[Result]:
    """Make the chosen steps; look the others up."""
    quality = "quick" if options.quick else "full" if options.full else "default"
    every, source = steps(quality), versions(LIBRARIES)
    for part in ("", "tables", "figures", "steps"):
        try:
            (options.folder / part).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"folder {str(options.folder)[:60]!r} cannot be made ({error.strerror}): "
                "choose another"
            ) from None
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


def _shown(results: Sequence[Result], form: str, source: str) -> str:
    head = ("step", "state", "seconds", "reason")
    rows = [(r.step.name, r.state, f"{r.seconds:.1f}", r.reason) for r in results]
    if form == "json":
        records = [asdict(result) | {"provenance": source} for result in results]
        return json.dumps(records, indent=2, ensure_ascii=False)
    if form == "csv":
        return as_csv(head, rows, source)
    cells = tuple(tuple(row) for row in rows)
    return render([Table("steps", Typeset("Steps", "Steps"), head, cells)], form, source)


def _changed(file: Path, content: bytes) -> dict[Path, bytes]:
    """The file to write, unless it is so already: what is finished need not be writable."""
    with suppress(OSError), open_regular(file) as stream:
        if stream.read() == content:
            return {}
    return {file: content}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``python -m numerics.reproduce`` and return its exit code."""
    parser = _parser()
    failed: list[str] = []

    def action(options: Namespace) -> Outcome:
        from numerics.reproduce.page import page

        results = _reproduce(options)
        failed.extend(result.step.name for result in results if result.state == "failed")
        html = page(results, options.folder, versions(LIBRARIES))
        text = _shown(results, options.format, versions(LIBRARIES))
        shown = html.encode(errors="backslashreplace")
        return Outcome(text, _changed(options.folder / "index.html", shown))

    code = run(parser, action, arguments)
    if failed:
        print(f"{parser.prog}: steps failed: {', '.join(failed)}", file=sys.stderr)
    return code or int(bool(failed))


if __name__ == "__main__":
    raise SystemExit(main())
