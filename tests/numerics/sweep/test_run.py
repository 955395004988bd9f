"""Sweeps: cells are kept, found again, refused when foreign, and survive the death of a worker."""

import io
import json
import os
import signal
import subprocess
import sys
import time
import tracemalloc
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from processes import as_anybody

from derive.errors import InputError, Undecided
from numerics.sweep import store
from numerics.sweep.executors import executor_for
from numerics.sweep.run import run_cells
from numerics.sweep.store import cell_key, cell_path, cells_in, digest_of, read_cell, write_cell

CELLS = [{"x": float(x), "name": "square"} for x in range(5)]


def square(cell):
    return {"square": np.array([cell["x"] ** 2])}


def forms(cell):
    return {"square": ("f", (1,))}


def slow(cell):
    time.sleep(0.5)
    return square(cell)


def fatal(cell):
    if cell["x"] == 3:
        time.sleep(0.5)  # so that the others are finished
        os.kill(os.getpid(), signal.SIGKILL)
    return square(cell)


def _values(results):
    return [float(result["square"][0]) for result in results]


def test_results_come_in_order_whatever_the_executor():
    expected = [x**2 for x in range(5)]
    assert _values(run_cells(square, CELLS)) == expected
    with ThreadPoolExecutor(3) as pool, executor_for(None, 2) as processes:
        for executor in (pool, processes):
            assert _values(run_cells(square, CELLS, executor=executor)) == expected


def test_finished_cells_are_not_computed_again(tmp_path):
    first = run_cells(square, CELLS[:3], tmp_path)
    calls = []
    again = run_cells(lambda cell: calls.append(cell) or square(cell), CELLS, tmp_path)
    assert [call["x"] for call in calls] == [3.0, 4.0]
    np.testing.assert_array_equal(_values(again)[:3], _values(first))
    assert len(list(tmp_path.iterdir())) == 5  # nothing but cells is left


def test_keys_depend_on_every_parameter_and_on_nothing_else():
    cell = {"a": 1, "b": [1, 2], "c": None}
    assert cell_key(cell) == cell_key({"c": None, "b": [1, 2], "a": 1})
    others = [{**cell, "a": 2}, {**cell, "b": [2, 1]}, {**cell, "c": 0}, {**cell, "d": 1}]
    assert len({cell_key(other) for other in [cell, *others]}) == 5


@pytest.mark.parametrize("content", [b"", b"nonsense", b"PK\x03\x04 not really"])
def test_damaged_cells_are_refused_and_left_alone(tmp_path, content):
    path = tmp_path / f"{cell_key(CELLS[1])}.npz"
    path.write_bytes(content)
    with pytest.raises(InputError, match="damaged or no cell"):
        run_cells(square, CELLS, tmp_path)
    assert path.read_bytes() == content


def _stored(folder, **changes):
    """The file of a finished cell, its arrays changed and packed again as NumPy does."""
    write_cell(folder, CELLS[3], square(CELLS[3]))
    path = cell_path(folder, CELLS[3])
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files} | changes
    kept = {name: array for name, array in arrays.items() if array is not None}
    np.savez(path, **kept, allow_pickle=True)
    return path


_FOREIGN = {
    "other values": {"square": np.array([8.0])},
    "other shape": {"square": np.array([[9.0]])},
    "other length": {"square": np.array([9.0, 9.0])},
    "other type": {"square": np.array([9])},
    "objects": {"square": np.array([9.0], dtype=object)},
    "records": {"square": np.zeros(1, dtype=[("x", "f8")])},
    "missing": {"square": None},
    "one too many": {"cube": np.array([27.0])},
    "other parameters": {"parameters": np.array('{"name":"square","x":2.0}')},
    "no parameters": {"parameters": None},
    "other checksum": {"checksum": np.array("0" * 64)},
    "checksum of a wrong shape": {"checksum": np.array(["0" * 64])},
}


_OLD = {f"{name}, no checksum": {**changes, "checksum": None}
        for name, changes in _FOREIGN.items()
        if name != "other values" and "checksum" not in changes}  # fmt: skip


@pytest.mark.parametrize("changes", (_FOREIGN | _OLD).values(), ids=(_FOREIGN | _OLD).keys())
def test_whole_files_with_other_content_are_refused(tmp_path, changes):
    path = _stored(tmp_path, **changes)
    with pytest.raises(InputError, match=f"{path.name} is damaged or no cell of this sweep: rem"):
        run_cells(square, CELLS, tmp_path, forms=forms)


def test_cells_without_a_checksum_are_still_found(tmp_path):
    """As they were written before there was one."""
    _stored(tmp_path, checksum=None)
    (found,) = run_cells(None, [CELLS[3]], tmp_path, forms=forms)
    assert found["square"].tolist() == [9.0]


@pytest.mark.parametrize("asked", [forms, lambda cell: None])
def test_a_header_that_claims_80_gigabytes_takes_no_memory(tmp_path, asked):
    path = _stored(tmp_path)
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files if name != "square"}
    np.savez(path, **arrays)
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        stream, {"descr": "<f8", "fortran_order": False, "shape": (10**10,)}
    )
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("square.npy", stream.getvalue() + bytes(8))
    tracemalloc.start()
    with pytest.raises(InputError, match="is damaged"):
        read_cell(tmp_path, CELLS[3], asked(CELLS[3]))
    assert tracemalloc.get_traced_memory()[1] < 2**22
    tracemalloc.stop()


def test_damage_of_any_kind_is_refused_or_changes_nothing(tmp_path):
    """Flipped bits, lost ends, holes and doubled pieces: in no file is a changed value read."""
    stream, refused = np.random.default_rng(0), 0
    cell = {"x": 3.0, "name": "many"}
    result = {"square": stream.normal(size=40), "name": np.array("a machine's story")}
    kinds = {"square": ("f", (40,)), "name": ("U", ())}
    write_cell(tmp_path, cell, result)
    path = cell_path(tmp_path, cell)
    whole = path.read_bytes()
    for trial in range(600):
        content, place = bytearray(whole), int(stream.integers(len(whole)))
        length = int(stream.integers(1, 40))
        match trial % 6:
            case 0:
                del content[place:]
            case 1:
                content[place : place + length] = bytes(length)
            case 2:
                content[place:place] = content[place : place + length]
            case _:
                content[place] ^= 1 << int(stream.integers(8))
        path.write_bytes(content)
        reason = ""
        try:
            assert digest_of(read_cell(tmp_path, cell, kinds)) == digest_of(result)
        except InputError as error:
            reason = str(error)
            refused += 1
        assert not reason or (path.name in reason and len(reason) < 300)
    assert refused > 400


def test_a_cell_that_is_a_folder_is_refused(tmp_path):
    cell_path(tmp_path, CELLS[3]).mkdir()
    with pytest.raises(InputError, match="cannot be read"):
        read_cell(tmp_path, CELLS[3])


def test_a_cell_of_other_parameters_is_refused(tmp_path):
    write_cell(tmp_path, CELLS[0], square(CELLS[0]))
    (source,) = tmp_path.iterdir()
    source.rename(tmp_path / f"{cell_key(CELLS[1])}.npz")
    with pytest.raises(InputError, match="no cell of this sweep"):
        read_cell(tmp_path, CELLS[1])


def test_pickles_are_never_loaded(tmp_path):
    """An array of objects would need one."""
    path = tmp_path / f"{cell_key(CELLS[1])}.npz"
    np.savez(path, square=np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="damaged or no cell"):
        read_cell(tmp_path, CELLS[1])


def test_a_folder_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="not writable"):
        run_cells(square, CELLS, tmp_path / "file" / "folder")


def _simulate(folder, *options, limit=None):
    def prepare():
        as_anybody()
        if limit:
            import resource  # not everywhere

            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))

    return subprocess.run(
        [sys.executable, "-m", "numerics.simulate", "--activation", "x", "--horizon", "10",
         "--replicas", "1", *options],
        cwd=folder, preexec_fn=prepare, capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip


@pytest.mark.skipif(sys.platform != "linux", reason="takes rights from a process")
def test_a_finished_folder_need_not_be_writable_and_an_unreadable_one_is_told(tmp_path):
    options = ("--mu", "0.5", "--results", "cells")
    first = _simulate(tmp_path, *options)
    (tmp_path / "cells").chmod(0o555)
    again = _simulate(tmp_path, *options)
    assert (again.returncode, again.stdout, again.stderr) == (0, first.stdout, "")
    more = _simulate(tmp_path, "--mu", "0.6", "--results", "cells")
    assert (more.returncode, more.stderr.count("\n")) == (2, 1)
    assert "not writable (Permission denied)" in more.stderr
    (tmp_path / "cells").chmod(0)
    closed = _simulate(tmp_path, *options)
    (tmp_path / "cells").chmod(0o755)
    assert (closed.returncode, closed.stderr.count("\n")) == (2, 1)
    assert "cannot be read (Permission denied)" in closed.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="takes rights from a process")
@pytest.mark.parametrize("limit", [14, 40])
def test_too_many_descriptors_are_told_as_what_they_are(tmp_path, limit):
    done = _simulate(tmp_path, "--mu", "0.5", "--workers", "100", limit=limit)
    assert (done.returncode in (1, 2), done.stdout, done.stderr.count("\n")) == (True, "", 1)
    assert "oo many open files" in done.stderr
    assert "cannot write" not in done.stderr


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with names")
def test_a_pipe_in_the_place_of_a_cell_is_refused_without_waiting(tmp_path):
    path = tmp_path / f"{cell_key(CELLS[1])}.npz"
    os.mkfifo(path)
    with pytest.raises(InputError, match="no regular file"):
        run_cells(square, CELLS, tmp_path)
    assert path.is_fifo()


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
    assert _values(run_cells(square, CELLS, tmp_path)) == [0, 1, 4, 9, 16]


def test_a_killed_process_loses_only_its_cells(tmp_path):
    with executor_for(None, 2) as pool, pytest.raises(Undecided, match="run the same command"):
        run_cells(fatal, CELLS, tmp_path, pool)
    kept = len(list(tmp_path.iterdir()))
    assert 1 <= kept < 5
    assert _values(run_cells(square, CELLS, tmp_path)) == [0, 1, 4, 9, 16]


def test_an_unreachable_scheduler_is_one_clear_line(command):
    done = command("numerics.simulate", "--activation", "x", "--scheduler", "tcp://127.0.0.1:9")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "no scheduler answers" in done.stderr


# A real scheduler and real workers, in processes of their own on loopback.


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


def test_sweeps_of_several_threads_share_a_folder(tmp_path):
    def sweep(start):
        return run_cells(square, [{"x": start + k} for k in range(3)], tmp_path / "cells")

    with ThreadPoolExecutor(8) as threads:
        for _ in threads.map(sweep, range(0, 300, 3)):
            pass
    assert len(list((tmp_path / "cells").iterdir())) == 300


@pytest.mark.parametrize(
    "array",
    [np.arange(6).reshape(2, 3), np.asfortranarray(np.arange(6.0).reshape(2, 3)),
     np.array([1 + 2j, -3j]), np.zeros((0, 3)), np.array(True), np.float32([[0.1]])],
)  # fmt: skip
def test_what_is_kept_comes_back_as_it_was(tmp_path, array):
    write_cell(tmp_path, CELLS[0], {"it": array})
    found = read_cell(tmp_path, CELLS[0])["it"]
    assert (found.dtype, found.shape) == (array.dtype, array.shape)
    np.testing.assert_array_equal(found, array)


def test_the_digest_tells_types_that_have_the_same_bytes_apart():
    kinds = [np.zeros(4, kind) for kind in ("i8", "f8", "u8")]
    assert len({digest_of({"x": array}) for array in kinds}) == 3


def test_cells_that_are_known_are_not_read_again(tmp_path):
    for cell in CELLS:
        write_cell(tmp_path, cell, square(cell))
    (tmp_path / "damaged.npz").write_bytes(b"nonsense")
    known = {cell_key(cell) for cell in CELLS[:2]}
    found = sorted(cells_in(tmp_path, known), key=lambda cell: cell["x"])
    assert found == CELLS[2:]
    assert len(list(cells_in(tmp_path))) == len(CELLS)
