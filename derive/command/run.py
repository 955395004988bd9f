"""Running a command: parse, act, show and write the outcome, answer signals, choose the exit code.

Exit codes: 0 done, 1 the result is undecided or could not be made or written, 2 bad usage, 130
interrupted, 143 and 129 ended by SIGTERM and SIGHUP.
"""

import argparse
import errno
import io
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from derive.command.files import write_all
from derive.command.messages import fail, show
from derive.command.parser import CommandParser
from derive.command.signals import Stopped, stopped_by_signals
from derive.errors import InputError, Undecided


@dataclass(frozen=True)
class Outcome:
    """What a command has to show: its text, and files to write beside it."""

    text: str
    files: Mapping[Path, bytes] = field(default_factory=dict)


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
        return fail(f"{parser.prog}: undecided: {error}")
    except KeyboardInterrupt as stop:
        told = stop if isinstance(stop, Stopped) else Stopped()
        start = "\n" if sys.stderr and sys.stderr.isatty() else ""  # below a progress bar
        return fail(f"{parser.prog}: {told}", told.code, start)
    except OSError as error:
        return fail(f"{parser.prog}: error: {_cause(error)}")


def _written(outcome: Outcome, output: Path | None, program: str) -> int:
    """Write the files of an outcome, and show its text unless it is written too."""
    own = {} if output is None else {output: (outcome.text + "\n").encode(errors="replace")}
    try:
        write_all({**outcome.files, **own})
    except OSError as error:
        return fail(f"{program}: error: cannot write the result: {error.strerror}")
    return 0 if own else show(outcome.text, program)


def _cause(error: OSError) -> str:
    """What the system refused, and what helps."""
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return f"{error.strerror}: close some or allow more (ulimit -n)"
    return f"{error.strerror or error}" + (f": {error.filename!r}" if error.filename else "")
