"""A font for mathematics beside the pages, so that formulas look the same on every machine.

STIX Two Math (SIL Open Font License) as the package ziamath ships it, cut to the signs that
formulas here are made of, as WOFF2. A browser that blocks fonts takes one of its own, which
style.css names.
"""

from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from fontTools import subset
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
_FEATURES = ["ccmp", "dtls", "flac", "mark", "mkmk", "ssty"]  # what formulas ask for


def write(target: Path) -> None:
    """The font as a file."""
    options = subset.Options()
    options.flavor = "woff2"
    options.layout_features = _FEATURES
    with as_file(files("ziamath") / "fonts" / "STIXTwoMath-Regular.ttf") as source:
        font = subset.load_font(str(source), options)
    cut = subset.Subsetter(options)
    cut.populate(unicodes=[sign for low, high in _SIGNS for sign in range(low, high + 1)])
    cut.subset(font)
    subset.save_font(font, str(target), options)


def _place(app: Sphinx, exception: Exception | None) -> None:
    if exception is None and app.builder.format == "html":
        write(Path(app.outdir, "_static", FILE))


def setup(app: Sphinx) -> dict[str, Any]:
    """Write it when the pages are written."""
    app.connect("build-finished", _place)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
