"""How every figure looks and is saved.

A figure is vector where the format allows, readable at the width of a journal column and safe for
the colour-blind: perceptually ordered colours that also differ in lightness.
"""

import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from derive.command.report import csv_text

COLUMN_WIDTH = 3.4  # inches, one column of a two-column page
PAGE_WIDTH = 7.0
_STYLE: dict[Any, Any] = {
    "font.size": 8,
    "font.family": "serif",
    "font.serif": ["STIXGeneral"],
    "mathtext.fontset": "stix",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "lines.linewidth": 1.2,
    "legend.frameon": False,
    "pdf.fonttype": 42,
    "svg.hashsalt": "lora-escape",
}


Drawn = tuple[bytes, bytes]  # a figure's file, its data as CSV


def drawn(
    figure: Figure, form: str, source: str, head: Sequence[str], rows: Iterable[Sequence[object]]
) -> Drawn:
    """A figure as a ``pdf``, ``png`` or ``svg`` file, and its data, each with their provenance.

    They hold no date: the same command writes the same bytes.
    """
    metadata = {
        "pdf": {"Subject": source, "CreationDate": None},
        "svg": {"Description": source, "Date": None},
        "png": {"Description": source},
    }[form]
    stream = io.BytesIO()
    figure.savefig(stream, format=form, metadata=metadata, dpi=300, bbox_inches="tight")
    data = csv_text([dict(zip(head, row, strict=True)) for row in rows], source, head)
    return stream.getvalue(), f"{data}\n".encode()


@contextmanager
def own_style() -> Iterator[None]:
    """The project's style, whatever the user's own settings of matplotlib are."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        yield


def colours() -> ListedColormap:
    """Viridis without its yellow end, which is too light for thin lines on white."""
    viridis = matplotlib.colormaps["viridis"]
    return ListedColormap([viridis(0.85 * i / 255) for i in range(256)])
