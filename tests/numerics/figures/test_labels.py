"""Transforms of labels: what a panel draws is what was found, with gaps at jumps alone."""

from types import SimpleNamespace

import numpy as np
import pytest

from derive.pair import Pair
from numerics.figures.labels import draw_transforms

OUTPUTS = np.linspace(-2, 2, 401)


def _judged(values):
    """A strength whose best labels are these at the outputs, all of one mass; no other labels."""
    rule = SimpleNamespace(outputs=OUTPUTS, masses=np.full(len(OUTPUTS), 1 / len(OUTPUTS)))
    judge = SimpleNamespace(pair=Pair("x"), rule=lambda mu: rule)
    found = dict.fromkeys(("raw", "squared", "polynomial", "optimum"))
    found["optimum"] = SimpleNamespace(values=values)
    return SimpleNamespace(judge=judge, mu=0.5, found=found)


@pytest.mark.parametrize(("height", "gaps"), [(0.0, 0), (0.2, 0), (3.0, 1)])
def test_a_transform_has_a_gap_where_it_jumps_by_more_than_a_share_of_what_it_spans(
    printed, height, gaps
):
    values = np.tanh(OUTPUTS) + height * (OUTPUTS > 0.105)
    draw_transforms([[_judged(values)]], "svg", "made so")
    (figure,) = printed.figures
    (line,) = [line for line in figure.axes[0].lines if len(line.get_xdata()) > 2]
    x, y = line.get_data()
    places = x[np.isnan(y)]
    assert len(places) == gaps
    assert places == pytest.approx([0.11] * gaps)
    kept = ~np.isnan(y)
    np.testing.assert_allclose(y[kept], values[np.searchsorted(OUTPUTS, x[kept])])
