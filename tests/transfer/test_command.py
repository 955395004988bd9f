"""``python -m transfer`` end to end: run, stop, go on, status, report; bad usage; one or many."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from forked import Forked
from processes import besides_progress, session

from transfer.__main__ import main
from transfer.experiment.commands import share_of_processes
from transfer.experiment.plan import Place

RESULTS = "found"
_OF_THE_RUN = ("seconds", "provenance", "checksum")


@pytest.fixture
def transfer(command, process):
    """Runs are forked, which a process that holds other threads cannot be safely."""

    def call(verb, *options):
        return (process if verb == "run" else command)("transfer", verb, *options)

    return call


def cells(folder):
    """What every finished cell holds, but for the time it took, and the checksum over that."""
    found = {}
    for path in sorted((folder / "cells").glob("*.npz")):
        with np.load(path, allow_pickle=False) as file:
            kept = [name for name in file.files if name not in _OF_THE_RUN]
            found[path.name] = {name: file[name].tobytes() for name in kept}  # bits, nan included
    return found


def checkpoints(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.glob("checkpoints/*/*"))
    }


@pytest.fixture(scope="module")
def whole(tmp_path_factory, small_text):
    """The folder of a run by one process that nothing stopped."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "small.toml").write_text(small_text, encoding="utf-8")
    line = ("transfer", "run", "small.toml", "--results", "whole", "--workers", "1")
    run = Forked(*line, folder=folder, told=tmp_path_factory.mktemp("told"))
    run.completed().check_returncode()
    return folder / "whole"


def test_run_again_status_and_report(transfer, whole, small_task, tmp_path):
    shutil.copytree(whole, tmp_path / RESULTS)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.npz")}
    assert len(before) == 2 * (1 + 3 * 2 * 2)
    ran = transfer("run", str(small_task), "--results", RESULTS)
    assert ran.returncode == 0, ran.stderr
    assert "linear probe" in ran.stdout
    assert besides_progress(ran.stderr) == ""
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.npz")}

    status = json.loads(
        transfer("status", str(small_task), "--results", RESULTS, "--format", "json").stdout
    )
    assert [(row["part"], row["finished"], row["cells"]) for row in status] == [
        ("pre-training", 2, 2), ("LoRA", 12, 12), ("linear probe", 12, 12)]  # fmt: skip

    options = ("report", str(small_task), "--results", RESULTS)
    text = transfer(*options, "--plot", "curves.svg").stdout
    assert "0 (random)" in text
    assert "python -m transfer report" in text
    assert (tmp_path / "curves.svg").stat().st_size > 10_000
    assert (
        (tmp_path / "curves.csv")
        .read_text()
        .splitlines()[1]
        .startswith("panel,checkpoint,epoch,mean")
    )
    whole = json.loads(transfer(*options, "--format", "json").stdout)
    assert len(whole["runs"]) == 2 * 2 * 3 * 2 * 2
    assert all(0 <= run["accuracy"] <= 1 for run in whole["runs"])
    assert transfer(*options, "--format", "csv").stdout.count("\n") == 2 + len(whole["runs"])
    assert r"\toprule" in transfer(*options, "--format", "latex").stdout

    damaged = min((tmp_path / RESULTS / "cells").iterdir())
    damaged.write_bytes(b"x")
    refused = transfer(*options)
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1
    assert damaged.name in refused.stderr


def test_killed_at_any_moment_it_goes_on_to_the_same_bits(
    transfer, whole, small_task, started, tmp_path
):
    states = 0
    line = ("transfer", "run", str(small_task), "--results", "parts", "--workers", "1")
    for _ in range(2):  # once while pre-training, once later
        running = started(*line)
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and running.returncode is None:
            now = sum(path.stat().st_mtime_ns for path in tmp_path.glob("parts/*/*/state*"))
            if now != states:
                states = now
                break
            time.sleep(0.002)
        running.end()
    unfinished = len(cells(tmp_path / "parts"))
    assert unfinished < len(cells(whole))
    assert transfer("run", str(small_task), "--results", "parts").returncode == 0
    assert cells(tmp_path / "parts") == cells(whole)
    assert checkpoints(tmp_path / "parts") == checkpoints(whole)
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize("send", [os.killpg, os.kill])
def test_an_interrupt_is_one_line_and_it_goes_on(
    send, transfer, whole, small_task, started, tmp_path
):
    run = started("transfer", "run", str(small_task), "--results", "parts", "--workers", "2")
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("parts/*/*/state*")) and time.monotonic() < deadline:
        time.sleep(0.01)
    send(run.pid, signal.SIGINT)
    out, err = run.communicate(timeout=20)
    assert (run.returncode, out) == (130, "")
    told = r"python -m transfer run: interrupted after \d+% of the images\n"
    assert re.fullmatch(told, err)
    if send is os.killpg:  # how it goes on does not depend on who was told to stop
        assert transfer("run", str(small_task), "--results", "parts").returncode == 0
        assert cells(tmp_path / "parts") == cells(whole)


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="looks into /proc")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_its_workers_end_with_it(number, code, small_task, started, tmp_path):
    run = started("transfer", "run", str(small_task), "--results", "parts", "--workers", "2")
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("parts/*/*/state*")) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(run.pid, number)
    out, err = run.communicate(timeout=20)
    assert (run.returncode, out) == (code, "")
    told = rf"python -m transfer run: interrupted by {number.name} after \d+% of the images\n"
    assert re.fullmatch("" if code < 0 else told, err)
    while session(run.pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert session(run.pid) == []
    assert len(cells(tmp_path / "parts")) < 26


def test_several_processes_find_what_one_finds(whole, small_task, started, tmp_path, monkeypatch):
    """As ``accelerate launch`` starts them on GPUs: they are told of one another by variables."""
    runs = []
    for rank in "01":
        for name, value in {
            **LAUNCHED,
            "WORLD_SIZE": "2",
            "RANK": rank,
            "LOCAL_RANK": rank,
        }.items():
            monkeypatch.setenv(name, value)
        runs.append(started("transfer", "run", str(small_task), "--results", "two"))
    for number, run in enumerate(runs, start=1):
        _, told = run.communicate()
        assert run.returncode == 0, told
        assert f"process {number} of 2: runs its share" in told
    assert cells(whole) == cells(tmp_path / "two")


@pytest.mark.thorough
def test_the_launcher_of_pytorch_sets_those_variables(whole, small_task, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2",
         "--master_addr", "127.0.0.1", "--master_port", "0",
         "-m", "transfer", "run", str(small_task), "--results", "two"],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert all(f"process {number} of 2: runs its share" in done.stderr for number in (1, 2))
    assert cells(whole) == cells(tmp_path / "two")


LAUNCHED = {"WORLD_SIZE": "4", "RANK": "1", "LOCAL_RANK": "1", "MASTER_ADDR": "localhost",
            "MASTER_PORT": "29500"}  # fmt: skip
STRAY = [
    *({k: v for k, v in LAUNCHED.items() if k != name} for name in list(LAUNCHED)[1:]),
    {"WORLD_SIZE": "4"}, LAUNCHED | {"WORLD_SIZE": "four"}, LAUNCHED | {"RANK": "-1"},
    LAUNCHED | {"WORLD_SIZE": ""}, LAUNCHED | {"WORLD_SIZE": "0"}, LAUNCHED | {"RANK": "4"},
    LAUNCHED | {"RANK": "one"}, LAUNCHED | {"LOCAL_RANK": "one"}, LAUNCHED | {"RANK": "0" * 7},
]  # fmt: skip


@pytest.mark.parametrize("variables", STRAY, ids=str)
def test_stray_variables_of_a_cluster_change_nothing_and_are_told(variables, monkeypatch, capsys):
    for name in LAUNCHED:
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert share_of_processes(Place(Path("results"))) is None
    out, err = capsys.readouterr()
    assert err.count("\n") == 1
    assert "ignored, this process runs everything" in err
    assert out == ""


def test_without_them_or_as_one_of_one_there_is_nothing_to_tell(monkeypatch, capsys):
    for name in LAUNCHED:
        monkeypatch.delenv(name, raising=False)
    assert share_of_processes(Place(Path("results"))) is None
    monkeypatch.setenv("WORLD_SIZE", "1")
    assert share_of_processes(Place(Path("results"))) is None
    assert capsys.readouterr() == ("", "")


def test_the_shares_of_all_processes_are_everything_once(monkeypatch):
    place, chains, found = Place(Path("results")), list(range(10)), []
    for name, value in LAUNCHED.items():
        monkeypatch.setenv(name, value)
    for rank in range(4):
        monkeypatch.setenv("RANK", str(rank))
        monkeypatch.setenv("LOCAL_RANK", str(rank % 2))
        share, own = share_of_processes(place)
        assert own == place
        found += chains[share]
    assert sorted(found) == chains


def test_a_batch_job_hears_of_its_cells_and_of_a_stray_variable(
    process, small_text, tmp_path, monkeypatch
):
    monkeypatch.setenv("WORLD_SIZE", "4")
    (tmp_path / "one.toml").write_text(small_text.replace("seeds = 2", "seeds = 1"))
    (tmp_path / "batch.py").write_text(
        "import sys; from derive.command import progress; progress._SILENCE = 0\n"
        "from transfer.__main__ import main; main(['run', *sys.argv[1:]])"
    )
    monkeypatch.syspath_prepend(tmp_path)
    ran = process("batch", "one.toml", "--results", RESULTS, "--workers", "1")
    stray, *lines = ran.stderr.splitlines()
    assert "ignored, this process runs everything" in stray
    assert len(cells(tmp_path / RESULTS)) == len(lines) == 1 + 3 * 2
    shares = [int(re.fullmatch(r"images: (\d+)% done after .* minutes", line)[1]) for line in lines]
    assert shares == sorted(shares)
    assert shares[-1] == 100


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("run", "no-such-task"), "choose from"),
        (("run", "demo", "--data-dir", "nowhere"), "does not exist"),
        (("run", "demo", "--device", "cuda"), "no GPU"),
        (("run", "cifar-10-to-svhn"), "was not found in"),
        (("run", "demo", "--workers", "0"), "an integer from 1"),
        (("report", "demo"), "nothing is finished"),
        (("train", "demo"), "give check, choose, diagnose, run, status, report or export"),
        ((), "give check, choose, diagnose, run, status, report or export"),
        (("run",), "required: TASK"),
    ],
)
def test_bad_usage_is_one_line_and_code_2(options, message, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    try:
        code = main(options)
    except SystemExit as stopped:
        code = stopped.code
    out, err = capsys.readouterr()
    assert code == 2
    assert err.count("\n") == 1
    assert message in err
    assert out == ""


def test_help_shows_verbs_tasks_and_examples(transfer):
    assert "fashion-mnist-to-mnist" in transfer("--help").stdout
    shown = transfer("run", "--help").stdout
    assert "examples:" in shown
    assert "python -m transfer run demo" in shown
