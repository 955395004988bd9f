"""Where a result comes from: the command with what was given, versions, the commit."""

import argparse
import shlex
import subprocess
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from derive.command.files import OutputFile

if TYPE_CHECKING:
    from derive.command.parser import CommandParser

_OF_THE_FORM = ("format", "output", "help")  # these change how a result is shown, not what it is


def provenance(parser: "CommandParser", options: argparse.Namespace) -> str:
    """One line that reproduces a result: the command with its options, versions, commit.

    The libraries are those that the parser says have a part in its results, and those that write
    the files beside.
    """
    words = [word for action in parser._actions for word in _words(action, options)]
    command = _printable(shlex.join(["python", "-m", *parser.module.split(), *words]))
    beside = [
        name
        for action in parser._actions
        if isinstance(action.type, OutputFile) and getattr(options, action.dest, None)
        for name in action.type.libraries
    ]
    return f"{command} | {versions(dict.fromkeys([*parser.libraries, *beside]))}"


def _words(action: argparse.Action, options: argparse.Namespace) -> Iterator[str]:
    """An option as it was given, or as it is by default; of a path the name."""
    given = getattr(options, action.dest, None)
    if isinstance(action, argparse.BooleanOptionalAction):
        yield action.option_strings[0 if given else -1]
        return
    if action.dest in _OF_THE_FORM or given is None or given is False:
        return
    for value in given if isinstance(given, list) else [given]:
        yield from action.option_strings[-1:]
        if value is not True:
            yield value.name if isinstance(value, Path) else str(value)


def _printable(text: str) -> str:
    """Text for one line of any file: what cannot be shown, as in the names of files, is escaped."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def versions(libraries: Iterable[str]) -> str:
    """The versions of this project, with its commit, and of libraries, in one line."""
    listed = ", ".join(f"{name} {_version(name)}" for name in libraries)
    return f"lora-escape {_version('lora-escape')}{_commit()}, {listed}"


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "(not installed)"


def _commit() -> str:
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return ""
    try:
        described = subprocess.run(
            ["git", "-C", str(root), "describe", "--always", "--dirty", "--exclude=*"],
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:  # no git on this machine
        return ""
    return f" (commit {described.stdout.strip()})" if described.returncode == 0 else ""
