"""The manner all commands share: options, formats, errors, exit codes, files, provenance.

A command declares its options on a ``CommandParser`` and hands ``run`` a function from the parsed
options to its ``Outcome``. Exit codes: 0 done, 1 the result is undecided or could not be made or
written, 2 bad usage, 130 interrupted, 143 and 129 ended by SIGTERM and SIGHUP. Errors are one line
on stderr, of at most 300 characters; a file is complete or absent.
"""

import argparse
import errno
import io
import logging
import os
import re
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib import metadata
from pathlib import Path
from typing import Any, NoReturn, TextIO, TypeVar

from derive.errors import InputError, Undecided
from derive.files import output_path, write_all
from derive.signals import Stopped, stopped_by_signals

T = TypeVar("T")

FORMATS = ("text", "json", "csv", "latex", "markdown")
LARGEST_DEGREE = 2000
LONGEST_MESSAGE = 300
_SILENCE = 30  # seconds without a word, at least, where progress is told by lines


def _is_no_talk_of_caches(record: logging.LogRecord) -> bool:
    """Whether a library says more than where, in want of a home, it keeps what."""
    return not re.search("cache|mkdir", record.getMessage())


for _name in ("matplotlib", "matplotlib.font_manager"):  # it talks when it is imported
    logging.getLogger(_name).addFilter(_is_no_talk_of_caches)


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
        raise SystemExit(_fail(f"{self.prog}: error: {message}", 2))

    def print_help(self, file: Any = None) -> None:
        """Show the help; it can fail to be written like any result."""
        raise SystemExit(show(self.format_help().rstrip(), self.prog))


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
        if text.count(",") >= LARGEST_DEGREE:
            raise argparse.ArgumentTypeError(f"give at most {LARGEST_DEGREE} degrees or ranges")
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


def one_of(names: Callable[[], Iterable[str]], what: str, listed: str) -> Callable[[str], str]:
    """Option type for one of many names; another is answered by the nearest.

    Arguments: ``names``, asked for when needed; ``what`` they name; ``listed``, what lists them.
    """

    def parse(text: str) -> str:
        known = list(names())
        if text in known:
            return text
        near = ", ".join(map(repr, get_close_matches(text[:40], known, n=3, cutoff=0)))
        raise argparse.ArgumentTypeError(
            f"{text[:40]!r} is no {what}: nearest are {near}; {listed} lists all"
        )

    return parse


def accepted(parse: Callable[[str], object]) -> Callable[[str], str]:
    """Option type for text that ``parse`` accepts; the text itself is the value."""

    def check(text: str) -> str:
        try:
            parse(text)
        except InputError as error:
            raise argparse.ArgumentTypeError(str(error)) from None
        return text

    return check


@dataclass(frozen=True)
class Outcome:
    """What a command has to show: its text, and files to write beside it."""

    text: str
    files: Mapping[Path, bytes] = field(default_factory=dict)


@contextmanager
def advancing(total: float, what: str) -> Iterator[Callable[..., object]]:
    """Tell of progress on stderr: by a bar on a terminal, elsewhere by lines half a minute apart.

    Arguments: ``total``, a count or, if no integer, a sum of weights; ``what`` it is of. The result
    is a function to be called, from any thread, with what was done since (1 by default).
    """
    if sys.stderr.isatty():
        from tqdm import tqdm  # costs start-up time that only a terminal is willing to pay

        scaled = not isinstance(total, int)
        with tqdm(total=total, desc=what, unit_scale=scaled, file=sys.stderr, leave=False,
                  delay=1) as bar:  # fmt: skip
            yield bar.update
        return
    lock, begun = threading.Lock(), time.monotonic()
    done: float = 0
    told = begun

    def advance(more: float = 1) -> None:
        nonlocal done, told
        with lock:
            done, now = done + more, time.monotonic()
            if now - told < _SILENCE:
                return
            told = now
            line = f"{what}: {done / total:.0%} done after {(now - begun) / 60:.1f} minutes"
            with suppress(OSError):  # nobody may be listening any more
                print(line, file=sys.stderr, flush=True)

    yield advance


def progress(items: Sequence[T], what: str) -> Iterator[T]:
    """Iterate over ``items``, telling of it as ``advancing`` does."""
    with advancing(len(items), what) as advance:
        for item in items:
            yield item
            advance()


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
    root = Path(__file__).resolve().parent.parent
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


def run(
    parser: CommandParser,
    action: Callable[[argparse.Namespace], Outcome],
    arguments: Sequence[str] | None = None,
) -> int:
    """Parse the arguments, run the command, show and write its outcome; return the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal without μ shows ?, not a traceback
            stream.reconfigure(errors="replace")
    try:
        with stopped_by_signals():
            options = parser.parse_args(arguments)
            return _written(action(options), options.output, parser.prog)
    except InputError as error:
        parser.error(str(error))
    except Undecided as error:
        return _fail(f"{parser.prog}: undecided: {error}")
    except KeyboardInterrupt as stop:
        told = stop if isinstance(stop, Stopped) else Stopped()
        start = "\n" if sys.stderr and sys.stderr.isatty() else ""  # below a progress bar
        return _fail(f"{parser.prog}: {told}", told.code, start)
    except OSError as error:
        return _fail(f"{parser.prog}: error: {_cause(error)}")


def _written(outcome: Outcome, output: Path | None, program: str) -> int:
    """Write the files of an outcome, and show its text unless it is written too."""
    own = {} if output is None else {output: (outcome.text + "\n").encode(errors="replace")}
    try:
        write_all({**outcome.files, **own})
    except OSError as error:
        return _fail(f"{program}: error: cannot write the result: {error.strerror}")
    return 0 if own else show(outcome.text, program)


def _cause(error: OSError) -> str:
    """What the system refused, and what helps."""
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return f"{error.strerror}: close some or allow more (ulimit -n)"
    return f"{error.strerror or error}" + (f": {error.filename!r}" if error.filename else "")


def show(text: str, program: str) -> int:
    """Print a result; return the exit code, 1 with a line on stderr if that is impossible."""
    if sys.stdout is None:
        return _fail(f"{program}: error: cannot write the result: standard output is closed")
    try:
        print(text, flush=True)
    except BrokenPipeError:  # the reader has seen enough, as in `... | head`
        _forget(sys.stdout)
    except OSError as error:
        _forget(sys.stdout)
        return _fail(f"{program}: error: cannot write the result: {error.strerror}")
    return 0


def _forget(stream: TextIO) -> None:
    """Let what a stream could not write go: some Pythons would try again at their end, and fail."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _fail(message: str, code: int = 1, start: str = "") -> int:
    """Say what is wrong in one line, if anybody listens; return the exit code."""
    line = " ".join(message.split())
    if len(line) > LONGEST_MESSAGE:  # what was given stands first, what is accepted last
        line = f"{line[: LONGEST_MESSAGE - 125]} ... {line[-120:]}"
    if sys.stderr is not None:
        try:
            print(f"{start}{line}", file=sys.stderr, flush=True)
        except OSError:
            _forget(sys.stderr)
    return code
