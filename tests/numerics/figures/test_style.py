"""The style: sizes at print, colours that the colour-blind tell apart, and a user's own style."""

import csv
import re
from itertools import combinations

import matplotlib
import numpy as np
import pytest
from colorspacious import cspace_convert, deltaE
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from planted import flows_as_runs
from printed import check_panels

from derive.pair import Pair
from derive.pair_drift import drift_of
from derive.polynomial_drift import hermite_drift
from numerics.doubles.drift import fast_drift
from numerics.dynamics.sgd import Stage
from numerics.figures import curves, dynamics, stages, style
from numerics.figures.biases import draw_biases
from numerics.figures.caption import letter
from numerics.figures.degrees import draw_degrees
from numerics.figures.ends import draw_ends
from numerics.figures.exit_times import draw_exit_times
from numerics.figures.overviews import draw_escape_times, draw_trade_off
from numerics.figures.potentials import draw_potentials

VISIONS = ("normal", "deuteranomaly", "protanomaly", "tritanomaly")
TOLD_APART = 10  # ΔE in CAM02-UCS: several times what is just noticed


def seen(colours, vision):
    """Colours as somebody sees them who lacks a kind of cones."""
    rgb = np.array([to_rgb(colour) for colour in colours])
    if vision == "normal":
        return rgb
    space = {"name": "sRGB1+CVD", "cvd_type": vision, "severity": 100}
    return np.clip(cspace_convert(rgb, space, "sRGB1"), 0, 1)


def least_difference(colours, vision):
    pairs = combinations(seen(colours, vision), 2)
    return min(deltaE(a, b, input_space="sRGB1") for a, b in pairs)


@pytest.mark.parametrize("vision", VISIONS)
def test_activations_are_told_apart_by_colour_alone(vision):
    assert least_difference(style.OKABE_ITO.values(), vision) > TOLD_APART
    assert min(deltaE(c, (1, 1, 1), input_space="sRGB1") for c in
               seen(style.OKABE_ITO.values(), vision)) > 20  # fmt: skip


@pytest.mark.parametrize("vision", VISIONS)
def test_strengths_a_fifth_apart_are_told_apart(vision):
    shown = [style.strength_colour(mu) for mu in (0.1, 0.3, 0.5, 0.7, 0.9)]
    assert least_difference(shown, vision) > TOLD_APART


@pytest.mark.parametrize("vision", VISIONS)
def test_degrees_of_one_parity_are_told_apart(vision):
    scale = style.degree_scale([9])
    shown = [style.degree_colours()(scale(n)) for n in range(2, 11, 2)]
    assert least_difference(shown, vision) > TOLD_APART


def test_an_activation_always_looks_the_same():
    alone, many = style.looks_of(["erf"]), style.looks_of(["tanh", "cos", "erf", "x", "sin"])
    assert alone[0] == many[2]
    assert len(set(many)) == 5
    assert len({look.dash for look in many}) == len({look.marker for look in many}) == 5


def test_a_strength_has_one_colour_in_every_figure():
    """Whatever else is drawn beside it."""
    (alone,), pair = flows_as_runs("x", [0.5]), flows_as_runs("x", [0.1, 0.5])
    both = [dynamics.draw_on(None, points) for points in ([alone], pair)]
    assert both[0].lines[0].get_color() == both[1].lines[2].get_color()


# Every figure at its printed size, of tiny data.


def _members(*names):
    return [(Pair(name), drift_of(Pair(name))) for name in names]


def _degrees(degrees, labels="matched"):
    return [(Pair(n, labels=labels), hermite_drift(n, labels, "n*n!")) for n in degrees]


def _draw_curves(form):
    return curves.draw_curves(_degrees(range(1, 10)), "tau", 1000, form, "made so")


def _draw_long_names(form):
    names = ("x + He3", "He3", "x", "He2 + He4", "x**2/2 + x/3", "x**3 - 2*x", "relu")
    return curves.draw_curves(_members(*names), "exit-time", 10**6, form, "made so")


def _draw_potentials(form):
    return draw_potentials(_members("x", "He3"), [0.1, 0.5, 0.9], form, "made so")


def _draw_dynamics(form):
    strengths = (0.1, 0.3, 0.5, 0.7, 0.9)  # so many that one line of the legend is too long
    points = [run for d in (50, 100) for run in flows_as_runs("x", strengths, dimension=d)]
    return dynamics.draw_dynamics(points, form, "made so")


def _draw_networks_runs(form):
    points = [flows_as_runs("x", (0.3,), neurons=2, rank=rank)[0] for rank in (1, 2)]
    shown = ("loss", "overlap", "alignment")
    return dynamics.draw_dynamics(points, form, "made so", shown)


def _draw_stages(form):
    ways = {
        "original labels alone": None,
        "squared labels first": Stage("squared", until_step=100),
        "squared first, $u$ flipped at the switch": Stage("squared", np.inf, 100, True),
    }
    points = {
        name: flows_as_runs("He3", [0.4], stage=stage, learning_rate=1e-4)[0]
        for name, stage in ways.items()
    }
    return stages.draw_stages(points, 0.01, form, "made so")


def _draw_trade_off(form):
    return draw_trade_off(flows_as_runs("x", (0.1, 0.9)), _members("x", "relu"), form, "made so")


def _draw_escape_times(form):
    panels = {
        "even degrees": _degrees((2, 4)),
        "odd degrees": _degrees((1, 3)),
        "squared labels, activations": _members("x", "relu"),
        "squared labels, degrees": _degrees(range(1, 4), "squared"),
    }
    points = flows_as_runs("He3", (0.1, 0.5), learning_rate=1e-4)
    return draw_escape_times(points, panels, form, "made so")


def _draw_biases(form):
    panels = (("He3", (-0.3, 0.3)), ("relu", ()))
    return draw_biases(panels, np.array([-0.3, 0.3]), form, "made so")


def _draw_exit_times(form):
    points = {
        name: [run for d in (20, 50, 100)
               for run in flows_as_runs(name, [0.5], dimension=d, records=0, horizon=2000)]
        for name in ("x", "He3")
    }  # fmt: skip
    return draw_exit_times(points, form, "made so")


def _draw_degrees(form):
    return draw_degrees((3, 9, 10, 100, 1001), form, "made so")


def test_degrees_without_a_first_singularity_are_said_by_their_last():
    told = draw_degrees((3, 5), "svg", "made so").caption.text
    assert "of the last" in told
    assert "of the first" not in told


def _draw_ends(form):
    """A first stage, and the switch at which the end changes."""
    end = {"end": "teacher", "certainty": "certified"}
    records = [
        {
            "mu": mu, "escape": end | {"end": "null student"}, "singularities": [{"mu": 0.32}],
            "stages": [end | {"first": "squared", "flip": flip, "switch": switch, "end": None}
                       for flip in (False, True) for switch in (0.2, 0.5, 0.8)],
            "borders": [{"first": "squared", "flip": True, "low": 0.4, "high": 0.41,
                         "below": "null student", "above": "teacher", "certainty": "certified"}],
        }
        for mu in (0.2, 0.3, 0.4)
    ]  # fmt: skip
    return draw_ends(records, "$He_3$", form, "made so")


DRAWINGS = (
    _draw_curves, _draw_long_names, _draw_potentials, _draw_dynamics, _draw_stages,
    _draw_trade_off, _draw_escape_times, _draw_exit_times, _draw_degrees, _draw_ends,
    pytest.param(_draw_networks_runs, marks=pytest.mark.thorough),  # whose flow takes seconds
    pytest.param(_draw_biases, marks=pytest.mark.thorough),
)  # fmt: skip


@pytest.mark.parametrize("draw", DRAWINGS, ids=lambda draw: draw.__name__[6:])
def test_a_figure_is_readable_at_its_printed_size(printed, draw):
    """No font under 7 pt, no text cut or on another, as wide as a column or a page; its caption."""
    result = draw("svg")
    width = printed.checked(result.figure)
    assert result.caption.wide == (width == style.PAGE_WIDTH)
    _check_caption(draw, result)
    _check_letters(printed, result)
    check_panels(*printed.figures, list(csv.DictReader(result.data.decode().splitlines()[1:])))
    if draw is _draw_exit_times:
        _check_samples(*printed.figures[0].axes[::2])
    if draw is _draw_escape_times:
        _check_keys(printed.figures[0].axes)


@pytest.mark.parametrize("power", [3, 10])
def test_dimensions_that_are_powers_of_ten_are_shown_as_powers(printed, power):
    """All digits of the exponent stand above."""
    runs = flows_as_runs("x", [0.5], dimension=10**power, records=0, horizon=100)
    draw_exit_times({"x": runs}, "svg", "made so")
    (label,) = printed.figures[0].axes[-1].get_xticklabels()
    assert label.get_text() == f"$10^{{{power}}}$"


def _check_caption(draw, result):
    """LaTeX that no text command of its own breaks, with the numbers of the data."""
    latex = result.caption.latex
    assert latex.count("$") % 2 == 0
    assert not re.search(r"[^\x00-\x7f]", latex)
    assert latex.endswith(".")
    rows = list(csv.DictReader(result.data.decode().splitlines()[1:]))
    if rows[0].get("dimension"):
        assert f"$d={rows[0]['dimension']}$" in latex
    if draw in (_draw_dynamics, _draw_stages, _draw_trade_off):
        assert "3 runs each" in latex
        assert "$B=4$" in latex
        assert "dashes are the gradient flow" in latex


def _check_letters(printed, result):
    """Every panel of several has a letter of its own, in order, and the caption none that is not
    there.
    """
    shown = [re.match(r"\((\w+)\)", text.get_text()) for text in printed.places]
    letters = [found[1] for found in shown if found]
    assert letters == [letter(k) for k in range(len(letters))]
    panels = [axis for axis in printed.figures[0].axes if axis.get_subplotspec() and axis.axison]
    assert len(letters) == (len(panels) if len(panels) > 1 else 0)
    words = " ".join(result.caption.text.split("$")[::2])
    assert set(re.findall(r"\(([a-z])\)", words)) <= set(letters)


def test_runs_are_drawn_from_the_edge_of_their_panel_on():
    """On a logarithmic axis, where the start has no place."""
    axis = dynamics.draw_on(None, flows_as_runs("x", (0.1, 0.9), records=4, horizon=50))
    for line in axis.lines:
        assert 0 < line.get_xdata()[0] < axis.get_xlim()[0]


def test_on_a_linear_axis_runs_start_at_zero(printed):
    """With a marker on the line of medians alone."""
    _draw_stages("svg")
    for axis in printed.figures[0].axes:
        of_runs = [line for line in axis.lines if len(line.get_xdata()) > 2]
        assert len(of_runs) == 6
        assert all(line.get_xdata()[0] == 0 for line in of_runs)
        assert all(band.get_paths()[0].vertices[:, 0].min() == 0 for band in axis.collections)
        for median, flow in zip(of_runs[::2], of_runs[1::2], strict=True):
            assert (median.get_linestyle(), flow.get_linestyle()) == ("-", "--")
            assert (median.get_marker() in style.MARKERS, flow.get_marker()) == (True, "None")
            assert median.get_color() == flow.get_color()


def _check_keys(axes):
    """What colours mean stands in the cell without a panel; even and odd degrees compare."""
    _, even, odd, named, _, keys = axes
    handles = keys.get_legend().get_lines()
    curves = [line for line in named.lines if len(line.get_xdata()) > 4]
    assert [h.get_color() for h in handles] == [line.get_color() for line in curves]
    assert [t.get_text() for t in keys.get_legend().get_texts()] == [
        line.get_label() for line in curves
    ]
    assert even.get_ylim() == odd.get_ylim()
    assert not keys.axison
    assert keys.child_axes[0].get_xlabel() == "degree $n$"


def _check_samples(above, below):
    """The same exits in time and in samples, of which a unit of time takes ``B/γ``."""
    (d, times), (same, samples) = (
        axis.containers[0].lines[0].get_data() for axis in (above, below)
    )
    assert list(d) == list(same) == [20, 50, 100]
    np.testing.assert_allclose(samples, times * 4 / 0.01)
    for axis, seen in ((above, times), (below, samples)):
        (bars,) = axis.containers[0].lines[2]
        low, high = np.transpose([segment[:, 1] for segment in bars.get_segments()])
        assert all((seen / 2 < low) & (low < seen) & (seen < high) & (high < 2 * seen))
    tau = flows_as_runs("x", [0.5], dimension=20)[0].simulation.tau
    for axis, unit in ((above, 1), (below, 4 / 0.01)):
        (theory,) = [line for line in axis.lines if line.get_linestyle() == "-"]
        rise = np.diff(theory.get_ydata()) / np.diff(np.log(theory.get_xdata()))
        np.testing.assert_allclose(rise, unit * tau / 2)
        assert theory.get_ydata()[0] == axis.containers[0].lines[0].get_ydata()[0]


def test_a_bias_moves_an_activation_to_the_right():
    """Times are those of f(x - p), up to a million; zeros are zeros of its a."""
    rows = list(csv.DictReader(_draw_biases("svg").data.decode().splitlines()[1:]))
    for name, bias, text in (("He3", "-0.3", "He3(x + 0.3)"), ("relu", "0.3", "relu(x - 0.3)"),
                             ("relu", "-0.3", "relu(x + 0.3)")):  # fmt: skip
        own = [row for row in rows if (row["activation"], row["bias"]) == (name, bias)]
        times = [(float(row["mu"]), float(row["tau"])) for row in own if row["tau"]]
        zeros = [float(row["mu"]) for row in own if not row["tau"]]
        assert (len(times), len(zeros)) == (50, name == "He3")
        known, (strengths, found) = fast_drift(Pair(text)), np.transpose(times)
        np.testing.assert_allclose(found, np.minimum(known.tau(strengths), 1e6), rtol=1e-6)
        np.testing.assert_allclose(known.a(np.array(zeros)), 0, atol=1e-8)


def test_a_divergence_at_an_end_does_not_squash_the_rest():
    """τ of x is 1e6 at μ = 0.999, and what is read off lies below 100."""
    axis = curves.draw_on(None, _members("x"), "tau")
    low, high = axis.get_ylim()
    middle = [t for mu, t in zip(*axis.lines[0].get_data(), strict=True) if 0.1 < mu < 0.9]
    share = np.log(max(middle) / min(middle)) / np.log(high / low)
    assert share > 0.45
    assert max(axis.lines[0].get_ydata()) > 10 * high


def test_a_curve_is_called_by_its_degree_in_the_unit_of_degrees_alone():
    """In that of activations He3 is one of them."""
    names = [curves.draw_on(None, members, "rate").lines[0].get_label()
             for members in (_degrees([3]), _members("He3"))]  # fmt: skip
    assert names[0] == "$n=3$"
    assert "He" in names[1]


# A user's style.


def test_a_style_file_goes_before_the_project_s(tmp_path):
    file = tmp_path / "journal.mplstyle"
    file.write_text("font.size: 11\nfigure.figsize: 3.25, 2\naxes.grid: True\nbackend: pdf\n")
    with style.user_style(file), style.own_style():
        assert matplotlib.rcParams["font.size"] == 11
        assert style.column_width() == 3.25
        assert style.page_width() == pytest.approx(3.25 * 7 / 3.4)
        assert matplotlib.rcParams["axes.spines.top"] is False  # what it leaves is ours
    with style.own_style():
        assert matplotlib.rcParams["font.size"] == 8


def test_colours_of_a_style_are_used_for_activations(tmp_path):
    file = tmp_path / "journal.mplstyle"
    file.write_text("axes.prop_cycle: cycler('color', ['r', 'b'])\n")
    with style.user_style(file), style.own_style():
        assert [look.colour for look in style.looks_of(["x", "relu"])] == ["r", "b"]


def test_a_style_of_nothing_is_refused(command, tmp_path):
    (tmp_path / "a.mplstyle").write_text("font.size: 9\n")
    done = command("numerics.escape", "--degree", "2", "--style", "a.mplstyle")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--style is of the figure that --plot draws" in done.stderr


def test_a_figure_without_a_caption_has_what_its_axes_say():
    with style.own_style():
        axis = Figure().subplots()
        axis.set(xlabel=r"strength $\mu$", ylabel=r"$\tau$")
        result = style.drawn(axis.figure, "svg", "made so", ["mu"], [])
    assert result.caption.text == r"Shown: $\tau$ over strength $\mu$."


def test_given_axes_keep_the_settings_in_force():
    with matplotlib.rc_context({"lines.linewidth": 3.5, "font.size": 13}):
        axis = Figure().subplots()
        assert curves.draw_on(axis, _members("x"), "tau") is axis
        assert axis.lines[0].get_linewidth() == 3.5
        assert axis.get_xlabel() == style.STRENGTH_LABEL
        assert axis.xaxis.label.get_fontsize() == 13


@pytest.mark.parametrize("text", ["font.sise: 9\n", "font.size: large-ish\n", None])
def test_what_is_no_style_is_refused_in_one_line(command, tmp_path, text):
    if text is not None:
        (tmp_path / "a.mplstyle").write_text(text)
    done = command("numerics.escape", "--degree", "2", "--plot", "a.svg", "--style", "a.mplstyle")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "is no matplotlib style" in done.stderr
    assert not (tmp_path / "a.svg").exists()


def test_a_figure_has_its_latex_beside_it(command, tmp_path):
    (tmp_path / "a.mplstyle").write_text("font.size: 9\n")
    line = ("numerics.escape", "--degree", "3", "--plot", "tau_3.pdf", "--style", "a.mplstyle")
    assert command(*line).returncode == 0
    latex = (tmp_path / "tau_3.tex").read_text()
    assert latex.startswith("% python -m numerics.escape")
    assert "--style a.mplstyle" in latex.splitlines()[0]
    for part in (r"\begin{figure}", r"{\detokenize{tau_3.pdf}}", r"\caption{Escape time $\tau$",
                 r"\mu_\star=0.3207", r"\label{fig:tau-3}", r"\end{figure}"):  # fmt: skip
        assert part in latex
