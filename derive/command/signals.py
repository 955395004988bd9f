"""What ends a command from outside: Ctrl-C, SIGTERM, SIGHUP; each in one line, from the first
import on.

A signal that was ignored when the command was started, as ``nohup`` does, stays ignored.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from types import FrameType
from typing import Any

ENDING = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
_ECHO = 1  # seconds: `timeout` sends its signal to the command and then to its whole group


class Stopped(KeyboardInterrupt):
    """A signal asks the command to end.

    Fields: ``number``, the signal's; ``code``, the exit code, 128 and the number: 130 for Ctrl-C.
    """

    def __init__(self, number: int = signal.SIGINT) -> None:
        super().__init__()
        self.number = number
        self.code = 128 + number

    def __str__(self) -> str:
        name = signal.Signals(self.number).name
        return "interrupted" if self.number == signal.SIGINT else f"interrupted by {name}"


def leave_in_one_line(called: str = "") -> None:
    """Let the ending signals end this process at once, with a line: nothing has begun yet."""
    module = next((b for a, b in pairwise(sys.orig_argv) if a == "-m"), "")

    def leave(number: int, _: FrameType | None) -> None:
        stop = Stopped(number)
        with suppress(OSError):
            os.write(2, f"{called or f'python -m {module}'}: {stop}\n".encode(errors="replace"))
        os._exit(stop.code)

    _answer(leave)


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Raise ``Stopped`` at an ending signal within this context, in the main thread.

    A second signal within a second is taken for the same one; a process forked from this one leaves
    all of them to it.
    """
    owner, last = os.getpid(), float(-_ECHO)

    def stop(number: int, _: FrameType | None) -> None:
        nonlocal last
        before, last = last, time.monotonic()
        if os.getpid() == owner and last - before >= _ECHO:
            if _waiting:
                _waiting[-1] = Stopped(number)
            else:
                raise Stopped(number)

    replaced = _answer(stop)
    try:
        with _interrupts_first():
            yield
    finally:
        for number, handler in replaced.items():
            signal.signal(number, handler)


# In whose contexts the main thread is, and the signals that wait for their ends.
_waiting: list[Stopped | None] = []


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let ``Stopped`` wait for the end of this context, of what takes no time and cannot be left.

    Other threads than the main one are never interrupted.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _waiting.append(None)
    try:
        yield
    finally:
        if stop := _waiting.pop():
            raise stop


@contextmanager
def _interrupts_first() -> Iterator[None]:
    """Raise the interrupt itself where what it interrupts raises another error on the way out."""
    try:
        yield
    except Exception as error:
        behind: BaseException | None = error
        while behind is not None and not isinstance(behind, KeyboardInterrupt):
            behind = behind.__context__
        if behind is None:
            raise
        raise behind from None


def _answer(handler: Callable[[int, FrameType | None], None]) -> dict[signal.Signals, Any]:
    """Answer the ending signals that are not ignored; what answered them before."""
    replaced: dict[signal.Signals, Any] = {}
    for number in ENDING:
        before = signal.getsignal(number)
        if before not in (signal.SIG_IGN, None):  # None: not Python's own, let alone ours
            with suppress(ValueError):  # in another thread than the main one
                replaced[number] = signal.signal(number, handler)
    return replaced
