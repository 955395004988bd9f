"""The front door gives what the functions below it give, array in, array out."""

from fractions import Fraction

import numpy as np
import pytest
import sympy

from derive import InputError, Pair, drift_of, hermite_drift, mu
from numerics import escape_curve, find_singularities, float_landscape, study

GRID = np.linspace(0.1, 0.9, 9)


@pytest.mark.parametrize("text", ["relu", "erf", "tanh", "He3", "x**3/6 + x"])
def test_it_adds_nothing_of_its_own(text):
    here, drift = study(text), drift_of(Pair(text))
    curve = escape_curve(drift, GRID)
    assert here.drift == drift
    assert here.curve(GRID) == curve
    for name in ("a", "b"):
        assert getattr(here, name)(GRID).tolist() == list(getattr(curve, name))
    assert here.tau(GRID).tolist() == list(curve.tau)
    assert here.singularities(8) == find_singularities(drift, 8)
    assert here.unit == drift.unit == curve.unit


@pytest.mark.parametrize(
    "given",
    [0.5, Fraction(1, 3), [0.25, 0.5], GRID.reshape(3, 3), "0.1:0.9:3", np.float64(0.5), (0.5,),
     np.empty((0, 2))],
    ids=str,
)  # fmt: skip
def test_the_shape_of_the_strengths_is_kept(given):
    here = study("relu")
    shape = (3,) if isinstance(given, str) else np.shape(given)
    for found in (here.a(given), here.b(given), here.tau(given)):
        assert np.shape(found) == shape
        assert np.asarray(found).dtype == float
    assert np.shape(here.curve(given).mu) == (int(np.prod(shape)),)


def test_a_coefficient_is_its_formula_to_sympy():
    here = study("erf")
    assert sympy.diff(here.a, mu) == sympy.diff(drift_of("erf").a, mu)
    assert sympy.sympify(here.b) == drift_of("erf").b
    assert "mu" in here.a._repr_latex_()
    without = study("tanh").a
    assert without.expression is without._repr_latex_() is None
    with pytest.raises(InputError, match="no closed form"):
        sympy.diff(without, mu)


def test_times_say_their_unit():
    raw, paper = study(3), study(3, normalization="n*n!")
    assert (raw.unit, paper.unit) == ("1/γ", "1/(γ n·n!)")
    np.testing.assert_allclose(paper.tau(GRID), 18 * raw.tau(GRID), rtol=1e-15)
    assert paper.drift == hermite_drift(3, normalization="n*n!")
    assert raw.drift == hermite_drift(3)
    with pytest.raises(InputError, match="pure Hermite"):
        study("relu", normalization="n*n!")


@pytest.mark.parametrize("given", [{"labels": "squared"}, {"loss": "correlation"},
                                   {"misalignment": "linear"}, {"student": "erf"}])  # fmt: skip
def test_what_is_said_by_name_reaches_the_pair(given):
    assert study("He2", **given).pair == Pair("He2", **given)
    assert study(Pair("He2", **given)).pair == Pair("He2", **given)


def test_hermite_coefficients_and_landscape_are_those_of_the_student():
    here = study("relu", "erf")
    assert here.hermite(3) == tuple(here.pair.student.hermite_coefficient(k, 1) for k in range(4))
    known = float_landscape(here.pair)
    assert here.landscape.loss(0.3, 0.4) == known.loss(0.3, 0.4)


def test_a_plot_has_the_curve_and_its_singularities():
    axis = study("He3").plot()
    (curve, *dotted) = axis.get_lines()
    assert [line.get_xdata()[0] for line in dotted] == pytest.approx([0.32072435])
    strengths, times = curve.get_data()
    np.testing.assert_allclose(times, study("He3").tau(np.array(strengths, dtype=float)))
    assert study("relu").plot("drift", ax=axis) is axis


@pytest.mark.parametrize(
    "call",
    [
        lambda: study(Pair("relu"), labels="squared"),
        lambda: study(Pair("relu"), "erf"),
        lambda: study("relu", normalization="paper"),
        lambda: study("relu").hermite(-1),
        lambda: study("relu").hermite("3"),
        lambda: study("relu").singularities(0),
        lambda: study("relu").singularities("9"),
        lambda: study("relu").plot("risk"),
        lambda: study("relu").tau("a"),
        lambda: study("relu").simulate(),
        lambda: study("relu").simulate(mu=[0.1, 0.2]),
        lambda: study("relu").simulate(mu=0.5, dimension="1e6"),
        lambda: study("relu").simulate(mu=0.5, replicas=2.5),
    ],
)
def test_what_is_not_accepted_is_one_line(call):
    with pytest.raises(InputError) as refused:
        call()
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 300
