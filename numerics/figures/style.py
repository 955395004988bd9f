"""How every figure looks and is saved.

A figure is vector where the format allows, as wide as a journal's column or page, with no font
under 7 pt, and safe for the colour-blind: activations differ by colour and dash, each always the
same; strengths μ share one scale of colours that also differ in lightness, degrees another, fields
a third. A user's matplotlib style goes before all of it.
"""

import io
import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import cycle, islice
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap, Normalize
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D

from derive.command.palette import OKABE_ITO
from derive.command.report import csv_text
from derive.errors import InputError, quoted, told_by
from numerics.figures.caption import Caption, letter, listed, sentences

COLUMN_WIDTH = 3.4  # inches, one column of a two-column page
PAGE_WIDTH = 7.0
LEAST_SIZE = 7.0  # points, of a font
STRENGTH_LABEL = r"pre-training strength $\mu$"
TIME_LABEL = r"time $t$ (units of $1/\gamma$)"
MOST_IN_LEGEND = 6
_USUAL_DEGREES = 10  # the scale of colours ends there, or at the largest degree that is drawn
FLOW_DASHES = (3, 2)

_STYLE: dict[Any, Any] = {
    "figure.figsize": (COLUMN_WIDTH, 2.3),
    "font.size": 8,
    "font.family": "serif",
    "font.serif": ["STIXGeneral"],
    "mathtext.fontset": "stix",
    "xtick.labelsize": LEAST_SIZE,
    "ytick.labelsize": LEAST_SIZE,
    "legend.fontsize": LEAST_SIZE,
    "legend.title_fontsize": LEAST_SIZE,
    "axes.titlesize": 8,
    "axes.titlelocation": "left",
    "axes.titlepad": 4,
    "axes.labelpad": 2,
    "figure.titlesize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.minor.size": 1.5,
    "ytick.minor.size": 1.5,
    "lines.linewidth": 1.2,
    "legend.frameon": False,
    "legend.handlelength": 1.8,
    "legend.handletextpad": 0.5,
    "legend.columnspacing": 1.0,
    "pdf.fonttype": 42,
    "svg.hashsalt": "lora-escape",
}
_user: ContextVar[Path | None] = ContextVar("style", default=None)

_DASHES: tuple[Any, ...] = (
    "-", (0, (5, 1.5)), (0, (5, 1.2, 1, 1.2)), (0, (2.5, 1)), (0, (1, 1)),
    (0, (7, 1.5, 1, 1.5, 1, 1.5)), (0, (4, 1, 4, 2.5)),
)  # fmt: skip
MARKERS = "os^DvPX"


class Look(NamedTuple):
    """How an activation is drawn: colour, dash pattern, marker."""

    colour: str
    dash: Any
    marker: str


_LOOKS = [Look(*each) for each in zip(OKABE_ITO.values(), _DASHES, MARKERS, strict=True)]
# The look of every other activation is the first that is free in its figure.
_KNOWN = ("x", "relu", "erf", "sigmoid", "gelu", "tanh", "silu")


class Drawn(NamedTuple):
    """A figure's file, its data as CSV, and its caption."""

    figure: bytes
    data: bytes
    caption: Caption


@dataclass(frozen=True)
class Key:
    """An entry of a legend."""

    label: str
    settings: dict[str, Any]

    def handle(self) -> Line2D:
        """The line that stands for it."""
        return Line2D([], [], label=self.label, **self.settings)


FLOW_KEY = Key("flow", {"color": "0.3", "linestyle": "--", "dashes": FLOW_DASHES, "lw": 0.9})


def drawn(
    figure: Figure,
    form: str,
    source: str,
    head: Sequence[str],
    rows: Iterable[Sequence[object]],
    caption: str = "",
) -> Drawn:
    """A figure as a file, its data and its caption.

    Arguments:
        figure: with all that is drawn.
        form: ``pdf``, ``png`` or ``svg``.
        source: provenance.
        head: names of the columns of its data.
        rows: the data, as long each.
        caption: what the axes say by default.

    File and data hold their provenance and no date: the same command writes the same bytes. The
    file is as wide as the figure, so that fonts have the size that they say.
    """
    metadata = {
        "pdf": {"Subject": source, "CreationDate": None},
        "svg": {"Description": source, "Date": None},
        "png": {"Description": source},
    }[form]
    stream = io.BytesIO()
    figure.savefig(stream, format=form, metadata=metadata, dpi=300)
    data = csv_text([dict(zip(head, row, strict=True)) for row in rows], source, head)
    told = Caption(caption or _by_labels(figure), figure.get_figwidth() > 1.3 * column_width())
    return Drawn(stream.getvalue(), f"{data}\n".encode(), told)


def _by_labels(figure: Figure) -> str:
    """What is drawn over what, by the labels of the axes."""
    shown = {(axis.get_ylabel(), axis.get_xlabel()) for axis in figure.axes}
    parts = [f"{y} over {x}" for y, x in sorted(shown) if x and y]
    return sentences(f"Shown: {listed(parts)}") if parts else ""


@contextmanager
def own_style() -> Iterator[None]:
    """The project's style whatever the settings of matplotlib are, then the user's if given."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        if (path := _user.get()) is not None:
            matplotlib.rcParams.update(read_style(path))
        yield


@contextmanager
def user_style(path: Path | None) -> Iterator[None]:
    """What is drawn within has the settings of a matplotlib style file before the project's."""
    token = _user.set(path)
    try:
        yield
    finally:
        _user.reset(token)


def style_for(ax: Axes | None) -> Any:
    """The project's style for new axes; on given ones the settings in force stay."""
    return own_style() if ax is None else nullcontext()


def read_style(path: Path) -> dict[Any, Any]:
    """The settings of a matplotlib style file, but for the backend, which is no matter of style.

    Raises ``InputError`` for a file that cannot be read, or that holds anything else.
    """
    logger, heard = logging.getLogger("matplotlib"), _Heard()
    logger.addHandler(heard)
    propagate, logger.propagate = logger.propagate, False
    try:
        settings = matplotlib.rc_params_from_file(
            str(path), fail_on_error=True, use_default_template=False
        )
    except (OSError, ValueError, TypeError) as error:
        raise InputError(_refused(path, str(error))) from None
    finally:
        logger.removeHandler(heard)
        logger.propagate = propagate
    if heard.said:
        raise InputError(_refused(path, heard.said[0]))
    return {name: value for name, value in settings.items() if not name.startswith("backend")}


def _refused(path: Path, reason: str) -> str:
    told = told_by(" ".join(reason.split()))
    return f"{quoted(path)} is no matplotlib style ({told}): give lines such as font.size: 9"


class _Heard(logging.Handler):
    """What matplotlib only warns of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a warning."""
        self.said.append(record.getMessage())


# Colours.


def looks_of(texts: Sequence[str]) -> list[Look]:
    """The looks of activations by their texts: known ones always have the same."""
    looks = _LOOKS if _user.get() is None else _user_looks()
    fixed = {text: looks[_KNOWN.index(text)] for text in texts if text in _KNOWN}
    free = cycle([look for look in looks if look not in fixed.values()] or looks)
    return [fixed.get(text) or next(free) for text in texts]


def _user_looks() -> list[Look]:
    """The same with the colours of the user's style, if it has some."""
    path = _user.get()
    if path is None or "axes.prop_cycle" not in read_style(path):
        return _LOOKS
    colours = matplotlib.rcParams["axes.prop_cycle"].by_key().get("color", ["k"])
    own = islice(cycle(colours), len(_LOOKS))
    return [look._replace(colour=colour) for look, colour in zip(_LOOKS, own, strict=True)]


def _cut(name: str, end: float) -> ListedColormap:
    whole = matplotlib.colormaps[name]
    return ListedColormap([whole(end * i / 255) for i in range(256)], f"{name} up to {end}")


def colours() -> ListedColormap:
    """The colours of strengths 0 to 1: viridis without its end, too light for lines on white."""
    return _cut("viridis", 0.85)


def strength_colour(mu: float) -> tuple[float, float, float, float]:
    """The colour of a pre-training strength, the same in every figure."""
    return colours()(float(mu))


def degree_colours() -> ListedColormap:
    """The colours of Hermite degrees, in order."""
    return _cut("inferno", 0.8)


def degree_scale(degrees: Sequence[int]) -> Normalize:
    """The scale of colours of degrees: the same in all figures that have no larger than 10."""
    return Normalize(1, max([_USUAL_DEGREES, *degrees]))


def field_colours() -> ListedColormap:
    """The colours of a quantity over a plane."""
    return _cut("cividis", 1.0)


# What stands around the panels.


def letter_panels(axes: Iterable[Axes], titles: Iterable[str], first: int = 0) -> None:
    """Give panels their letters, from the ``first`` on, with their titles.

    Arguments:
        axes: of the panels.
        titles: one each.
        first: the place of the first letter.
    """
    for place, (axis, title) in enumerate(zip(axes, titles, strict=False), first):
        axis.set_title(f"({letter(place)}) {title}".rstrip())


def column_width() -> float:
    """Inches: of the project's style, or of the figures of a user's."""
    return float(matplotlib.rcParams["figure.figsize"][0])


def small() -> float:
    """Points of the smallest font."""
    return float(matplotlib.rcParams["legend.fontsize"])


def page_width() -> float:
    """Inches of both columns and what is between them."""
    return column_width() * PAGE_WIDTH / COLUMN_WIDTH


def strength_keys(strengths: Iterable[float]) -> list[Key]:
    """A legend's entries of strengths."""
    return [Key(rf"$\mu={mu:.3g}$", {"color": strength_colour(mu)})
            for mu in sorted(set(strengths))]  # fmt: skip


def add_keys(figure: Figure, keys: Sequence[Key], columns: int = MOST_IN_LEGEND) -> None:
    """A legend above all panels, in as few rows as fit, as even as can be.

    Arguments:
        figure: that gets it.
        keys: what it explains.
        columns: at most.
    """
    for rows in range(ceil(len(keys) / columns), len(keys) + 1):
        legend = figure.legend(
            handles=[key.handle() for key in keys],
            loc="outside upper center",
            ncols=ceil(len(keys) / rows),
            borderaxespad=0.2,
        )
        if legend.get_window_extent().width <= figure.bbox.width or rows == len(keys):
            return
        legend.remove()


def add_strength_bar(figure: Figure, axes: Any, **settings: Any) -> None:
    """The colour bar of strengths, from 0 to 1 in every figure.

    Arguments:
        figure: that holds the axes.
        axes: beside which it stands.
        settings: for ``colorbar``.
    """
    shades = ScalarMappable(Normalize(0, 1), colours())
    figure.colorbar(shades, ax=axes, label=r"$\mu$", **{"pad": 0.02, **settings})


def add_degree_bar(
    figure: Figure | SubFigure, axes: Any, degrees: Sequence[int], **settings: Any
) -> None:
    """The colour bar of degrees, each with its own colour if they are few.

    Arguments:
        figure: that holds the axes.
        axes: beside which it stands.
        degrees: that are drawn.
        settings: for ``colorbar``.
    """
    scale = degree_scale(degrees)
    largest = int(scale.vmax or 0)
    if largest > 3 * _USUAL_DEGREES:
        shades = ScalarMappable(scale, degree_colours())
        figure.colorbar(shades, ax=axes, label="degree $n$", **settings)
        return
    shown = list(range(1, largest + 1))
    listed_colours = ListedColormap([degree_colours()(scale(n)) for n in shown])
    norm = BoundaryNorm([n + 0.5 for n in range(largest + 1)], largest)
    shades = ScalarMappable(norm, listed_colours)
    bar = figure.colorbar(shades, ax=axes, label="degree $n$", **settings)
    bar.set_ticks(shown[:: max(1, ceil(largest / 10))])
    bar.ax.minorticks_off()
