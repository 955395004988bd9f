"""Sweeps: cells are kept, found again, refused when foreign, and survive the death of a worker."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from cells import CELLS, square, values
from processes import as_anybody
from thorough import only

from derive.errors import InputError, Undecided
from numerics.sweep import store
from numerics.sweep.executors import executor_for
from numerics.sweep.run import run_cells


def slow(cell):
    time.sleep(0.5)
    return square(cell)


def fatal(cell):
    if cell["x"] == 3:
        time.sleep(0.5)  # so that the others are finished
        os.kill(os.getpid(), signal.SIGKILL)
    return square(cell)


def test_results_come_in_order_whatever_the_executor():
    expected = [x**2 for x in range(5)]
    assert values(run_cells(square, CELLS)) == expected
    with ThreadPoolExecutor(3) as pool, executor_for(None, 2) as processes:
        for executor in (pool, processes):
            assert values(run_cells(square, CELLS, executor=executor)) == expected


def test_finished_cells_are_not_computed_again(tmp_path):
    first = run_cells(square, CELLS[:3], tmp_path)
    calls = []
    again = run_cells(lambda cell: calls.append(cell) or square(cell), CELLS, tmp_path)
    assert [call["x"] for call in calls] == [3.0, 4.0]
    np.testing.assert_array_equal(values(again)[:3], values(first))
    assert len(list(tmp_path.iterdir())) == 5  # nothing but cells is left


def test_a_folder_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="not writable"):
        run_cells(square, CELLS, tmp_path / "file" / "folder")


COMMAND = """
    import sys
    from pathlib import Path
    from cells import CELLS, square, values
    from derive.command.parser import CommandParser
    from derive.command.report import Report
    from derive.command.run import run
    from numerics.sweep.executors import executor_for
    from numerics.sweep.run import run_cells

    def action(options):
        with executor_for(None, int(sys.argv[2])) as executor:
            found = run_cells(square, CELLS[: int(sys.argv[1])], Path("cells"), executor)
        return Report([], [], "exact", of=str(values(found)))

    if __name__ == "__main__":
        raise SystemExit(run(CommandParser("sweep", "S.", []), action, []))
"""


def _sweep(folder, cells, workers=1, limit=None):
    """A command that computes so many cells, run by one without a superuser's rights."""

    def prepare():
        as_anybody()
        if limit:
            import resource  # not everywhere

            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))

    (folder / "sweep.py").write_text(textwrap.dedent(COMMAND))
    return subprocess.run(
        [sys.executable, "sweep.py", str(cells), str(workers)],
        cwd=folder, preexec_fn=prepare, capture_output=True, text=True, check=False, timeout=100,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip


@pytest.mark.skipif(sys.platform != "linux", reason="takes rights from a process")
def test_a_finished_folder_need_not_be_writable_and_an_unreadable_one_is_told(tmp_path):
    first = _sweep(tmp_path, 1)
    assert (first.returncode, first.stderr) == (0, "")
    (tmp_path / "cells").chmod(0o555)
    again = _sweep(tmp_path, 1)
    assert (again.returncode, again.stdout, again.stderr) == (0, first.stdout, "")
    more = _sweep(tmp_path, 2)
    assert (more.returncode, more.stderr.count("\n")) == (2, 1)
    assert "not writable (Permission denied)" in more.stderr
    (tmp_path / "cells").chmod(0)
    closed = _sweep(tmp_path, 1)
    (tmp_path / "cells").chmod(0o755)
    assert (closed.returncode, closed.stderr.count("\n")) == (2, 1), closed.stderr
    assert "cannot be read (Permission denied)" in closed.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="takes rights from a process")
@pytest.mark.parametrize("limit", only([40], [14, 40]))
def test_too_many_descriptors_are_told_as_what_they_are(tmp_path, limit):
    done = _sweep(tmp_path, 5, workers=100, limit=limit)
    assert (done.returncode in (1, 2), done.stdout, done.stderr.count("\n")) == (True, "", 1)
    assert "oo many open files" in done.stderr
    assert "cannot write" not in done.stderr


def test_a_full_disk_keeps_what_was_finished(tmp_path, monkeypatch):
    written = []
    real = store.write_all

    def full(files):
        if len(written) == 2:
            raise OSError(28, "No space left on device")
        written.extend(files)
        real(files)

    monkeypatch.setattr(store, "write_all", full)
    with pytest.raises(InputError, match="make room"):
        run_cells(square, CELLS, tmp_path)
    monkeypatch.undo()
    assert len(list(tmp_path.iterdir())) == 2
    assert values(run_cells(square, CELLS, tmp_path)) == [0, 1, 4, 9, 16]


def test_a_killed_process_loses_only_its_cells(tmp_path):
    with executor_for(None, 2) as pool, pytest.raises(Undecided, match="run the same command"):
        run_cells(fatal, CELLS, tmp_path, pool)
    kept = len(list(tmp_path.iterdir()))
    assert 1 <= kept < 5
    assert values(run_cells(square, CELLS, tmp_path)) == [0, 1, 4, 9, 16]


# A real scheduler and real workers, in processes of their own on loopback.


def test_sweeps_of_several_threads_share_a_folder(tmp_path):
    def sweep(start):
        return run_cells(square, [{"x": start + k} for k in range(3)], tmp_path / "cells")

    with ThreadPoolExecutor(8) as threads:
        for _ in threads.map(sweep, range(0, 300, 3)):
            pass
    assert len(list((tmp_path / "cells").iterdir())) == 300
