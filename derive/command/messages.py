"""What a command says: its result on stdout, what is wrong in one line on stderr."""

import os
import sys
from contextlib import suppress
from shutil import get_terminal_size
from textwrap import fill
from typing import TextIO

LONGEST_MESSAGE = 300
_NARROWEST = 11  # as of argparse, for words are never cut


def wrapped(text: str, first: str = "") -> str:
    """Text as wide as the terminal, after what stands ``first`` in its line; options stay whole."""
    room = max(get_terminal_size().columns - 2, _NARROWEST + len(first))
    return fill(text, room, initial_indent=first, subsequent_indent=" " * len(first),
                break_on_hyphens=False, break_long_words=False)  # fmt: skip


def show(text: str, program: str) -> int:
    """Print a result; return the exit code, 1 with a line on stderr if that is impossible."""
    if sys.stdout is None:
        return fail(f"{program}: error: cannot write the result: standard output is closed")
    try:
        print(text, flush=True)
    except BrokenPipeError:  # the reader has seen enough, as in `... | head`
        forget(sys.stdout)
    except OSError as error:
        forget(sys.stdout)
        return fail(f"{program}: error: cannot write the result: {error.strerror}")
    return 0


def forget(stream: TextIO) -> None:
    """Let what a stream could not write go: some Pythons would try again at their end, and fail."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def fail(message: str, code: int = 1, start: str = "") -> int:
    """Say what is wrong in one line, if anybody listens; return the exit code.

    Arguments:
        message: of any length; of a long one the middle is left out.
        code: the exit code.
        start: what stands before it.
    """
    line = " ".join(message.split())
    if len(line) > LONGEST_MESSAGE:  # what was given stands first, what is accepted last
        line = f"{line[: LONGEST_MESSAGE - 125]} ... {line[-120:]}"
    if sys.stderr is not None:
        try:
            print(f"{start}{line}", file=sys.stderr, flush=True)
        except OSError:
            forget(sys.stderr)
    return code
