"""A font for mathematics beside the pages, so that formulas look the same on every machine.

STIX Two Math (SIL Open Font License) as the package ziamath ships it, cut to the signs that
formulas here are made of, as WOFF2, with roots that are all as wide as the smallest. A browser that
blocks fonts takes one of its own, which style.css names.
"""

from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fontTools import subset
from fontTools.pens.transformPen import TransformPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont

if TYPE_CHECKING:
    from sphinx.application import Sphinx

FILE = "math.woff2"
# Latin, Greek, accents, arrows, operators; italic, bold, script and double-struck letters.
_SIGNS = (
    (0x20, 0x7E), (0xA0, 0xFF), (0x2C6, 0x2DD), (0x300, 0x338), (0x370, 0x3FF), (0x2010, 0x2063),
    (0x2070, 0x209C), (0x20D6, 0x20D7), (0x2100, 0x214F), (0x2190, 0x21D5), (0x2200, 0x22FF),
    (0x2308, 0x230B), (0x23DC, 0x23DF), (0x27C2, 0x27C2), (0x27E8, 0x27E9), (0x27F5, 0x27FA),
    (0x2A7D, 0x2A7E), (0x1D400, 0x1D467),
    (0x1D49C, 0x1D4CF), (0x1D538, 0x1D551), (0x1D6A8, 0x1D71B),
)  # fmt: skip
_ROOT = 0x221A
_FEATURES = ["ccmp", "dtls", "flac", "mark", "mkmk", "ssty"]  # what formulas ask for


def write(target: Path) -> None:
    """The font as a file."""
    options = subset.Options()
    options.flavor = "woff2"
    options.layout_features = _FEATURES
    signs = [sign for low, high in _SIGNS for sign in range(low, high + 1)]
    kept = files("ziamath") / "fonts" / "STIXTwoMath-Regular.ttf"
    with as_file(kept) as source, subset.load_font(str(source), options) as font:
        cut = subset.Subsetter(options)
        cut.populate(unicodes=signs)
        cut.subset(font)
        narrow_roots(font)
        subset.save_font(font, str(target), options)


def root_glyphs(font: TTFont) -> list[str]:
    """The glyphs of a root: the one of its sign, taller ones, the parts of the tallest."""
    sign = font.getBestCmap()[_ROOT]
    variants = font["MATH"].table.MathVariants
    place = variants.VertGlyphCoverage.glyphs.index(sign)
    built = variants.VertGlyphConstruction[place]
    taller = [record.VariantGlyph for record in built.MathGlyphVariantRecord]
    parts = [record.glyph for record in built.GlyphAssembly.PartRecords]
    return list(dict.fromkeys([sign, *taller, *parts]))


def narrow_roots(font: TTFont) -> None:
    """Make tall roots as wide as the smallest: Chromium leaves room for the widest behind each."""
    sign, *taller = root_glyphs(font)
    glyphs, metrics = font["glyf"], font["hmtx"]
    width = metrics[sign][0]
    for name in taller:
        pen = TTGlyphPen(None)
        glyphs[name].draw(TransformPen(pen, (width / metrics[name][0], 0, 0, 1, 0, 0)), glyphs)
        glyphs[name] = pen.glyph()
        glyphs[name].recalcBounds(glyphs)
        metrics[name] = (width, glyphs[name].xMin)


def _place(app: "Sphinx", exception: Exception | None) -> None:
    if exception is None and app.builder.format == "html":
        write(Path(app.outdir, "_static", FILE))


def setup(app: "Sphinx") -> dict[str, Any]:
    """Write it when the pages are written."""
    app.connect("build-finished", _place)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
