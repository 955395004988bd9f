"""Bars of colours: each degree beside the colour of its curve, ticks few and from end to end."""

import matplotlib
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from numerics.figures import style


def _bar(add, *given):
    figure = Figure(figsize=(3, 2), layout="constrained")
    axis = figure.subplots()
    add(figure, axis, *given)
    (bar,) = [each for each in figure.axes if each is not axis]
    return bar, bar._colorbar


@pytest.mark.parametrize("largest", [3, 10, 11, 20, 30, 31, 100])
def test_a_bar_of_degrees_has_the_colours_of_curves_and_few_ticks(largest):
    """One colour a degree up to thirty; the scale ends at ten if no degree is larger."""
    axis, bar = _bar(style.add_degree_bar, [2, largest])
    scale = style.degree_scale([2, largest])
    end = max(10, largest)
    for n in (1, 2, largest // 2 + 1, largest):
        assert to_hex(bar.cmap(bar.norm(n))) == to_hex(style.degree_colours()(scale(n)))
    steps = len({to_hex(bar.cmap(bar.norm(1 + k * (end - 1) / 999))) for k in range(1000)})
    assert (steps == end) == (largest <= 30)
    ticks = [float(tick) for tick in bar.get_ticks() if 1 <= tick <= end]
    assert 2 < len(ticks) <= 11
    assert end - ticks[-1] < ticks[1] - ticks[0] + 1
    if largest <= 30:
        assert ticks[0] == 1
        assert set(map(float.is_integer, ticks)) == {True}
        assert not bar.ax.get_yticks(minor=True).size
    assert axis.get_ylabel() == "degree $n$"


def test_the_bar_of_strengths_has_the_colours_of_strengths():
    axis, bar = _bar(style.add_strength_bar)
    assert axis.get_ylim() == (0, 1)
    assert axis.get_ylabel() == r"$\mu$"
    for mu in (0, 0.25, 1):
        assert to_hex(bar.cmap(bar.norm(mu))) == to_hex(style.strength_colour(mu))


@pytest.mark.parametrize(("count", "columns", "rows"), [(3, 6, 1), (6, 6, 1), (7, 6, 2), (7, 3, 3)])
def test_keys_stand_in_as_few_and_as_even_rows_as_fit(count, columns, rows):
    figure = Figure(figsize=(7, 2), layout="constrained")
    keys = [style.Key(f"${k}$", {"color": "k"}) for k in range(count)]
    style.add_keys(figure, keys, columns)
    (legend,) = figure.legends
    assert legend._ncols == -(-count // rows)
    assert [text.get_text() for text in legend.get_texts()] == [key.label for key in keys]


def test_keys_that_are_wider_than_the_figure_get_more_rows():
    narrow = Figure(figsize=(1.2, 2), layout="constrained")
    style.add_keys(narrow, [style.Key("a name", {"color": "k"}) for _ in range(4)])
    (legend,) = narrow.legends
    assert legend._ncols == 1


@pytest.mark.parametrize("colours", [style.colours, style.degree_colours, style.field_colours])
def test_colours_run_evenly_over_the_part_of_a_map_that_their_name_says(colours):
    ours = colours()
    name, end = ours.name.split(" up to ")
    for k in range(256):
        place = float(end) * k / 255
        assert to_hex(ours(k / 255)) == to_hex(matplotlib.colormaps[name](place))
