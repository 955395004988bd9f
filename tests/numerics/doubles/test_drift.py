"""Fast doubles against certified values: to 1e-13 everywhere, next to zeros and ends too."""

from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from flint import arb, ctx
from thorough import only

from derive.catalogue import CATALOGUE
from derive.errors import InputError
from derive.grammar import parse_activation, parse_transform
from derive.pair import MISALIGNMENTS, Pair
from derive.pair_drift import drift_of
from derive.polynomial_drift import hermite_drift
from numerics.certified.drift import ball_drift, growth_rate
from numerics.certified.escape import escape_curve
from numerics.certified.singularities import find_singularities
from numerics.doubles import drift as floats
from numerics.doubles.drift import fast_drift

ENDS = [1e-8, 3e-7, 1e-3, 1 - 1e-3, 1 - 1e-5, 1 - 1e-8]


@cache
def _drift(text, labels="matched"):
    if text.startswith("He"):
        return hermite_drift(int(text[2:]), labels)
    activation = parse_activation(text)
    return drift_of(Pair(activation, activation, parse_transform(labels)))


@cache
def _fast(text, labels):
    return fast_drift(_drift(text, labels))


def _certified(drift, points):
    """By balls, at the first precision at which they are narrow enough."""
    balls = ball_drift(drift)
    for x in points:
        for precision in (90, 140, 280, 900):
            with ctx.workprec(precision):
                a, b = balls.a(arb(float(x))), balls.b(arb(float(x)))
                values = a, b, growth_rate(b, a * a)
            if all(value.rel_accuracy_bits() > 55 for value in values):
                break
        else:
            raise AssertionError(f"no ball is narrow at {x}")
        yield [float(value.mid()) for value in values]


@pytest.mark.parametrize(
    "text",
    [*CATALOGUE, "He3", "He10", "He50", "sin(3*x)", "tanh(9*x) + x", "relu + tanh",
     *only(["tanh + erf"], ["tanh + erf", "x*sin*exp(x/2)"])],
)  # fmt: skip
@pytest.mark.parametrize("labels", ["matched", "squared"])
@pytest.mark.parametrize("number", only([3], [3, 25]))
def test_relative_error_is_below_1e_13(text, labels, number):
    drift, stream = _drift(text, labels), np.random.default_rng(number)
    points = np.concatenate([stream.uniform(0.01, 0.99, number), ENDS[:: 2 if number == 3 else 1]])
    if text == "softshrink":  # which is constant around 0: there a falls below all doubles
        points = points[points > 0.05]
    fast = _fast(text, labels)
    truth = np.array(list(_certified(drift, points))).T
    for ours, exact in zip((fast.a(points), fast.b(points), fast.rate(points)), truth, strict=True):
        np.testing.assert_allclose(ours, exact, rtol=1e-13, atol=0)


@pytest.mark.parametrize("text", ["max(x - 1, 0)", "max(2*x - 2, 0)**2 + x"])
@pytest.mark.parametrize("labels", ["y", "y**2", "y + y**2"])
def test_factors_of_a_closed_form_do_not_cancel_unseen(text, labels):
    """Under the correlation loss b is next to nothing but what the label has at a kink."""
    drift, points = drift_of(Pair(text, labels=labels, loss="correlation")), [0.3, *ENDS[3:]]
    fast, known = fast_drift(drift), escape_curve(drift, points)
    np.testing.assert_allclose(fast.a(points), known.a, rtol=1e-13, atol=0)
    np.testing.assert_allclose(fast.b(points), known.b, rtol=1e-13, atol=0)


@pytest.mark.parametrize("text", ["He3", "He10", "He50", "sin(3*x)"])
def test_next_to_a_singularity(text):
    drift = _drift(text)
    for s in find_singularities(drift, 30):
        points = float(s.mu) * (1 + np.array([-1e-9, -1e-12, 1e-15, 1e-6]))
        truth = np.array(list(_certified(drift, points))).T
        fast = fast_drift(drift)
        np.testing.assert_allclose(fast.a(points), truth[0], rtol=1e-13, atol=0)
        np.testing.assert_allclose(fast.tau(points), 1 / truth[2], rtol=3e-13, atol=0)


@pytest.mark.parametrize("text", ["x", "erf", "cos", "sigmoid"])
def test_full_strength_has_no_escape(text):
    fast = fast_drift(_drift(text))
    assert fast.a([1.0]).tolist() == [0.0]
    assert fast.tau([1.0]).tolist() == (
        [np.inf] if fast.b([1.0])[0] < 0 else [1 / fast.b([1.0])[0]]
    )


def test_misaligned_rate():
    x = parse_activation("x")
    fast = fast_drift(drift_of(Pair(x, x, misalignment=MISALIGNMENTS["spherical"])))
    points = np.linspace(0.1, 0.9, 5)
    coupling = (1 - points) ** 2 + (1 - points**2)
    np.testing.assert_allclose(fast.rate(points), (-1 + np.sqrt(1 + 4 * coupling)) / 2, rtol=1e-13)


@pytest.mark.parametrize("text", ["erf", "He3", "sigmoid"])
def test_shapes_and_ranges(text):
    fast = fast_drift(_drift(text))
    assert fast.tau(np.full((2, 3), 0.5)).shape == (2, 3)
    assert fast.a(0.5).shape == ()
    for bad in (-0.1, 1.5, np.nan):
        with pytest.raises(InputError, match="0 ≤ μ ≤ 1"):
            fast.a([0.5, bad])
    with pytest.raises(InputError, match="c is not accepted: give a Poly"):
        floats.evaluated("c", abs, [])


@pytest.mark.parametrize("text", [*CATALOGUE, "He3", "He10", "relu + tanh"])
@pytest.mark.parametrize("labels", ["matched", "squared"])
def test_values_at_no_pre_training_are_the_limits(text, labels):
    """Also where a vanishes: a(μ) - a(0) and b(μ) - b(0) are of the order of μ."""
    drift = _drift(text, labels)
    fast, near = _fast(text, labels), 2.0**-40
    (curve,) = zip(*(getattr(escape_curve(drift, [Fraction(0)]), n) for n in "ab"), strict=True)
    for function, exact in zip((fast.a, fast.b), curve, strict=True):
        at_zero, beside = function([0.0, near])
        assert at_zero == pytest.approx(exact, rel=1e-13, abs=0)
        assert abs(beside - at_zero) < 1e-9 * (1 + abs(fast.b(0.0)))
    (rate,) = escape_curve(drift, [Fraction(0)]).rate
    assert fast.rate(0.0) == pytest.approx(rate, rel=1e-12, abs=0)


@pytest.mark.parametrize("teacher", ["cos", "sigmoid"])
def test_a_label_at_the_kink_makes_b_infinite_at_zero(teacher):
    pair = Pair(parse_activation(teacher), parse_activation("relu"))
    drift = drift_of(pair)
    with pytest.raises(InputError, match=r"finite at μ = 0.*μ > 0"):
        escape_curve(drift, [Fraction(0)])
    if teacher == "cos":  # the other is not interpolated
        with pytest.raises(InputError, match=r"at 0 is not finite.*μ > 0"):
            fast_drift(drift).b([0.5, 0.0])
        assert np.isfinite(fast_drift(drift).a(0.0))


def test_trusting_cancelled_doubles_is_noticed(monkeypatch):
    """Planted fault: without the fall-back on balls, He_50 is wrong."""
    monkeypatch.setattr(floats, "_MOST_WIDE", np.inf)
    drift = _drift("He50")
    points = np.array([0.8, 0.9])
    truth = np.array(list(_certified(drift, points))).T
    assert not np.allclose(fast_drift(drift).b(points), truth[1], rtol=1e-3, atol=0)


@pytest.mark.parametrize("text", ["He10", "tanh"])
def test_machines_without_wider_floats_get_the_same(monkeypatch, text):
    monkeypatch.setattr(floats, "_WIDEST", np.finfo(float).eps)
    monkeypatch.setattr(floats, "_MOST_WIDE", floats.MOST_CANCELLATION)
    drift = _drift(text)
    points = np.array([0.01, 0.4, 0.99])
    truth = np.array(list(_certified(drift, points))).T
    np.testing.assert_allclose(fast_drift(drift).a(points), truth[0], rtol=1e-13, atol=0)


@pytest.mark.parametrize(
    "text",
    ["x", "He3", "He10", "relu", "erf", "gelu", "tanh", "sigmoid", "sin(3*x)", "tanh(9*x)"],
)
def test_balls_are_asked_at_few_strengths(monkeypatch, text):
    """At none of both ends, nor beside them where zeros can be divided out or are interpolated."""
    asked, nearest = [], floats.nearest_double
    fast = fast_drift(_drift(text))
    monkeypatch.setattr(floats, "nearest_double", lambda *at: asked.append(at) or nearest(*at))
    apart = 10.0 ** -np.arange(2, 12)
    beside = [] if text in ("erf", "gelu", "sin(3*x)", "tanh(9*x)") else [apart, 1 - apart]
    for points, most in (
        *((part, 0) for part in ([0.0, 1.0], *beside)),
        (np.linspace(0.02, 0.98, 200), 20),
    ):
        for coefficient in (fast.a, fast.b):
            coefficient(points)
        assert len(asked) <= most
