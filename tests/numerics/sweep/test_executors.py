"""Who does the work of a sweep: a cluster gives the same, and its loss is one clear line."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest


def test_an_unreachable_scheduler_is_one_clear_line(command):
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


def test_a_cluster_gives_the_same_and_survives_a_killed_worker(cluster, command, tmp_path):
    """One of two workers is killed in mid-sweep: the sweep ends, bit-identical to a local one."""
    address, workers, _ = cluster
    options = (
        "--activation", "x", "--mu", "0.3,0.6", "--replicas", "300", "--horizon", "4000",
        "--format", "json", "--results",
    )  # fmt: skip
    running = subprocess.Popen(
        [sys.executable, "-m", "numerics.simulate", *options, "remote", "--scheduler", address],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    remote = tmp_path / "remote"
    for _ in range(600):
        if remote.exists() and any(remote.glob("*.npz")):
            break
        time.sleep(0.05)
    assert running.poll() is None  # it is killed while there is work left
    workers[0].send_signal(signal.SIGKILL)
    _, errors = running.communicate(timeout=100)
    assert running.returncode == 0, errors
    assert command("numerics.simulate", *options, "local").returncode == 0
    names = sorted(path.name for path in remote.iterdir())
    assert names == sorted(path.name for path in (tmp_path / "local").iterdir())
    assert len(names) == 12
    for name in names:
        with np.load(remote / name) as ours, np.load(tmp_path / "local" / name) as theirs:
            for array in ours.files:
                np.testing.assert_array_equal(ours[array], theirs[array])


def test_a_scheduler_that_dies_is_one_line_and_the_sweep_goes_on(cluster, command, tmp_path):
    address, _, scheduler = cluster
    options = (
        "--activation", "x", "--mu", "0.3,0.6", "--replicas", "600", "--horizon", "4000",
        "--format", "json", "--results", "cells",
    )  # fmt: skip
    running = subprocess.Popen(
        [sys.executable, "-m", "numerics.simulate", *options, "--scheduler", address],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    for _ in range(1200):
        if list(tmp_path.glob("cells/*.npz")):
            break
        time.sleep(0.05)
    scheduler.kill()
    out, errors = running.communicate(timeout=100)
    assert (running.returncode, out, errors.count("\n")) == (1, "", 1), errors
    assert "run the same command again" in errors
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.glob("cells/*.npz")}
    assert 0 < len(kept) < 24
    assert command("numerics.simulate", *options).returncode == 0
    assert len(list(tmp_path.glob("cells/*.npz"))) == 24
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in kept.items())
