"""Folders of images: every kind of file with its expected pixels, what is refused, the splits."""

import io
import random
import struct
import zlib

import msgspec
import numpy as np
import pytest
from PIL import Image

from derive.errors import InputError
from transfer.images.folder import Folder, load_folder, natural, read_image

SIDE = 6
RAMP = np.arange(SIDE * SIDE, dtype=np.uint8).reshape(SIDE, SIDE) * 7  # no symmetry at all
COLOUR = np.stack([RAMP, RAMP.T, 255 - RAMP], axis=-1)
ALPHA = RAMP.T
DEEP = np.linspace(0, 65535, SIDE * SIDE).reshape(SIDE, SIDE).astype(np.uint16)
BACKGROUND = (128, 64, 32)
EIGHT = np.rint(DEEP / 257)  # what 16 bits are in eight


def settings(folder="x", **changes):
    given = {"size": SIDE, "background": "#804020", **changes}
    return Folder(folder=str(folder), **given)


def grey(values):
    return np.repeat(np.asarray(values, float)[..., None], 3, axis=-1)


def mixed(values, alpha):
    share = np.asarray(alpha, float)[..., None] / 255
    return values * share + np.array(BACKGROUND) * (1 - share)


def png(path, values, kind):
    """A PNG of 16 bits written by hand, for Pillow writes none in colour; ``kind`` as PNG's."""
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 16, kind, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    content = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    )
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + content)


def palette():
    picture = Image.new("P", (SIDE, SIDE))
    picture.putpalette([v for k in range(256) for v in (k, 255 - k, k // 2)])
    picture.putdata([int(v) for v in RAMP.ravel()])
    colours = RAMP.astype(int)
    return picture, np.stack([colours, 255 - colours, colours // 2], axis=-1)


def ink(path, kind):
    """CMYK: what is printed takes from each of the three colours, and black from all."""
    cyan = np.stack([RAMP, RAMP.T, 0 * RAMP, 0 * RAMP + 51], axis=-1).astype(np.uint8)
    Image.fromarray(cyan, "CMYK").save(path, kind)
    parts = 1 - cyan[..., :3] / 255
    return 255 * parts * (1 - 51 / 255)


def kinds(folder):
    """Each file, with the colours it holds and how exact they can be."""

    def saved(name, picture, **options):
        picture.save(folder / name, **options)
        return folder / name

    indexed, colours = palette()
    clear = colours.astype(float)
    clear[RAMP == 14] = BACKGROUND
    deep = Image.fromarray(DEEP)
    png(folder / "deep-colour.png", np.stack([DEEP, DEEP.T, DEEP[::-1]], axis=-1), 2)
    png(folder / "deep-alpha.png", np.stack([DEEP, 0 * DEEP + 0x8080], axis=-1), 4)
    rgba = np.concatenate([COLOUR, ALPHA[..., None]], axis=-1)
    yield saved("colour.png", Image.fromarray(COLOUR)), COLOUR, 0
    yield saved("colour.bmp", Image.fromarray(COLOUR)), COLOUR, 0
    yield saved("colour.webp", Image.fromarray(COLOUR), lossless=True), COLOUR, 0
    yield saved("grey.png", Image.fromarray(RAMP)), grey(RAMP), 0
    yield saved("bits.png", Image.fromarray(RAMP > 99)), grey(255 * (RAMP > 99)), 0
    yield saved("grey-alpha.png", Image.fromarray(np.stack([RAMP, ALPHA], -1))), mixed(
        grey(RAMP), ALPHA), 1  # fmt: skip
    yield saved("colour-alpha.png", Image.fromarray(rgba)), mixed(COLOUR, ALPHA), 1
    yield saved("palette.png", indexed), colours, 0
    yield saved("palette.gif", indexed), colours, 0
    yield saved("palette-clear.png", indexed, transparency=14), clear, 0
    yield saved("deep.png", deep), grey(EIGHT), 0
    yield saved("deep.tif", deep), grey(EIGHT), 0
    yield saved("deep.pgm", deep), grey(EIGHT), 0
    keyed = grey(EIGHT)
    keyed[DEEP[1, 2] == DEEP] = BACKGROUND
    yield saved("deep-clear.png", deep, transparency=int(DEEP[1, 2])), keyed, 0
    yield folder / "deep-colour.png", np.stack([DEEP, DEEP.T, DEEP[::-1]], -1) / 257, 1
    yield folder / "deep-alpha.png", mixed(DEEP[..., None] / 257, 0 * DEEP + 128), 1.5
    yield folder / "ink.tif", ink(folder / "ink.tif", "TIFF"), 1.5
    yield saved("smooth.jpg", Image.new("RGB", (SIDE, SIDE), (200, 100, 50)), quality=100), (
        np.full((SIDE, SIDE, 3), (200.0, 100, 50))), 2  # fmt: skip
    flat = Image.new("CMYK", (SIDE, SIDE), (255, 0, 0, 51))
    yield saved("ink.jpg", flat, quality=100), np.full((SIDE, SIDE, 3), (0, 204.0, 204)), 3


def test_every_kind_of_file_has_its_pixels(tmp_path):
    seen = []
    for path, expected, error in kinds(tmp_path):
        found = read_image(path, settings()).transpose(1, 2, 0)
        off = np.abs(found - np.asarray(expected, float)).max()
        assert off <= error, (path.name, off)
        seen.append(path.name)
    assert len(seen) == len(set(seen)) == 19


# How the stored pixels are to be turned, by the number that EXIF gives it.
TURNS = {
    1: lambda a: a, 2: lambda a: a[:, ::-1], 3: lambda a: a[::-1, ::-1], 4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1), 6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1), 8: lambda a: np.rot90(a),
}  # fmt: skip


@pytest.mark.parametrize("number", TURNS)
@pytest.mark.parametrize("deep", [False, True])
def test_images_stand_upright(tmp_path, number, deep):
    tags = Image.Exif()
    tags[0x0112] = number
    Image.fromarray(DEEP if deep else COLOUR).save(tmp_path / "turned.png", exif=tags)
    found = read_image(tmp_path / "turned.png", settings()).transpose(1, 2, 0)
    assert (found == TURNS[number](grey(EIGHT) if deep else COLOUR)).all()


def test_grey_images_have_one_channel_of_luma(tmp_path):
    Image.fromarray(COLOUR).save(tmp_path / "a.png")
    found = read_image(tmp_path / "a.png", settings(colours="grey"))
    luma = COLOUR @ [0.299, 0.587, 0.114]
    assert found.shape == (1, SIDE, SIDE)
    assert np.abs(found[0] - luma).max() <= 1


def test_oblong_images_are_fitted_as_stated(tmp_path):
    wide = np.zeros((SIDE, 2 * SIDE, 3), np.uint8)
    wide[:, : SIDE // 2] = 255  # a quarter at the left is white
    Image.fromarray(wide).save(tmp_path / "wide.png")
    found = {
        fit: read_image(tmp_path / "wide.png", settings(fit=fit, resample="nearest"))
        for fit in ("crop", "stretch", "pad")
    }
    assert not found["crop"].any()  # the centre is black
    assert (found["stretch"][0, :, 0] == 255).all()
    assert not found["stretch"][:, :, SIDE // 2 :].any()
    larger = settings(fit="crop", shorter=2 * SIDE, resample="nearest")
    assert read_image(tmp_path / "wide.png", settings(fit="crop", resample="nearest")).sum() == 0
    assert read_image(tmp_path / "wide.png", larger).shape == (3, SIDE, SIDE)
    padding = found["pad"][:, [0, -1]]
    assert (padding == np.array(BACKGROUND)[:, None, None]).all()
    assert (found["pad"][:, SIDE // 2, 0] == 255).all()


def test_both_splits_have_one_order_of_classes(flowers):
    found = load_folder(settings(flowers, colours="grey"))
    assert (found.name, found.classes, found.shape) == ("flowers", 3, (1, SIDE, SIDE))
    for split, number in ((found.train, 3), (found.test, 2)):
        assert split.labels.tolist() == [label for label in range(3) for _ in range(number)]
        assert (split.images[:, 0, 0, 0] // 10 - 5 == split.labels).all()
    assert not found.skipped
    assert "skipped" not in found.facts
    assert natural("Kind 2") < natural("kind 10")


def test_a_share_is_held_out_of_every_class(flowers):
    found = load_folder(settings(flowers / "train", colours="grey", test=0.4))
    assert np.bincount(found.train.labels).tolist() == [2, 2, 2]
    assert np.bincount(found.test.labels).tolist() == [1, 1, 1]
    both = np.concatenate([found.train.images, found.test.images])[:, 0, 0, 0]
    assert len(set(both.tolist())) == 9  # every image once
    with pytest.raises(InputError, match=r"'kind 1' of .* has no test image"):
        load_folder(settings(flowers / "train", test=0.1))


def truncated(path):
    Image.effect_noise((64, 64), 50).save(path, "JPEG")
    path.write_bytes(path.read_bytes()[:-200])


BAD = {
    "cut.jpg": truncated,
    "notes.txt": lambda path: path.write_text("not an image"),
    "empty.png": lambda path: path.write_bytes(b""),
    "real.tif": lambda path: Image.new("F", (4, 4), 0.5).save(path),
    "signed.tif": lambda path: Image.new("I", (4, 4), 70_000).save(path),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_is_no_image_is_named(flowers, name):
    BAD[name](flowers / "train" / "kind 2" / name)
    with pytest.raises(InputError, match=f"kind 2/{name} cannot be read as an image") as error:
        load_folder(settings(flowers))
    assert "\n" not in str(error.value)
    assert 'unreadable = "skip"' in str(error.value)


@pytest.mark.parametrize("form", ["AVIF", "DDS", "GIF", "PNG", "SPIDER", "TIFF"])
def test_a_spoilt_file_is_read_or_skipped(tmp_path, form):
    """Plug-ins of Pillow fail in many ways."""
    stream = random.Random(20261129)
    for split in ("train", "test"):
        (tmp_path / split / "one").mkdir(parents=True)
        Image.fromarray(COLOUR).save(tmp_path / split / "one" / "whole.png")
    whole = io.BytesIO()
    Image.fromarray(COLOUR).convert("F" if form == "SPIDER" else "RGB").save(whole, form)
    for trial in range(60):
        content = bytearray(whole.getvalue())
        for _ in range(stream.randrange(1, 8)):
            content[stream.randrange(len(content))] = stream.randrange(256)
        (tmp_path / "train" / "one" / f"{trial}.{form}").write_bytes(content)
    found = load_folder(settings(tmp_path, unreadable="skip"))
    assert len(found.skipped) + len(found.train.labels) == 61


def test_what_is_no_fault_of_a_file_is_not_called_one(flowers, monkeypatch):
    def fail(*_):
        raise MemoryError

    monkeypatch.setattr("transfer.images.folder.read_image", fail)
    with pytest.raises(MemoryError):
        load_folder(settings(flowers, unreadable="skip"))


def test_files_that_are_no_images_are_listed_if_skipped(flowers):
    whole = load_folder(settings(flowers))
    for name, spoil in BAD.items():
        spoil(flowers / "train" / "kind 2" / name)
    (flowers / "train" / "kind 2" / ".hidden").write_text("no image, and none expected")
    found = load_folder(settings(flowers, unreadable="skip"))
    assert sorted(found.skipped) == sorted(f"train/kind 2/{name}" for name in BAD)
    assert found.facts["skipped"] == list(found.skipped)
    assert found.digest == whole.digest


def test_too_large_an_image_is_refused(flowers, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 40)  # of 63
    with pytest.raises(InputError, match=r"0\.png cannot be read as an image"):
        load_folder(settings(flowers))


def test_an_empty_class_is_named(flowers):
    (flowers / "train" / "kind 3").mkdir()
    with pytest.raises(InputError, match=r"'kind 3' of .* has no training image"):
        load_folder(settings(flowers))


def test_a_folder_without_classes_is_told(tmp_path):
    for split in ("train", "test"):
        (tmp_path / split).mkdir()
    with pytest.raises(InputError, match="holds no class"):
        load_folder(settings(tmp_path))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"folder": "no such folder"}, "was not found in"),
        ({"test": "validation"}, "validation is no folder: give FOLDER/train"),
        ({"test": "train"}, "is what is trained on"),
        ({"test": "."}, "is what is trained on"),
        ({"shorter": SIDE - 1}, "shorter = 5, size = 6: what is cut out is not larger"),
        ({"shorter": SIDE, "fit": "pad"}, 'shorter is for fit = "crop" or "stretch"'),
        ({"background": "octarine"}, "is no colour"),
        ({"background": "#11223344"}, "is no colour"),
    ],
)
def test_settings_that_make_no_sense_are_refused(flowers, changes, message):
    with pytest.raises(InputError, match=message):
        load_folder(settings(**{"folder": flowers, **changes}))


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        ("size", (1, 4096), (0, 4097)),
        ("shorter", (0, 8192), (-1, 8193)),
        ("folder", ("x", "x" * 1000), ("", "x" * 1001)),
        ("test", (1e-9, 1 - 1e-9, "x"), (0.0, 1.0)),
    ],
)
def test_settings_have_limits(name, inside, outside):
    for value in inside:
        msgspec.convert({"folder": "x", "size": 1, name: value}, Folder)
    for value in outside:
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({"folder": "x", "size": 1, name: value}, Folder)


def test_a_relative_folder_is_looked_for_with_the_data_and_here(flowers, monkeypatch):
    by_data = load_folder(settings("flowers"), flowers.parent)
    monkeypatch.chdir(flowers.parent)
    load_folder.cache_clear()
    assert load_folder(settings("flowers")).digest == by_data.digest
