"""The best labels: numbers known otherwise, and that nothing in the plane does better."""

import math

import numpy as np
import pytest
from flint import arb, ctx, fmpq

from derive.errors import Undecided
from derive.pair import Pair
from numerics.certified.best_labels import Angles, Plane, best_labels
from numerics.certified.drift import growth_rate
from numerics.certified.label_planes import BITS, LabelPlanes

SINGULAR = fmpq(320724347323, 10**12)  # near that of He_3


@pytest.fixture(autouse=True)
def precise():
    with ctx.workprec(BITS):
        yield


def plane(text, mu):
    planes = LabelPlanes(Pair(text), 1)
    return planes.of_all(mu), planes.norm(1)


@pytest.mark.parametrize(("text", "mu", "useful", "a", "b", "tau"), [
    ("He3", SINGULAR, True, 2.688, -9.205, 1.374),
    ("He3", SINGULAR, False, -6.370, -2.104, 0.185),
    ("erf", fmpq(4, 5), True, None, None, 215.6),
])  # fmt: skip
def test_known_numbers(text, mu, useful, a, b, tau):
    best = best_labels(*plane(text, mu), useful)
    assert float(1 / best.lower) == pytest.approx(tau, abs=6e-4 * tau)
    if a is not None:
        assert float(best.a) == pytest.approx(a, abs=1e-3)
        assert float(best.b) == pytest.approx(b, abs=1.1e-3)
    assert float(1 / best.lower) - float(1 / best.upper) < 1e-9


@pytest.mark.parametrize(("text", "mu"), [("He3", fmpq(3, 5)), ("He5", fmpq(425305733859, 10**12))])
def test_the_best_may_sit_on_the_edge(text, mu):
    best = best_labels(*plane(text, mu))
    assert best.b == 0
    assert abs(best.a - best.lower) < 1e-15
    assert best_labels(*plane(text, mu), useful=False).b > 0


@pytest.mark.parametrize("useful", [True, False])
@pytest.mark.parametrize("seed", range(6))
def test_no_mixture_within_the_norm_does_better(seed, useful):
    """Planes at random: transforms x A + y B of any smaller norm, conditions included."""
    rng = np.random.default_rng(seed)
    basis = rng.normal(size=(2, 2))
    gram = basis @ basis.T
    power, mu, norm = rng.normal() + 0.5, rng.uniform(0.05, 1), rng.uniform(0.2, 5)
    given = Plane(*map(arb, (gram[0, 0], gram[0, 1], gram[1, 1], power, mu)))
    best = best_labels(given, arb(norm), useful)
    mixtures = rng.normal(size=(40_000, 2)) @ np.linalg.inv(np.linalg.cholesky(gram))
    sizes = np.sqrt(np.einsum("ij,jk,ik->i", mixtures, gram, mixtures))
    mixtures *= (np.sqrt(norm * rng.uniform(size=len(sizes)) ** 0.05) / sizes)[:, None]
    a, b = (mixtures @ gram).T
    a, b = a - mu * power, b - power
    rates = (b + np.hypot(b, 2 * a)) / 2
    rates = rates[(a > 0) & (b <= 0)] if useful else rates
    if best is None:
        assert not len(rates)
        return
    assert len(rates) == 0 or rates.max() <= float(best.upper) * (1 + 1e-12)
    if len(rates) > 100:
        assert rates.max() > 0.9 * float(best.lower)
    if useful:
        assert best.a > 0
        assert not best.b > 0


def test_the_mixture_has_the_norm_and_the_drift():
    for text, mu in (("He3", fmpq(3, 10)), ("gauss", fmpq(1, 2)), ("x", fmpq(1, 2))):
        given, norm = plane(text, mu)
        best = best_labels(given, norm)
        x, y = given.mixture(norm, best.cosine, best.sine)
        size = x * x * given.first + 2 * x * y * given.mixed + y * y * given.second
        assert abs(size - norm) < 1e-15
        a = x * given.first + y * given.mixed - given.strength * given.power
        assert abs(a - best.a) < 1e-15
        b = x * given.mixed + y * given.second - given.power
        assert abs(b - best.b) < 1e-15
        assert abs(growth_rate(best.b, best.a**2) - best.lower) < 1e-15


@pytest.mark.parametrize("text", ["He3", "He4", "tanh"])
def test_more_norm_is_no_worse_and_fewer_conditions_neither(text):
    given, norm = plane(text, fmpq(2, 5))
    rates = []
    for size in (1, 2, 8):
        best, free = (best_labels(given, norm * size, useful) for useful in (True, False))
        assert not free.upper < best.lower
        rates.append(best.lower)
    assert rates[0] < rates[1] < rates[2]


def test_labels_that_cannot_lead_to_the_teacher():
    """Of x, a = √N - μ at most, and b = -1."""
    x = Plane(arb(1), arb(0), arb(0), arb(1), arb(0.5))
    assert best_labels(x, arb("0.2")) is None
    assert best_labels(x, arb("0.3")).a > 0
    assert best_labels(x, arb("0.2"), useful=False).a < 0
    with pytest.raises(Undecided):
        best_labels(x, arb(1) / 4 + arb(0, 1e-30))


@pytest.mark.parametrize("seed", range(8))
def test_where_b_is_free_the_largest_a_counts(seed):
    """With b = 0 the rate is a, and no labels of the norm have a larger one, whatever their b."""
    rng = np.random.default_rng(seed)
    basis, power, mu, norm = rng.normal(size=(2, 2)), *rng.uniform(0.2, 2, size=3)
    gram = basis @ basis.T
    numbers = [*map(arb, (gram[0, 0], gram[0, 1], gram[1, 1], power, mu))]
    best = best_labels(Plane(*numbers, free=True), arb(norm))
    ellipse = Plane(*numbers).ellipse(arb(norm))
    largest = max(float(ellipse.at(arb(psi))[0]) for psi in np.linspace(0, 2 * np.pi, 721))
    assert (best is None) == (largest <= 0)
    if best is not None:
        assert float(best.a) == pytest.approx(largest, rel=1e-12)
        assert growth_rate(best.b, best.a**2).overlaps(best.a)
        assert (best.b, best.lower <= best.a <= best.upper, best.attained) == (0, True, False)


def test_b_that_cannot_fall_to_0():
    """A negative power: b > 0 whatever the labels, unless their norm is as good as enough."""
    assert best_labels(Plane(arb(1), arb(0), arb("0.01"), arb(-1), arb(0.5)), arb(1)) is None
    with pytest.raises(Undecided, match="whether b ≤ 0 is reached"):
        best_labels(Plane(arb(1), arb(0), arb(1), arb(-1), arb(0.5)), 1 + arb(0, 1e-30))


def test_angles_end_where_b_is_0():
    given, norm = plane("He3", fmpq(3, 5))
    angles = Angles(given.ellipse(norm), True)
    for t in (fmpq(0), fmpq(1)):
        a, b = angles.at(t)
        free = given.ellipse(norm).at(angles.angle(t))
        assert b == 0
        assert free[1].contains(0)
        assert free[0].overlaps(a)
    assert all(angles.at(fmpq(k, 8))[1] < 0 for k in range(1, 8))
    assert math.isclose(float(best_labels(given, norm).a), 5.2591395, rel_tol=1e-6)


@pytest.mark.parametrize("text", ["He3", "He4", "gauss"])
def test_a_bad_first_guess_costs_no_truth(text, monkeypatch):
    """The bounds alone lead to the maximum, wherever it is first looked for."""
    given, norm = plane(text, fmpq(1, 2))
    known = best_labels(given, norm)
    monkeypatch.setattr(Angles, "_sought", lambda self: fmpq(1, 3))
    found = best_labels(given, norm)
    assert abs(found.lower - known.lower) < 1e-11 * known.lower
    assert found.upper >= known.lower


@pytest.mark.parametrize("guess", [fmpq(0), fmpq(1, 3), fmpq(5, 7)])
@pytest.mark.parametrize("useful", [True, False])
def test_no_cell_is_given_up_that_holds_more(guess, useful, monkeypatch):
    """Planes at random, in any unit, and a first guess that is not the best: bounds decide."""
    rng = np.random.default_rng(7)
    for unit in (1, 1, 1, 1e-3, 1e-3, 1e-3):
        basis, power, mu, norm = rng.normal(size=(2, 2)), *rng.uniform(0.2, 2, size=3)
        gram = basis @ basis.T
        sizes = unit * np.array([gram[0, 0], gram[0, 1], gram[1, 1], power])
        given = Plane(*map(arb, (*sizes, mu)))
        known = best_labels(given, unit * arb(norm), useful)
        if known is None:
            continue
        with monkeypatch.context() as patched:
            patched.setattr(Angles, "_sought", lambda self: guess)
            found = best_labels(given, unit * arb(norm), useful)
        assert abs(found.lower - known.lower) < 1e-11 * known.lower
        assert found.upper >= known.lower
