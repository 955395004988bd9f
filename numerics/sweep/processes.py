"""Processes of this machine that work for a command: they end with it, however it ends.

Signals are left to the command, which ends its processes; if it is killed, they notice.
"""

import ctypes
import multiprocessing
import multiprocessing.connection
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from contextlib import suppress
from multiprocessing.process import BaseProcess
from typing import Any

from derive.command.signals import ENDING
from derive.errors import InputError

_PR_SET_PDEATHSIG = 1  # of Linux
_PATIENCE = 10.0  # seconds that a command has to end its own processes


def end_with(parent: int) -> None:
    """End this process as soon as the one that started it ends, even if that is killed.

    Arguments:
        parent: number of the process that should outlive this one.

    Linux sees to it, also within machine code that lets no other thread run; elsewhere a thread
    looks.
    """
    if sys.platform != "linux":
        threading.Thread(target=_watch, daemon=True).start()
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before this was said
        os._exit(1)


def _watch() -> None:
    started_by = multiprocessing.parent_process()
    if started_by is None:
        sys.stdin.buffer.read()  # a pipe that nobody writes to, closed when its other end dies
    else:
        multiprocessing.connection.wait([started_by.sentinel])
    os._exit(1)


class LocalPool(ProcessPoolExecutor):
    """Processes of this machine that compute cells, which may take hours, and can be ended within.

    They live no longer than the thread that submits first. Raises ``InputError`` if so many cannot
    be started.
    """

    def __init__(self, workers: int | None) -> None:
        # Forked processes inherit what is compiled already; elsewhere they compile their own.
        context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
        self._others = multiprocessing.active_children()
        self._ended = False
        count = workers or os.cpu_count() or 1
        super().__init__(count, context, _begin_worker, (os.getpid(),))
        self._count = count

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        """Begin a call; the first one starts the processes."""
        try:
            future = super().submit(function, *arguments, **named)
        except OSError as error:  # descriptors, memory or processes have run out
            raise InputError(
                f"{self._count} workers cannot be started ({error.strerror}): give fewer --workers"
            ) from None
        future.add_done_callback(self._notice)
        return future

    def _notice(self, future: Future[Any]) -> None:
        """Where a worker is lost, end the others: the signal that a pool sends them they ignore."""
        if not future.cancelled() and isinstance(future.exception(), BrokenExecutor):
            for process in self._workers():
                process.kill()

    def _workers(self) -> list[BaseProcess]:
        return [p for p in multiprocessing.active_children() if p not in self._others]

    def end(self) -> None:
        """Call off what waits, and end the workers within their cells."""
        if self._ended:
            return
        self._ended = True
        # Before Python 3.12 a pool must have dropped what was called off when it loses its workers.
        # It goes through its calls in order: where the last was taken up or called off, it has.
        last = None
        if self._workers():
            with suppress(RuntimeError, OSError):  # it is broken, has ended or never began
                last = super().submit(int)
        self.shutdown(wait=False, cancel_futures=True)
        patience = time.monotonic() + 5
        while last and not (last.running() or last.done()) and time.monotonic() < patience:
            time.sleep(0.01)
        for process in self._workers():
            process.kill()


def _begin_worker(parent: int) -> None:
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)
    end_with(parent)


class Commands:
    """Commands of this project run by the same Python, in several threads, which can be ended."""

    AS_CHILD = (
        "import runpy, sys; from numerics.sweep.processes import end_with; "
        "end_with(int(sys.argv.pop(1))); "
        "runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)"
    )

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[str]] = set()
        self._ended = False

    def run(self, module: str, options: Sequence[str]) -> tuple[int, str]:
        """Run a command: its exit code, and what it wrote to stderr."""
        with self._lock:
            if self._ended:
                return 1, "called off"
            process = subprocess.Popen(
                [sys.executable, "-c", self.AS_CHILD, str(os.getpid()), module, *options],
                stdin=subprocess.PIPE,  # open as long as this process lives
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                errors="replace",  # text, whatever it holds
            )
            self._running.add(process)
        with process:
            told = process.stderr.read() if process.stderr else ""
        with self._lock:
            self._running.discard(process)
        return process.returncode, told

    def end(self) -> None:
        """Ask what runs to end, and end what does not; nothing more is begun."""
        with self._lock:
            self._ended = True
            running = list(self._running)
        for process in running:
            process.terminate()
        until = time.monotonic() + _PATIENCE
        for process in running:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, until - time.monotonic()))
            process.kill()
