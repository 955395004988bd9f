"""Who does the work of a sweep: a cluster gives the same, and its loss is one clear line."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from cells import slow_square, square, values

from derive.errors import Undecided
from numerics.sweep.executors import executor_for
from numerics.sweep.run import run_cells


def test_an_unreachable_scheduler_is_one_clear_line(command, monkeypatch):
    monkeypatch.setattr("numerics.sweep.executors.PATIENCE", 1)
    done = command("numerics.simulate", "--activation", "x", "--scheduler", "tcp://127.0.0.1:9")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "no scheduler answers" in done.stderr


def _spawn(*arguments, folder):
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])
    }
    return subprocess.Popen(
        [sys.executable, "-m", "distributed.cli.dask_" + arguments[0], *arguments[1:]],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@pytest.fixture
def cluster(tmp_path):
    """A scheduler with two workers: its address, the workers' processes, and its own."""
    file = tmp_path / "scheduler.json"
    common = ("--scheduler-file", str(file))
    scheduler = _spawn(
        "scheduler",
        *common,
        "--host",
        "127.0.0.1",
        "--port",
        "0",
        "--no-dashboard",
        folder=tmp_path,
    )
    processes = [scheduler]
    try:
        for _ in range(200):
            if file.exists():
                break
            time.sleep(0.1)
        workers = [
            _spawn(
                "worker", *common, "--nworkers", "1", "--nthreads", "1", "--no-nanny",
                "--no-dashboard", "--host", "127.0.0.1", folder=tmp_path,
            )
            for _ in range(2)
        ]  # fmt: skip
        processes += workers
        yield json.loads(file.read_text())["address"], workers, scheduler
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.wait()


OPTIONS = ("--activation", "x", "--mu", "0.3,0.6", "--horizon", "4000", "--format", "json")


@pytest.fixture
def remote(cluster, tmp_path):
    """Start a simulation on the cluster: its process, once the first cell is in its folder."""

    def start(*options):
        line = [sys.executable, "-m", "numerics.simulate", *OPTIONS, *options]
        running = subprocess.Popen(
            [*line, "--scheduler", cluster[0]],
            cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        for _ in range(1200):
            if list((tmp_path / options[-1]).glob("*.npz")):
                break
            time.sleep(0.05)
        assert running.poll() is None  # what is killed has work left
        return running

    return start


def test_a_cluster_that_loses_a_worker_goes_on_and_one_that_is_lost_is_told(cluster, tmp_path):
    """What was finished is kept, and not computed again here."""
    address, workers, scheduler = cluster
    cells = [{"x": float(x), "name": "square"} for x in range(12)]
    expected = [x**2 for x in range(12)]

    def lost(process: subprocess.Popen, folder: Path) -> None:
        while not list(folder.glob("*.npz")):
            time.sleep(0.02)
        process.kill()

    def swept(folder: Path, end: subprocess.Popen) -> list[float]:
        ending = threading.Thread(target=lost, args=(end, folder))
        ending.start()
        try:
            with executor_for(address, None) as executor:
                return values(run_cells(slow_square, cells, folder, executor))
        finally:
            ending.join()

    assert swept(tmp_path / "one", workers[0]) == expected
    with pytest.raises(Undecided, match=r"was lost, .* run the same command again"):
        swept(tmp_path / "two", scheduler)
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.glob("two/*.npz")}
    assert 0 < len(kept) < 12
    assert values(run_cells(square, cells, tmp_path / "two")) == expected
    assert len(list(tmp_path.glob("two/*.npz"))) == 12
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in kept.items())


@pytest.mark.thorough
def test_a_cluster_gives_the_same_and_its_losses_are_told(cluster, remote, command, tmp_path):
    """A worker is killed in mid-sweep: it ends, bit-identical to a local one. Then the scheduler:

    that is one line, and the sweep goes on here.
    """
    _, workers, scheduler = cluster
    options = ("--replicas", "300", "--results")
    running = remote(*options, "remote")
    workers[0].send_signal(signal.SIGKILL)
    _, errors = running.communicate(timeout=100)
    assert running.returncode == 0, errors
    assert command("numerics.simulate", *OPTIONS, *options, "local").returncode == 0
    _insist_on_the_same(tmp_path / "remote", tmp_path / "local")

    options = ("--replicas", "600", "--seed", "1", "--results", "cells")
    running = remote(*options)
    scheduler.kill()
    out, errors = running.communicate(timeout=100)
    assert (running.returncode, out, errors.count("\n")) == (1, "", 1), errors
    assert "run the same command again" in errors
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.glob("cells/*.npz")}
    assert 0 < len(kept) < 24
    assert command("numerics.simulate", *OPTIONS, *options).returncode == 0
    assert len(list(tmp_path.glob("cells/*.npz"))) == 24
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in kept.items())


def _insist_on_the_same(remote, local):
    names = sorted(path.name for path in remote.iterdir())
    assert names == sorted(path.name for path in local.iterdir())
    assert len(names) == 12
    for name in names:
        with np.load(remote / name) as ours, np.load(local / name) as theirs:
            for array in ours.files:
                np.testing.assert_array_equal(ours[array], theirs[array])
