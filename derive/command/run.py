"""Running a command: parse, act, show and write the outcome, answer signals, choose the exit code.

Exit codes: 0 done, 1 the result is undecided or could not be made or written, 2 bad usage, 130
interrupted, 143 and 129 ended by SIGTERM and SIGHUP.
"""

import argparse
import errno
import io
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from derive.command.files import write_all
from derive.command.messages import fail, show
from derive.command.parser import CommandParser
from derive.command.provenance import provenance
from derive.command.report import Report, render
from derive.command.signals import Stopped, stopped_by_signals
from derive.errors import InputError, Undecided


def run(
    parser: CommandParser,
    action: Callable[[argparse.Namespace], Report],
    arguments: Sequence[str] | None = None,
) -> int:
    """Parse the arguments, run the command, show and write its report; return the exit code.

    Arguments:
        parser: of the command.
        action: makes a report of the options.
        arguments: those of the process by default.

    The options that ``action`` is given hold the provenance too, as ``source``: for files beside.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal without μ shows \\u03bc, no traceback
            stream.reconfigure(errors="backslashreplace")
    try:
        with stopped_by_signals():
            options = parser.parse_args(arguments)
            options.source = provenance(parser, options)
            report = action(options)
            source = f"{options.source} | {report.of}" if report.of else options.source
            text = render(report, options.format, source)
            code = _written(text, report.files, options.output, parser.prog)
            return fail(f"{parser.prog}: {report.failure}") if report.failure else code
    except InputError as error:
        parser.error(str(error))
    except Undecided as error:
        return fail(f"{parser.prog}: undecided: {error}")
    except KeyboardInterrupt as stop:
        told = stop if isinstance(stop, Stopped) else Stopped()
        start = "\n" if sys.stderr and sys.stderr.isatty() else ""  # below a progress bar
        reached = " ".join(getattr(stop, "__notes__", ()))
        return fail(f"{parser.prog}: {told} {reached}", told.code, start)
    except OSError as error:
        return fail(f"{parser.prog}: error: {_cause(error)}")


def _written(text: str, beside: Mapping[Path, bytes], output: Path | None, program: str) -> int:
    """Write the files, and show the text unless it is written too."""
    own = {} if output is None else {output: (text + "\n").encode(errors="backslashreplace")}
    try:
        write_all({**beside, **own})
    except OSError as error:
        return fail(f"{program}: error: cannot write the result: {error.strerror}")
    return 0 if own else show(text, program)


def _cause(error: OSError) -> str:
    """What the system refused, and what helps."""
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return f"{error.strerror}: close some or allow more (ulimit -n)"
    return f"{error.strerror or error}" + (f": {error.filename!r}" if error.filename else "")
