"""Files of image datasets as arrays: IDX, CIFAR-10's binary version, SVHN's ``.mat``, rows of text.

Images leave here as bytes of shape (N, channels, height, width), labels as integers. Lengths are
checked against what the files say of themselves; no format that can carry code is read.
"""

import gzip
import io
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from derive.command.files import open_regular
from derive.errors import InputError, told_by

Bytes = NDArray[np.uint8]
Labels = NDArray[np.int64]
_IDX_BYTES = 8  # the type code of unsigned bytes
_GZIP = b"\x1f\x8b"
_CIFAR_RECORD = 1 + 3 * 32 * 32


def read_idx(path: Path) -> Bytes:
    """Read an IDX file of unsigned bytes, gzipped or not, such as MNIST's.

    Raises ``InputError`` for a file that is damaged, truncated or of another format.
    """
    content = _read(path)
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] != _IDX_BYTES:
        raise InputError(f"{path} is no IDX file of bytes: it should begin with 00 00 08")
    header = 4 + 4 * content[3]
    shape = np.frombuffer(content[4:header], ">u4").astype(np.int64)
    expected = header + int(np.prod(shape))
    if len(shape) != content[3] or len(content) != expected:
        raise InputError(
            f"{path} is truncated or foreign: it holds {len(content)} bytes, "
            f"its header promises {expected}; fetch it again"
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def read_cifar(paths: Sequence[Path]) -> tuple[Bytes, Labels]:
    """Read files of CIFAR-10's binary version: one label and 3 x 32 x 32 bytes an image.

    Raises ``InputError`` for a file that does not hold whole images.
    """
    records = []
    for path in paths:
        content = np.frombuffer(_read(path), np.uint8)
        if content.size == 0 or content.size % _CIFAR_RECORD:
            raise InputError(
                f"{path} holds {content.size} bytes, no multiple of {_CIFAR_RECORD}: it is "
                "truncated, or not the binary version of CIFAR-10"
            )
        records.append(content.reshape(-1, _CIFAR_RECORD))
    stacked = np.concatenate(records)
    return stacked[:, 1:].reshape(-1, 3, 32, 32), stacked[:, 0].astype(np.int64)


def read_svhn(path: Path) -> tuple[Bytes, Labels]:
    """Read a file of cropped SVHN digits; its label 10 is the digit 0.

    Raises ``InputError`` for a file that is damaged or holds something else.
    """
    from scipy.io import loadmat

    try:
        content = loadmat(io.BytesIO(_read(path)), variable_names=("X", "y"))
        images, labels = content["X"], content["y"].ravel().astype(np.int64)
    except InputError:
        raise
    except Exception as error:  # SciPy raises anything, from TypeError to zlib.error
        raise InputError(
            f"{path} is damaged or no file of cropped SVHN digits with X and y "
            f"({told_by(error)}): fetch it again"
        ) from None
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[:3] != (32, 32, 3):
        raise InputError(f"{path}: X has shape {images.shape}, SVHN has (32, 32, 3, N) bytes")
    return np.ascontiguousarray(images.transpose(3, 2, 0, 1)), labels % 10


def read_rows(path: Path, side: int) -> tuple[Bytes, Labels]:
    """Read rows of comma-separated pixels, one image of side x side a line, its label last.

    Raises ``InputError`` for anything else.
    """
    try:
        rows = np.loadtxt(io.BytesIO(_read(path)), delimiter=",", dtype=np.int64, ndmin=2)
    except ValueError as error:
        raise InputError(f"{path} holds no rows of numbers ({told_by(error)})") from None
    if rows.shape[1] != side * side + 1 or rows.min() < 0 or rows.max() > 255:
        raise InputError(
            f"{path} has {rows.shape[1]} columns from {rows.min()} to {rows.max()}: "
            f"{side * side} pixels from 0 to 255 and a label were expected"
        )
    return rows[:, :-1].astype(np.uint8).reshape(-1, 1, side, side), rows[:, -1]


def _read(path: Path) -> bytes:
    """The file's content, unzipped if need be."""
    try:
        with open_regular(path) as stream:
            content = stream.read()
        return gzip.decompress(content) if content[:2] == _GZIP else content
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise InputError(f"{path} is damaged or truncated: fetch it again") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}): check its name") from None
