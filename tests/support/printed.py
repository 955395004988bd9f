"""Figures as they are printed: what is drawn of them, at which size, and whether it can be read."""

import re
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.text import Text

from numerics.figures.style import COLUMN_WIDTH, LEAST_SIZE, PAGE_WIDTH


@dataclass
class Printed:
    """Figures as they are saved, and the texts that are drawn of the last with their places."""

    figures: list = field(default_factory=list)
    places: dict = field(default_factory=dict)
    legends: dict = field(default_factory=dict)

    def checked(self, svg):
        """The width in inches of the one figure that was saved, once all of it can be read.

        No font is under 7 pt, no text cut or on another; it is as wide as a column or a page.
        """
        (figure,) = self.figures
        width, height = figure.get_size_inches()
        assert width in (COLUMN_WIDTH, PAGE_WIDTH)
        points = float(re.search(rb'<svg[^>]* width="([\d.]+)pt"', svg)[1])
        assert points == pytest.approx(72 * width, abs=0.1)
        assert len(self.places) > 5
        for text, box in self.places.items():
            assert text.get_fontsize() >= LEAST_SIZE, text.get_text()
            assert -1 <= box.x0 <= box.x1 <= 72 * width + 1, text.get_text()
            assert -1 <= box.y0 <= box.y1 <= 72 * height + 1, text.get_text()
        for box in self.legends.values():
            assert -1 <= box.x0 <= box.x1 <= 72 * width + 1, box
        for (one, box), (other, place) in combinations(self.places.items(), 2):
            inner = box.padded(-1)
            assert not (inner.width > 0 and inner.overlaps(place.padded(-1))), (
                one.get_text(), other.get_text())  # fmt: skip
        return width


def watched(monkeypatch):
    """What is saved from now on."""
    found, save, draw, explain = Printed(), Figure.savefig, Text.draw, Legend.draw

    def saved(figure, *args, **how):
        found.figures.append(figure)
        found.places.clear()
        found.legends.clear()
        save(figure, *args, **how)

    def drawn(text, renderer, *args, **how):
        if text.get_visible() and text.get_text().strip():
            found.places[text] = text.get_window_extent(renderer).frozen()
        draw(text, renderer, *args, **how)

    monkeypatch.setattr(Figure, "savefig", saved)

    def keyed(legend, renderer):
        found.legends[legend] = legend.get_window_extent(renderer).frozen()
        explain(legend, renderer)

    monkeypatch.setattr(Text, "draw", drawn)
    monkeypatch.setattr(Legend, "draw", keyed)
    return found


def check_panels(figure, rows):
    """What is drawn is in the data, can be seen and is explained, on axes that say what they are.

    Arguments:
        figure: as it was saved.
        rows: of its data.
    """
    cells = {cell for row in rows for cell in row.values()}
    numbers = {float(cell) for cell in cells if re.fullmatch(r"-?[\d.]+(e[-+]\d+)?", cell)}
    panels = [axis for axis in figure.axes if axis.get_subplotspec() and axis.axison]
    for axis in panels:
        place = axis.get_subplotspec()
        assert axis.get_xlabel() or not place.is_last_row() or figure.get_supxlabel()
        assert axis.get_ylabel() or not place.is_first_col()
        curves = [line for line in axis.lines if len(line.get_xdata()) > 4]
        for line in curves:
            assert _finite(line.get_ydata()) <= numbers, axis.get_ylabel()
        _check_view(axis, curves)
    for axis, other in combinations(panels, 2):  # what is over the same is compared
        if axis.get_xlabel() == other.get_xlabel() != "":
            assert axis.get_xlim() == other.get_xlim(), axis.get_xlabel()
    for legend in [*figure.legends, *filter(None, (axis.get_legend() for axis in figure.axes))]:
        _check_legend(legend, figure)


def _finite(values):
    return {float(value) for value in values if np.isfinite(value)}


def _check_view(axis, curves):
    """Of every curve a part is seen; curves without runs take a third of their panel at least."""
    low, high = sorted(axis.get_ylim())
    left, right = sorted(axis.get_xlim())
    scale = np.log if axis.get_yscale() == "log" else np.asarray
    heights = []
    for line in curves:
        x, y = (np.asarray(part, float) for part in line.get_data())
        seen = (left <= x) & (x <= right) & (low <= y) & (y <= high)
        known = np.isfinite(y)
        assert not known.any() or seen.sum() >= 0.25 * known.sum(), axis.get_ylabel()
        heights += scale(y[seen]).tolist()
    if heights and not axis.collections:
        assert max(heights) - min(heights) > 0.3 * (scale(high) - scale(low)), axis.get_ylabel()


def _check_legend(legend, figure):
    """Every entry has a name of its own; lines in a colour have lines that they explain."""
    names = [text.get_text() for text in legend.get_texts()]
    assert len(set(names)) == len(names) > 0
    assert all(names)
    drawn = [line for axis in figure.axes for line in axis.lines]
    colours = {to_hex(line.get_color()) for line in drawn}
    for handle in legend.get_lines():
        grey = len(set(to_rgb(handle.get_color()))) == 1  # of any colour
        assert grey or to_hex(handle.get_color()) in colours, handle.get_label()
