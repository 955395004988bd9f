"""Commands in processes of their own that need not import their libraries first."""

import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.forkserver import ensure_running
from pathlib import Path

import pytest

_FORKS = multiprocessing.get_context("forkserver")
_LONG = 300  # seconds


def prepare(*modules: str) -> None:
    """Let what is started begin where these modules are imported: once for all."""
    _FORKS.set_forkserver_preload([*modules])


class Forked:
    """``python -m MODULE OPTIONS...`` as from a terminal, in a session of its own.

    It is forked from a process that has only imported modules, holds no other thread and hears
    signals as they were at its start. In place of pipes it has two files in a folder of its own.
    """

    def __init__(self, module: str, *options: str, folder: Path, told: Path) -> None:
        self.args = [sys.executable, "-m", module, *options]
        self._told = (told / "out", told / "err")
        given = (module, options, folder, self._told, dict(os.environ))
        with pytest.MonkeyPatch.context() as patch:  # what it is forked from finds all modules
            patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
            ensure_running()
        self._process = _FORKS.Process(target=_run, args=given)
        self._process.start()
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit code, or minus the signal that ended it."""
        return self._process.exitcode

    def communicate(self, timeout: float = _LONG) -> tuple[str, str]:
        """Wait for its end, and make it where it does not come; what it wrote to both streams."""
        self._process.join(timeout)
        if self.returncode is None:
            self.end()
            raise subprocess.TimeoutExpired(self.args, timeout)
        out, err = (file.read_text(encoding="utf-8") for file in self._told)
        return out, err

    def end(self) -> None:
        """Kill it and what it has started."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.join()

    def completed(self) -> subprocess.CompletedProcess[str]:
        """What it answered, when it has ended."""
        out, err = self.communicate()
        return subprocess.CompletedProcess(self.args, self.returncode, out, err)


def _run(
    module: str,
    options: Sequence[str],
    folder: Path,
    told: Sequence[Path],
    environment: dict[str, str],
) -> None:
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    for number, file in enumerate(told, start=1):
        os.dup2(os.open(file, os.O_CREAT | os.O_WRONLY | os.O_APPEND), number)
    sys.argv = ["-m", *options]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
