"""Folders of one's own images: a folder a class, of files of any format that Pillow reads.

A file becomes bytes as its ``Folder`` states. Colour profiles are not applied, and of several
frames the first is read.
"""

import os
import re
import struct
import warnings
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta

from derive.errors import InputError, abridged, quoted, told_by
from transfer.images.data import Dataset, Split, digest_of_splits, roots_of
from transfer.images.formats import Bytes
from transfer.images.subsets import held_out

if TYPE_CHECKING:
    from PIL.Image import Image

Side = Annotated[int, Meta(ge=1, le=4096)]
_TEST_SEED = 0
_SIXTEEN_BITS = 65_535 // 255
_SEE_THROUGH = ("LA", "PA", "RGBA")
_Files = list[tuple[Path, str]]  # each with its class


class Folder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Images in ``folder/train/CLASS/*`` and ``folder/test/CLASS/*``, and what is made of them.

    Fields: ``size``, the side of the squares that images become; ``fit``, ``crop`` (the shorter
    side becomes ``shorter``, or ``size`` if that is 0, and the centre is kept), ``stretch`` (both
    sides do) or ``pad``; ``background``, a colour as Pillow names it, which transparent pixels and
    padding show; ``colours``; ``resample``;
    ``test``, the subfolder to test on, or the share of ``folder/CLASS/*``; ``unreadable``, whether
    a file that is no image is an error.
    """

    folder: Annotated[str, Meta(min_length=1, max_length=1000)]
    size: Side
    fit: Literal["crop", "stretch", "pad"] = "crop"
    shorter: Annotated[int, Meta(ge=0, le=8192)] = 0
    background: str = "white"
    colours: Literal["rgb", "grey"] = "rgb"
    resample: Literal["nearest", "bilinear", "bicubic", "lanczos"] = "bilinear"
    test: Annotated[float, Meta(gt=0, lt=1)] | str = "test"
    unreadable: Literal["error", "skip"] = "error"

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of an image."""
        return 1 if self.colours == "grey" else 3, self.size, self.size


@lru_cache(maxsize=4)
def load_folder(settings: Folder, data: Path | None = None, here: Path = Path()) -> Dataset:
    """Read all images of a folder, with one order of classes for both splits.

    Arguments:
        settings: as a task states them.
        data: a relative folder is looked for in it first.
        here: and in this one last.

    Classes and files are in natural order: 2 comes before 10. Hidden files are passed over.

    Raises ``InputError`` for a folder that is missing, a class without images in one of the splits,
    a colour that is none, and a file that is no image unless such are skipped.
    """
    _insist_on_sense(settings)
    root = _place_of(settings.folder, [*roots_of(data), here])
    parts = _parts(root, settings)
    names = sorted({folder.name for part in parts for folder in _folders_in(part)}, key=natural)
    skipped: list[str] = []
    read = [_read(_files_in(part), names, settings, root, skipped) for part in parts]
    if len(read) == 1:
        kept, out = held_out(read[0].labels, float(settings.test), _TEST_SEED)
        read = [Split(read[0].images[part], read[0].labels[part]) for part in (kept, out)]
    train, test = read
    for kind, split in (("training", train), ("test", test)):
        for label in set(range(len(names))) - set(split.labels.tolist()):
            raise InputError(
                f"class {quoted(names[label])} of {abridged(root)} has no {kind} image: add some, "
                "or remove its folder"
            )
    if not names:
        raise InputError(f"{abridged(root)} holds no class: give a folder of images for each")
    digest = digest_of_splits((train, test))
    return Dataset(
        root.name, len(names), train, test, str(root), digest, tuple(skipped), tuple(names)
    )


def kinds_in(settings: Folder, data: Path | None = None, here: Path = Path()) -> dict[str, int]:
    """How many files of each format and mode a folder holds, such as ``PNG RGB``, by their heads.

    Arguments as of ``load_folder``.
    """
    from PIL import Image

    root, kinds = _place_of(settings.folder, [*roots_of(data), here]), []
    for path, _ in (file for part in _parts(root, settings) for file in _files_in(part)):
        try:
            with Image.open(path) as opened:
                kinds.append(f"{opened.format} {opened.mode}")
        except _damage():  # as when it is read
            kinds.append("unreadable")
    return dict(Counter(kinds).most_common())


def _damage() -> tuple[type[Exception], ...]:
    """What Pillow and its plug-ins raise of a file that is damaged, too large, or no image.

    Seen of 20 000 spoilt files of 26 formats, and ``error`` of the two modules that they read with.
    """
    from PIL.Image import DecompressionBombError, DecompressionBombWarning

    return (ArithmeticError, AttributeError, EOFError, LookupError, OSError, RuntimeError,
            SyntaxError, TypeError, ValueError, struct.error, zlib.error,
            DecompressionBombError, DecompressionBombWarning)  # fmt: skip


def natural(name: str) -> tuple[list[str | int], str]:
    """A key that sorts names with the numbers in them as numbers.

    >>> sorted(["b10", "B9", "b2", "a"], key=natural)
    ['a', 'b2', 'B9', 'b10']
    """
    parts = re.split(r"(\d+)", name)
    return [int(part) if place % 2 else part.casefold() for place, part in enumerate(parts)], name


def _place_of(folder: str, roots: Sequence[Path]) -> Path:
    for root in roots:
        if os.path.isdir(root / folder):  # which is false for what is no name at all
            return (root / folder).resolve()
    looked = ", ".join(abridged(root.resolve()) for root in roots)
    raise InputError(
        f"folder {quoted(Path(folder))} was not found in {looked}: give its path, or --data-dir "
        "with what it is in"
    )


def _parts(root: Path, settings: Folder) -> list[Path]:
    """The folders whose subfolders are classes: of both splits, or of the one that is parted."""
    if not isinstance(settings.test, str):
        return [root]
    train, test = root / "train", root / settings.test
    if test.resolve() in (root, train.resolve()):
        raise InputError(
            f"test = {quoted(settings.test)} is what is trained on: name another subfolder, or "
            "give the share to hold out"
        )
    return [train, test]


def _folders_in(part: Path) -> Iterator[Path]:
    if not os.path.isdir(part):
        raise InputError(
            f"{abridged(part)} is no folder: give FOLDER/train/CLASS/* and FOLDER/test/CLASS/*, "
            "or test = 0.2 to hold out this share of FOLDER/CLASS/*"
        )
    return (f for f in part.iterdir() if f.is_dir() and not f.name.startswith("."))


def _files_in(part: Path) -> _Files:
    """All files of all classes, in natural order."""
    folders = sorted(_folders_in(part), key=lambda folder: natural(folder.name))
    found = []
    for folder in folders:
        files = [f for f in folder.rglob("*") if f.is_file() and not f.name.startswith(".")]
        found += [(f, folder.name) for f in sorted(files, key=lambda f: natural(str(f)))]
    return found


def _read(
    files: _Files, names: Sequence[str], settings: Folder, root: Path, skipped: list[str]
) -> Split:
    """All files that are images; of the others ``skipped`` is told."""
    images = np.empty((len(files), *settings.shape), np.uint8)
    labels: list[int] = []
    for path, name in files:
        try:
            images[len(labels)] = read_image(path, settings)
        except _damage() as error:
            reason = told_by(str(error).replace(str(path), path.name))
            if settings.unreadable == "error":
                raise InputError(
                    f"{abridged(path)} cannot be read as an image ({reason}): mend or remove it, "
                    'or give unreadable = "skip"'
                ) from None
            skipped.append(str(path.relative_to(root)))
        else:
            labels.append(names.index(name))
    return Split(images[: len(labels)], np.array(labels, np.int64))


def read_image(path: Path, settings: Folder) -> Bytes:
    """An image as bytes of shape ``settings.shape``.

    It is turned as its EXIF orientation says. Grey values of 16 bits are scaled, 65535 to 255; of
    colours of 16 bits Pillow keeps the upper eight. Transparent pixels are mixed with the
    background before anything is resized.

    Raises what Pillow does, and ``ValueError`` for pixels of a range that is not stated.
    """
    from PIL import Image, ImageOps  # here, so that reading a task does not wait for it

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd metadata says nothing of the pixels
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(path) as opened:
            kind = opened.format
            upright = ImageOps.exif_transpose(opened)
        picture = _opaque(_of_eight_bits(upright, kind), settings.background)
        mode = "L" if settings.colours == "grey" else "RGB"
        pixels = np.asarray(_fitted(picture, settings).convert(mode))
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def _of_eight_bits(picture: "Image", kind: str | None) -> "Image":
    """The picture with grey values of 16 bits scaled to 8; its transparent value, if any, goes."""
    from PIL import Image

    # Releases of Pillow differ in how they open 16 bits of these formats.
    if not picture.mode.startswith("I;16") and (picture.mode, kind) not in (
        ("I", "PNG"), ("I", "PPM"),
    ):  # fmt: skip
        if picture.mode in ("I", "F"):
            raise ValueError(f"its pixels have no stated range, mode {picture.mode}")
        return picture
    values = np.asarray(picture).astype(np.int64)
    grey = Image.fromarray(((values + _SIXTEEN_BITS // 2) // _SIXTEEN_BITS).astype(np.uint8))
    clear = picture.info.get("transparency")
    if clear is None:
        return grey
    alpha = Image.fromarray(np.where(values == clear, 0, 255).astype(np.uint8))
    return Image.merge("LA", (grey, alpha))


def _opaque(picture: "Image", background: str) -> "Image":
    from PIL import Image

    if picture.mode not in _SEE_THROUGH and "transparency" not in picture.info:
        return picture.convert("RGB")
    over = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", over.size, background), over).convert("RGB")


def _fitted(picture: "Image", settings: Folder) -> "Image":
    from PIL import Image, ImageOps

    side, (width, height) = settings.size, picture.size
    method = Image.Resampling[settings.resample.upper()]
    if settings.fit == "pad":
        return ImageOps.pad(picture, (side, side), method, settings.background)
    shorter, becomes = min(width, height), settings.shorter or side
    kept = (shorter, shorter) if settings.fit == "stretch" else (width, height)
    whole = picture.resize((becomes * kept[0] // shorter, becomes * kept[1] // shorter), method)
    left, top = (whole.width - side) // 2, (whole.height - side) // 2
    return whole.crop((left, top, left + side, top + side))


def _insist_on_sense(settings: Folder) -> None:
    from PIL import ImageColor

    background = settings.background
    if settings.shorter and settings.fit == "pad":
        raise InputError('shorter is for fit = "crop" or "stretch": give none with "pad"')
    if 0 < settings.shorter < settings.size:
        raise InputError(
            f"shorter = {settings.shorter}, size = {settings.size}: what is cut out is not larger"
        )
    try:
        opaque = len(ImageColor.getrgb(background)) == 3
    except ValueError:
        opaque = False
    if not opaque:
        raise InputError(
            f"background = {quoted(background)} is no colour: give one such as 'white' or '#808080'"
        )
