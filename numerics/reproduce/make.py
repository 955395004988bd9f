"""``python -m numerics.reproduce``: every table, figure and claim of the paper, and a page of them.

The steps are the project's own commands, run by the same Python. A step that was made by the same
command, versions and code is kept, so a run that was stopped goes on where it was. Adding a step is
one entry in ``steps``; ``numerics.report_page`` lays the results out.
"""

import hashlib
import importlib.util
import json
import shlex
import sys
import time
from argparse import Namespace
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from derive.command import (
    CommandParser,
    Outcome,
    integer_between,
    one_of,
    progress,
    run,
    versions,
)
from derive.errors import InputError
from derive.files import open_regular, write_all
from derive.tabular import Table, Typeset, as_csv, render
from numerics.processes import Commands

LIBRARIES = ("sympy", "python-flint", "numpy", "scipy", "numba", "matplotlib")
QUALITIES = ("quick", "default", "full")
_CODE = ("derive", "numerics", "transfer")
_COSTLY = {"2", "7", "9", "14", "exit-times"}  # minutes each with all replicas: left to --full


@dataclass(frozen=True)
class Step:
    """One thing to make.

    Fields: ``name``; ``title`` on the page; ``kind``, its part of the page; ``commands``, modules
    with their options, in which ``@`` stands for the folder; ``outputs``, the files they write
    there; ``needs``, a module without which the step is left out.
    """

    name: str
    title: str
    kind: str
    commands: tuple[str, ...]
    outputs: tuple[str, ...]
    needs: str = ""


@dataclass(frozen=True)
class Result:
    """What became of a step.

    Fields: ``step``; ``state``, ``made`` now, ``kept`` from before, ``failed``, ``skipped`` or
    ``missing``; ``seconds`` its making took; ``reason`` of a failure or of being left out.
    """

    step: Step
    state: str
    seconds: float = 0.0
    reason: str = ""


def steps(quality: str) -> list[Step]:
    """All steps of a quality, one of ``QUALITIES``, in the order of the page."""
    from numerics.figures.paper import FIGURES

    brief = {"quick": set(FIGURES), "default": _COSTLY, "full": set()}[quality]
    return [
        Step(
            "claims",
            "The paper's claims, checked",
            "ledger",
            ("numerics.claims --details --format json --output @/claims.json",),
            ("claims.json",),
        ),
        Step(
            "escape-time",
            "Escape time of Hermite students, with certified singularities",
            "figure",
            ("numerics.escape --degree 1:10 --plot @/figures/escape-time.svg "
             "--output @/tables/escape-time.txt",),
            ("figures/escape-time.svg", "figures/escape-time.csv", "tables/escape-time.txt"),
        ),
        *(
            Step(
                f"figure-{name}",
                f"{'Figure ' + name + ': ' if name[0].isdigit() else ''}{figure.caption}",
                "figure",
                (f"numerics.figures --figure {name} --as svg --folder @/figures"
                 f"{' --quick' if name in brief else ''}",),
                (f"figures/figure-{name}.svg", f"figures/figure-{name}.csv"),
            )
            for name, figure in FIGURES.items()
        ),
        *_tables({"quick": 20, "default": 100, "full": 400}[quality]),
        *(() if quality == "quick" else _images()),
    ]  # fmt: skip


def _tables(replicas: int) -> list[Step]:
    return [
        _table("hermite", "Hermite students", "derive.tables --degree 1:8"),
        _table("activations", "Other activations",
               "derive.tables --activation erf --activation relu --activation sin"),
        _table("singularities", "Singularities of Hermite students",
               "numerics.singularities --degree 1:20"),
        _table("singularities-squared", "Singularities under squared labels",
               "numerics.singularities --degree 1:12 --labels squared"),
        _table("singularities-activations", "Singularities of other activations",
               "numerics.singularities --activation erf --activation relu --activation sigmoid "
               "--activation tanh --activation gelu --activation sin(3*x) --digits 20"),
        _table("exit-times", "Simulated exit times",
               "numerics.simulate --activation x --activation relu --mu 0.1,0.5,0.9 --points 0 "
               f"--replicas {replicas} --results @/cells"),
    ]  # fmt: skip


def _images() -> list[Step]:
    """The transfer experiment that needs no data; finished cells are shared by both steps."""
    run, report = "transfer run demo --results @/demo", "transfer report demo --results @/demo"
    table = _table("transfer-demo", "Checkpoints of a vision transformer, adapted", report)
    curves = ("figures/transfer-demo.svg", "figures/transfer-demo.csv")
    return [
        replace(table, commands=(run, *table.commands), needs="peft"),
        Step("transfer-demo-curves", "Loss and accuracy of the same", "figure",
             (run, f"{report} --plot @/{curves[0]}"), curves, needs="peft"),
    ]  # fmt: skip


def _table(name: str, title: str, command: str) -> Step:
    """A table as Markdown, which the page shows, and as LaTeX."""
    outputs = (f"tables/{name}.md", f"tables/{name}.tex")
    commands = tuple(
        f"{command} --format {form} --output @/{output}"
        for form, output in zip(("markdown", "latex"), outputs, strict=True)
    )
    return Step(name, title, "table", commands, outputs)


# Running a step, or keeping it.


def command_lines(step: Step, folder: Path) -> list[list[str]]:
    """The arguments of Python that make a step in a folder."""
    return [
        ["-m", *(part.replace("@", str(folder)) for part in shlex.split(command))]
        for command in step.commands
    ]


def code_digest() -> str:
    """A digest of this project's code: another one means that everything is made anew."""
    root = Path(__file__).resolve().parent.parent
    digest = hashlib.sha256()
    for package in _CODE:
        for file in sorted((root / package).rglob("*.py")):
            digest.update(f"{file.relative_to(root)}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def make(step: Step, folder: Path, provenance: str, commands: Commands | None = None) -> Result:
    """Make a step in a folder, unless what it makes is there already, of the same provenance.

    Arguments: ``commands``, which runs what is to be run and can end it.
    """
    if step.needs and importlib.util.find_spec(step.needs) is None:
        return Result(step, "skipped", reason=f"needs {step.needs}, which is not installed")
    before = look_up(step, folder, provenance)
    if before.state == "kept":
        return before
    for output in step.outputs:
        (folder / output).parent.mkdir(parents=True, exist_ok=True)
        (folder / output).unlink(missing_ok=True)
    start = time.perf_counter()
    commands = commands or Commands()
    for _, module, *options in command_lines(step, folder):
        code, told = commands.run(module, options)
        if code:
            last = (told.strip().splitlines() or ["no message"])[-1]
            return Result(step, "failed", time.perf_counter() - start, last)
    seconds = time.perf_counter() - start
    record = _identity(step, folder, provenance) | {
        "seconds": seconds,
        "outputs": {output: _checksum(folder / output) for output in step.outputs},
    }
    write_all({_record_file(step, folder): (json.dumps(record, indent=2) + "\n").encode()})
    return Result(step, "made", seconds)


def look_up(step: Step, folder: Path, provenance: str) -> Result:
    """What a folder holds of a step: ``kept`` if all of it, made alike; else ``missing``."""
    missing = Result(step, "missing", reason="not made yet")
    try:
        with open_regular(_record_file(step, folder)) as stream:
            record = json.loads(stream.read())
        sums = {output: _checksum(folder / output) for output in step.outputs}
        seconds = float(record["seconds"])
    except (OSError, ValueError, TypeError, LookupError, RecursionError):  # a stamp that is damaged
        return missing
    expected = _identity(step, folder, provenance) | {"outputs": sums}
    if {k: record.get(k) for k in expected} != expected:
        return missing
    return Result(step, "kept", seconds)


def _identity(step: Step, folder: Path, provenance: str) -> dict[str, object]:
    return {
        "commands": [shlex.join(line) for line in command_lines(step, folder)],
        "provenance": provenance,
        "code": code_digest(),
    }


def _record_file(step: Step, folder: Path) -> Path:
    return folder / "steps" / f"{step.name}.json"


def _checksum(file: Path) -> str:
    with open_regular(file) as stream:
        return hashlib.sha256(stream.read()).hexdigest()


# The command.


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
        from numerics.report_page import page

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
