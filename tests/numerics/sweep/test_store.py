"""Finished cells on disk: found again, refused when damaged or foreign, never unpickled."""

import io
import os
import signal
import tracemalloc
import zipfile
import zlib

import numpy as np
import pytest
from cells import CELLS, forms, square

from derive.command.signals import Stopped, stopped_by_signals
from derive.errors import InputError
from numerics.sweep.run import run_cells
from numerics.sweep.store import cell_key, cell_path, cells_in, digest_of, read_cell, write_cell


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


def test_an_array_of_another_version_of_the_format_is_damage(tmp_path):
    """Also where all else is as in the first version."""
    path = _stored(tmp_path)
    with zipfile.ZipFile(path) as file:
        members = {name: bytearray(file.read(name)) for name in file.namelist()}
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            content[6:8] = b"\t\t"
            file.writestr(name, bytes(content))
    with pytest.raises(InputError, match="is damaged"):
        read_cell(tmp_path, CELLS[3])


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


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with names")
def test_a_pipe_in_the_place_of_a_cell_is_refused_without_waiting(tmp_path):
    path = tmp_path / f"{cell_key(CELLS[1])}.npz"
    os.mkfifo(path)
    with pytest.raises(InputError, match="no regular file"):
        run_cells(square, CELLS, tmp_path)
    assert path.is_fifo()


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


def test_no_signal_interrupts_the_packing_of_a_cell(tmp_path, monkeypatch):
    """A ZIP file that is closed while one is written into it raises an error of its own."""
    real = zlib.compressobj

    def signalled(*args):
        signal.raise_signal(signal.SIGTERM)
        return real(*args)

    monkeypatch.setattr(zlib, "compressobj", signalled)
    with pytest.raises(Stopped) as stopped, stopped_by_signals():
        write_cell(tmp_path, CELLS[0], square(CELLS[0]))
    assert stopped.value.number == signal.SIGTERM
    assert not list(tmp_path.iterdir())
