"""Figures as they are printed: what is drawn of them, at which size, and whether it can be read."""

import re
from dataclasses import dataclass, field
from itertools import combinations

import pytest
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
