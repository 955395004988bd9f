"""How results show themselves: in one line, as HTML, as frames, as pictures; numbers as numbers."""

import re
from fractions import Fraction
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest
import xarray
from matplotlib.figure import Figure
from numbers_read import numbers_alone, to_digits
from sympy import Rational

from derive import InputError, Undecided, landscape_of
from derive.command.hypertext import BADGES, badge, box, grid
from numerics import Enclosure, find_singularities, hermite_expansion, study
from numerics.claims import CLAIMS
from numerics.dynamics.runs import Runs
from numerics.simulate import main as simulate

HE3, RELU = study("He3"), study("relu")
SHOWN = {"certified": ("curve", "zeros", "series"), "simulated": ("runs",), "heuristic": ("law",),
         "proved": ("study",)}  # fmt: skip


@pytest.fixture(scope="module")
def made() -> SimpleNamespace:
    """One of each: made here, for it takes seconds that not every process needs to spend."""
    return SimpleNamespace(
        study=HE3,
        runs=RELU.simulate(mu=0.1, dimension=1000, replicas=5, seed=3),
        law=RELU.exit_law(mu=0.1),
        curve=HE3.curve("0.1:0.9:5"),
        zeros=HE3.singularities(20),
        series=hermite_expansion("tanh", 3, digits=8),
    )


@pytest.mark.parametrize("certainty", SHOWN)
def test_html_is_well_formed_stands_alone_and_says_how_sure_it_is(certainty, made):
    for name in SHOWN[certainty]:
        html = getattr(made, name)._repr_html_()
        root = ElementTree.fromstring(html)
        assert [badge.text for badge in root.iter("span")] == [certainty]
        assert "lora-escape 0" in "".join(root.itertext())  # where it is from
        assert not {"src", "href"} & {name for part in root.iter() for name in part.attrib}


def test_text_of_users_is_escaped():
    html = box("<script>", "exact", grid(["<b>"], [["&<i>"]]), "<u>")
    texts = list(ElementTree.fromstring(html).itertext())
    assert {"<script>", "<b>", "&<i>"} <= set(texts)
    assert any(text.startswith("<u>") for text in texts)
    assert {word in badge(word) for word in BADGES} == {True}


def test_long_tables_say_how_many_rows_are_left_out():
    assert "… 88 more" in grid(["k"], [[k] for k in range(100)])
    assert "… 1 more" in grid(["k"], [[k] for k in range(13)])
    assert "more" not in grid(["k"], [[k] for k in range(12)])


def test_what_is_printed_is_one_short_line(made):
    things = (*vars(made).values(), made.zeros[0], RELU.a, CLAIMS)
    for thing in things:
        assert "\n" not in repr(thing)
        assert len(repr(thing)) < 130
    assert "0.32072" in repr(made.zeros[0])


def test_a_number_known_to_lie_in_a_ball_is_a_number(made):
    (zero,) = made.zeros
    low, high = zero.mu.ends
    assert abs(Fraction(float(zero.mu)) - low) <= high - low + Fraction(1, 2**53)
    assert float(zero.mu) == pytest.approx(0.3207243473, abs=1e-9)
    assert 0.32 < zero.mu < 0.33
    assert zero.mu > Rational(8, 25)
    assert zero.b < 0 < zero.constant
    assert low in zero.mu
    assert 0.3207 not in zero.mu
    assert zero.mu < Enclosure("0.4", "0.01")
    with pytest.raises(Undecided, match="more digits"):
        _ = zero.mu < Fraction(zero.mu.mid)
    with pytest.raises(InputError, match="rational"):
        _ = zero.mu < float("nan")


@pytest.mark.parametrize(("left", "right"), [("0.1", "0.2"), ("-3e-40", "1e-50"), ("1", "1")])
def test_exact_balls_are_ordered_as_their_numbers(left, right):
    a, b = Fraction(left), Fraction(right)
    x, y = Enclosure(left, "0"), Enclosure(right, "0")
    assert (x < y, x <= y, x > y, x >= y) == (a < b, a <= b, a > b, a >= b)


def test_frames_hold_the_numbers_with_their_units(made):
    frame = made.curve.to_frame()
    for name in ("mu", "a", "b", "rate", "tau"):
        assert tuple(frame[name]) == getattr(made.curve, name)
    for thing, shared in (
        (made.curve, {"unit": "1/γ", "certainty": "certified"}),
        (made.runs, {"unit": "1/γ", "certainty": "simulated"}),
        (made.zeros, {"certainty": "certified"}),
        (made.series, {"convention": made.series.convention, "certainty": "certified"}),
    ):
        assert thing.to_frame().attrs == shared
    assert made.zeros.to_frame()["mu"].tolist() == [float(made.zeros[0].mu)]
    np.testing.assert_array_equal(made.runs.to_frame()["exit_time"], made.runs.exit_times)
    series, coefficients = made.series.to_frame(), made.series.coefficients
    assert series["degree"].tolist() == [0, 1, 2, 3]
    assert series["coefficient"].tolist() == [float(c) for c in coefficients]
    assert series["radius"].tolist() == [float(c.radius) for c in coefficients]
    assert len(CLAIMS.to_frame()) == len(CLAIMS) > 50
    ledger = CLAIMS
    (body,) = ElementTree.fromstring(ledger._repr_html_())
    for row, entry in zip(body, ledger.values(), strict=True):
        verdict, *told = ("".join(cell.itertext()) for cell in row)
        assert verdict in (entry.recorded, "simulated")
        assert told == [entry.name, entry.place, entry.statement]


def test_runs_as_xarray_are_the_file_that_the_command_writes(tmp_path, made):
    file = tmp_path / "runs.nc"
    options = "--activation relu --mu 0.1 --dimension 1000 --replicas 5 --seed 3"
    assert simulate([*options.split(), "--data", str(file), "--output", str(tmp_path / "t")]) == 0
    written = xarray.load_dataset(file)
    xarray.testing.assert_identical(made.runs.to_xarray(written.attrs["provenance"]), written)


def test_pictures_are_drawn_on_the_axes_that_are_given(made):
    for thing, values in ((made.curve, 5), (made.law, 200), (made.runs, len(made.runs.times) - 1)):
        ax = Figure().subplots()
        assert thing.plot(ax=ax) is ax
        assert len(ax.lines[0].get_xdata()) == values
        assert ax.get_xlabel()
        assert ax.get_ylabel()
        assert thing.plot().figure is not ax.figure


def test_what_is_drawn_is_what_is_held(made):
    (zero,) = made.zeros
    curve = made.curve.plot()
    assert made.zeros.plot(curve) is curve
    assert list(curve.lines[-1].get_xdata()) == [float(zero.mu)] * 2
    broken = study("x").curve([0.5, 1])  # where τ is infinite
    assert np.isnan(broken.plot().lines[0].get_ydata()).tolist() == [False, True]
    assert broken.plot().lines[0].get_ydata()[0] == broken.tau[0]
    assert made.zeros.plot().get_xlim() == (0, 1)
    series = made.series
    assert list(series.plot().lines[0].get_ydata()) == [float(c) for c in series.coefficients]
    budget = RELU.budget(1e5, mu="0.2:0.8:3", batch=1)
    ax = budget.plot()
    assert (r"$\mu$" in ax.get_xlabel(), ax.get_ylabel(), ax.get_yscale()) == (
        True, "expected loss", "log",
    )  # fmt: skip
    assert len(ax.get_legend().get_texts()) == 2
    expected, frozen = ax.lines
    assert list(expected.get_ydata()) == list(budget.expected)
    assert list(frozen.get_ydata()) == list(budget.frozen)


def test_the_picture_of_runs_has_the_median_and_the_middle_eight_of_ten():
    """Of eleven runs the second and the tenth; without those that were stopped, nor the start."""
    sizes = np.arange(11.0)[:, None] * [1, 2, 3]
    sizes = np.vstack([sizes, np.full(3, np.nan)])
    signs = np.where(np.arange(12) % 2, 1, -1)[:, None]
    states = np.stack([0 * sizes, signs * sizes], axis=-1)
    runs = Runs(np.array([0, 10, 20]), states, np.full(12, np.nan), ("u", "m"), 0.1)
    ax = runs.plot()
    assert np.allclose(ax.lines[0].get_data(), [[1, 2], [10, 15]])
    low, high = np.split(ax.collections[0].get_paths()[0].vertices[[1, 2, 5, 4]], 2)
    assert np.allclose([low, high], [[[1, 2], [2, 3]], [[1, 18], [2, 27]]])


def test_the_landscape_is_drawn_by_lines_of_equal_loss():
    """Of the linear student ``L = ((1 - ρ)² + s)/2``, whose slopes no quadrature is needed for."""
    landscape = study("x").landscape
    ax = landscape.plot()
    assert (ax.get_xlim(), ax.get_ylim()) == ((-0.5, 1.5), (0, 1))
    (lines,) = ax.collections
    for level, path in zip(lines.levels, lines.get_paths(), strict=True):
        rho, s = path.vertices.T
        assert np.allclose(((1 - rho) ** 2 + s) / 2, level, atol=2e-3)
    assert len(lines.levels) > 5
    assert (r"$\rho$" in ax.get_xlabel(), "$s$" in ax.get_ylabel()) == (True, True)


def test_formulas_are_shown_short(made):
    drifts = (HE3.drift, study("erf").drift)
    for thing in (*drifts, landscape_of("relu"), made.series, made.zeros[0].mu):
        latex = thing._repr_latex_()
        assert latex.startswith("$")
        assert latex.endswith("$")
        assert latex.count("{") == latex.count("}")
    assert study("tanh").drift._repr_latex_() is None
    assert r"\lambda^{2}" in study("selu")._repr_html_()  # its constants, by name


def test_numbers_are_shown_to_six_digits_and_times_of_runs_to_four(made):
    curve, law, runs = made.curve, made.law, made.runs
    ends = (min(curve.tau), max(curve.tau))
    assert numbers_alone(repr(curve)) == [5, 0.1, 0.9, *to_digits(ends, 6)]
    columns = [to_digits(each, 6) for each in (curve.mu, curve.a, curve.b, curve.rate, curve.tau)]
    assert _cells(curve) == [list(row) for row in zip(*columns, strict=True)]
    shares = (0.1, 0.5, 0.9, 0.99)
    left = [(*to_digits([law.quantile(p)], 4), law.steps(p), law.samples(p)) for p in shares]
    assert _cells(law) == [[100 * p, *row] for p, row in zip(shares, left, strict=True)]
    ordered = to_digits(sorted(runs.exit_times), 4)
    assert _cells(runs) == [[10, ordered[0]], [50, ordered[2]], [90, ordered[4]]]
    coefficients = [float(c) for c in made.series.coefficients]
    assert [row[:1] for row in _cells(made.series)] == [[k] for k in range(4)]
    latex = re.findall(r"c_\{(\d)\} = ([-\d.]+)", made.series._repr_latex_())
    shown = [[int(k), float(c)] for k, c in latex]
    assert shown == [[k, *to_digits([c], 6)] for k, c in enumerate(coefficients) if c]
    empty = study("x").curve([])
    assert repr(empty) == "EscapeCurve(no strengths)"


def _cells(shown):
    """The numbers of a table's rows, percentages too."""
    rows = ElementTree.fromstring(shown._repr_html_()).iter("tr")
    cells = [[cell.text.rstrip("%") for cell in row.iter("td")] for row in rows]
    return [[float(cell.split(" ")[0].replace("−", "-")) for cell in row] for row in cells if row]


def test_singularities_are_a_tuple_as_before(made):
    assert find_singularities("He3", 20) == made.zeros
    assert isinstance(made.zeros, tuple)
    assert "no strength" in RELU.singularities()._repr_html_()
