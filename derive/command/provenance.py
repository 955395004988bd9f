"""Where a result comes from: the command with its options, versions, the commit."""

import argparse
import shlex
import subprocess
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path


def provenance(
    parser: argparse.ArgumentParser,
    options: argparse.Namespace,
    libraries: Sequence[str] = ("sympy", "python-flint"),
    positional: Sequence[str] = (),
) -> str:
    """One line that reproduces a result: the command with its options, versions, commit.

    ``positional`` names the arguments that are given without the name of an option.
    """
    unnamed = [str(getattr(options, name)) for name in positional]
    named = [
        part
        for name, given in vars(options).items()
        if name not in {"format", "output", *positional}
        if given is not None and given is not False
        for value in (given if isinstance(given, list) else [given])
        for value in [value.name if isinstance(value, Path) else value]
        for part in [f"--{name.replace('_', '-')}", *([] if value is True else [str(value)])]
    ]
    command = _printable(shlex.join([*parser.prog.split(), *unnamed, *named]))
    return f"{command} | {versions(libraries)}"


def _printable(text: str) -> str:
    """Text for one line of any file: what cannot be shown, as in the names of files, is escaped."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def versions(libraries: Sequence[str]) -> str:
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
