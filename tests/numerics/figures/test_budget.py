"""Budgets drawn: what a caption and a legend name is there, once for each budget that has it."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from numerics import Simulation
from numerics.figures import budget
from numerics.simulation.budget import Budget, Measured

STRENGTHS = (0.1, 0.3, 0.5, 0.7, 0.9)


@dataclass(frozen=True)
class Curve:
    """A loss that falls from the frozen one, the faster the larger the rate."""

    frozen: float
    rate: float

    def expected(self, samples):
        return self.frozen * np.exp(-self.rate * samples)

    def error(self, samples):
        return self.expected(samples) / 10

    def quantiles(self, samples, shares):
        return [2 * share * self.expected(samples) for share in shares]

    def still_searching(self, samples):
        return np.exp(-self.rate * samples)

    def samples(self, share):
        return -np.log(share) / self.rate


def _budget(faster=1.0, **others):
    """Of strengths of which the fourth learns little, and the last hardly leaves."""
    simulations = [Simulation("x", mu, learning_rate="0.1*stable", horizon=1, records=0)
                   for mu in STRENGTHS]  # fmt: skip
    rates = faster * np.array([2, 4, 6, 1, 0.5]) / 1000
    curves = [Curve((1 - mu) ** 2 / 2, rate) for mu, rate in zip(STRENGTHS, rates, strict=True)]
    return replace(Budget(simulations, curves, 1000, ()), **others)


@pytest.mark.parametrize("given", [[("0.25", "0.625"), ()], [None]])
def test_a_caption_tells_of_what_is_drawn_alone(printed, given):
    """Two budgets side by side, at the best rates too, and one alone; under one legend each."""
    several = len(given) > 1
    budgets = [(_budget(singularities=each), _budget(2) if several else None) for each in given]
    result = budget.draw_budget(budgets, "svg", "made so")
    assert (printed.checked(result.figure) > 5) == several  # as wide as a page
    (figure,) = printed.figures
    upper, lower = np.reshape(figure.axes[: 2 * len(given)], (2, -1))
    for both, singular in zip(zip(upper, lower, strict=True), given, strict=True):
        for axis in both:
            assert _dotted(axis) == [float(point) for point in singular or ()]
    assert ("certified singularities" in result.caption.text) == several
    dashes = [line.get_linestyle() for axis in upper for line in axis.lines].count("-.")
    assert (dashes, "dash-dotted" in result.caption.text) == (2 * several, several)
    (legend,) = figure.legends
    assert len(legend.get_texts()) == 2 + several


@pytest.fixture
def axes(monkeypatch):
    """A function that draws a budget, for the axes of its panels."""
    monkeypatch.setattr(budget, "drawn", lambda figure, *_: figure.axes[:2])
    return lambda own: budget.draw_budget([(own, None)], "svg", "made so")


def test_panels_mark_what_is_best_what_to_avoid_and_where_half_have_left(axes):
    """Runs stand with two of their errors on each side; losses are drawn down to a share."""
    found = Measured(20, np.array([0.2, 0.1, 0.05, 0.02, 1e-9]), np.full(5, 0.004), np.zeros(5))
    own = _budget(measured=found)
    upper, lower = axes(own)
    (dot,) = [
        line for line in upper.lines if (line.get_marker(), len(line.get_xdata())) == ("o", 1)
    ]
    assert (*dot.get_xdata(), *dot.get_ydata()) == (own.best_left.mu, own.best_left.expected_loss)
    assert own.best_left.mu == 0.5
    shaded = [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in upper.patches]
    assert shaded == own.avoid != []
    _check_bars(upper, np.maximum(found.losses, 1e-5 * own.frozen.max()))
    half = next(line for line in lower.lines if len(line.get_xdata()) == len(STRENGTHS))
    left = [c.still_searching(n) for c, n in zip(own.curves, half.get_ydata(), strict=True)]
    assert left == pytest.approx([0.5] * 5)
    _check_colours(lower, own)


def _dotted(axis):
    """Where the dotted lines across a panel stand."""
    return [line.get_xdata()[0] for line in axis.lines if line.get_linestyle() == ":"]


def _check_bars(axis, losses):
    (bars,) = axis.containers
    marks, _, (segments,) = bars.lines
    np.testing.assert_allclose(marks.get_ydata(), losses)
    ends = np.array(segments.get_segments())
    np.testing.assert_allclose(ends[:, :, 0].T, [STRENGTHS] * 2)
    np.testing.assert_allclose(ends[:, :, 1].T, [losses - 0.008, losses + 0.008])


def _check_colours(axis, own):
    """Each fills a cell around its strength and its number of samples."""
    (mesh,) = [each for each in axis.collections if each.get_array() is not None]
    places, shown, floor = mesh.get_coordinates(), np.asarray(mesh.get_array()), mesh.norm.vmin
    for k, curve in enumerate(own.curves):
        assert places[0, k, 0] < STRENGTHS[k] < places[0, k + 1, 0]
        least, most = (np.maximum(curve.expected(part[:, k, 1]), floor) * (1 + side * 1e-9)
                       for part, side in ((places[1:], -1), (places[:-1], 1)))  # fmt: skip
        assert ((least <= shown[:, k]) & (shown[:, k] <= most)).all()
    assert floor == pytest.approx(1e-5 * shown.max())
    assert mesh.norm.vmax == shown.max()


def test_where_nobody_has_left_no_strength_is_the_best(axes):
    still = _budget(samples=100)
    assert still.best_left is None
    assert [line for line in axes(still)[0].lines if line.get_marker() == "o"] == []
