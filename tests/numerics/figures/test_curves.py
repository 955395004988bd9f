"""Curves over the strength: what dashes say of a pair."""

import numpy as np
import pytest

from derive.errors import InputError
from derive.pair import Pair
from derive.pair_drift import drift_of
from derive.polynomial_drift import hermite_drift
from numerics.figures import curves
from numerics.figures.curves import SCALE, curves_told, draw_curves, draw_on
from numerics.figures.quantities import QUANTITIES
from numerics.figures.style import MOST_IN_LEGEND, looks_of


def _dashes(members, quantity="tau"):
    """How the curves of pairs are drawn, without the lines at singularities."""
    drawn = draw_on(None, members, quantity)
    return [line.get_linestyle() for line in drawn.get_lines() if len(line.get_xdata()) > 2]


@pytest.mark.parametrize(
    ("degrees", "found"),
    [((2, 3, 4, 5), ["--", "-", "--", "-"]), ((3, 5, 9), ["-"] * 3), ((2, 6), ["-"] * 2)],
)
def test_even_degrees_are_dashed_among_odd_ones(degrees, found):
    assert _dashes(_members(degrees)) == found


def test_dashes_tell_activations_where_one_line_is_drawn_of_each_and_else_the_coefficients():
    names = ("relu", "erf")
    members = [(Pair(name), drift_of(Pair(name))) for name in names]
    own = ["-" if look.dash == "-" else "--" for look in looks_of(names)]
    assert _dashes(members) == own != ["-", "-"]
    assert _dashes(members, "drift") == ["-", "--"] * 2


def _members(degrees):
    return [(Pair(f"He{n}"), hermite_drift(n, normalization="n*n!")) for n in degrees]


@pytest.mark.parametrize(
    ("degrees", "told"),
    [
        ((2, 3), "2 and 3, even ones dashed"),
        ((1, 2, 3), "1, 2 and 3, even ones dashed"),
        ((2, 3, 4, 5), "2 to 5, even ones dashed"),
        ((3, 5, 9), "3, 5 and 9"),
        (range(2, 21, 2), "2, 4, 6, 8, 10, 12, 14, 16, 18 and 20"),
        (range(1, 22, 2), "1 to 21"),
    ],
)
def test_degrees_are_told_one_by_one_if_they_are_few_or_no_row(degrees, told):
    caption = curves_told({"": _members(degrees)}, "mean", 1000)
    assert f"degree $n=$ {told}. " in caption


def test_a_caption_tells_units_and_dimensions_where_there_are_some():
    degrees, named = _members([3]), [(Pair("relu"), drift_of(Pair("relu")))]
    both = curves_told({"odd degrees": degrees, "activations": named}, "exit-time", 1000)
    assert "for $d=1000$" in both
    assert "(a) Hermite polynomials" in both
    assert "(b) $\\mathrm{ReLU}$" in both
    assert "other times are in units of $1/\\gamma$" in both
    alone = [curves_told({"": named}, name, 1000) for name in ("tau", "rate", "mean")]
    assert ["Times are in units" in told for told in alone] == [True, False, False]
    assert not any("Of Hermite" in told or "$d=" in told for told in alone)
    rates = curves_told({"": degrees}, "rate", 1000)
    assert "are divided by" in rates
    assert "times" not in rates
    shifted = curves_told({"": degrees, "more": named}, "tau", 1000, first=1)
    assert "(b) Hermite polynomials" in shifted
    assert "(c) $" in shifted


def test_off_the_direction_of_the_teacher_nothing_diverges_where_a_vanishes():
    pair = Pair("He3", misalignment="linear")
    axis = draw_on(None, [(pair, drift_of(pair))], "tau")
    mu, tau = map(np.asarray, axis.lines[0].get_data())
    inner = (mu > 0.1) & (mu < 0.9)
    assert inner.sum() > 100
    assert tau[inner].max() < 10 * np.median(tau[inner])


def test_a_curve_that_no_double_holds_anywhere_is_refused():
    with pytest.raises(InputError, match="leaves the range of doubles"):
        draw_on(None, [(Pair("1e200*x"), drift_of("1e200*x"))], "tau")


def test_a_curve_closes_in_on_its_singularity_and_on_the_ends():
    """As far as the highest time shown; between, an even grid of 200."""
    axis = draw_on(None, _members([3]), "tau")
    mu, tau = map(np.asarray, axis.lines[0].get_data())
    even = tau[(mu > 0.019) & (mu < 0.981) & (np.abs(200 * mu - np.round(200 * mu)) < 1e-9)]
    shown = (even.min() / 1.5, 10 * np.quantile(even, 0.9))  # however dense it is near the pole
    assert axis.get_ylim() == pytest.approx(shown)
    assert (np.diff(mu) > 0).all()
    assert set(np.round(np.arange(1, 200) / 200, 12)) <= set(np.round(mu, 12))
    assert mu[0] < 0.001 < 0.999 < mu[-1]
    star = mu[np.argmax(tau)]
    assert star == pytest.approx(0.3207243, abs=4e-5)
    near = tau[np.abs(mu - star) < 0.1]
    ratios = near[1:] / near[:-1]
    assert 1e6 < near.max() < 1e11
    assert np.median(np.maximum(ratios, 1 / ratios)) < 3  # eight steps a factor of ten


@pytest.mark.parametrize("name", QUANTITIES)
def test_an_axis_says_another_unit_where_its_numbers_are_in_another(name):
    """He3 as a degree and by its name: times of the one are n n! those of the other."""
    degree, named = (draw_on(None, members, name)
                     for members in (_members([3]), [(Pair("He3"), drift_of("He3"))]))  # fmt: skip
    unit = {"tau": 18, "exit-time": 18, "rate": 1 / 18, "drift": 1 / 18}.get(name, 1)
    ours, theirs = (dict(zip(*axis.lines[0].get_data(), strict=True)) for axis in (degree, named))
    for mu in set(ours) & set(theirs):
        assert ours[mu] == pytest.approx(unit * theirs[mu])
    assert len(set(ours) & set(theirs)) > 200
    labels = degree.get_ylabel(), named.get_ylabel()
    assert [SCALE in label for label in labels] == [unit != 1, False]
    assert [r"$1/(\gamma" in label for label in labels] == [unit == 18, False]
    assert (r"$1/\gamma$" in labels[1]) == (unit == 18)
    assert degree.get_yscale() == named.get_yscale() == QUANTITIES[name].scale
    assert degree.get_xlim() == (0, 1)


def test_panels_are_of_what_their_titles_say_and_a_lone_one_has_no_letter(monkeypatch):
    """Even degrees, odd ones and activations apart, those of other labels too."""
    monkeypatch.setattr(curves, "drawn", lambda figure, *rest: (figure.axes, rest[-1]))
    named, squared = [(Pair("relu"), drift_of("relu"))], Pair(3, labels="squared")
    other = [(squared, hermite_drift(3, "squared", "n*n!"))]
    members = [*_members([2, 3, 4]), *named, *other]
    axes, told = draw_curves(members, "rate", 1000, "svg", "made so")
    assert [axis.get_title(loc="left") for axis in axes] == [
        "(a) even degrees", "(b) odd degrees", "(c) activations",
        "(d) odd degrees, squared labels",
    ]  # fmt: skip
    for axis, count in zip(axes, (2, 1, 1, 1), strict=True):
        names = [text.get_text() for text in axis.get_legend().get_texts()]
        assert names == [line.get_label() for line in axis.lines]
        assert len(names) == count
    assert "(d) Hermite polynomials of degree $n=$ 3, squared labels" in told
    (axis,), _ = draw_curves(other, "rate", 1000, "svg", "made so")
    assert axis.get_title(loc="left") == "squared labels"


@pytest.mark.parametrize("count", [MOST_IN_LEGEND, MOST_IN_LEGEND + 1])
def test_few_degrees_have_a_legend_and_many_a_bar(count):
    axis, *bars = draw_on(None, _members(range(2, 2 + 2 * count, 2)), "rate").figure.axes
    assert (axis.get_legend() is None, len(bars)) == (count > MOST_IN_LEGEND,) * 2


@pytest.mark.parametrize("name", QUANTITIES)
def test_a_caption_tells_of_other_times_where_there_are_some(name):
    degrees, named = _members([3]), [(Pair("relu"), drift_of(Pair("relu")))]
    timed, divided = QUANTITIES[name].is_time, QUANTITIES[name].is_time or QUANTITIES[name].is_rate
    for panels in ({"": degrees}, {"": named}, {"": degrees, "more": named}):
        told, mixed = curves_told(panels, name, 1000), len(panels) > 1
        assert ("; other times" in told) == (timed and mixed)
        assert "; other" not in told.replace("; other times", "")
        assert ("are divided by" in told) == (divided and panels[""] is degrees)
        assert ("Times are in units" in told) == (timed and panels[""] is named)
        assert ("(a)" in told) == ("(b)" in told) == mixed
