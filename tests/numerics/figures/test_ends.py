"""The diagram of ends: its cells lie around what was computed, in the colours of the legend."""

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from numerics.figures.ends import draw_ends

STRENGTHS, SWITCHES = (0.2, 0.3, 0.5), (0.2, 0.5, 0.9)
ENDS = ("teacher", "null student", None)


def _records(staged):
    def stages(k):
        return [
            {"first": "squared", "flip": flip, "switch": switch, "end": ENDS[(k + j + flip) % 3],
             "certainty": "heuristic" if (j, flip) == (0, False) else "certified"}
            for flip in (False, True) for j, switch in enumerate(SWITCHES)
        ]  # fmt: skip

    borders = [{"first": "squared", "flip": True, "low": 0.4, "high": 0.42,
                "below": "null student", "above": "teacher", "certainty": "certified"}]  # fmt: skip
    return [
        {"mu": mu, "escape": {"end": ENDS[k % 2], "certainty": "exact"},
         "singularities": [{"mu": 0.32}], "stages": stages(k) if staged else [],
         "borders": borders if staged else []}
        for k, mu in enumerate(STRENGTHS)
    ]  # fmt: skip


def _cells(axis):
    return [
        (patch.get_x(), patch.get_x() + patch.get_width(), patch.get_y(),
         patch.get_y() + patch.get_height(), to_hex(patch.get_facecolor()), patch.get_hatch())
        for patch in axis.patches if isinstance(patch, Rectangle)
    ]  # fmt: skip


def test_cells_cover_the_plane_each_around_its_strength_and_switch(printed):
    records = _records(True)
    draw_ends(records, "$x$", "svg", "made so")
    (figure,) = printed.figures
    (legend,) = figure.legends
    names = {handle.get_label(): handle for handle in legend.get_patches()}
    shades = {name: to_hex(handle.get_facecolor()) for name, handle in names.items()}
    known = {"teacher": "ends at teacher", "null student": "ends at null student", None: "open"}
    assert set(names) == {*known.values(), "heuristic"}
    for axis, flip in zip(figure.axes, (False, True), strict=True):
        cells = _cells(axis)
        assert len(cells) == len(STRENGTHS) * (1 + len(SWITCHES))
        for record in records:
            here = [cell for cell in cells if cell[0] < record["mu"] < cell[1]]
            strip, *above = sorted(here, key=lambda cell: cell[2])
            assert strip[3] < 0
            assert strip[4] == shades[known[record["escape"]["end"]]]
            assert (above[0][2], above[-1][3]) == (pytest.approx(0.05), 1)
            assert all(low[3] == high[2] for low, high in pairwise(above))
            own = [stage for stage in record["stages"] if stage["flip"] == flip]
            for stage, cell in zip(own, above, strict=True):
                assert cell[2] < stage["switch"] < cell[3]
                assert cell[4] == shades[known[stage["end"]]]
                assert (cell[5] is not None) == (stage["certainty"] == "heuristic")
        columns = sorted({cell[:2] for cell in cells})
        assert np.ravel(columns) == pytest.approx([0.15, 0.25, 0.25, 0.4, 0.4, 0.6])
        assert axis.get_xlim() == pytest.approx((0.15, 0.6))
        bars = list(axis.containers)
        assert len(bars) == 2 * 3 * flip  # black on white, for each strength
        for bar in bars:
            low, high = bar.lines[2][0].get_segments()[0][:, 1]
            assert (low, high) == pytest.approx((0.4, 0.42))
        (line,) = [each for each in axis.lines if each.get_linestyle() == ":"]
        assert set(line.get_xdata()) == {0.32}
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == [
        "none", "0", "0.25", "0.5", "0.75", "1",
    ]  # fmt: skip
    numbered = [axis.yaxis.get_tick_params()["labelleft"] for axis in figure.axes]
    assert numbered == [True, False]  # the second panel has the axis of the first
    assert "flipped" in figure.axes[1].get_title(loc="left")
    assert "as it is" in figure.axes[0].get_title(loc="left")


def test_without_a_first_stage_there_is_one_strip_in_a_column(printed):
    result = draw_ends(_records(False), "$x$", "svg", "made so")
    (axis,) = printed.figures[0].axes
    assert len(_cells(axis)) == len(STRENGTHS)
    assert axis.get_ylim()[1] == 0
    assert not result.caption.wide
    assert "first stage" not in result.caption.text
    names = [text.get_text() for text in printed.figures[0].legends[0].get_texts()]
    assert names == ["ends at teacher", "ends at null student", "singularity"]
    data = result.data.decode().splitlines()
    assert len(data) == 2 + len(STRENGTHS)
