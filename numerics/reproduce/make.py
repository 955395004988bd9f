"""Making a step, or keeping it: one that was made by the same command, versions and code is kept.

The steps are the project's own commands, run by the same Python, so a run that was stopped goes on
where it was.
"""

import hashlib
import importlib.util
import json
import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from derive.command.files import open_regular, write_all
from numerics.reproduce.steps import Product
from numerics.sweep.processes import Commands

_CODE = ("derive", "numerics", "transfer")
_SOURCES = (".py", ".js", ".css", ".jinja")


@dataclass(frozen=True)
class Outcome:
    """What became of a step.

    Fields: ``step``; ``state``, ``made`` now, ``kept`` from before, ``failed``, ``skipped`` or
    ``missing``; ``seconds`` its making took; ``reason`` of a failure or of being left out.
    """

    step: Product
    state: str
    seconds: float = 0.0
    reason: str = ""


# Running a step, or keeping it.


def command_lines(step: Product, folder: Path) -> list[list[str]]:
    """The arguments of Python that make a step in a folder."""
    return [
        ["-m", *(part.replace("@", str(folder)) for part in shlex.split(command))]
        for command in step.commands
    ]


def code_digest(packages: Sequence[str] = _CODE) -> str:
    """A digest of this project's code: another one means that everything is made anew."""
    root = Path(__file__).resolve().parents[2]
    digest = hashlib.sha256()
    for package in packages:
        for file in sorted(f for f in (root / package).rglob("*") if f.suffix in _SOURCES):
            digest.update(f"{file.relative_to(root)}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def make(step: Product, folder: Path, provenance: str, commands: Commands | None = None) -> Outcome:
    """Make a step in a folder, unless what it makes is there already, of the same provenance.

    Arguments:
        step: what is made.
        folder: where.
        provenance: what this run would be known by.
        commands: runs what is to be run, and can end it.
    """
    if step.needs and importlib.util.find_spec(step.needs) is None:
        return Outcome(step, "skipped", reason=f"needs {step.needs}, which is not installed")
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
            return Outcome(step, "failed", time.perf_counter() - start, last)
    seconds = time.perf_counter() - start
    record = _identity(step, provenance) | {
        "seconds": seconds,
        "outputs": {output: _checksum(folder / output) for output in step.outputs},
    }
    write_all({_record_file(step, folder): (json.dumps(record, indent=2) + "\n").encode()})
    return Outcome(step, "made", seconds)


def look_up(step: Product, folder: Path, provenance: str) -> Outcome:
    """What a folder holds of a step: ``kept`` if all of it, made alike; else ``missing``.

    Arguments:
        step: with the files it makes.
        folder: of results.
        provenance: what it would be made by now.
    """
    missing = Outcome(step, "missing", reason="not made yet")
    try:
        with open_regular(_record_file(step, folder)) as stream:
            record = json.loads(stream.read())
        sums = {output: _checksum(folder / output) for output in step.outputs}
        seconds = float(record["seconds"])
    except (OSError, ValueError, TypeError, LookupError, RecursionError):  # a stamp that is damaged
        return missing
    expected = _identity(step, provenance) | {"outputs": sums}
    if {k: record.get(k) for k in expected} != expected:
        return missing
    return Outcome(step, "kept", seconds)


def _identity(step: Product, provenance: str) -> dict[str, object]:
    return {
        "commands": list(step.commands),  # with @ for the folder, which may be moved
        "provenance": provenance,
        "code": code_digest(),
    }


def _record_file(step: Product, folder: Path) -> Path:
    return folder / "steps" / f"{step.name}.json"


def _checksum(file: Path) -> str:
    with open_regular(file) as stream:
        return hashlib.sha256(stream.read()).hexdigest()
