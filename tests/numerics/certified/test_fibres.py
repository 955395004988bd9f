"""Moments given the output of a polynomial, against laws and a second quadrature."""

from itertools import pairwise

import numpy as np
import pytest
from flint import arb, ctx
from scipy.integrate import quad
from sympy import Poly
from sympy.abc import x

from derive.errors import InputError, Undecided
from derive.grammar import parse_activation
from derive.hermite import normal_moment
from numerics.certified.fibres import fibres_of

TEACHERS = ("He2", "He3", "He4", "He5", "x**3 + x", "x**3", "x**2 + x", "x**3 + x**2", "x**4 + x",
            "x**5 - x**3", "x**4 - x**2/3 + x/10", "He3/3 + He2/2")  # fmt: skip


def teacher(text):
    return parse_activation(text).polynomial


@pytest.fixture(autouse=True)
def precise():
    with ctx.workprec(128):
        yield


@pytest.mark.parametrize("text", TEACHERS)
def test_the_mean_over_outputs_is_the_mean(text):
    """E 1·E[zᵏ|y] = E zᵏ, which no weight but the density over the slope keeps."""
    moments = fibres_of(teacher(text), 4).moments
    for k in range(5):
        known = normal_moment(k) if k % 2 == 0 else 0
        assert moments[0, k].contains(known)
        assert moments[0, k].rad() < 1e-12


@pytest.mark.parametrize("text", TEACHERS)
def test_outputs_know_no_more_than_inputs(text):
    """Jensen: E (E[zᵏ|y])² ≤ E z²ᵏ, with equality for a monotone teacher."""
    moments = fibres_of(teacher(text), 4).moments
    for k in range(5):
        assert not moments[k, k] > normal_moment(2 * k)
        if text in ("x**3 + x", "x**3"):
            assert moments[k, k].contains(normal_moment(2 * k))
        elif k % 2:
            assert moments[k, k] < normal_moment(2 * k)


@pytest.mark.parametrize("text", ["He2", "He4", "3 - x**4"])
def test_even_teachers_do_not_tell_the_sign(text):
    moments = fibres_of(teacher(text), 4).moments
    assert all(moments[1, k].contains(0) and moments[3, k].contains(0) for k in range(5))
    if text != "He4":  # |z| is known
        assert moments[2, 4].contains(normal_moment(6))


@pytest.mark.parametrize("text", ["He3", "x**3 + x**2"])
def test_an_affine_image_has_the_same_fibres(text):
    one = fibres_of(teacher(text), 4).moments
    other = fibres_of(teacher(f"2/3 - ({text})/7"), 4).moments
    assert all((one[j, k] - other[j, k]).contains(0) for j in range(4) for k in range(4))


def test_a_mirrored_line_has_mirrored_fibres():
    one = fibres_of(teacher("x**3 + x**2"), 4).moments
    other = fibres_of(teacher("-x**3 + x**2"), 4).moments
    assert all((one[j, k] - (-1) ** (j + k) * other[j, k]).contains(0)
               for j in range(4) for k in range(4))  # fmt: skip


@pytest.mark.parametrize("text", ["He3", "x**3 + x**2", "x**4 + x"])
def test_a_second_quadrature_agrees(text):
    """Roots of φ - y by eigenvalues, integrals by SciPy between critical values."""
    polynomial = np.array([float(c) for c in teacher(text).all_coeffs()])
    slope = np.polyder(polynomial)
    turns = [root.real for root in np.roots(slope) if abs(root.imag) < 1e-9]
    cuts = sorted(np.polyval(polynomial, turns))

    def integrand(y):
        roots = np.roots(polynomial - np.eye(1, len(polynomial), len(polynomial) - 1)[0] * y)
        z = roots.real[np.abs(roots.imag) < 1e-7]
        weights = np.exp(-z * z / 2) / np.abs(np.polyval(slope, z)) / np.sqrt(2 * np.pi)
        return weights @ z * (weights @ z) / weights.sum() if len(z) else 0.0

    ends = [cuts[0] - 4000, cuts[0] - 50, cuts[0] - 3, *cuts, cuts[-1] + 3, cuts[-1] + 50,
            cuts[-1] + 4000]  # fmt: skip
    total = sum(quad(integrand, low + 1e-12, high - 1e-12, limit=400)[0]
                for low, high in pairwise(ends))  # fmt: skip
    assert float(fibres_of(teacher(text), 4).moments[1, 1]) == pytest.approx(total, abs=3e-6)


def test_nodes_are_inputs_of_their_outputs():
    for text in ("He4", "x**3 + x**2"):
        fibres = fibres_of(teacher(text), 4)
        value = np.polynomial.Polynomial([float(c) for c in teacher(text).all_coeffs()[::-1]])
        for y, inputs, shares in zip(fibres.outputs, fibres.inputs, fibres.shares, strict=True):
            assert value(np.array(inputs)) == pytest.approx(y, rel=1e-9, abs=1e-9)
            assert sum(shares) == pytest.approx(1)
        assert sum(fibres.masses) == pytest.approx(1)


def test_a_high_degree_is_enclosed():
    moments = fibres_of(teacher("He7"), 2).moments
    assert moments[0, 2].contains(1)
    assert arb("0.55") < moments[1, 1] < arb("0.56")


@pytest.mark.parametrize("polynomial", [Poly(3, x, domain="QQ"), Poly(x**31, x, domain="QQ"),
                                        Poly(x * 2**0.5, x)])  # fmt: skip
def test_others_are_refused(polynomial):
    with pytest.raises(InputError, match="polynomial"):
        fibres_of(polynomial, 1)


@pytest.mark.parametrize(
    ("digits", "why"),
    [(50, "two critical values of the teacher are not told apart"),
     (30, "the fibres of the teacher are not enclosed")],
)  # fmt: skip
def test_minima_of_nearly_one_height_are_an_error(digits, why):
    """x/10ᵏ lifts one of two equal minima a little above the other."""
    with pytest.raises(Undecided, match=why):
        fibres_of(teacher(f"x**4/4 - x**2/2 + x/10**{digits}"), 1)


@pytest.mark.parametrize("text", ["x**3 + x", "He3"])
def test_what_lies_beyond_the_reach_is_bounded(text, monkeypatch):
    """E 1·E[zᵏ|y] = E zᵏ at a reach at which what is left out is far above all other errors."""
    monkeypatch.setattr("numerics.certified.fibres._REACH", 6)
    moments = fibres_of.__wrapped__(teacher(text), 4).moments
    for k in range(5):
        assert moments[0, k].contains(normal_moment(k) if k % 2 == 0 else 0)
    assert 1e-9 < moments[0, 0].rad() < 3e-9


def test_the_highest_degree_is_taken():
    assert fibres_of(teacher("x**30"), 0).moments[0, 0].contains(1)


@pytest.mark.parametrize("text", ["x**3 + x", "He3"])
def test_what_is_missed_is_relative_to_the_size_of_moments(text):
    """Of each degree alike: |K_jk| ≤ √(E z²ʲ E z²ᵏ)."""
    moments = fibres_of(teacher(text), 8).moments
    sizes = [arb(normal_moment(2 * k)).sqrt() for k in range(9)]
    shares = [
        float(moments[j, k].rad() / (sizes[j] * sizes[k])) for j in range(9) for k in range(9)
    ]
    assert max(shares) < 1e-20
