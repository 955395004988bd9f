"""The manner all commands share: options, formats, errors, exit codes, files, provenance.

A command declares its options on a ``CommandParser`` and hands ``run`` a function from the parsed
options to the text to print. Exit codes: 0 done, 1 the result could not be written, 2 bad usage,
130 interrupted. Errors are one line on stderr; a file is complete or absent.
"""

import argparse
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import NoReturn, TypeVar

from derive.errors import InputError

T = TypeVar("T")

FORMATS = ("text", "json", "csv", "latex", "markdown")
LARGEST_DEGREE = 2000
_MOST_DEGREES = 10_000


class CommandParser(argparse.ArgumentParser):
    """Parser with the options every command has: ``--format``, ``--output``, ``--help``.

    Arguments: ``module``, run as ``python -m module``; ``summary``, one sentence; ``examples``,
    option strings shown under ``--help``; ``default_format``.
    """

    def __init__(
        self, module: str, summary: str, examples: Sequence[str], default_format: str = "text"
    ) -> None:
        shown = "\n".join(f"  python -m {module} {example}" for example in examples)
        super().__init__(
            prog=f"python -m {module}",
            description=summary,
            epilog=f"examples:\n{shown}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        self.add_argument(
            "--format",
            choices=FORMATS,
            default=default_format,
            help=f"form of the result (default: {default_format})",
        )
        self.add_argument(
            "--output",
            metavar="FILE",
            type=output_path,
            help="write the result there, whole or not at all, instead of printing it",
        )

    def error(self, message: str) -> NoReturn:
        """Report bad usage in one line and leave with exit code 2."""
        self.exit(2, f"{self.prog}: error: {' '.join(message.split())}\n")


class Degrees(tuple[int, ...]):
    """Polynomial degrees read from text such as ``5``, ``3:21``, ``3:21:2`` or ``3,5,10``.

    A range includes both ends. ``str`` gives back the text. Raises
    ``argparse.ArgumentTypeError`` for anything else and for degrees above ``LARGEST_DEGREE``.

    >>> list(Degrees("1:4,10"))
    [1, 2, 3, 4, 10]
    """

    text: str

    def __new__(cls, text: str) -> "Degrees":
        """Parse ``text``."""
        degrees: dict[int, None] = {}
        for part in text.split(","):
            degrees.update(dict.fromkeys(_degree_range(part.strip(), text)))
        self = super().__new__(cls, degrees)
        self.text = text
        return self

    def __str__(self) -> str:
        return self.text


def _degree_range(part: str, text: str) -> range:
    shown = text if len(text) <= 40 else text[:37] + "..."
    accepted = (
        f"give integers from 1 to {LARGEST_DEGREE}: one (5), a range (3:21, or 3:21:2 in steps) "
        "or a list (3,5,10)"
    )
    match = re.fullmatch(r"(\d{1,9})(?::(\d{1,9})(?::(\d{1,9}))?)?", part, re.ASCII)
    if not match:
        raise argparse.ArgumentTypeError(f"{shown!r} is not accepted: {accepted}")
    first = int(match[1])
    last = int(match[2] or first)
    step = int(match[3] or 1)
    if not 1 <= first <= LARGEST_DEGREE or not 1 <= last <= LARGEST_DEGREE or step < 1:
        raise argparse.ArgumentTypeError(f"{shown!r} is out of range: {accepted}")
    if last < first:
        raise argparse.ArgumentTypeError(f"{shown!r} runs backwards: give {last}:{first}")
    return range(first, last + 1, step)


def integer_between(low: int, high: int) -> Callable[[str], int]:
    """Option type for an integer from ``low`` to ``high``."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(
                f"{text[:40]!r} is not accepted: give an integer from {low} to {high}"
            )
        return int(text)

    return parse


def output_path(text: str) -> Path:
    """Option type for a file to write: refuses now what could not be written later."""
    path = Path(os.path.realpath(text))
    if not text or path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is a folder: give the name of a file")
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is in no existing folder: create it first")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise argparse.ArgumentTypeError(f"{text!r} is not writable: choose another file")
    return path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` that takes its place on success and goes on failure.

    A path that exists and is no regular file, such as a pipe or ``/dev/stdout``, is written
    directly: nothing can take its place.
    """
    if path.exists() and not path.is_file():
        yield path
        return
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_whole(path: Path, text: str) -> None:
    """Write ``text`` and a final newline to ``path``, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def progress(items: Sequence[T], what: str) -> Iterable[T]:
    """Iterate over ``items`` behind a progress bar on stderr, if that is a terminal."""
    if not sys.stderr.isatty():
        return items
    from tqdm import tqdm  # costs start-up time that only a terminal is willing to pay

    return tqdm(items, desc=what, file=sys.stderr, leave=False, delay=1)


def provenance(parser: argparse.ArgumentParser, options: argparse.Namespace) -> str:
    """One line that reproduces a result: the command with its options, versions, commit."""
    settings = " ".join(
        f"--{name.replace('_', '-')}" + ("" if value is True else f" {value}")
        for name, value in vars(options).items()
        if name not in {"format", "output", "plot"} and value not in (None, False)
    )
    versions = ", ".join(f"{name} {_version(name)}" for name in ("sympy", "python-flint"))
    return (
        f"{parser.prog} {settings} | lora-escape {_version('lora-escape')}{_commit()}, {versions}"
    )


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "(not installed)"


def _commit() -> str:
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return ""
    described = subprocess.run(
        ["git", "-C", str(root), "describe", "--always", "--dirty", "--exclude=*"],
        capture_output=True,
        text=True,
        check=False,
    )
    return f" (commit {described.stdout.strip()})" if described.returncode == 0 else ""


def run(
    parser: CommandParser,
    action: Callable[[argparse.Namespace], str],
    arguments: Sequence[str] | None = None,
) -> int:
    """Parse the arguments, run the command, print or write its text; return the exit code."""
    try:
        options = parser.parse_args(arguments)
        text = action(options)
        if options.output:
            write_whole(options.output, text)
        else:
            print(text, flush=True)
    except InputError as error:
        parser.error(str(error))
    except KeyboardInterrupt:
        print(f"{parser.prog}: interrupted, nothing was written", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader has seen enough, as in `... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        where = f" {error.filename}" if error.filename else ""
        print(f"{parser.prog}: error: cannot write{where}: {error.strerror}", file=sys.stderr)
        return 1
    return 0
