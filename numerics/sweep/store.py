"""Finished cells on disk: a file each, named by a hash of its parameters, whole or not at all."""

import hashlib
import io
import json
import math
import tempfile
import zipfile
from collections.abc import Container, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from derive.command.files import open_regular, write_all
from derive.command.signals import uninterrupted
from derive.errors import InputError, abridged, quoted

Cell = Mapping[str, Any]

Arrays = dict[str, NDArray[Any]]

Form = tuple[str, tuple[int, ...]]  # kinds of NumPy's types, such as "fi", and a shape

Forms = Mapping[str, Form]

_PARAMETERS, _CHECKSUM = "parameters", "checksum"

_LONGEST_HEADER = 4096  # bytes of a file's description of one array

_LONGEST_TEXT = 2**20  # bytes


def cell_key(cell: Cell) -> str:
    """Name of a cell: a hash of its parameters, the same in every process and on every machine.

    >>> cell_key({"mu": 0.5, "student": "x"}) == cell_key({"student": "x", "mu": 0.5})
    True
    """
    return hashlib.sha256(_canonical(cell).encode()).hexdigest()[:32]


def write_cell(folder: Path, cell: Cell, result: Arrays) -> None:
    """Write a cell's file, whole or not at all; raises ``InputError`` if that is not possible.

    Arguments:
        folder: of results.
        cell: its parameters.
        result: arrays by name.
    """
    stream = io.BytesIO()
    arrays: dict[str, Any] = {**result, _PARAMETERS: np.array(_canonical(cell))}
    arrays[_CHECKSUM] = np.array(digest_of(arrays))
    with uninterrupted():  # a ZIP file that is left half written raises errors of its own
        np.savez_compressed(stream, **arrays)
    try:
        write_all({cell_path(folder, cell): stream.getvalue()})
    except OSError as error:
        raise InputError(
            f"a finished cell cannot be written to {folder} ({error.strerror}): make room there "
            "and run the same command again; what was finished before is kept"
        ) from None


def read_cell(folder: Path, cell: Cell, forms: Forms | None = None) -> Arrays | None:
    """A finished cell, or ``None`` if it is not there.

    Arguments:
        folder: of the results.
        cell: all its fields.
        forms: dtype and shape that its arrays have to have, or ``None`` for any.

    Raises ``InputError`` for a file that is damaged or foreign. One without a checksum, as files
    were written before there were any, is accepted if all else is right.
    """
    path = cell_path(folder, cell)
    try:
        # A damaged file makes the readers of zip and npy raise almost anything.
        with open_regular(path) as stream, suppress(Exception):
            stored = _arrays_in(stream, forms)
            checksum = stored.pop(_CHECKSUM, None)
            sound = checksum is None or str(checksum) == digest_of(stored)
            if str(stored.pop(_PARAMETERS)) == _canonical(cell) and sound:
                return stored
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise InputError(
            f"{abridged(path)} cannot be read ({error.strerror}): make it readable, or remove it "
            "to compute it again"
        ) from None
    raise InputError(
        f"{abridged(path)} is damaged or no cell of this sweep: remove it to compute it again, or "
        "choose another folder"
    )


def cells_in(folder: Path, known: Container[str] = ()) -> Iterator[Cell]:
    """The parameters of all cells that a folder holds, but for those whose key is ``known``.

    What cannot be read as a cell is passed over.
    """
    for path in sorted(folder.glob("*.npz")):
        if path.stem in known or not path.is_file():
            continue
        cell = None
        # A damaged file makes the readers of zip, npy and JSON raise almost anything.
        with suppress(Exception), zipfile.ZipFile(path) as file:
            stored = _array_in(file, file.getinfo(f"{_PARAMETERS}.npy"), ("U", ()))
            cell = json.loads(str(stored))
        if isinstance(cell, dict):
            yield cell


def digest_of(arrays: Mapping[str, NDArray[Any]]) -> str:
    """A hash of named arrays: of names, types, shapes and values.

    >>> digest_of({"x": np.zeros(2)}) == digest_of({"x": np.zeros((2, 1))})
    False
    """
    found = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        found.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        found.update(array.tobytes())
    return found.hexdigest()


def _arrays_in(stream: IO[bytes], forms: Forms | None) -> Arrays:
    """The arrays of a file; ``ValueError`` and others if they are not as ``forms`` has them."""
    with zipfile.ZipFile(stream) as file:
        members = {info.filename.removesuffix(".npy"): info for info in file.infolist()}
        if forms is not None and members.keys() - {_CHECKSUM} != {*forms, _PARAMETERS}:
            raise ValueError
        known = forms or {}
        return {name: _array_in(file, info, known.get(name)) for name, info in members.items()}


def _array_in(file: zipfile.ZipFile, info: zipfile.ZipInfo, form: Form | None) -> NDArray[Any]:
    """One array. What it claims to be is checked before there is memory for it."""
    with file.open(info) as stream:
        if np.lib.format.read_magic(stream) != (1, 0):
            raise ValueError
        shape, by_columns, kind = np.lib.format.read_array_header_1_0(stream)
        size = math.prod(shape) * kind.itemsize
        text = kind.kind == "U" and shape == () and size <= _LONGEST_TEXT
        number = kind.kind in "bifc" and kind.itemsize <= 16
        asked = form is None or (kind.kind in form[0] and shape == form[1])
        if not (text or number) or not asked or not 0 < info.file_size - size <= _LONGEST_HEADER:
            raise ValueError
        content = stream.read()
    return np.frombuffer(content, kind).reshape(shape, order="F" if by_columns else "C").copy()


def _canonical(cell: Cell) -> str:
    return json.dumps(dict(cell), sort_keys=True, allow_nan=False, separators=(",", ":"))


def cell_path(folder: Path, cell: Cell) -> Path:
    """The file of a cell."""
    return folder / f"{cell_key(cell)}.npz"


def make_folder(folder: Path) -> None:
    """Make the folder of the cells; raises ``InputError`` if nothing can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise InputError(
            f"folder {quoted(folder)} is not writable ({error.strerror}): choose another one"
        ) from None
