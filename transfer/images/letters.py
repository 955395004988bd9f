"""Letters rendered from the fonts that matplotlib ships: a source task that needs no download.

Twenty-six classes, capital and small letters alike, as in EMNIST Letters. Every image is a glyph
under an affine distortion of its own: turned, sheared, scaled, moved, with a little noise.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from transfer.images.shift import transformed, with_noise

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SIDE = 28
_FONTS = (
    "DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSansMono",
    "DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic",
    "STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "cmb10", "cmr10", "cmss10", "cmtt10",
)  # fmt: skip


def rendered_letters(count: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Render ``count`` letters, all classes and fonts alike often.

    The result is a pair of images, bytes of shape (count, 1, 28, 28), white on black, and labels
    from 0 to 25. The same ``count`` and ``seed`` give the same images.
    """
    glyphs = _glyphs()
    stream = np.random.default_rng([seed, count])
    places = np.arange(count)
    labels = places % len(LETTERS)
    kinds = places // len(LETTERS) % glyphs.shape[1]
    order = stream.permutation(count)
    labels, kinds = labels[order], kinds[order]
    drawn = transformed(glyphs[labels, kinds], _distortions(count, stream))
    return with_noise(drawn, 0.02, stream), labels


def _distortions(count: int, stream: np.random.Generator) -> NDArray[np.float64]:
    """Random affine maps, shape (count, 2, 3), in the coordinates of ``transformed``."""
    angle = stream.uniform(-0.35, 0.35, count)
    shear = stream.uniform(-0.35, 0.35, count)
    wide, high = stream.uniform(0.8, 1.35, (2, count))
    matrices = np.empty((count, 2, 3))
    matrices[:, 0, 0] = np.cos(angle) * wide
    matrices[:, 0, 1] = -np.sin(angle) * high + shear
    matrices[:, 1, 0] = np.sin(angle) * wide
    matrices[:, 1, 1] = np.cos(angle) * high
    matrices[:, :, 2] = stream.uniform(-0.15, 0.15, (count, 2))
    return matrices


def _glyphs() -> NDArray[np.uint8]:
    """Every letter in every font and case, shape (26, fonts x 2, 1, 28, 28)."""
    import matplotlib
    from PIL import ImageFont

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    fonts = [ImageFont.truetype(folder / f"{name}.ttf", 22) for name in _FONTS]
    drawn = [
        [_centred(font, form) for font in fonts for form in (letter, letter.lower())]
        for letter in LETTERS
    ]
    return np.array(drawn, np.uint8)[:, :, None]


def _centred(font: object, letter: str) -> NDArray[np.uint8]:
    from PIL import Image, ImageDraw

    image = Image.new("L", (SIDE, SIDE))
    ImageDraw.Draw(image).text((SIDE / 2, SIDE / 2), letter, fill=255, font=font, anchor="mm")  # type: ignore[arg-type]
    ink = np.asarray(image)
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    shift = (SIDE - 1 - rows[0] - rows[-1]) // 2, (SIDE - 1 - columns[0] - columns[-1]) // 2
    return np.roll(ink, shift, axis=(0, 1))  # by the ink, not by the line of text
