"""Files: written whole or not at all, refused before the work if they cannot be, read without
waiting.
"""

import argparse
import errno
import os
import platform
import secrets
import stat
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import BinaryIO

from derive.errors import InputError, quoted

_HOST = f"{zlib.crc32(platform.node().encode()):08x}"  # in the names of files half written
_AT_ONCE = getattr(os, "O_NONBLOCK", 0)  # opening a pipe would wait for a writer


def output_path(text: str) -> Path:
    """Option type for a file to write: refuses now what could not be written later."""
    path = Path(text)
    try:
        if not text or text.endswith(os.sep) or path.is_dir():
            raise argparse.ArgumentTypeError(
                f"{quoted(text)} is no file name: give the name of a file"
            )
        if _written_directly(path):
            return path
        folder = _target(path).parent
        if not folder.is_dir():
            raise argparse.ArgumentTypeError(
                f"{quoted(path)} is in no existing folder: create it first"
            )
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise argparse.ArgumentTypeError(
            f"{quoted(path)} is not writable ({error.strerror}): choose another file"
        ) from None
    return path


@dataclass(frozen=True)
class OutputFile:
    """Option type for a file to write, by which a parser knows what a command writes.

    Fields: ``endings``, one of which its name has to have, if any are given; ``beside``, the
    endings of other files that are written beside it; ``libraries``, the distributions that write
    them.
    """

    endings: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()

    def __call__(self, text: str) -> Path:
        """The path; refuses now what could not be written later."""
        path = output_path(text)
        if self.endings and path.suffix[1:].lower() not in self.endings:
            accepted = " or ".join(f".{ending}" for ending in self.endings)
            raise argparse.ArgumentTypeError(f"{quoted(path)} has another ending: give {accepted}")
        for file in self.files(path)[1:]:
            output_path(str(file))
        return path

    def files(self, path: Path, options: object = None) -> list[Path]:
        """The files that are written."""
        return [path, *(path.with_suffix(ending) for ending in self.beside)]


@dataclass(frozen=True)
class OutputFolder:
    """Option type for a folder of files; ``names`` says which are written there, by the options.

    By default they have names of their own, and the folder is the only thing to run into.
    """

    names: Callable[[argparse.Namespace], Iterable[str]] = lambda options: ("",)

    def __call__(self, text: str) -> Path:
        """The path; it is made when something is written."""
        return Path(text)

    def files(self, path: Path, options: argparse.Namespace) -> list[Path]:
        """The files that are written."""
        return [path / name for name in self.names(options)]


def refuse_shared(written: Iterable[tuple[str, Path]]) -> None:
    """Raise ``InputError`` if two of these options, with the files they write, share a file."""
    known: dict[Path, str] = {}
    for option, path in written:
        other = known.setdefault(_target(path), option)
        if other != option:
            raise InputError(
                f"{other} and {option} both write {quoted(path.name)}: choose another name for one"
            )


def make_folder(folder: Path) -> None:
    """Make a folder, with those above it; raises ``InputError`` if that is impossible."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"folder {quoted(folder)} cannot be made ({error.strerror}): choose another"
        ) from None


def _written_directly(path: Path) -> bool:
    """Whether nothing can take the path's place: a pipe, a device, a descriptor of a process."""
    special = path.exists() and not path.is_file()
    return special or path.is_relative_to("/dev") or path.is_relative_to("/proc/self/fd")


def _target(path: Path) -> Path:
    """The file behind a link."""
    return Path(os.path.realpath(path))


def write_all(files: Mapping[Path, bytes]) -> None:
    """Write files, all of them whole or none: temporaries first, then one renaming each.

    Pipes, devices and descriptors are appended to directly, last, for nothing can take their place.
    """
    direct = [path for path in files if _written_directly(path)]
    waiting: dict[Path, Path] = {}
    try:
        for path in files:
            if path not in direct:
                target = _target(path)
                _sweep(target.parent)
                temporary = target.with_name(f".{_HOST}-{os.getpid()}-{secrets.token_hex(6)}.part")
                waiting[temporary] = target
                temporary.write_bytes(files[path])
                if target.exists():
                    temporary.chmod(stat.S_IMODE(target.stat().st_mode))
        for temporary, target in waiting.items():
            os.replace(temporary, target)
    finally:
        for temporary in waiting:
            temporary.unlink(missing_ok=True)
    for path in direct:
        with path.open("ab") as stream:
            stream.write(files[path])


@cache
def _sweep(folder: Path) -> None:
    """Remove what processes of this machine left here that were killed within a write."""
    if os.name != "posix":  # elsewhere a signal 0 is no question
        return
    for path in folder.glob(f".{_HOST}-*.part"):
        with suppress(OSError, ValueError):
            try:
                os.kill(int(path.name.split("-")[1]), 0)
            except ProcessLookupError:
                path.unlink()


@contextmanager
def open_regular(path: Path) -> Iterator[BinaryIO]:
    """A file open to read its bytes; raises ``OSError``, also for a pipe, which may never end."""
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | _AT_ONCE)) as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise OSError(errno.EINVAL, "no regular file", str(path))
        yield stream
