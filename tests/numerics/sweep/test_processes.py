"""Processes end with their command, however it ends, and a command ends cleanly when it is told."""

import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from invoke import invoke
from processes import session
from thorough import only

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc")
TOLD = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
KILLED = (signal.SIGKILL, -9)
SIMULATION = (
    "--activation", "x", "--mu", "0.3,0.6", "--replicas", "600", "--horizon", "2000", "--workers",
    "2", "--results", "cells", "--format", "json",
)  # fmt: skip


def wait_for(condition, seconds=90):
    deadline = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


def assert_ended(
    run: subprocess.Popen, number: signal.Signals, code: int, prog: str, after: str = ""
) -> None:
    """It says so in one line, and after what; holds no pipe, and none of its session is left."""
    out, err = run.communicate(timeout=20)
    assert (run.returncode, out) == (code, ""), err
    *planned, last = err.splitlines() if number != signal.SIGKILL else [*err.splitlines(), ""]
    assert all(line.startswith("planned: ") for line in planned)
    told = {signal.SIGINT: f"{prog}: interrupted", signal.SIGKILL: ""}
    expected = told.get(number, f"{prog}: interrupted by {number.name}")
    assert re.fullmatch(re.escape(expected) + after * (expected != ""), last), last
    assert wait_for(lambda: not session(run.pid), 10), session(run.pid)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("whole")
    return invoke("numerics.simulate", *SIMULATION, folder=folder).stdout


@pytest.mark.parametrize(("number", "code"), only([TOLD[1]], [*TOLD, KILLED]))
def test_a_simulation_ends_with_its_workers_and_goes_on(
    number, code, started, command, uninterrupted, tmp_path
):
    run = started("numerics.simulate", *SIMULATION)
    assert wait_for(lambda: list(tmp_path.glob("cells/*.npz")))
    os.kill(run.pid, number)
    after = r" after \d+% of the steps \(finished cells are kept in cells\)"
    assert_ended(run, number, code, "python -m numerics.simulate", after)
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.glob("cells/*.npz")}
    assert 0 < len(kept) < 24
    resumed = command("numerics.simulate", *SIMULATION)
    assert (resumed.returncode, resumed.stdout) == (0, uninterrupted)
    assert kept.items() <= {p: p.stat().st_mtime_ns for p in tmp_path.glob("cells/*")}.items()


WORK = """
    import ctypes, os, signal, sys, time
    from derive.command.parser import CommandParser
    from derive.command.report import Report
    from derive.command.run import run
    from numerics.sweep import processes

    def hold(_):  # machine code that lets no other thread run
        ctypes.PyDLL(None).sleep(60)

    def action(options):
        with processes.LocalPool(2) as pool:
            try:
                list(pool.map(hold, range(4)))
            except BaseException:
                pool.end()
                raise
        return Report([], [], "exact")

    if __name__ == "__main__":
        raise SystemExit(run(CommandParser("work", "W.", []), action, sys.argv[1:]))
"""


@pytest.mark.parametrize(("number", "code"), [TOLD[1], KILLED])
def test_workers_end_within_machine_code(number, code, started, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    (tmp_path / "work.py").write_text(textwrap.dedent(WORK))
    run = started("work")
    assert wait_for(lambda: len(session(run.pid)) == 3)
    time.sleep(0.3)
    os.kill(run.pid, number)
    assert_ended(run, number, code, "python -m work")


REPRODUCED = """
    from numerics.reproduce import __main__ as command
    from numerics.reproduce.steps import Product

    command.steps = lambda quality: [Product("work", "Work", "table", ("work",), ())]
    raise SystemExit(command.main([]))
"""


@pytest.mark.parametrize(("number", "code"), [TOLD[1], KILLED])
def test_steps_and_their_workers_end_with_everything(number, code, started, tmp_path, monkeypatch):
    """Workers of a step are grandchildren."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    for name, text in (("work", WORK), ("outer", REPRODUCED)):
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(text))
    run = started("outer")
    assert wait_for(lambda: len(session(run.pid)) == 4)
    time.sleep(0.3)
    os.kill(run.pid, number)
    assert_ended(run, number, code, "python -m numerics.reproduce")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_elsewhere_than_on_linux_a_thread_looks(number, started, tmp_path, monkeypatch):
    """Of a worker, and of a command that another one has started."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    elsewhere = WORK.replace("ctypes.PyDLL(None).sleep(60)", "time.sleep(60)").replace(
        "def hold", "sys.platform = 'another'\n\n    def hold", 1
    )
    (tmp_path / "work.py").write_text(textwrap.dedent(elsewhere))
    outer = """
        import sys
        from derive.command.parser import CommandParser
        from derive.command.report import Report
        from derive.command.run import run
        from numerics.sweep import processes

        processes.Commands.AS_CHILD = (
            "import sys; sys.platform = 'another'; " + processes.Commands.AS_CHILD
        )

        def action(options):
            commands = processes.Commands()
            try:
                return Report([], [], "exact", of=str(commands.run("work", [])))
            except BaseException:
                commands.end()
                raise

        raise SystemExit(run(CommandParser("outer", "O.", []), action, []))
    """
    (tmp_path / "outer.py").write_text(textwrap.dedent(outer))
    run = started("outer")
    assert wait_for(lambda: len(session(run.pid)) >= 4)
    time.sleep(0.3)
    os.kill(run.pid, number)
    run.communicate(timeout=20)
    assert run.returncode == (143 if number == signal.SIGTERM else -9)
    assert wait_for(lambda: not session(run.pid), 10), session(run.pid)
