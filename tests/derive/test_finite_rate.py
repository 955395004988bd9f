"""The term of a finite rate: from one step of the update, and its noise by sums over the plane."""

import numpy as np
import pytest
from sympy import Rational, lambdify, simplify

from derive.errors import InputError
from derive.exit import sample_noise
from derive.finite_rate import finite_rate_drift, noise_landscape
from derive.gaussian import NoClosedForm
from derive.pair import Pair
from derive.symbols import m, mu, residual, rho, u, z

PAIRS = ("x", "He3", "relu", "erf", Pair("He2", labels="squared"), Pair("relu", "erf"),
         Pair("erf", loss="correlation"))  # fmt: skip


@pytest.mark.parametrize("update", ["spherical", "projected"])
def test_the_term_is_what_one_step_in_many_dimensions_does(update):
    """A step written out with a vector whose square is dN/B, at a small γ and a fixed γd."""
    numbers = {"g_teacher": 0.7, "g_omega": -0.4, "N": 1.3, "gamma_d": 0.9, "B": 2.0}
    scale, overlap, rate = 0.8, 0.3, 1e-7
    dimension = numbers["gamma_d"] / rate
    pull = np.array([numbers["g_teacher"], 0.0, 0.0])  # along ω⋆, in the plane of ω, off it
    direction = np.array([overlap, np.sqrt(1 - overlap**2), 0.0])
    pull[1] = (numbers["g_omega"] - pull[0] * overlap) / direction[1]
    pull[2] = np.sqrt(dimension * numbers["N"] / numbers["B"])
    tangent = pull - (direction @ pull) * direction if update == "spherical" else pull
    moved = direction + rate * scale * tangent
    velocity = (moved[0] / np.linalg.norm(moved) - overlap) / rate
    told = finite_rate_drift(update).subs({u: scale, m: overlap})
    told = told.subs({symbol: numbers[symbol.name] for symbol in told.free_symbols})
    assert float(told) == pytest.approx(velocity, abs=1e-5)


def test_both_updates_have_the_same_limit():
    found = finite_rate_drift()
    assert simplify(found - finite_rate_drift("projected")) == 0
    gamma_d, batch, noise = (next(s for s in found.free_symbols if s.name == name)
                             for name in ("gamma_d", "B", "N"))  # fmt: skip
    assert simplify(found.coeff(gamma_d) + u**2 * m * noise / (2 * batch)) == 0
    with pytest.raises(InputError, match="give spherical or projected"):
        finite_rate_drift("whole")


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: str(Pair.of(pair).texts))
def test_the_noise_is_a_mean_over_the_plane(pair):
    """(y - σ)² σ'² summed over a grid, on both sides of ρ = 0."""
    pair, covariance, s = Pair.of(pair), -0.4, 0.3
    axis, step = np.linspace(-9, 9, 1801, retstep=True)
    first, second = np.meshgrid(axis, axis)
    seen = covariance * first + np.sqrt(s) * second

    def values(function, x):
        low, high = (lambdify(z, function.pieces[i], ["scipy", "numpy"]) for i in (0, -1))
        return np.where(x < 0, low(x), high(x))

    sigma = pair.student.value
    error = values(pair.label, first) - (pair.loss == "square") * values(sigma, seen)
    power = (error**2 + 0.25) * values(sigma.derivative(), seen) ** 2
    whole = (power * np.exp(-(first**2 + second**2) / 2)).sum() * step**2 / (2 * np.pi)
    found = noise_landscape(pair, Rational(1, 2)).subs({rho: Rational(-2, 5), residual: s})
    assert float(found.evalf()) == pytest.approx(whole, rel=2e-3)


@pytest.mark.parametrize("pair", ["x", "He3", "erf", Pair("He2", labels="squared")], ids=str)
def test_where_the_search_begins_it_is_the_noise_of_the_law(pair):
    whole = noise_landscape(pair, Rational(1, 3)).subs(rho, mu).subs(residual, 0)
    here = sample_noise(pair, Rational(1, 3))
    assert abs(float((whole - here).subs(mu, Rational(3, 5)).evalf())) < 1e-12


def test_without_a_closed_form_there_is_none():
    with pytest.raises(NoClosedForm):
        noise_landscape("tanh")
